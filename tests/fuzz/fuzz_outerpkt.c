/* SPDX-License-Identifier: MIT */
/* The first bytes of an outer packet, any bytes. */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "netctl/outerpkt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outerpkt packet = {.udp_size = -1};
	int r = outerpkt_parse(data, size, &packet);

	if (r != 0 && (r != -ENOENT || packet.udp_size != -1))
		abort();
	if (r == 0 && (packet.udp_size < 8 || packet.udp_size > 65535 ||
		       packet.source_port > 65535 || packet.destination_port > 65535))
		abort();
	return 0;
}

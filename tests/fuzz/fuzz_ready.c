/* SPDX-License-Identifier: MIT */
/* The names of a run, any bytes, in the text of `best --as` for each system: neither a line
 * nor what a terminal acts on gets into it with them. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "report/ready.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int count_lines(const char *system, const struct ready *ready)
{
	char *text = ready_text(system, ready);
	int lines = 0;

	for (const char *at = text; at && *at; at++) {
		if (*at != '\n' && *at != '\t' && text_control(at))
			abort();
		lines += *at == '\n';
	}
	free(text);
	return lines;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *interface = calloc(1, size + 1);
	const char *host;
	int mtu;

	if (!interface)
		return 0;
	if (size)
		memcpy(interface, data, size);
	/* The host's name is behind a NUL byte. */
	host = interface + strlen(interface) + (strlen(interface) < size);
	mtu = size ? 576 + data[0] * 16 : 1420;
	for (int i = 0; ready_names[i]; i++) {
		struct ready ready = {
			.run = 1,
			.end = "peer",
			.host = host,
			.interface = interface,
			.mtu = mtu,
			.far_mtu = 1420,
			.proof = "proved",
			.peers = (int)size,
		};
		int lines = count_lines(ready_names[i], &ready);

		ready.host = "";
		if (lines != count_lines(ready_names[i], &ready))
			abort();
		ready.interface = "wg0";
		if (lines && lines != count_lines(ready_names[i], &ready))
			abort();
	}
	free(interface);
	return 0;
}

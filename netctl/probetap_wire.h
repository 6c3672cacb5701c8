/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_PROBETAP_WIRE_H
#define NETCTL_PROBETAP_WIRE_H

#include <stdint.h>

#include "netctl/probetap.h"

/* The messages between probetap.c and probetap_client.c. One byte asks; the answer
 * holds all sizes seen since the last question, in as many messages as needed. */

#define PROBETAP_UDP_MAX 65535
#define PROBETAP_SEEN    1024

#define SEEN_WHOLE(way)      (1 << (2 * (way)))
#define SEEN_FRAGMENTED(way) (2 << (2 * (way)))

struct probetap_answer {
	uint16_t count;
	uint16_t more; /* another message follows */
	struct {
		uint16_t udp_size;
		uint16_t seen; /* SEEN_... */
	} sizes[PROBETAP_SEEN];
};

#endif

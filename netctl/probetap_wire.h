#ifndef NETCTL_PROBETAP_WIRE_H
#define NETCTL_PROBETAP_WIRE_H

#include <stdint.h>

#include "netctl/probetap.h"

/* What probetap.c and probetap_client.c say to one another: one byte asks, and is
 * answered with all that was seen since it was last asked for, in as many messages as
 * that takes. */

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

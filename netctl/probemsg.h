#ifndef NETCTL_PROBEMSG_H
#define NETCTL_PROBEMSG_H

#include <stddef.h>
#include <stdint.h>

#include "base/path.h"
#include "netctl/bandfind.h"

/*
 * The datagrams that both ends of a tunnel exchange while they probe it, as values and as
 * bytes; docs/protocol.md has them. Pure. They come from the network: whatever is none of
 * ours, or has another token, is -EBADMSG.
 */

#define PROBEMSG_TOKEN 16
/* Of all but probes themselves. */
#define PROBEMSG_MAX 256
/* Of a probe: the part that is not filling. */
#define PROBEMSG_PROBE_HEAD 26

enum probemsg_kind {
	PROBEMSG_GO = 1, /* the peer's: a round begins */
	PROBEMSG_PROBE,
	PROBEMSG_END,    /* all probes of this end's round were sent */
	PROBEMSG_REPORT, /* what arrived of the other end's */
	PROBEMSG_BYE,    /* the peer's: it was the last round */
	PROBEMSG_KIND_COUNT,
};

/* Sizes are those of inner IP packets. */
struct probemsg_list {
	int count;
	int copies; /* of each size, 1 to 255 */
	int sizes[BANDFIND_ROUND];
};

struct probemsg {
	enum probemsg_kind kind;
	unsigned char token[PROBEMSG_TOKEN];
	int round;                            /* 1 to 65535 */
	struct probemsg_list list[DIR_COUNT]; /* of GO, and of the peer's END */
	/* Of REPORT: what became of list[0]'s sizes, and what the reporting end's own way
	 * takes whole by now. */
	enum fate fates[BANDFIND_ROUND];
	int outer_mtu;
	int size; /* of PROBE */
};

/* The number of bytes; of a probe its head's. */
size_t probemsg_encode(const struct probemsg *m, unsigned char ret[PROBEMSG_MAX]);

int probemsg_decode(const void *data, size_t size,
		    const unsigned char token[PROBEMSG_TOKEN], struct probemsg *ret);

#endif

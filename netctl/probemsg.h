/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_PROBEMSG_H
#define NETCTL_PROBEMSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/path.h"
#include "netctl/bandfind.h"

/*
 * The datagrams that both ends of a tunnel exchange while they probe it, as values and
 * as bytes (docs/protocol.md). Pure. They come from the network: a datagram of another
 * program, or with another token, is -EBADMSG.
 */

#define PROBEMSG_TOKEN 16
/* Largest size of any datagram but a probe. */
#define PROBEMSG_MAX 256
/* The part of a probe before its padding. */
#define PROBEMSG_PROBE_HEAD 27

enum probemsg_kind {
	PROBEMSG_GO = 1, /* from the peer: a round begins */
	PROBEMSG_PROBE,
	PROBEMSG_END,    /* this end has sent all probes of the round */
	PROBEMSG_REPORT, /* fates of the other end's probes */
	PROBEMSG_BYE,    /* from the peer: that was the last round */
	PROBEMSG_KIND_COUNT,
};

/* Sizes are those of inner IP packets. */
struct probemsg_list {
	int count;
	int copies; /* copies of each size, 1 to 255 */
	int sizes[BANDFIND_ROUND];
};

/* Probes of earlier rounds that arrived after their round was judged. */
struct probemsg_late {
	int count; /* of sizes, each once */
	int sizes[BANDFIND_ROUND];
	enum fate fates[BANDFIND_ROUND]; /* FATE_UNKNOWN: it cannot be told any more */
	int arrived[BANDFIND_ROUND];     /* copies, 1 to 255 */
};

struct probemsg {
	enum probemsg_kind kind;
	unsigned char token[PROBEMSG_TOKEN];
	int round;                            /* 1 to 65535 */
	struct probemsg_list list[DIR_COUNT]; /* for GO, and for the peer's END */
	/* For REPORT: the fates of list[0]'s sizes and the number of copies that arrived,
	 * and the path MTU that the reporting end's kernel knows now. */
	enum fate fates[BANDFIND_ROUND];
	int arrived[BANDFIND_ROUND];
	struct probemsg_late late;
	bool unseen; /* the reporting end does not see its outer packets */
	int outer_mtu;
	/* for PROBE */
	int size;
	int number; /* of the round's probes, as they are sent; from 0 to 255 */
};

/* Return the number of bytes; for a probe, its head's. */
size_t probemsg_encode(const struct probemsg *m, unsigned char ret[PROBEMSG_MAX]);

int probemsg_decode(const void *data, size_t size,
		    const unsigned char token[PROBEMSG_TOKEN], struct probemsg *ret);

#endif

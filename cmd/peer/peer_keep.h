/* SPDX-License-Identifier: MIT */
#ifndef CMD_PEER_PEER_KEEP_H
#define CMD_PEER_PEER_KEEP_H

#include "cmd/peer/peer_ops.h"

/*
 * Apply a pair of MTUs on both ends of a tunnel that may be the only way to them. Both
 * ends set the pair live. Full-size packets of each end's MTU must arrive at the other.
 * Then the server commits, and then this end. After a lost answer the request is
 * repeated. Until it has committed, each end restores its MTU by itself if it does not
 * hear of the other within the lease. A pair that only one end has committed is safe,
 * since each MTU was proved for the direction in which it is sent.
 */

/* The fate of the server's MTU if the server hears no more of this end. */
enum peer_there {
	PEER_THERE_LEASED, /* it restores it */
	PEER_THERE_MAYBE,  /* the same, unless an unanswered commit arrived */
	PEER_THERE_KEPT,   /* it has committed it */
};

struct peer_kept {
	enum peer_there there;
	int mtu;                 /* that the server keeps, or may keep */
	struct mtu_pair applied; /* at both ends; 0, 0: none */
};

enum peer_candidates {
	PEER_KEEP_ANY,   /* `first`, then all pairs of the run, the fastest first */
	PEER_KEEP_FIRST, /* `first` alone, if it was ok each time: a grid's fastest pair
			  * is mostly noise */
	PEER_KEEP_UNMEASURED, /* `first` alone: all measurements are of another path */
};

/*
 * Keep `first`, or where that is {0, 0} or not proved, the fastest pair of this run that
 * was ok at each of its visits and whose MTUs are proved; those that are not are named and
 * passed over; `from` may allow no other pair than `first`. A pair whose full-size packets
 * arrive in fragments is kept only if none arrives whole; that, and what cannot be seen, is
 * told. -ENODATA: there is none. From the first commit on the user's signals wait: between
 * the two commits there is no way back that both ends know of.
 */
int peer_keep_best(struct peer_kept *kept, struct peer_visit *visit,
		   const struct mtu_pair *first, enum peer_candidates from,
		   struct err *err);

#endif

#ifndef CMD_PEER_PEER_KEEP_H
#define CMD_PEER_PEER_KEEP_H

#include "cmd/peer/peer_ops.h"

/*
 * Keeping a pair of MTUs, confirmed by both ends, on a tunnel that may be the only way to
 * them. Both set the pair live; full-size packets of each end's MTU have to arrive at the
 * other; the server commits, then this end does. A lost answer is mended by asking again.
 * Until it has committed each end goes back by itself when it does not hear of the other
 * within the lease; and a pair that only one of them kept is safe, since each MTU was
 * proved for the direction it is sent in.
 */

/* The fate of the server's MTU if the server hears no more of this end. */
enum peer_there {
	PEER_THERE_LEASED, /* it restores it */
	PEER_THERE_MAYBE, /* the same, unless a commit got there that was not answered */
	PEER_THERE_KEPT,  /* it keeps it */
};

struct peer_kept {
	enum peer_there there;
	int mtu; /* that the server keeps, or may keep */
};

/*
 * Keep `first`, or where that is {0, 0} or not proved, the fastest pair of this run that
 * was ok at each of its visits and whose MTUs are proved; those that are not are named and
 * passed over. -ENODATA: there is none. From the
 * first commit on the user's signals wait: between the two commits there is no way back
 * that both ends know of.
 */
int peer_keep_best(struct peer_kept *kept, struct peer_visit *visit,
		   const struct mtu_pair *first, struct err *err);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef CMD_PEER_PEER_CONCLUDE_H
#define CMD_PEER_PEER_CONCLUDE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/types.h"
#include "base/warning.h"

/*
 * The recommendation of a run that probed its path: the one that peer_answer.h predicts,
 * and the one at the end. If the path is another one by then, or a measurement shows that
 * it may be, it is probed again, and no earlier measurement counts.
 */

struct peer;

/* Another path than at the run's begin, and how that shows. */
struct path_change {
	struct warning warning; /* WARNING_MOVED or WARNING_CHANGED, without detail */
	char detail[2 * ADDRESS_SIZE + 8]; /* "BEFORE to NOW" */
};

/* True if this end's WireGuard endpoint has another address than at the run's begin;
 * else *ret is untouched. */
bool peer_endpoint_moved(const struct peer *peer, struct path_change *ret);

/* With the path stored and before the first test: store peer->predicted, and send it for
 * the server's copy. Nothing where the probes do not show a pair. */
int peer_store_prediction(struct peer *peer, struct err *err);

/*
 * After each measurement: if it contradicts the probes, probe the path again. 1: the path
 * has changed; the new one is stored, and so is what it predicts, which was told. 0: it has
 * not, or that is unknown. -EINTR, -EPIPE and other errors that end the run.
 */
int peer_recheck_path(struct peer *peer, const struct measurement *m, struct err *err);

/* The same after the last measurement: the recommended pair's packets, and the next larger
 * ones, are probed once more. */
int peer_recheck_end(struct peer *peer, struct err *err);

/* Conclude the run: store the recommendation, print it, and send it for the
 * server's copy. *ret is {0, 0} if no pair is recommended. */
int peer_conclude(struct peer *peer, struct mtu_pair *ret, struct err *err);

#endif

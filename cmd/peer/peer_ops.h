/* SPDX-License-Identifier: MIT */
#ifndef CMD_PEER_PEER_OPS_H
#define CMD_PEER_PEER_OPS_H

#include "cmd/peer/peer_run.h"
#include "cmd/peer/peer_session.h"
#include "engine/runner.h"
#include "engine/sweep.h"
#include "netctl/rtwatch.h"

/* The operations of the peer's sweep: a pair at both ends, and its tests. */

struct peer_test {
	uint32_t id;
	int from_port; /* its first connection comes from it; 0: any */
};

struct peer_visit {
	struct peer_session *session;
	struct peer_run *run;
	struct runner *runner;
	struct rtwatch *watch;
	struct mtu_pair mtu;
	bool lost[DIR_COUNT]; /* of the visit: the probes show nothing arriving */
	int before;           /* visits of this run that earlier plans made */
	int visits_left;      /* with this one; as it was when it began; or NO_FIGURE */
	int64_t left_ms;      /* the same, of the time */
	uint32_t last_test;   /* the last one's number */
	struct peer_test test; /* the one that was armed last */
	/* the one that is set up beside that, until it is measured; id 0: none */
	struct peer_test next;
	bool is_next; /* `test` was set up so */
	/* the idle round trip of this visit, or NO_FIGURE: median, 95th percentile */
	int64_t idle_us;
	int64_t idle_p95_us;
	bool disturbed; /* by others: a test of this visit */
	bool blameless; /* the pair is not to blame for what this visit was lost for */
	int tests;      /* that came to an end */
	bool met;       /* a test has reached the server's port */
	bool settle_warned;
	int warned_there; /* warnings that the server told */
};

/* `ctx` is a struct peer_visit. */
extern const struct sweep_ops peer_ops;

/* Set the pair at both ends, without a test. */
int peer_set_pair(struct peer_visit *visit, const struct mtu_pair *mtu,
		  struct err *err);

#endif

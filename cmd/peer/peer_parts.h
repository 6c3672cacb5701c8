/* SPDX-License-Identifier: MIT */
#ifndef CMD_PEER_PEER_PARTS_H
#define CMD_PEER_PEER_PARTS_H

#include "base/evidence.h"
#include "base/tunnel.h"
#include "cmd/peer/peer_check.h"
#include "cmd/peer/peer_keep.h"
#include "cmd/peer/peer_ops.h"
#include "cmd/peer/peer_run.h"
#include "cmd/peer/peer_session.h"
#include "cmd/peer/peer_survey.h"

/* All of the peer's main process. peer.c makes the parts known to one another, opens and
 * closes what they hold; a function takes the whole only where it needs most of them. */

struct peer {
	const struct peer_config *config;
	struct peer_session session;
	struct peer_run run;
	struct peer_visit visit;
	struct peer_findings findings;
	struct evidence predicted; /* by the probes alone; mtu 0, 0: none */
	struct peer_check check;   /* without a plan: whether the current pair fits */
	int printed;               /* 0, or what the printing of that failed with */
	struct peer_kept kept;
	/* tests too short for the round trip; duration_ms 0: they are not */
	struct warning short_tests;
	/* for the close, which carries it; number 0: none */
	struct msg_recommendation last_word;
	int rechecks; /* of the path, after measurements that contradicted its probes */
	bool path_checked;           /* after the last measurement */
	char endpoint[ADDRESS_SIZE]; /* this end's, when the run began; "": unknown */
	bool tunnel_known;
	struct tunnel tunnel;
};

#endif

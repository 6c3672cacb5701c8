/* SPDX-License-Identifier: MIT */
#ifndef CMD_PEER_PEER_SMART_H
#define CMD_PEER_PEER_SMART_H

#include "base/err.h"
#include "base/path.h"
#include "engine/plan.h"

/*
 * --strategy smart, the functions of struct strategy: the path is probed before the sweep,
 * and what all of it comes to is said, and stored, after it.
 */

struct peer;

struct peer_findings {
	struct path_survey survey; /* the path, before the sweep */
	bool path_shared;          /* the server has it */
};

/* With the session open: findings.survey, by probes; of a run that goes on, from the
 * database. That nothing is known is no failure, and told. */
int peer_smart_survey(struct peer *peer, struct err *err);

/* The plan, by findings.survey. */
int peer_smart_plan(const struct peer *peer, struct plan **ret, struct err *err);

/* Store findings.survey with the run, and send it to the server's copy. */
int peer_smart_begun(struct peer *peer, struct err *err);

/* Conclude the run: store the recommendation, print it, and send it for the
 * server's copy. *ret is {0, 0} if no pair is recommended. */
int peer_smart_conclude(struct peer *peer, struct mtu_pair *ret, struct err *err);

#endif

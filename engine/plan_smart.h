/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_PLAN_SMART_H
#define ENGINE_PLAN_SMART_H

#include "base/err.h"
#include "base/path.h"
#include "engine/plan.h"

/*
 * Few visits: each can change the recommendation or what is known of it. The candidate,
 * the pair that the probes recommend, comes first. Then come pairs that the probes show
 * lost, one a direction: the current pair, or one just above the edge. They end as soon as
 * the loss is certain, and data that arrives proves the probes wrong. Then come rates that
 * can decide: the current pair, if it works, and the smallest pair, if the current one is
 * no rival that arrives whole. They are omitted where tests are short and the candidate's
 * rate is known so badly that 30 visits would not show the margin.
 *
 * The candidate is the reference series. It is visited again when a rate is off its
 * prediction by more than the margin: perhaps the line has changed. A pair that contradicts
 * the prediction is visited again. If that confirms it, or if probes are filtered, pairs on
 * the diagonal of the grid show the fate of each size, in an order drawn from `seed`:
 * coarse at first, then halved between neighbours that differ.
 *
 * The plan ends when no rival may be faster by more than the margin; or when tests
 * differ so much that the visits left cannot show that. It makes PLAN_SMART_VISITS
 * visits while nothing contradicts, and PLAN_SMART_VISITS_MAX at most. The sweep
 * enforces a time budget.
 */

#define PLAN_SMART_VISITS     8
#define PLAN_SMART_VISITS_MAX 48

struct plan_smart_options {
	struct path path; /* bands of count 0: probes filtered */
	struct mtu_range server;
	struct mtu_range peer;
	struct mtu_pair current; /* visited if both ranges contain it; 0, 0: unknown */
	double margin;           /* 0.05 */
	bool short_tests; /* of so few round trips that they may not know the rate */
	uint64_t seed;
};

/* -EINVAL for an empty grid, -ENOMEM. */
int plan_smart_new(const struct plan_smart_options *options, struct plan **ret,
		   struct err *err);

#endif

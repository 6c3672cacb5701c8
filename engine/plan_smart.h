/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_PLAN_SMART_H
#define ENGINE_PLAN_SMART_H

#include "base/err.h"
#include "base/path.h"
#include "engine/plan.h"

/*
 * Few visits, which confirm the probes' prediction or show where it is wrong. The
 * candidate is the reference: it comes first, in the middle and last. Between, in an
 * order drawn from `seed`, come the current pair, the smallest pair, and one pair just
 * above each direction's edge. A pair that contradicts the prediction is visited again.
 * If that confirms it, or if probes are filtered, pairs on the diagonal of the grid
 * show the fate of each size: coarse at first, then halved between neighbours that
 * differ.
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
	uint64_t seed;
};

/* -EINVAL for an empty grid, -ENOMEM. */
int plan_smart_new(const struct plan_smart_options *options, struct plan **ret,
		   struct err *err);

#endif

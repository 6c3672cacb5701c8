#ifndef ENGINE_PLAN_SMART_H
#define ENGINE_PLAN_SMART_H

#include "base/err.h"
#include "base/path.h"
#include "engine/plan.h"

/*
 * Few visits that confirm what probes predict, or show where they are wrong. The candidate
 * first, in the middle and last (the reference); between, in an order drawn from `seed`, the
 * current pair, the smallest one, and one just above each direction's edge. What contradicts
 * the prediction is visited again; when that confirms it, and where probes are filtered, the
 * diagonal of both lattices tells what becomes of each size: coarse at first, then halved
 * where neighbours differ.
 *
 * It ends when no rival may be faster by more than the margin, or when tests differ so much
 * that the visits left cannot show that, after PLAN_SMART_VISITS while nothing contradicts,
 * PLAN_SMART_VISITS_MAX at most. A budget in time is the sweep's.
 */

#define PLAN_SMART_VISITS     8
#define PLAN_SMART_VISITS_MAX 48

struct plan_smart_options {
	struct path path; /* bands of count 0: probes filtered */
	struct mtu_range server;
	struct mtu_range peer;
	struct mtu_pair current; /* visited where both ranges reach it; 0, 0: unknown */
	double margin;           /* 0.05 */
	uint64_t seed;
};

/* -EINVAL for an empty lattice, -ENOMEM. */
int plan_smart_new(const struct plan_smart_options *options, struct plan **ret,
		   struct err *err);

#endif

#ifndef ENGINE_PLAN_GRID_H
#define ENGINE_PLAN_GRID_H

#include "base/err.h"
#include "engine/plan.h"

/*
 * Every pair of the server's lattice times the peer's, `passes` times over. In row
 * order the server's MTU is the outer loop; shuffled, each pass has an order of its own
 * drawn from `seed` (the same seed, the same order), so that a drift of the line's
 * capacity does not look like an effect of the MTU. How large that drift is shows a
 * reference series: the lattice's smallest pair, which gets through where any does, is
 * visited first, last and between, evenly spread, at least each GRID_REFERENCE_EVERY
 * visits and once in the middle. Its visits for the lattice's sake belong to the series,
 * too. A lattice of one pair needs none.
 */

#define GRID_REFERENCE_EVERY 12

enum grid_order {
	GRID_ROW,
	GRID_SHUFFLED,
};

struct plan_grid_options {
	struct mtu_range server;
	struct mtu_range peer;
	int passes; /* 1 or more */
	enum grid_order order;
	uint64_t seed;
};

/* Visits in all, the reference's too; 0 for an empty lattice, 10^8 for that many and more. */
int plan_grid_visits(const struct plan_grid_options *options);

/* -EINVAL for an empty lattice or more than 10^6 visits (the reference's aside), -ENOMEM. */
int plan_grid_new(const struct plan_grid_options *options, struct plan **ret,
		  struct err *err);

#endif

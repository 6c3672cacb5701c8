#ifndef ENGINE_PLAN_GRID_H
#define ENGINE_PLAN_GRID_H

#include "base/err.h"
#include "engine/plan.h"

/*
 * Every pair of the server's lattice times the peer's, `passes` times over. In row
 * order the server's MTU is the outer loop; shuffled, each pass has an order of its own
 * drawn from `seed` (the same seed, the same order), so that a drift of the line's
 * capacity does not look like an effect of the MTU.
 */

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

/* -EINVAL for an empty lattice or more than 10^6 visits, -ENOMEM. */
int plan_grid_new(const struct plan_grid_options *options, struct plan **ret,
		  struct err *err);

#endif

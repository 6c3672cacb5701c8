/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_PLAN_GRID_H
#define ENGINE_PLAN_GRID_H

#include "base/err.h"
#include "engine/plan.h"

/*
 * Every pair of the grid, server MTUs times peer MTUs, `passes` times over. In row
 * order the server's MTU is the outer loop. Shuffled, each pass has its own order,
 * drawn from `seed`, so that drift does not look like an effect of the MTU. The same
 * seed gives the same order.
 *
 * A reference series shows the drift: it measures the grid's smallest pair, which works
 * if any pair does, first, last and evenly spread between, at least every
 * GRID_REFERENCE_EVERY visits and once in the middle. The grid's own visits of this
 * pair belong to the series, too. A grid of one pair needs no series.
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

/* The number of all visits, the reference series' included; 0 for an empty grid, at
 * most 10^8. */
int plan_grid_visits(const struct plan_grid_options *options);

/* -EINVAL for an empty grid or more than 10^6 visits (without the reference series),
 * -ENOMEM. */
int plan_grid_new(const struct plan_grid_options *options, struct plan **ret,
		  struct err *err);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef TESTS_ENGINE_GRID_SIM_H
#define TESTS_ENGINE_GRID_SIM_H

#include "engine/plan_grid.h"
#include "engine/recommend.h"

/*
 * A grid over a simulated path, on a line whose capacity is steady: rates are the model's
 * predictions for its bands, with noise. Include after cmocka.h.
 */

struct grid_sim {
	const char *bands;      /* of both directions */
	struct mtu_range range; /* of both ends */
	int passes;
	enum grid_order order;
	double spread; /* standard deviation of a rate's logarithm */
	double claim;  /* the part of it that tests detect; 0: they have no interval */
	bool heavy;    /* tails of Student's t with 3 degrees of freedom */
	bool probed;   /* the recommendation knows the bands */
};

/* Measure the grid; *ret is the recommendation from all of it. */
void grid_sim_run(const struct grid_sim *sim, uint64_t seed,
		  struct recommendation *ret);

/* True if the rates made an edge of a direction: sizes that arrive in fragments. */
bool grid_sim_has_edge(const struct recommendation *v, enum direction dir);

#endif

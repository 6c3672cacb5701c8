/* SPDX-License-Identifier: MIT */
#ifndef TESTS_ENGINE_DRIFT_SIM_H
#define TESTS_ENGINE_DRIFT_SIM_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Simulated runs on a line whose capacity is known at each moment: how often is a change
 * of capacity reported? For a unit test with few runs, and a bench with many.
 */

enum drift_sim_plan {
	/* `references` of a shuffled grid: 4 are a grid of 3 x 3, 14 one of 12 x 12, 46
	 * one of 23 x 23 */
	DRIFT_SIM_GRID,
	/* eight visits of plan_smart: the reference, four others, the reference, ... */
	DRIFT_SIM_SMART,
};

enum drift_sim_change {
	DRIFT_SIM_STEADY,
	DRIFT_SIM_HALVES,   /* at a random time of the run */
	DRIFT_SIM_DECLINES, /* steadily, from the whole to a half */
};

struct drift_sim {
	enum drift_sim_plan plan;
	int references; /* visits of a grid's reference */
	double spread;  /* standard deviation of a rate's logarithm */
	bool heavy;     /* tails of Student's t with 3 degrees of freedom */
	bool outlier;   /* one random visit has a fifth of its rate */
	enum drift_sim_change change;
};

/* Return the share of runs with a reported change of the upload's capacity. Abort when
 * out of memory. */
double drift_sim_share(const struct drift_sim *sim, int runs, uint64_t seed);

#endif

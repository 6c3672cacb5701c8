/* SPDX-License-Identifier: MIT */
#ifndef TESTS_ENGINE_SMART_SIM_H
#define TESTS_ENGINE_SMART_SIM_H

#include "engine/plan_smart.h"
#include "engine/recommend.h"

/*
 * The smart plan over a simulated path: rates are the model's predictions for its
 * bands, with noise, drift and tests that fail by accident. The functions fail the test
 * when the plan breaks a rule. Include after cmocka.h.
 */

struct sim {
	struct path path;
	double capacity[DIR_COUNT]; /* bit/s */
	double noise;               /* standard deviation of a rate's logarithm */
	double claim; /* the part of it that tests detect; 0: they have no interval */
	double step;  /* factor of the capacity from step_at on */
	int step_at;  /* number of a visit */
	double slope; /* drift of the logarithm from visit to visit */
	double lost;  /* share of tests that fail by accident */
	int clamp;    /* size of TCP's packets that a lowered MSS leaves; 0: none */
	struct mtu_pair current; /* before the run */
	uint64_t random;
	int visits;
};

/* The grid of all of them. */
extern const struct mtu_range smart_sim_range;

/* Run the plan with `told` as the known path; *ret is the recommendation from all it
 * measured. */
void smart_sim_run(struct sim *sim, const struct path *told, uint64_t seed,
		   struct recommendation *ret);

struct tally {
	int right;
	int runs;
	int visits;
	int most;
	int settled;
	double regret; /* regret of the wrong pairs: predicted, the worst */
};

/* Return the predicted rates of a pair, both directions added; bit/s. */
double smart_sim_worth(const struct sim *sim, const struct mtu_pair *mtu);

/* Add a run to the tally. `best` is the right pair. */
void smart_sim_count(const struct sim *sim, const struct recommendation *v,
		     const struct mtu_pair *best, struct tally *tally);

/* Print the tally; return the share of right pairs. */
double smart_sim_report(const char *name, const struct tally *tally);

#endif

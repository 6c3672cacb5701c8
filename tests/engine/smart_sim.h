#ifndef TESTS_ENGINE_SMART_SIM_H
#define TESTS_ENGINE_SMART_SIM_H

#include "engine/plan_smart.h"
#include "engine/verdict.h"

/*
 * The smart plan over a simulated path: rates are what the model says of its bands, with
 * noise, drift and tests that fail by accident. Functions end the test when the plan does
 * what it must not. Include after cmocka.h.
 */

struct sim {
	struct path path;
	double capacity[DIR_COUNT]; /* bit/s */
	double noise;               /* of a rate's logarithm */
	double claim; /* the part of it that tests know of; 0: they have no interval */
	double step;  /* capacity is multiplied by it from step_at on */
	int step_at;  /* visit */
	double slope; /* of the logarithm, a visit */
	double lost;  /* share of tests that fail by accident */
	struct mtu_pair current; /* before the run */
	uint64_t random;
	int visits;
};

/* The lattice of all of them. */
extern const struct mtu_range smart_sim_range;

/* The plan is told `told` of the path; *ret is the verdict on all it measured. */
void smart_sim_run(struct sim *sim, const struct path *told, uint64_t seed,
		   struct verdict *ret);

struct tally {
	int right;
	int runs;
	int visits;
	int most;
	int settled;
	double regret; /* of those that are not right: predicted, the worst */
};

/* Both directions of a pair as predicted, added; bit/s. */
double smart_sim_worth(const struct sim *sim, const struct mtu_pair *mtu);

/* Add a run to the tally. `best` is the right pair. */
void smart_sim_count(const struct sim *sim, const struct verdict *v,
		     const struct mtu_pair *best, struct tally *tally);

/* Print it; the share that is right. */
double smart_sim_report(const char *name, const struct tally *tally);

#endif

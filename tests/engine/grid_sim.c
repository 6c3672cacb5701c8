/* SPDX-License-Identifier: MIT */
/* A grid over a simulated path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "base/random.h"
#include "grid_sim.h"

static double uniform(uint64_t *random)
{
	return ((double)(random_next(random) >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(uint64_t *random)
{
	double radius = sqrt(-2 * log(uniform(random)));

	return radius * cos(6.283185307179586 * uniform(random));
}

/* A deviation of 1. Student's t with 3 degrees of freedom has one of sqrt(3). */
static double deviation(const struct grid_sim *sim, uint64_t *random)
{
	double sum = 0;

	if (!sim->heavy)
		return normal(random);
	for (int i = 0; i < 3; i++)
		sum += pow(normal(random), 2);
	return normal(random) / sqrt(sum);
}

static void measure(const struct grid_sim *sim, const struct path *path,
		    const struct visit *visit, int number, uint64_t *random,
		    struct measurement *ret)
{
	*ret = (struct measurement){
		.pass = visit->pass, .mtu = visit->mtu, .reference = visit->reference};
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		struct dir_result *r = &ret->dir[dir];
		struct prediction p =
			pathmodel_predict(path, &visit->mtu, (enum direction)dir);
		double rate =
			50e6 * p.goodput * exp(sim->spread * deviation(sim, random));
		double half = 1.96 * sim->spread * sim->claim;

		dir_result_init(r, p.tcp == FATE_LOST ? TEST_BLACKHOLE : TEST_OK, "%s",
				"");
		r->started_at_ms = 1000 + number * 3000 + dir * 1500;
		if (p.tcp == FATE_LOST)
			continue;
		r->goodput_bps = (int64_t)rate;
		if (half == 0)
			continue;
		r->goodput_low_bps = (int64_t)fmax(rate * (1 - half), 0);
		r->goodput_high_bps = (int64_t)(rate * (1 + half));
	}
}

void grid_sim_run(const struct grid_sim *sim, uint64_t seed, struct recommendation *ret)
{
	const struct plan_grid_options options = {
		.server = sim->range,
		.peer = sim->range,
		.passes = sim->passes,
		.order = sim->order,
		.seed = seed,
	};
	struct path path = {.overhead = {60, 60}};
	struct recommend_input input = {
		.path.overhead = {60, 60},
		.server = sim->range,
		.peer = sim->range,
		.margin = 0.05,
	};
	struct measurement *known =
		calloc((size_t)plan_grid_visits(&options), sizeof(*known));
	uint64_t random = seed;
	struct plan *plan;
	struct visit visit;

	for (int dir = 0; dir < DIR_COUNT; dir++)
		assert_int_equal(path_bands_parse(sim->bands, &path.dir[dir], NULL), 0);
	if (sim->probed)
		input.path = path;
	assert_non_null(known);
	assert_int_equal(plan_grid_new(&options, &plan, NULL), 0);
	while (plan_next(plan, &visit)) {
		struct measurement *m = &known[input.count];

		measure(sim, &path, &visit, (int)input.count++, &random, m);
		plan_learn(plan, m);
	}
	plan_free(plan);
	input.m = known;
	assert_int_equal(recommend_find(&input, ret), 0);
	free(known);
}

bool grid_sim_has_edge(const struct recommendation *v, enum direction dir)
{
	const struct path_bands *bands = &v->path.dir[dir];

	for (int i = 0; i < bands->count; i++) {
		if (bands->band[i].fate == FATE_FRAGMENTED)
			return true;
	}
	return false;
}

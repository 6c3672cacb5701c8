/* SPDX-License-Identifier: MIT */
/* The smart plan over a simulated path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "smart_sim.h"

#include "engine/sweep.h"

static double uniform(struct sim *sim)
{
	return ((double)(random_next(&sim->random) >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(struct sim *sim)
{
	double radius = sqrt(-2 * log(uniform(sim)));

	return radius * cos(6.283185307179586 * uniform(sim));
}

/* A test with few windows estimates its own interval: right only on average. */
static void claim(struct sim *sim, double rate, struct dir_result *r)
{
	double half = 1.96 * sim->noise * sim->claim * exp(0.3 * normal(sim));

	if (half == 0)
		return;
	r->goodput_low_bps = (int64_t)fmax(rate * (1 - half), 0);
	r->goodput_high_bps = (int64_t)(rate * (1 + half));
}

/* What happens to the segments that a test really sends. */
static struct prediction predict(const struct sim *sim, const struct mtu_pair *mtu,
				 enum direction dir)
{
	return pathmodel_predict_packet(&sim->path, mtu, dir,
					sim->clamp ? sim->clamp : MTU_MAX);
}

/* The sending end knows the size of its packets, of those that were lost too. */
static int64_t size_of_packets(const struct sim *sim, const struct mtu_pair *mtu)
{
	int size = mtu->server < mtu->peer ? mtu->server : mtu->peer;

	return sim->clamp && sim->clamp < size ? sim->clamp : size;
}

static void measure(struct sim *sim, const struct visit *visit, struct measurement *ret)
{
	double drift = (sim->visits >= sim->step_at ? sim->step : 1) *
		       exp(sim->slope * sim->visits);

	*ret = (struct measurement){.pass = visit->pass, .mtu = visit->mtu};
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		struct dir_result *r = &ret->dir[dir];
		struct prediction p = predict(sim, &visit->mtu, (enum direction)dir);
		double rate = sim->capacity[dir] * drift * p.goodput *
			      exp(sim->noise * normal(sim));
		bool lost = p.tcp == FATE_LOST || uniform(sim) < sim->lost;

		dir_result_init(r, lost ? TEST_BLACKHOLE : TEST_OK, "%s", "");
		r->started_at_ms = 1000 + sim->visits * 3000 + dir * 1500;
		r->packet_bytes = size_of_packets(sim, &visit->mtu);
		if (lost)
			continue;
		r->goodput_bps = (int64_t)rate;
		claim(sim, (double)r->goodput_bps, r);
	}
	sweep_skips(visit, &ret->dir[sweep_first(visit)],
		    &ret->dir[direction_back(sweep_first(visit))]);
	sim->visits++;
}

const struct mtu_range smart_sim_range = {1280, 1500, 10};

void smart_sim_run(struct sim *sim, const struct path *told, uint64_t seed,
		   struct recommendation *ret)
{
	const struct plan_smart_options options = {
		.path = *told,
		.server = smart_sim_range,
		.peer = smart_sim_range,
		.current = sim->current,
		.margin = 0.05,
		.seed = seed,
	};
	struct recommend_input input = {
		.path = *told,
		.server = smart_sim_range,
		.peer = smart_sim_range,
		.current = options.current,
		.margin = options.margin,
	};
	struct measurement known[PLAN_SMART_VISITS_MAX];
	struct plan *plan;
	struct visit visit;

	sim->random = seed;
	assert_int_equal(plan_smart_new(&options, &plan, NULL), 0);
	while (plan_next(plan, &visit)) {
		struct measurement *m = &known[input.count++];

		assert_true(input.count <= PLAN_SMART_VISITS_MAX);
		/* Guards refuse any other MTU. */
		assert_true(mtu_range_allows(&smart_sim_range, visit.mtu.server));
		assert_true(mtu_range_allows(&smart_sim_range, visit.mtu.peer));
		measure(sim, &visit, m);
		m->reference = visit.reference;
		plan_learn(plan, m);
	}
	plan_free(plan);
	input.m = known;
	assert_int_equal(recommend_find(&input, ret), 0);
}

double smart_sim_worth(const struct sim *sim, const struct mtu_pair *mtu)
{
	double sum = 0;

	for (int dir = 0; dir < DIR_COUNT; dir++)
		sum += sim->capacity[dir] *
		       pathmodel_predict(&sim->path, mtu, (enum direction)dir).goodput;
	return sum;
}

void smart_sim_count(const struct sim *sim, const struct recommendation *v,
		     const struct mtu_pair *best, struct tally *t)
{
	double regret;

	t->runs++;
	t->visits += sim->visits;
	t->settled += v->settled;
	if (sim->visits > t->most)
		t->most = sim->visits;
	if (mtu_pair_same(&v->recommended.mtu, best)) {
		t->right++;
		return;
	}
	regret = 1 - (v->recommended.mtu.server
			      ? smart_sim_worth(sim, &v->recommended.mtu)
			      : 0) /
			     smart_sim_worth(sim, best);
	if (regret > t->regret)
		t->regret = regret;
}

double smart_sim_report(const char *name, const struct tally *t)
{
	print_message("%-28s %5d runs: right %6.2f %%, settled %5.1f %%, %4.1f visits, "
		      "most %d, worst regret %.1f %%\n",
		      name, t->runs, 100.0 * t->right / t->runs,
		      100.0 * t->settled / t->runs, (double)t->visits / t->runs,
		      t->most, 100 * t->regret);
	return (double)t->right / t->runs;
}

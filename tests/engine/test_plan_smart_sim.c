/* SPDX-License-Identifier: MIT */
/*
 * The smart plan over thousands of simulated paths with noise, drift and lost tests:
 * the share of runs in which it names the right pair for the path's bands.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "smart_sim.h"

struct condition {
	const char *name;
	int overhead;
	const char *up;
	const char *down;
	double capacity[DIR_COUNT];
	double noise;
	double step;
	double lost;
	int clamp;
};

#define FRAG(size) size ":whole,65535:fragmented"
#define HOLE(size) size ":whole,65535:lost"

/* clang-format off */
static const struct condition conditions[] = {
	{"clean", 60, FRAG("1500"), FRAG("1500"), {50, 50}, 0.02, 1, 0, 0},
	{"1492", 60, FRAG("1492"), FRAG("1492"), {50, 50}, 0.02, 1, 0, 0},
	{"1460", 60, FRAG("1460"), FRAG("1460"), {50, 50}, 0.02, 1, 0, 0},
	{"1460, a hole", 60, HOLE("1460"), HOLE("1460"), {50, 50}, 0.02, 1, 0, 0},
	{"different edges", 60, HOLE("1440"), FRAG("1480"), {50, 50}, 0.02, 1, 0, 0},
	{"fragments dropped", 60, HOLE("1500"), HOLE("1500"), {50, 50}, 0.02, 1, 0, 0},
	{"a band lost", 60, "1460:whole,1500:lost,65535:fragmented", FRAG("1500"),
	 {45, 50}, 0.12, 1, 0, 0},
	{"lossy", 60, FRAG("1500"), FRAG("1500"), {50, 50}, 0.12, 1, 0.01, 0},
	{"100/20", 60, FRAG("1500"), FRAG("1500"), {20, 100}, 0.02, 1, 0, 0},
	{"shallow queue", 60, FRAG("1500"), FRAG("1500"), {50, 50}, 0.10, 1, 0, 0},
	{"capacity halves", 60, FRAG("1492"), FRAG("1492"), {50, 50}, 0.02, 0.5, 0, 0},
	{"IPv6", 80, FRAG("1500"), FRAG("1500"), {50, 50}, 0.02, 1, 0, 0},
	{"clamped, a hole", 60, HOLE("1460"), HOLE("1460"), {50, 50}, 0.02, 1, 0, 1380},
	{"clamped to 1240, a hole", 60, HOLE("1460"), HOLE("1460"), {50, 50}, 0.02, 1, 0,
	 1240},
	{"clamped, a band lost", 60, "1460:whole,1500:lost,65535:fragmented", FRAG("1500"),
	 {45, 50}, 0.12, 1, 0, 1380},
	{"clamped above the hole", 60, HOLE("1400"), HOLE("1460"), {50, 50}, 0.02, 1, 0,
	 1380},
};
/* clang-format on */
#define CONDITIONS (sizeof(conditions) / sizeof(conditions[0]))

static void make_sim(const struct condition *c, uint64_t seed, struct sim *ret)
{
	static const double claims[] = {0, 0.3, 1};
	uint64_t random = seed;

	*ret = (struct sim){
		.path.overhead = {c->overhead, c->overhead},
		.lost = c->lost,
		.clamp = c->clamp,
		.current = {1420, 1420},
	};
	assert_int_equal(path_bands_parse(c->up, &ret->path.dir[DIR_UPLOAD], NULL), 0);
	assert_int_equal(path_bands_parse(c->down, &ret->path.dir[DIR_DOWNLOAD], NULL),
			 0);
	for (int dir = 0; dir < DIR_COUNT; dir++)
		ret->capacity[dir] = c->capacity[dir] * 1e6;
	ret->noise = c->noise;
	ret->claim = claims[seed % (sizeof(claims) / sizeof(claims[0]))];
	ret->step = c->step;
	ret->step_at = (int)random_below(&random, 8);
	ret->slope = ((double)random_below(&random, 5) - 2) * 0.01;
}

static void count_run(const struct sim *sim, const struct recommendation *v,
		      struct tally *t)
{
	struct mtu_pair best;

	assert_true(pathmodel_candidate(&sim->path, &smart_sim_range, &smart_sim_range,
					&best));
	smart_sim_count(sim, v, &best, t);
}

static void with_probes(void **state)
{
	struct tally all = {0};
	int longer = 0;

	(void)state;
	for (size_t i = 0; i < CONDITIONS; i++) {
		struct tally t = {0};

		for (uint64_t seed = 1; seed <= 1000; seed++) {
			struct sim sim;
			struct recommendation v;

			make_sim(&conditions[i], seed, &sim);
			smart_sim_run(&sim, &sim.path, seed, &v);
			count_run(&sim, &v, &t);
			count_run(&sim, &v, &all);
			longer += conditions[i].lost == 0 &&
				  sim.visits > PLAN_SMART_VISITS;
		}
		assert_true(smart_sim_report(conditions[i].name, &t) >= 0.98);
	}
	assert_true(smart_sim_report("all", &all) >= 0.99);
	/* Noise is taken for a contradiction in fewer than one of 500. */
	assert_true(longer < all.runs / 500);
}

/* A lowered MSS hides the sizes above it, so that no pair is recommended whose packets are
 * larger, and none at all where the MSS is below the ranges. */
static void check_claims_no_more(const struct sim *sim, const struct recommendation *v)
{
	const struct mtu_pair *mtu = &v->recommended.mtu;
	int most = (sim->clamp + 15) / 16 * 16;

	if (sim->clamp < smart_sim_range.min)
		assert_int_equal(v->why, REASON_UNSENT);
	if (!mtu->server)
		return;
	assert_true(mtu->server <= most && mtu->peer <= most);
	assert_true(pathmodel_fits(&sim->path, mtu));
}

static void probes_filtered(void **state)
{
	struct tally all = {0};

	(void)state;
	for (size_t i = 0; i < CONDITIONS; i++) {
		struct path nothing = {
			.overhead = {conditions[i].overhead, conditions[i].overhead}};
		struct tally t = {0};

		for (uint64_t seed = 1; seed <= 300; seed++) {
			struct sim sim;
			struct recommendation v;

			make_sim(&conditions[i], seed, &sim);
			smart_sim_run(&sim, &nothing, seed, &v);
			assert_true(v.warnings & RECOMMEND_WARN_FILTERED);
			if (sim.clamp) {
				check_claims_no_more(&sim, &v);
				continue;
			}
			count_run(&sim, &v, &t);
			count_run(&sim, &v, &all);
		}
		if (t.runs)
			smart_sim_report(conditions[i].name, &t);
	}
	smart_sim_report("all, probes filtered", &all);
	assert_true(all.regret < 0.15);
}

/* Probes say 1500, but packets above 1460 are lost. */
static void probes_wrong(void **state)
{
	static const struct condition c = {"1460, probes say 1500",
					   60,
					   HOLE("1460"),
					   HOLE("1460"),
					   {50, 50},
					   0.02,
					   1,
					   0,
					   0};
	struct tally t = {0};

	(void)state;
	for (uint64_t seed = 1; seed <= 1000; seed++) {
		struct path told = {.overhead = {60, 60}};
		struct sim sim;
		struct recommendation v;

		make_sim(&c, seed, &sim);
		for (int dir = 0; dir < DIR_COUNT; dir++)
			path_bands_parse(FRAG("1500"), &told.dir[dir], NULL);
		smart_sim_run(&sim, &told, seed, &v);
		assert_true(v.warnings & RECOMMEND_WARN_CONTRADICTED);
		count_run(&sim, &v, &t);
	}
	/* The choice among grid points below the edge may depend on noise; the fact
	 * that they are below may not. */
	smart_sim_report(c.name, &t);
	assert_true(t.regret < 0.02);
}

/* A pair outside the ranges is not visited. */
static void current_pair_out_of_reach(void **state)
{
	static const struct mtu_pair currents[] = {{1600, 1420}, {1420, 1200}, {0, 0}};
	struct tally t = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(currents) / sizeof(currents[0]); i++) {
		struct sim sim;
		struct recommendation v;

		make_sim(&conditions[0], 1, &sim);
		sim.current = currents[i];
		smart_sim_run(&sim, &sim.path, 1, &v);
		count_run(&sim, &v, &t);
	}
	assert_int_equal(t.right, t.runs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_probes),
		cmocka_unit_test(probes_filtered),
		cmocka_unit_test(probes_wrong),
		cmocka_unit_test(current_pair_out_of_reach),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

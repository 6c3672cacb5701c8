/*
 * The smart plan over thousands of simulated paths with noise, drift and lost tests: how
 * often it names the pair that the path's bands ask for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "engine/plan_smart.h"
#include "engine/verdict.h"

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

static double uniform(struct sim *sim)
{
	return ((double)(random_next(&sim->random) >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(struct sim *sim)
{
	double radius = sqrt(-2 * log(uniform(sim)));

	return radius * cos(6.283185307179586 * uniform(sim));
}

/* The interval that a test of few windows gives itself: right on average only. */
static void claim(struct sim *sim, double rate, struct dir_result *r)
{
	double half = 1.96 * sim->noise * sim->claim * exp(0.3 * normal(sim));

	if (half == 0)
		return;
	r->goodput_low_bps = (int64_t)fmax(rate * (1 - half), 0);
	r->goodput_high_bps = (int64_t)(rate * (1 + half));
}

static void measure(struct sim *sim, const struct visit *visit, struct measurement *ret)
{
	double drift = (sim->visits >= sim->step_at ? sim->step : 1) *
		       exp(sim->slope * sim->visits);

	*ret = (struct measurement){.pass = visit->pass, .mtu = visit->mtu};
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		struct dir_result *r = &ret->dir[dir];
		struct prediction p =
			pathmodel_predict(&sim->path, &visit->mtu, (enum direction)dir);
		double rate = sim->capacity[dir] * drift * p.goodput *
			      exp(sim->noise * normal(sim));
		bool lost = p.tcp == FATE_LOST || uniform(sim) < sim->lost;

		dir_result_init(r, lost ? TEST_BLACKHOLE : TEST_OK, "%s", "");
		r->started_at_ms = 1000 + sim->visits * 3000 + dir * 1500;
		if (lost)
			continue;
		r->goodput_bps = (int64_t)rate;
		claim(sim, (double)r->goodput_bps, r);
	}
	sim->visits++;
}

static const struct mtu_range usual = {1280, 1500, 10};

/* Run the plan with what it is told of the path; the verdict of all it measured. */
static void run(struct sim *sim, const struct path *told, uint64_t seed,
		struct verdict *ret)
{
	const struct plan_smart_options options = {
		.path = *told,
		.server = usual,
		.peer = usual,
		.current = sim->current,
		.margin = 0.05,
		.seed = seed,
	};
	struct verdict_input input = {
		.path = *told,
		.server = usual,
		.peer = usual,
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
		/* Guards refuse all else. */
		assert_true(mtu_range_allows(&usual, visit.mtu.server));
		assert_true(mtu_range_allows(&usual, visit.mtu.peer));
		measure(sim, &visit, m);
		m->reference = visit.reference;
		plan_learn(plan, m);
	}
	plan_free(plan);
	input.m = known;
	assert_int_equal(verdict_find(&input, ret), 0);
}

struct condition {
	const char *name;
	int overhead;
	const char *up;
	const char *down;
	double capacity[DIR_COUNT];
	double noise;
	double step;
	double lost;
};

#define FRAG(size) size ":whole,65535:fragmented"
#define HOLE(size) size ":whole,65535:lost"

/* clang-format off */
static const struct condition conditions[] = {
	{"clean", 60, FRAG("1500"), FRAG("1500"), {50, 50}, 0.02, 1, 0},
	{"1492", 60, FRAG("1492"), FRAG("1492"), {50, 50}, 0.02, 1, 0},
	{"1460", 60, FRAG("1460"), FRAG("1460"), {50, 50}, 0.02, 1, 0},
	{"1460, a hole", 60, HOLE("1460"), HOLE("1460"), {50, 50}, 0.02, 1, 0},
	{"different edges", 60, HOLE("1440"), FRAG("1480"), {50, 50}, 0.02, 1, 0},
	{"fragments dropped", 60, HOLE("1500"), HOLE("1500"), {50, 50}, 0.02, 1, 0},
	{"a band lost", 60, "1460:whole,1500:lost,65535:fragmented", FRAG("1500"),
	 {45, 50}, 0.12, 1, 0},
	{"lossy", 60, FRAG("1500"), FRAG("1500"), {50, 50}, 0.12, 1, 0.01},
	{"100/20", 60, FRAG("1500"), FRAG("1500"), {20, 100}, 0.02, 1, 0},
	{"shallow queue", 60, FRAG("1500"), FRAG("1500"), {50, 50}, 0.10, 1, 0},
	{"capacity halves", 60, FRAG("1492"), FRAG("1492"), {50, 50}, 0.02, 0.5, 0},
	{"IPv6", 80, FRAG("1500"), FRAG("1500"), {50, 50}, 0.02, 1, 0},
};
/* clang-format on */
#define CONDITIONS (sizeof(conditions) / sizeof(conditions[0]))

static void make_sim(const struct condition *c, uint64_t seed, struct sim *ret)
{
	static const double claims[] = {0, 0.3, 1};
	uint64_t random = seed;

	*ret = (struct sim){
		.path.overhead = c->overhead,
		.lost = c->lost,
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

struct tally {
	int right;
	int runs;
	int visits;
	int most;
	int settled;
	double regret; /* of those that are not right: predicted, the worst */
};

static double predicted_sum(const struct sim *sim, const struct mtu_pair *mtu)
{
	double sum = 0;

	for (int dir = 0; dir < DIR_COUNT; dir++)
		sum += sim->capacity[dir] *
		       pathmodel_predict(&sim->path, mtu, (enum direction)dir).goodput;
	return sum;
}

static void count_run(const struct sim *sim, const struct verdict *v, struct tally *t)
{
	struct mtu_pair best;
	double regret;

	assert_true(pathmodel_candidate(&sim->path, &usual, &usual, &best));
	t->runs++;
	t->visits += sim->visits;
	t->settled += v->settled;
	if (sim->visits > t->most)
		t->most = sim->visits;
	if (v->recommended.mtu.server == best.server &&
	    v->recommended.mtu.peer == best.peer) {
		t->right++;
		return;
	}
	regret = 1 - (v->recommended.mtu.server
			      ? predicted_sum(sim, &v->recommended.mtu)
			      : 0) /
			     predicted_sum(sim, &best);
	if (regret > t->regret)
		t->regret = regret;
}

static double report(const char *name, const struct tally *t)
{
	print_message("%-28s %5d runs: right %6.2f %%, settled %5.1f %%, %4.1f visits, "
		      "most %d, worst regret %.1f %%\n",
		      name, t->runs, 100.0 * t->right / t->runs,
		      100.0 * t->settled / t->runs, (double)t->visits / t->runs,
		      t->most, 100 * t->regret);
	return (double)t->right / t->runs;
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
			struct verdict v;

			make_sim(&conditions[i], seed, &sim);
			run(&sim, &sim.path, seed, &v);
			count_run(&sim, &v, &t);
			count_run(&sim, &v, &all);
			longer += conditions[i].lost == 0 &&
				  sim.visits > PLAN_SMART_VISITS;
		}
		assert_true(report(conditions[i].name, &t) >= 0.98);
	}
	assert_true(report("all", &all) >= 0.99);
	/* Noise is taken for a contradiction in fewer than one of 500. */
	assert_true(longer < all.runs / 500);
}

static void probes_filtered(void **state)
{
	struct tally all = {0};

	(void)state;
	for (size_t i = 0; i < CONDITIONS; i++) {
		struct path nothing = {.overhead = conditions[i].overhead};
		struct tally t = {0};

		for (uint64_t seed = 1; seed <= 300; seed++) {
			struct sim sim;
			struct verdict v;

			make_sim(&conditions[i], seed, &sim);
			run(&sim, &nothing, seed, &v);
			assert_true(v.warnings & VERDICT_WARN_FILTERED);
			count_run(&sim, &v, &t);
			count_run(&sim, &v, &all);
		}
		report(conditions[i].name, &t);
	}
	report("all, probes filtered", &all);
	assert_true(all.regret < 0.15);
}

/* Probes that say 1500 where packets above 1460 are lost. */
static void probes_wrong(void **state)
{
	static const struct condition c = {"1460, probes say 1500",
					   60,
					   HOLE("1460"),
					   HOLE("1460"),
					   {50, 50},
					   0.02,
					   1,
					   0};
	struct tally t = {0};

	(void)state;
	for (uint64_t seed = 1; seed <= 1000; seed++) {
		struct path told = {.overhead = 60};
		struct sim sim;
		struct verdict v;

		make_sim(&c, seed, &sim);
		for (int dir = 0; dir < DIR_COUNT; dir++)
			path_bands_parse(FRAG("1500"), &told.dir[dir], NULL);
		run(&sim, &told, seed, &v);
		assert_true(v.warnings & VERDICT_WARN_CONTRADICTED);
		count_run(&sim, &v, &t);
	}
	/* Which lattice point below the edge is within noise; that it is below is not. */
	report(c.name, &t);
	assert_true(t.regret < 0.02);
}

/* A pair that the lattice does not reach is not visited. */
static void current_pair_out_of_reach(void **state)
{
	static const struct mtu_pair currents[] = {{1600, 1420}, {1420, 1200}, {0, 0}};
	struct tally t = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(currents) / sizeof(currents[0]); i++) {
		struct sim sim;
		struct verdict v;

		make_sim(&conditions[0], 1, &sim);
		sim.current = currents[i];
		run(&sim, &sim.path, 1, &v);
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

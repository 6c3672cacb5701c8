/* SPDX-License-Identifier: MIT */
/* The smart plan's visits, computed by hand, on paths with no or little noise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "engine/plan_rest.h"
#include "engine/plan_smart.h"
#include "engine/recommend.h"

#define CLEAN    "1500:whole,65535:fragmented"
#define DEADZONE "1460:whole,1500:lost,65535:fragmented"
#define HOLE     "1460:whole,65535:lost"

static const struct mtu_range grid = {1280, 1500, 20};
/* Every other visit is faster by this share, the others slower. */
static double wobble;
/* A test's interval reaches to so many times its rate; 0: none is claimed. */
static double doubt;

/* One run: the plan's visits, and the recommendation. */
struct run {
	int count;
	struct visit visit[PLAN_SMART_VISITS_MAX];
	struct recommendation recommendation;
};

static void measure(const struct path *path, const struct visit *visit, int at,
		    struct measurement *ret)
{
	*ret = (struct measurement){
		.mtu = visit->mtu,
		.pass = visit->pass,
		.reference = visit->reference,
	};
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		double share = pathmodel_predict(path, &visit->mtu, (enum direction)dir)
				       .goodput;
		struct dir_result *r = &ret->dir[dir];

		dir_result_init(r, share > 0 ? TEST_OK : TEST_BLACKHOLE, "%s", "");
		r->started_at_ms = 1000 + at * 3000 + dir * 1500;
		if (share <= 0)
			continue;
		r->goodput_bps =
			(int64_t)(50e6 * share * (at % 2 ? 1 + wobble : 1 - wobble));
		if (doubt > 0) {
			r->goodput_low_bps = 0;
			r->goodput_high_bps = (int64_t)((double)r->goodput_bps * doubt);
		}
	}
}

static void run_plan(const struct plan_smart_options *options, const struct path *path,
		     struct run *ret)
{
	struct measurement m[PLAN_SMART_VISITS_MAX];
	const struct recommend_input input = {
		.path = options->path,
		.server = options->server,
		.peer = options->peer,
		.current = options->current,
		.margin = options->margin,
		.m = m,
	};
	struct recommend_input all = input;
	struct plan *plan;

	memset(ret, 0, sizeof(*ret));
	assert_int_equal(plan_smart_new(options, &plan, NULL), 0);
	while (plan_next(plan, &ret->visit[ret->count])) {
		struct measurement *now = &m[ret->count];
		int total = plan_total(plan);

		measure(path, &ret->visit[ret->count], ret->count, now);
		plan_learn(plan, now);
		/* The current visit counts. */
		assert_int_equal(plan_total(plan), total);
		assert_true(total > ret->count);
		assert_true(++ret->count < PLAN_SMART_VISITS_MAX);
	}
	plan_free(plan);
	all.count = (size_t)ret->count;
	assert_int_equal(recommend_find(&all, &ret->recommendation), 0);
}

static struct path make_path(const char *up, const char *down)
{
	struct path path = {.overhead = {PATH_OVERHEAD_IPV4, PATH_OVERHEAD_IPV4}};

	assert_int_equal(path_bands_parse(up, &path.dir[DIR_UPLOAD], NULL), 0);
	assert_int_equal(path_bands_parse(down, &path.dir[DIR_DOWNLOAD], NULL), 0);
	return path;
}

static struct plan_smart_options make_options(const struct path *told, uint64_t seed)
{
	return (struct plan_smart_options){
		.path = *told,
		.server = grid,
		.peer = grid,
		.margin = 0.05,
		.seed = seed,
	};
}

static int visits_of(const struct run *run, struct mtu_pair mtu)
{
	int n = 0;

	for (int i = 0; i < run->count; i++)
		n += mtu_pair_same(&run->visit[i].mtu, &mtu);
	return n;
}

#define PAIRS_MAX 3

struct check {
	const char *up;
	const char *down;
	struct mtu_pair current;
	struct mtu_pair pairs[PAIRS_MAX]; /* in the order of their visits */
	int count;
	int lost; /* index of the pair that is tested for a loss; 0: none */
};

/* clang-format off */
static const struct check checks[] = {
	/* 1500 - 60 download, 1460 - 60 upload. Above 1400 comes 1420, which is the current
	 * pair, and lost; 1460, above 1440, is in fragments and shows nothing. */
	{DEADZONE, CLEAN, {1420, 1420}, {{1440, 1400}, {1420, 1420}, {1280, 1280}}, 3, 1},
	/* Each direction has its edge: 1480 - 60 = 1420 and 1440 - 60 = 1380. The current
	 * pair shows that of the upload. */
	{"1440:whole,65535:lost", "1480:whole,65535:fragmented", {1420, 1420},
	 {{1420, 1380}, {1420, 1420}, {1280, 1280}}, 3, 1},
	/* One pair above both edges shows both. */
	{"1440:whole,65535:lost", "1480:whole,65535:lost", {0, 0},
	 {{1420, 1380}, {1440, 1440}, {1280, 1280}}, 3, 1},
	/* The current pair is unknown. */
	{CLEAN, CLEAN, {0, 0}, {{1440, 1440}, {1280, 1280}}, 2, 0},
	/* The current pair is the candidate. */
	{CLEAN, CLEAN, {1440, 1440}, {{1440, 1440}, {1280, 1280}}, 2, 0},
	/* The current pair fits, and is the one rival. */
	{CLEAN, CLEAN, {1420, 1420}, {{1440, 1440}, {1420, 1420}}, 2, 0},
	/* In fragments it is none. */
	{CLEAN, CLEAN, {1500, 1500}, {{1440, 1440}, {1500, 1500}, {1280, 1280}}, 3, 0},
	/* The range ends at this pair. */
	{"65535:whole", "65535:whole", {1420, 1420}, {{1500, 1500}, {1420, 1420}}, 2, 0},
	/* 1340 - 60 = 1280 is the smallest. */
	{"1340:whole,65535:lost", "1340:whole,65535:lost", {1420, 1420},
	 {{1280, 1280}, {1420, 1420}}, 2, 1},
};
/* clang-format on */

static void check_run(const struct check *c, const struct path *path,
		      const struct run *run)
{
	assert_int_equal(run->count, c->count);
	for (int i = 0; i < run->count; i++) {
		const struct visit *visit = &run->visit[i];
		bool lost = false;

		assert_true(mtu_pair_same(&visit->mtu, &c->pairs[i]));
		assert_int_equal(visit->reference, i == 0);
		assert_int_equal(visit->pass, 1);
		for (int dir = 0; dir < DIR_COUNT; dir++) {
			struct prediction p = pathmodel_predict(path, &visit->mtu,
								(enum direction)dir);

			assert_int_equal(visit->lost[dir], p.tcp == FATE_LOST);
			lost |= visit->lost[dir];
		}
		assert_int_equal(lost, c->lost && i == c->lost);
	}
	assert_true(run->recommendation.settled);
	assert_int_equal(run->recommendation.why, REASON_FITS);
	assert_true(mtu_pair_same(&run->recommendation.recommended.mtu, &c->pairs[0]));
}

/* On a line without noise no pair is visited twice. */
static void only_visits_that_can_decide(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		const struct check *c = &checks[i];
		struct path path = make_path(c->up, c->down);
		struct plan_smart_options options = make_options(&path, 1);
		struct run run;

		options.current = c->current;
		run_plan(&options, &path, &run);
		check_run(c, &path, &run);
	}
}

static bool same_order(const struct run *a, const struct run *b)
{
	for (int i = 0; i < a->count; i++) {
		if (!mtu_pair_same(&a->visit[i].mtu, &b->visit[i].mtu))
			return false;
	}
	return a->count == b->count;
}

/* Twenty seeds draw more than one order of the search, and the same seed draws the
 * same. */
static void the_seed_is_the_order(void **state)
{
	struct path path = make_path(DEADZONE, CLEAN);
	struct path nothing = make_path("", "");
	struct plan_smart_options options = make_options(&nothing, 1);
	struct run first, run, again;
	int others = 0;

	(void)state;
	options.current = (struct mtu_pair){1420, 1420};
	run_plan(&options, &path, &first);
	for (options.seed = 2; options.seed <= 20; options.seed++) {
		run_plan(&options, &path, &run);
		run_plan(&options, &path, &again);
		assert_true(same_order(&run, &again));
		others += !same_order(&run, &first);
	}
	assert_in_range(others, 1, 19);
}

/* Without bands: the smallest pair is the reference, and the diagonal goes to the usual
 * edges: 1400 - 60 to 1500 - 60 (1492 - 60 = 1432 gives 1420 again); the MTU above; and
 * thirds of the rest up to 1500: 1460, 1480, 1500. */
static void the_diagonal_where_nothing_is_known(void **state)
{
	static const int diagonal[] = {1340, 1380, 1400, 1420, 1440, 1460, 1480, 1500};
	struct path path = make_path(HOLE, HOLE);
	struct path nothing = make_path("", "");
	struct plan_smart_options options = make_options(&nothing, 1);
	struct run run;

	(void)state;
	run_plan(&options, &path, &run);
	assert_int_equal(run.visit[0].mtu.server, 1280);
	assert_int_equal(run.visit[0].mtu.peer, 1280);
	assert_true(run.visit[0].reference);
	for (size_t i = 0; i < sizeof(diagonal) / sizeof(diagonal[0]); i++)
		assert_true(visits_of(&run, (struct mtu_pair){diagonal[i],
							      diagonal[i]}) >= 1);
	/* 1400 arrives as 1460, and 1420 does not. */
	assert_int_equal(run.recommendation.why, REASON_ARRIVES);
	assert_int_equal(run.recommendation.recommended.mtu.server, 1400);
	assert_int_equal(run.recommendation.recommended.mtu.peer, 1400);
}

/* Probes said 1500, but packets above 1460 are lost. The candidate, 1440, fails in its
 * first visits; then the diagonal shows the edge. */
static void a_contradiction_leads_to_the_diagonal(void **state)
{
	struct path path = make_path(HOLE, HOLE);
	struct path told = make_path(CLEAN, CLEAN);
	struct plan_smart_options options = make_options(&told, 1);
	struct run run;

	(void)state;
	run_plan(&options, &path, &run);
	assert_true(run.recommendation.contradiction_confirmed);
	assert_true(visits_of(&run, (struct mtu_pair){1440, 1440}) >= 2);
	assert_true(visits_of(&run, (struct mtu_pair){1400, 1400}) >= 1);
	assert_int_equal(run.recommendation.recommended.mtu.server, 1400);
	assert_int_equal(run.recommendation.recommended.mtu.peer, 1400);
	assert_true(run.recommendation.guessed[DIR_UPLOAD] &&
		    run.recommendation.guessed[DIR_DOWNLOAD]);
}

/* Fragments arrive, but none of TCP's: packets up to 1500 arrive whole all the same. */
static void fragments_that_fail_need_no_search(void **state)
{
	struct path path = make_path("1500:whole,65535:lost", "1500:whole,65535:lost");
	struct path told = make_path(CLEAN, CLEAN);
	struct plan_smart_options options = make_options(&told, 1);
	struct run run;

	(void)state;
	options.current = (struct mtu_pair){1460, 1460};
	run_plan(&options, &path, &run);
	assert_true(run.recommendation.contradiction_confirmed);
	assert_int_equal(run.recommendation.recommended.mtu.server, 1440);
	assert_int_equal(run.recommendation.recommended.mtu.peer, 1440);
	assert_int_equal(visits_of(&run, (struct mtu_pair){1460, 1460}), 2);
	assert_int_equal(run.count, 4);
}

/* A test that could not be done says nothing of the path. */
static void a_test_with_an_error_is_no_failure(void **state)
{
	struct path path = make_path(CLEAN, CLEAN);
	struct measurement m[2] = {{.mtu = {1440, 1440}}, {.mtu = {1440, 1440}}};
	const struct recommend_input input = {
		.path = path,
		.server = grid,
		.peer = grid,
		.margin = 5,
		.m = m,
		.count = 2,
	};
	struct recommendation v;

	(void)state;
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		dir_result_init(&m[0].dir[dir], TEST_OK, "%s", "");
		m[0].dir[dir].goodput_bps = 50000000;
		dir_result_init(&m[1].dir[dir], TEST_ERROR, "%s", "no memory");
	}
	assert_int_equal(recommend_find(&input, &v), 0);
	assert_true(v.only_fragments_fail);
	dir_result_init(&m[1].dir[DIR_UPLOAD], TEST_BLACKHOLE, "%s", "");
	assert_int_equal(recommend_find(&input, &v), 0);
	assert_false(v.only_fragments_fail);
}

/* No size fits whole, but probes show the sizes that pass in fragments: 60 + 1360 =
 * 1420, between the diagonal's 1340 and 1380. */
static void where_nothing_fits_the_best_that_passes(void **state)
{
	struct path path =
		make_path("1410:lost,1430:fragmented,65535:lost", "65535:whole");
	struct plan_smart_options options = make_options(&path, 1);
	struct run run;

	(void)state;
	run_plan(&options, &path, &run);
	assert_int_equal(run.recommendation.why, REASON_MEASURED);
	assert_int_equal(run.recommendation.recommended.mtu.peer, 1360);
}

/* The probes know the fate of each pair: nothing is left to search. */
static void where_nothing_fits_little_is_tested(void **state)
{
	struct path path =
		make_path("1280:whole,65535:fragmented", "1280:whole,65535:fragmented");
	struct plan_smart_options options = make_options(&path, 1);
	struct run run;

	(void)state;
	options.current = (struct mtu_pair){1420, 1420};
	run_plan(&options, &path, &run);
	assert_int_equal(run.recommendation.why, REASON_IN_FRAGMENTS);
	assert_int_equal(run.count, 2);
	assert_int_equal(visits_of(&run, (struct mtu_pair){1280, 1280}), 1);
	assert_int_equal(visits_of(&run, (struct mtu_pair){1420, 1420}), 1);
	path = make_path("1280:whole,65535:lost", "1280:whole,65535:lost");
	options.path = path;
	run_plan(&options, &path, &run);
	assert_int_equal(run.recommendation.why, REASON_NONE_ARRIVES);
	assert_int_equal(run.count, 1);
	assert_int_equal(visits_of(&run, (struct mtu_pair){1280, 1280}), 1);
}

/* Data where the probes saw none: they are not believed. */
static void an_unfit_pair_that_works_is_searched(void **state)
{
	struct path told = make_path("1280:whole,65535:lost", "1280:whole,65535:lost");
	struct path path = make_path(CLEAN, CLEAN);
	struct plan_smart_options options = make_options(&told, 1);
	struct run run;

	(void)state;
	run_plan(&options, &path, &run);
	assert_int_equal(run.recommendation.why, REASON_ARRIVES);
	assert_true(run.count > 6);
}

/* The current pair's rate is off, so that the candidate is visited again. At a deviation
 * of 10 % no few visits narrow the interval to 5 %, and none are made; at 2 % they may, and
 * are made. */
static void visits_that_cannot_settle_are_not_made(void **state)
{
	struct path path = make_path(CLEAN, CLEAN);
	struct plan_smart_options options = make_options(&path, 1);
	struct run run;

	(void)state;
	options.current = (struct mtu_pair){1420, 1420};
	wobble = 0.1;
	run_plan(&options, &path, &run);
	assert_false(run.recommendation.settled);
	assert_int_equal(run.count, 3);
	assert_true(run.recommendation.needed > 15);
	wobble = 0.02;
	run_plan(&options, &path, &run);
	wobble = 0;
	assert_true(run.count > 3);
	assert_true(mtu_pair_same(&run.recommendation.recommended.mtu,
				  &(struct mtu_pair){1440, 1440}));
}

/* Short tests that know nothing of the rate do not compare pairs; one pair that is lost is
 * tested all the same. */
static void short_tests_compare_nothing(void **state)
{
	struct path path = make_path(DEADZONE, CLEAN);
	struct plan_smart_options options = make_options(&path, 1);
	struct run run;

	(void)state;
	options.current = (struct mtu_pair){1420, 1420};
	options.short_tests = true;
	doubt = 3;
	run_plan(&options, &path, &run);
	assert_int_equal(run.count, 2);
	assert_true(run.visit[1].lost[DIR_UPLOAD]);
	options.short_tests = false;
	run_plan(&options, &path, &run);
	doubt = 0;
	assert_in_range(run.count, 3, 4);
	assert_int_equal(visits_of(&run, (struct mtu_pair){1280, 1280}), 1);
}

/* Interrupt `whole` after `cut` visits: the plan names the rest and nothing else. */
static void check_rest(const struct plan_smart_options *options,
		       const struct path *path, const struct run *whole, int cut)
{
	struct measurement m[PLAN_SMART_VISITS_MAX];
	struct plan_rest_options rest = {.known = m, .known_count = (size_t)cut};
	struct plan *plan;
	struct visit visit;
	int at = cut;

	for (int i = 0; i < cut; i++)
		measure(path, &whole->visit[i], i, &m[i]);
	assert_int_equal(plan_smart_new(options, &rest.whole, NULL), 0);
	assert_int_equal(plan_rest_new(&rest, &plan, NULL), 0);
	for (; plan_next(plan, &visit); at++) {
		struct measurement now;

		assert_true(at < whole->count);
		assert_true(mtu_pair_same(&visit.mtu, &whole->visit[at].mtu));
		assert_int_equal(visit.pass, whole->visit[at].pass);
		assert_int_equal(visit.reference, whole->visit[at].reference);
		/* This visit, and the others that are known to come. */
		assert_in_range(plan_total(plan), at - cut + 1, whole->count - cut);
		measure(path, &visit, at, &now);
		plan_learn(plan, &now);
	}
	assert_int_equal(at, whole->count);
	assert_int_equal(plan_total(plan), whole->count - cut);
	plan_free(plan);
}

static void goes_on_where_it_was_cut(void **state)
{
	struct path path = make_path(HOLE, HOLE);
	/* The right bands, wrong ones, and none. */
	struct path told[] = {path, make_path(CLEAN, CLEAN), make_path("", "")};

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct plan_smart_options options = make_options(&told[i], 7);
		struct run whole;

		options.current = (struct mtu_pair){1420, 1420};
		run_plan(&options, &path, &whole);
		for (int cut = 0; cut <= whole.count; cut++)
			check_rest(&options, &path, &whole, cut);
	}
}

static void an_empty_grid_is_refused(void **state)
{
	struct path path = make_path(CLEAN, CLEAN);
	struct plan_smart_options options = make_options(&path, 1);
	struct plan *plan;

	(void)state;
	options.peer = (struct mtu_range){1400, 1300, 20};
	assert_int_equal(plan_smart_new(&options, &plan, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_visits_that_can_decide),
		cmocka_unit_test(the_seed_is_the_order),
		cmocka_unit_test(the_diagonal_where_nothing_is_known),
		cmocka_unit_test(a_contradiction_leads_to_the_diagonal),
		cmocka_unit_test(fragments_that_fail_need_no_search),
		cmocka_unit_test(a_test_with_an_error_is_no_failure),
		cmocka_unit_test(where_nothing_fits_the_best_that_passes),
		cmocka_unit_test(where_nothing_fits_little_is_tested),
		cmocka_unit_test(an_unfit_pair_that_works_is_searched),
		cmocka_unit_test(visits_that_cannot_settle_are_not_made),
		cmocka_unit_test(short_tests_compare_nothing),
		cmocka_unit_test(goes_on_where_it_was_cut),
		cmocka_unit_test(an_empty_grid_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

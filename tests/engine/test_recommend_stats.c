/* SPDX-License-Identifier: MIT */
/* The noise of rates: the tests' claims and the differences between visits, pooled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "engine/recommend_stats.h"

#define VISITS_MAX 8

/* An upload's rate in percent of 50 Mbit/s, and half the width of its interval in
 * percent; negative: no interval. */
struct test {
	double rate;
	double half;
};

static void fill(const struct test *tests, size_t count, struct measurement *ret)
{
	for (size_t i = 0; i < count; i++) {
		struct dir_result *r = &ret[i].dir[DIR_UPLOAD];
		double rate = tests[i].rate * 5e5;

		ret[i] = (struct measurement){.mtu = {1420, 1420}};
		dir_result_init(&ret[i].dir[DIR_DOWNLOAD], TEST_ERROR, "not tested");
		dir_result_init(r, rate > 0 ? TEST_OK : TEST_BLACKHOLE, "%s", "");
		r->started_at_ms = 1000 + (int64_t)i * 3000;
		if (rate <= 0)
			continue;
		r->goodput_bps = (int64_t)rate;
		if (tests[i].half < 0)
			continue;
		r->goodput_low_bps = (int64_t)fmax(rate * (1 - tests[i].half / 100), 0);
		r->goodput_high_bps = (int64_t)(rate * (1 + tests[i].half / 100));
	}
}

struct expectation {
	const char *name;
	struct test tests[VISITS_MAX];
	size_t count;
	double noise;
	double freedom;
};

#define NONE (-1)

/* clang-format off */
static const struct expectation table[] = {
	/* The prior of 1 %, worth three visits. */
	{"no intervals", {{100, NONE}, {100, NONE}}, 2, 0.01, 3},
	/* 4.9 / 1.96 = 2.5 % */
	{"intervals", {{100, 4.9}, {100, 4.9}}, 2, 0.025, 3},
	{"one of them has none", {{100, 4.9}, {100, NONE}}, 2, 0.025, 3},
	{"one was disturbed", {{100, 4.9}, {100, 60}, {100, 4.9}}, 3,
	 0.025 * 0.8660254, 4},
	/* The least deviation is half a percent. */
	{"exact", {{100, 0}, {100, 0}}, 2, 0.005, 3},
	/* The interval is cut off at 0 on one side: 196 / 1.96 = 100 % on the other. */
	{"as wide as can be", {{100, 196}, {100, 196}}, 2, 1, 3},
	/* Lost tests claim nothing. */
	{"with a loss", {{100, 4.9}, {0, NONE}, {100, 4.9}}, 3, 0.025, 3},
	/* The middle one is log(1.1) off the line between the others, whose own
	 * deviation is a part of that: 0.0953 / sqrt(1.5) = 7.78 %, worth one visit.
	 * sqrt((3 * 0.025^2 + 0.0778^2) / 4) = 4.45 % */
	{"visits differ more", {{100, 4.9}, {110, 4.9}, {100, 4.9}}, 3, 0.0445, 4},
	/* The visits agree: sqrt(3 * 0.025^2 / 4) */
	{"visits agree", {{100, 4.9}, {100, 4.9}, {100, 4.9}}, 3, 0.02165, 4},
	/* Four visits that agree are worth one visit, because of the median. */
	{"more agree", {{100, 4.9}, {100, 4.9}, {100, 4.9}, {100, 4.9}}, 4, 0.02165, 4},
};
/* clang-format on */

static void noise_is_pooled(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct expectation *e = &table[i];
		struct measurement m[VISITS_MAX];
		struct recommend_input input = {.m = m, .count = e->count};
		struct path path = {
			.overhead = {PATH_OVERHEAD_IPV4, PATH_OVERHEAD_IPV4}};
		struct pairs pairs;
		struct stats stats;

		path_bands_add(&path.dir[DIR_UPLOAD], OUTER_SIZE_MAX, FATE_WHOLE);
		fill(e->tests, e->count, m);
		assert_int_equal(pairs_init(&pairs, m, input.count), 0);
		assert_int_equal(stats_init(&stats, &input, &pairs, &path), 0);
		if (fabs(stats.dir[DIR_UPLOAD].noise - e->noise) > 1e-4 ||
		    stats.dir[DIR_UPLOAD].freedom != e->freedom)
			fail_msg("%s: noise %.5f, freedom %g", e->name,
				 stats.dir[DIR_UPLOAD].noise,
				 stats.dir[DIR_UPLOAD].freedom);
		assert_float_equal(stats.dir[DIR_DOWNLOAD].noise, 0.01, 1e-9);
		stats_release(&stats);
		pairs_release(&pairs);
	}
}

/* Every other visit is of a pair whose packets are fragmented, with a fifth of the
 * rate; no bands predict that. Repeats differ by log(1.02), log(1.02) and log(1.04):
 * the median, 0.0198 / (0.6745 * sqrt(2)) = 2.08 %, is worth one and a half visits;
 * sqrt((3 * 0.01^2 + 1.5 * 0.0208^2) / 4.5) = 1.45 %. Successive visits would give 160
 * %. */
static void bands_do_not_count_as_noise(void **state)
{
	static const struct test tests[] = {
		{100, NONE}, {20, NONE}, {102, NONE}, {20.4, NONE}, {98.08, NONE}};
	struct measurement m[VISITS_MAX];
	struct recommend_input input = {.m = m, .count = 5};
	struct path path = {.overhead = {PATH_OVERHEAD_IPV4, PATH_OVERHEAD_IPV4}};
	struct pairs pairs;
	struct stats stats;

	(void)state;
	fill(tests, input.count, m);
	m[1].mtu = m[3].mtu = (struct mtu_pair){1440, 1440};
	for (size_t i = 0; i < input.count; i++)
		m[i].seq = (uint32_t)i + 1;
	assert_int_equal(pairs_init(&pairs, m, input.count), 0);
	assert_int_equal(stats_init(&stats, &input, &pairs, &path), 0);
	assert_float_equal(stats.dir[DIR_UPLOAD].noise, 0.0145, 1e-4);
	assert_float_equal(stats.dir[DIR_UPLOAD].freedom, 4.5, 1e-9);
	stats_release(&stats);
	pairs_release(&pairs);
}

static double half_width(const struct test *tests, size_t count)
{
	struct measurement m[VISITS_MAX];
	struct recommend_input input = {.m = m, .count = count};
	struct path path = {.overhead = {PATH_OVERHEAD_IPV4, PATH_OVERHEAD_IPV4}};
	struct estimate e;
	struct pairs pairs;
	struct stats stats;

	fill(tests, count, m);
	assert_int_equal(pairs_init(&pairs, m, input.count), 0);
	assert_int_equal(stats_init(&stats, &input, &pairs, &path), 0);
	e = stats_rate(&stats, &m[0].mtu, DIR_UPLOAD);
	stats_release(&stats);
	pairs_release(&pairs);
	assert_int_equal(e.count, count);
	assert_float_equal(e.value, 50e6, 1);
	return log(e.high / e.low) / 2;
}

/* With three degrees of freedom 95 % are within 3.18 deviations. */
static void intervals_follow(void **state)
{
	(void)state;
	assert_float_equal(half_width((struct test[]){{100, 4.9}}, 1), 3.18 * 0.025,
			   2e-3);
	assert_float_equal(half_width((struct test[]){{100, 4.9}, {100, 4.9}}, 2),
			   3.18 * 0.025 / sqrt(2), 2e-3);
	/* A disturbed test has its own deviation: 49 / 1.96 = 25 %. */
	assert_float_equal(
		half_width((struct test[]){{100, 49}, {100, 4.9}, {100, 4.9}}, 3),
		2.78 * sqrt(0.25 * 0.25 + 2 * 0.02165 * 0.02165) / 3, 5e-3);
}

/* Uploads in tenths of a Mbit/s, nine visits: every other one is of the reference; 0 is
 * lost. */
static void make_series(const int64_t rates[9], struct measurement *ret)
{
	for (int i = 0; i < 9; i++) {
		struct dir_result *r = &ret[i].dir[DIR_UPLOAD];

		ret[i] = (struct measurement){
			.mtu = i % 2 ? (struct mtu_pair){1400, 1400 + i}
				     : (struct mtu_pair){1280, 1280},
			.reference = i % 2 == 0,
		};
		dir_result_init(&ret[i].dir[DIR_DOWNLOAD], TEST_ERROR, "not tested");
		dir_result_init(r, rates[i] ? TEST_OK : TEST_BLACKHOLE, "%s", "");
		r->started_at_ms = 1000 + i * 3000;
		if (rates[i])
			r->goodput_bps = rates[i] * 100000;
	}
}

/* Drift comes from the series alone, not from pairs that are slower, or lost. */
static void drift_of_a_series(void **state)
{
	static const struct {
		int64_t rates[9];
		int percent; /* 0: none beyond noise */
	} cases[] = {
		{{100, 99, 84, 20, 71, 99, 59, 99, 50}, -50},
		{{100, 10, 100, 0, 101, 10, 100, 0, 100}, 0},
		{{100, 90, 100, 80, 99, 40, 100, 30, 100}, 0},
		/* Three of the series arrive: too few. */
		{{50, 50, 0, 50, 60, 10, 0, 50, 72}, 0},
		/* Visits differ so much that this is no drift. */
		{{100, 99, 50, 99, 100, 99, 50, 99, 80}, 0},
		{{50, 0, 0, 0, 0, 0, 0, 0, 0}, 0},
		{{0, 50, 0, 50, 0, 50, 0, 50, 0}, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct measurement m[9];
		struct drift drift[DIR_COUNT];

		make_series(cases[i].rates, m);
		assert_int_equal(recommend_drift(m, 9, drift), 0);
		assert_int_equal(drift[DIR_UPLOAD].beyond_noise, cases[i].percent != 0);
		if (cases[i].percent)
			assert_int_equal(lround(100 * drift[DIR_UPLOAD].size),
					 cases[i].percent);
		assert_false(drift[DIR_DOWNLOAD].beyond_noise);
		/* Without marked references there is no series. */
		for (int j = 0; j < 9; j++)
			m[j].reference = false;
		assert_int_equal(recommend_drift(m, 9, drift), 0);
		assert_false(drift[DIR_UPLOAD].beyond_noise);
	}
}

/* One reference of 0.8 among 3.4 to 3.6 Mbit/s moves no pair's rate: each is within
 * what was measured of it. */
static void rates_are_within_what_was_measured(void **state)
{
	static const int64_t rates[9] = {35, 34, 36, 33, 8, 35, 34, 36, 35};
	struct measurement m[9];
	struct recommend_input input = {.m = m, .count = 9};
	struct path path = {.overhead = {PATH_OVERHEAD_IPV4, PATH_OVERHEAD_IPV4}};
	struct pairs pairs;
	struct stats stats;

	(void)state;
	make_series(rates, m);
	assert_int_equal(pairs_init(&pairs, m, input.count), 0);
	assert_int_equal(stats_init(&stats, &input, &pairs, &path), 0);
	for (int i = 1; i < 9; i += 2) {
		struct estimate e = stats_rate(&stats, &m[i].mtu, DIR_UPLOAD);

		assert_int_equal(e.count, 1);
		assert_float_equal(e.value, (double)rates[i] * 1e5, 1);
		e = stats_ratio(&stats, &m[i].mtu, &m[1].mtu, DIR_UPLOAD, 1.96);
		assert_float_equal(e.value, (double)rates[i] / (double)rates[1], 0.07);
	}
	/* The pair of the reference: five visits, one of them far off. */
	assert_float_equal(stats_rate(&stats, &m[0].mtu, DIR_UPLOAD).value, 35e5, 1e5);
	stats_release(&stats);
	pairs_release(&pairs);
}

/* The capacity falls to a half: rates are compared at the same time, and shown within
 * the range of all. */
static void rates_after_a_step_are_within_all(void **state)
{
	static const int64_t rates[9] = {100, 100, 100, 100, 100, 52, 50, 49, 50};
	struct measurement m[9];
	struct recommend_input input = {.m = m, .count = 9};
	struct path path = {.overhead = {PATH_OVERHEAD_IPV4, PATH_OVERHEAD_IPV4}};
	struct pairs pairs;
	struct stats stats;

	(void)state;
	path_bands_add(&path.dir[DIR_UPLOAD], OUTER_SIZE_MAX, FATE_WHOLE);
	make_series(rates, m);
	assert_int_equal(pairs_init(&pairs, m, input.count), 0);
	assert_int_equal(stats_init(&stats, &input, &pairs, &path), 0);
	assert_true(stats.dir[DIR_UPLOAD].drift.beyond_noise);
	for (int i = 1; i < 9; i++) {
		struct estimate e = stats_rate(&stats, &m[i].mtu, DIR_UPLOAD);

		assert_true(e.value >= 49e5 - 1 && e.value <= 100e5 + 1);
	}
	/* 49 when the reference had 50, against 100 when it had 100. */
	assert_float_equal(
		stats_ratio(&stats, &m[7].mtu, &m[1].mtu, DIR_UPLOAD, 1.96).value, 0.98,
		0.03);
	stats_release(&stats);
	pairs_release(&pairs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(drift_of_a_series),
		cmocka_unit_test(noise_is_pooled),
		cmocka_unit_test(bands_do_not_count_as_noise),
		cmocka_unit_test(intervals_follow),
		cmocka_unit_test(rates_are_within_what_was_measured),
		cmocka_unit_test(rates_after_a_step_are_within_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

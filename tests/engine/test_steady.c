/* SPDX-License-Identifier: MIT */
/* Goodput of the steady part, over transfers of known shape. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/types.h"
#include "engine/steady.h"

#define MBIT    1000000
#define STEP_MS 100

/* One transfer: its rate over time, and the counter's distortions. */
struct shape {
	const char *name;
	int length_ms;
	int64_t (*rate_bps)(int at_ms);
	int frozen_from_ms; /* the counter stands still, then catches up */
	int frozen_to_ms;
	int64_t low_bps; /* NO_FIGURE: no goodput */
	int64_t high_bps;
};

static int64_t rate_flat(int at_ms)
{
	(void)at_ms;
	return 40 * MBIT;
}

/* The rate doubles each 50 ms up to 40 Mbit/s at half a second. */
static int64_t rate_slow_start(int at_ms)
{
	return at_ms >= 500 ? 40 * MBIT : (40 * MBIT) >> ((500 - at_ms) / 50);
}

static int64_t rate_late(int at_ms)
{
	return at_ms >= 900 ? 40 * MBIT : 1 * MBIT;
}

static int64_t rate_noisy(int at_ms)
{
	return at_ms < 500 ? rate_slow_start(at_ms)
			   : 40 * MBIT + (at_ms / 50 * 7919 % 9 - 4) * MBIT;
}

/* The rate drops to 0 permanently half way. */
static int64_t rate_stalls(int at_ms)
{
	return at_ms < 1500 ? 40 * MBIT : 0;
}

static int64_t rate_nothing(int at_ms)
{
	(void)at_ms;
	return 0;
}

static const struct shape shapes[] = {
	{"flat", 5000, rate_flat, 0, 0, 39900000, 40100000},
	{"flat, just long enough", 600, rate_flat, 0, 0, 39900000, 40100000},
	{"too short", 500, rate_flat, 0, 0, NO_FIGURE, 0},
	{"one window", 300, rate_flat, 0, 0, NO_FIGURE, 0},
	{"slow start", 5000, rate_slow_start, 0, 0, 39700000, 40000000},
	{"slow start in a short test", 1500, rate_slow_start, 0, 0, 39000000, 40000000},
	{"hardly steady", 1100, rate_slow_start, 0, 0, 38000000, 40000000},
	{"no time left to be steady", 700, rate_slow_start, 0, 0, NO_FIGURE, 0},
	{"late", 2000, rate_late, 0, 0, 39000000, 40000000},
	{"noisy", 5000, rate_noisy, 0, 0, 38800000, 41200000},
	{"frozen and jumps", 5000, rate_slow_start, 3000, 3500, 39000000, 41000000},
	{"frozen and jumps early", 5000, rate_slow_start, 800, 1200, 39000000,
	 41000000},
	{"frozen at the end", 5000, rate_flat, 4600, 6000, 36000000, 37500000},
	{"stalls", 3000, rate_stalls, 0, 0, 19000000, 21000000},
	{"nothing", 3000, rate_nothing, 0, 0, 0, 0},
};

/* Make one transfer's samples up to a time. */
static void fill(const struct shape *shape, int until_ms, struct steady *steady)
{
	double bits = 0;
	uint64_t shown = 0;

	steady_init(steady);
	for (int ms = 0; ms <= until_ms; ms++) {
		if (ms < shape->frozen_from_ms || ms >= shape->frozen_to_ms)
			shown = (uint64_t)(bits / 8);
		if (ms % STEP_MS == 0)
			steady_add(steady, 777000000 + ms * INT64_C(1000), shown);
		bits += (double)shape->rate_bps(ms) / 1000;
	}
}

static int64_t goodput_bps(const struct steady *steady)
{
	struct steady_figure figure;

	steady_measure(steady, &figure);
	if (figure.goodput_bps == NO_FIGURE) {
		assert_int_equal(figure.low_bps, NO_FIGURE);
		assert_int_equal(figure.high_bps, NO_FIGURE);
	} else {
		assert_true(figure.low_bps <= figure.goodput_bps);
		assert_true(figure.high_bps >= figure.goodput_bps);
	}
	return figure.goodput_bps;
}

static int64_t measure(const struct shape *shape)
{
	static struct steady steady;

	fill(shape, shape->length_ms, &steady);
	return goodput_bps(&steady);
}

static void test_shapes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		const struct shape *shape = &shapes[i];
		int64_t bps = measure(shape);

		if (shape->low_bps == NO_FIGURE
			    ? bps == NO_FIGURE
			    : bps >= shape->low_bps && bps <= shape->high_bps)
			continue;
		fail_msg("%s: %lld bit/s", shape->name, (long long)bps);
	}
}

static void test_too_few(void **state)
{
	struct steady *steady = malloc(sizeof(*steady));

	(void)state;
	steady_init(steady);
	assert_int_equal(goodput_bps(steady), NO_FIGURE);
	steady_add(steady, 1000, 5);
	assert_int_equal(goodput_bps(steady), NO_FIGURE);
	free(steady);
}

/* Samples that go back in time or in bytes have no effect. */
static void test_odd_samples(void **state)
{
	struct steady *steady = malloc(sizeof(*steady));

	(void)state;
	steady_init(steady);
	for (int i = 0; i <= 100; i++) {
		steady_add(steady, i * INT64_C(50000), (uint64_t)i * 1000);
		steady_add(steady, i * INT64_C(50000), (uint64_t)i * 9000);
		steady_add(steady, i * INT64_C(50000) + 1, 0);
	}
	assert_int_equal(steady->count, 101 + 1);
	assert_int_equal(goodput_bps(steady), 160000);
	free(steady);
}

static void test_an_hour(void **state)
{
	struct steady *steady = malloc(sizeof(*steady));

	(void)state;
	steady_init(steady);
	for (int64_t i = 0; i < 72000; i++) {
		steady_add(steady, i * 50000, (uint64_t)i * 250000);
		assert_true(steady->count <= STEADY_SAMPLES);
	}
	assert_int_equal(steady->at_us[0], 0);
	assert_int_equal(steady->at_us[steady->count - 1], INT64_C(71999) * 50000);
	assert_int_equal(goodput_bps(steady), 40 * MBIT);
	free(steady);
}

/* --- the early end of a test --- */

/* Slow start ends at two thirds of the path's rate; then the rate creeps up. */
static int64_t rate_early_exit(int at_ms)
{
	int64_t creep = at_ms > 400 ? (int64_t)(at_ms - 400) * MBIT / 100 : 0;

	if (at_ms < 400)
		return (26 * MBIT) >> ((400 - at_ms) / 50);
	return creep < 14 * MBIT ? 26 * MBIT + creep : 40 * MBIT;
}

/* The rate is flat there for a while, then goes up to the path's. */
static int64_t rate_false_plateau(int at_ms)
{
	return at_ms < 300    ? rate_slow_start(at_ms + 200) * 2 / 3
	       : at_ms < 1000 ? 26 * MBIT
			      : 40 * MBIT;
}

/* The rate loses a tenth in five seconds. */
static int64_t rate_drift(int at_ms)
{
	return 40 * MBIT - (int64_t)at_ms * 800;
}

/* The rate is a saw tooth: from 28 to 40 Mbit/s in 1.5 s. */
static int64_t rate_saw(int at_ms)
{
	return at_ms < 500 ? rate_slow_start(at_ms)
			   : 28 * MBIT + (int64_t)(at_ms % 1500) * 8000;
}

struct early {
	struct shape shape;
	int precision;
	int from_ms; /* time range in which the goodput becomes known; 0: never */
	int to_ms;
};

static const struct early earlies[] = {
	{{"flat", 5000, rate_flat, 0, 0, 39800000, 40200000}, 3, 800, 1200},
	{{"slow start", 5000, rate_slow_start, 0, 0, 39400000, 40200000},
	 3,
	 1200,
	 1800},
	{{"finely", 5000, rate_slow_start, 0, 0, 39600000, 40200000}, 1, 1200, 2500},
	{{"early exit", 8000, rate_early_exit, 0, 0, 38500000, 40200000},
	 3,
	 1800,
	 4000},
	{{"false plateau", 8000, rate_false_plateau, 0, 0, 38800000, 40200000},
	 3,
	 1800,
	 4000},
	{{"noisy", 5000, rate_noisy, 0, 0, 38000000, 42000000}, 6, 1200, 2500},
	{{"too noisy", 5000, rate_noisy, 0, 0, 0, 0}, 1, 0, 0},
	{{"saw", 2000, rate_saw, 0, 0, 0, 0}, 3, 0, 0},
	{{"drift", 5000, rate_drift, 0, 0, 38500000, 40000000}, 3, 800, 1500},
	/* The receiver's counter shows this: it must not be believed. */
	{{"loss recovery", 5000, rate_slow_start, 700, 1400, 0, 0}, 3, 0, 0},
	{{"nothing", 3000, rate_nothing, 0, 0, 0, 0}, 3, 0, 0},
};

/* Return the time when the goodput is known; 0: not within the test. */
static int stop_ms(const struct early *early, struct steady *steady)
{
	for (int ms = STEP_MS; ms <= early->shape.length_ms; ms += STEP_MS) {
		fill(&early->shape, ms, steady);
		if (steady_is_known(steady, early->precision))
			return ms;
	}
	return 0;
}

static void test_known_in_time(void **state)
{
	static struct steady steady;

	(void)state;
	for (size_t i = 0; i < sizeof(earlies) / sizeof(earlies[0]); i++) {
		const struct early *early = &earlies[i];
		int ms = stop_ms(early, &steady);
		int64_t bps = ms > 0 ? goodput_bps(&steady) : 0;

		print_message("%s: %d ms, %lld bit/s\n", early->shape.name, ms,
			      (long long)bps);
		if (ms < early->from_ms || ms > early->to_ms ||
		    bps < early->shape.low_bps || bps > early->shape.high_bps)
			fail_msg("%s: known at %d ms, %lld bit/s", early->shape.name,
				 ms, (long long)bps);
	}
}

/* --- the interval --- */

/* Uniform, -1 to 1; from a seed, so the same each time. */
static double noise(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double)(*seed >> 11) / (double)(UINT64_C(1) << 52) - 1;
}

/* Return how many of 1000 transfers of 40 Mbit/s have that rate in their interval. The
 * noise of a window follows the last window's by `memory`. */
static int count_held(int windows, double memory, uint64_t seed)
{
	static struct steady steady;
	int held = 0;

	for (int i = 0; i < 1000; i++) {
		double off = noise(&seed);
		struct steady_figure figure;
		double bytes = 0;

		steady_init(&steady);
		for (int at = 0; at <= windows; at++) {
			steady_add(&steady, at * STEADY_WINDOW_US, (uint64_t)bytes);
			off = memory * off + (1 - memory) * noise(&seed);
			bytes += 40e6 / 8 / 10 * (1 + 0.1 * off);
		}
		steady_measure(&steady, &figure);
		held += figure.low_bps <= 40000000 && figure.high_bps >= 40000000;
	}
	return held;
}

static void test_interval_holds(void **state)
{
	static const int lengths[] = {10, 20, 50, 100};

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		int apart = count_held(lengths[i], 0, 1 + i);
		int alike = count_held(lengths[i], 0.6, 11 + i);

		print_message("%d windows: held in %d of 1000, %d where each is like "
			      "the last\n",
			      lengths[i], apart, alike);
		assert_in_range(apart, 950, 1000);
		assert_in_range(alike, 880, 1000);
	}
}

/* The interval is at least as wide as the counters' resolution, and never goes below
 * 0. */
static void test_interval_ends(void **state)
{
	static const struct shape stalls = {"stalls", 2000, rate_stalls, 0, 0, 0, 0};
	static const struct shape flat = {"flat", 5000, rate_flat, 0, 0, 0, 0};
	static struct steady steady;
	struct steady_figure figure;

	(void)state;
	fill(&flat, 5000, &steady);
	steady_measure(&steady, &figure);
	assert_in_range(figure.high_bps - figure.low_bps, 390000, 800000);
	fill(&stalls, 2000, &steady);
	steady_measure(&steady, &figure);
	assert_true(figure.low_bps >= 0);
	assert_true(figure.high_bps > figure.goodput_bps + 5 * MBIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_too_few),
		cmocka_unit_test(test_odd_samples),
		cmocka_unit_test(test_an_hour),
		cmocka_unit_test(test_known_in_time),
		cmocka_unit_test(test_interval_holds),
		cmocka_unit_test(test_interval_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

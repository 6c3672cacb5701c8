/* SPDX-License-Identifier: MIT */
/* Goodput of the steady part, over transfers of known shape. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/types.h"
#include "engine/steady.h"
#include "traceread.h"

#define MBIT    1000000
#define STEP_MS 20

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
	{"too short", 320, rate_flat, 0, 0, NO_FIGURE, 0},
	{"one window", 300, rate_flat, 0, 0, NO_FIGURE, 0},
	{"slow start", 5000, rate_slow_start, 0, 0, 39700000, 40000000},
	{"slow start in a short test", 1500, rate_slow_start, 0, 0, 39000000, 40000000},
	{"hardly steady", 1100, rate_slow_start, 0, 0, 38000000, 40000000},
	{"too short to say", 380, rate_slow_start, 0, 0, NO_FIGURE, 0},
	{"late", 2000, rate_late, 0, 0, 39000000, 40000000},
	{"noisy", 5000, rate_noisy, 0, 0, 38800000, 41200000},
	{"frozen and jumps", 5000, rate_slow_start, 3000, 3500, 39000000, 41000000},
	{"frozen and jumps early", 5000, rate_slow_start, 800, 1200, 39000000,
	 41000000},
	{"frozen at the end", 5000, rate_flat, 4600, 6000, 36000000, 37500000},
	{"stalls", 3000, rate_stalls, 0, 0, 19000000, 21000000},
	{"nothing", 3000, rate_nothing, 0, 0, 0, 0},
};

/* Add a sample of an end that knows nothing but the bytes. */
static void add(struct steady *steady, int64_t at_us, uint64_t bytes)
{
	steady_add(steady, &(struct steady_sample){.at_us = at_us, .bytes = bytes});
}

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
			add(steady, 777000000 + ms * INT64_C(1000), shown);
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
	add(steady, 1000, 5);
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
		add(steady, i * INT64_C(50000), (uint64_t)i * 1000);
		add(steady, i * INT64_C(50000), (uint64_t)i * 9000);
		add(steady, i * INT64_C(50000) + 1, 0);
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
		add(steady, i * 50000, (uint64_t)i * 250000);
		assert_true(steady->count <= STEADY_SAMPLES);
	}
	assert_int_equal(steady->at_us[0], 0);
	assert_int_equal(steady->at_us[steady->count - 1], INT64_C(71999) * 50000);
	assert_int_equal(goodput_bps(steady), 40 * MBIT);
	free(steady);
}

/* A queue that fills: 20 ms, then 100 steps of 1 ms. */
static void round_trips_of_a_filling_queue(void **state)
{
	struct steady *steady = malloc(sizeof(*steady));
	struct steady_sample sample = {.min_rtt_us = 20000};

	(void)state;
	steady_init(steady);
	assert_int_equal(steady_rtt_us(steady, 50), NO_FIGURE);
	for (int i = 0; i <= 100; i++) {
		sample.at_us = (i + 1) * STEADY_WINDOW_US;
		sample.bytes = (uint64_t)i * 50000;
		sample.rtt_us = 20000 + (uint32_t)i * 1000;
		steady_add(steady, &sample);
		/* Nothing has arrived at the first sample. */
		if (i == 0)
			assert_int_equal(steady_rtt_us(steady, 50), NO_FIGURE);
	}
	assert_int_equal(steady_rtt_us(steady, 1), 21000);
	assert_int_equal(steady_rtt_us(steady, 50), 70000);
	assert_int_equal(steady_rtt_us(steady, 95), 115000);
	assert_int_equal(steady_rtt_us(steady, 100), 120000);
	free(steady);
}

static void a_receiver_has_no_round_trip(void **state)
{
	struct steady *steady = malloc(sizeof(*steady));

	(void)state;
	steady_init(steady);
	for (int i = 0; i < 10; i++)
		add(steady, i * STEADY_WINDOW_US, (uint64_t)i * 1000);
	assert_int_equal(steady_rtt_us(steady, 50), NO_FIGURE);
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

/* --- recorded transfers --- */

/* The largest error, as a share of the truth. */
#define OFF_MAX 0.01

/* One transfer of tests/bench/traces/tune.txt, and the latest time by which a test of it
 * knows its goodput; 0: it does not within the time of a test. */
struct recorded {
	const char *class;
	const char *congestion;
	int rtt_ms;
	int known_ms;
};

static const struct recorded recorded[] = {
	{"queue-deep", "bbr", 1, 600},       {"queue-shallow", "cubic", 1, 1000},
	{"queue-deep", "bbr", 20, 600},      {"queue-shallow", "bbr", 20, 700},
	{"queue-medium", "cubic", 20, 1000}, {"queue-shallow", "cubic", 20, 1200},
	{"queue-deep", "bbr", 100, 900},     {"queue-medium", "cubic", 100, 900},
	{"queue-shallow", "bbr", 100, 900},  {"queue-deep", "cubic", 300, 2000},
	{"queue-medium", "bbr", 300, 2400},  {"queue-shallow", "cubic", 100, 0},
	{"unsteady-walks", "bbr", 1, 0},     {"unsteady-walks", "cubic", 20, 0},
	{"unsteady-crosses", "cubic", 1, 0}, {"unsteady-crosses", "bbr", 20, 0},
	{"loss-1", "bbr", 20, 600},          {"loss-1", "cubic", 20, 0},
	{"loss-1", "cubic", 100, 0},         {"policer", "cubic", 20, 0},
};

static void find_recorded(const struct recorded *want, struct trace *ret)
{
	FILE *file = fopen(TRACES, "re");

	assert_non_null(file);
	while (trace_read(file, ret)) {
		if (strcmp(ret->class, want->class) == 0 &&
		    strcmp(ret->congestion, want->congestion) == 0 &&
		    ret->rtt_ms == want->rtt_ms) {
			fclose(file);
			return;
		}
	}
	fail_msg("no transfer %s %s %d ms", want->class, want->congestion,
		 want->rtt_ms);
}

/* Feed the samples up to the one at which the goodput is known, or to the latest time.
 * Return the last sample's time in ms. */
static int replay(const struct trace *trace, struct steady *steady, bool *ret_known)
{
	int64_t latest_us = steady_latest_us(trace->rtt_ms * INT64_C(1000));
	int64_t at_us = 0;

	*ret_known = false;
	steady_init(steady);
	for (int i = 0; i < trace->count && !*ret_known; i++) {
		if (trace->samples[i].at_us > latest_us)
			break;
		at_us = trace->samples[i].at_us;
		steady_add(steady, &trace->samples[i]);
		*ret_known = at_us >= 500000 && steady_is_known(steady, 3);
	}
	return (int)(at_us / 1000);
}

/* The truth is in each interval; where the goodput is known, it is within 1 %. */
static void test_recorded(void **state)
{
	static struct steady steady;
	static struct trace trace;

	(void)state;
	for (size_t i = 0; i < sizeof(recorded) / sizeof(recorded[0]); i++) {
		const struct recorded *want = &recorded[i];
		struct steady_figure figure;
		double truth;
		bool known;
		int ms;

		find_recorded(want, &trace);
		ms = replay(&trace, &steady, &known);
		steady_measure(&steady, &figure);
		truth = trace_truth(&trace, ms * INT64_C(1000));
		print_message("%s %s %d ms: %d ms, %s, %lld of %.0f bit/s\n",
			      want->class, want->congestion, want->rtt_ms, ms,
			      known ? "known" : "not known",
			      (long long)figure.goodput_bps, truth);
		assert_int_equal(known, want->known_ms > 0);
		assert_true(!known || ms <= want->known_ms);
		assert_true((double)figure.low_bps <= truth);
		assert_true((double)figure.high_bps >= truth);
		assert_true(!known ||
			    fabs((double)figure.goodput_bps / truth - 1) <= OFF_MAX);
	}
}

static void test_latest(void **state)
{
	(void)state;
	assert_int_equal(steady_latest_us(500), 1400000);
	assert_int_equal(steady_latest_us(20500), 1400000);
	assert_int_equal(steady_latest_us(100000), 2000000);
	assert_int_equal(steady_latest_us(300000), 2400000);
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
			add(&steady, at * STEADY_WINDOW_US, (uint64_t)bytes);
			off = memory * off + (1 - memory) * noise(&seed);
			bytes += 40e6 / 8 / 50 * (1 + 0.1 * off);
		}
		steady_measure(&steady, &figure);
		held += figure.low_bps <= 40000000 && figure.high_bps >= 40000000;
	}
	return held;
}

static void test_interval_holds(void **state)
{
	static const int lengths[] = {50, 100, 250, 500};

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
		cmocka_unit_test(round_trips_of_a_filling_queue),
		cmocka_unit_test(a_receiver_has_no_round_trip),
		cmocka_unit_test(test_known_in_time),
		cmocka_unit_test(test_recorded),
		cmocka_unit_test(test_latest),
		cmocka_unit_test(test_interval_holds),
		cmocka_unit_test(test_interval_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

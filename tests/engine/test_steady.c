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
#define STEP_MS 50

/* What one transfer does: bit/s at a time, and what the counter shows of it. */
struct shape {
	const char *name;
	int length_ms;
	int64_t (*rate_bps)(int at_ms);
	int frozen_from_ms; /* the counter stands still, and catches up afterwards */
	int frozen_to_ms;
	int64_t low_bps; /* NO_FIGURE: there is none */
	int64_t high_bps;
};

static int64_t rate_flat(int at_ms)
{
	(void)at_ms;
	return 40 * MBIT;
}

/* Doubles each 50 ms up to 40 Mbit/s at half a second. */
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

/* Stops for good half way. */
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
	{"flat, just long enough", 500, rate_flat, 0, 0, 39900000, 40100000},
	{"too short", 450, rate_flat, 0, 0, NO_FIGURE, 0},
	{"one window", 300, rate_flat, 0, 0, NO_FIGURE, 0},
	{"slow start", 5000, rate_slow_start, 0, 0, 39700000, 40000000},
	{"slow start in a short test", 1500, rate_slow_start, 0, 0, 39000000, 40000000},
	{"hardly steady", 1000, rate_slow_start, 0, 0, 38000000, 40000000},
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

static int64_t measure(const struct shape *shape)
{
	static struct steady steady;
	double bits = 0;
	uint64_t shown = 0;

	steady_init(&steady);
	for (int ms = 0; ms <= shape->length_ms; ms++) {
		if (ms < shape->frozen_from_ms || ms >= shape->frozen_to_ms)
			shown = (uint64_t)(bits / 8);
		if (ms % STEP_MS == 0)
			steady_add(&steady, 777000000 + ms * INT64_C(1000), shown);
		bits += (double)shape->rate_bps(ms) / 1000;
	}
	return steady_goodput_bps(&steady);
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
	assert_int_equal(steady_goodput_bps(steady), NO_FIGURE);
	steady_add(steady, 1000, 5);
	assert_int_equal(steady_goodput_bps(steady), NO_FIGURE);
	free(steady);
}

/* Samples that go back in time or in bytes change nothing. */
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
	assert_int_equal(steady_goodput_bps(steady), 160000);
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
	assert_int_equal(steady_goodput_bps(steady), 40 * MBIT);
	free(steady);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_too_few),
		cmocka_unit_test(test_odd_samples),
		cmocka_unit_test(test_an_hour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

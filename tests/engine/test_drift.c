/* SPDX-License-Identifier: MIT */
/* Reference series with results computed by hand, and thousands of random ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "engine/drift.h"

static void on_the_line_between_neighbours(void **state)
{
	struct drift_sample s[] = {{3000, 40}, {1000, 20}, {2000, 30}};

	(void)state;
	drift_sort(s, 3);
	assert_int_equal(s[0].at_ms, 1000);
	assert_float_equal(drift_at(s, 3, 500), 20, 1e-9);
	assert_float_equal(drift_at(s, 3, 1000), 20, 1e-9);
	assert_float_equal(drift_at(s, 3, 1500), 25, 1e-9);
	assert_float_equal(drift_at(s, 3, 2750), 37.5, 1e-9);
	assert_float_equal(drift_at(s, 3, 3000), 40, 1e-9);
	assert_float_equal(drift_at(s, 3, 9000), 40, 1e-9);
	assert_float_equal(drift_at(s, 1, 0), 20, 1e-9);
	assert_float_equal(drift_at(s, 0, 0), 0, 1e-9);
	/* log(30 / 20) / 2 */
	assert_float_equal(drift_doubt(s, 3, 1500), 0.2027325541, 1e-9);
	assert_float_equal(drift_doubt(s, 3, 500), 0, 1e-9);
	assert_float_equal(drift_doubt(s, 3, 9000), 0, 1e-9);
}

static void a_slope_is_no_noise(void **state)
{
	struct drift_sample s[9];

	(void)state;
	for (int i = 0; i < 9; i++)
		s[i] = (struct drift_sample){i * 1000, 50 * exp(-0.05 * i)};
	assert_float_equal(drift_noise(s, 9), 0, 1e-9);
	assert_float_equal(drift_noise(s, 3), 0, 1e-9);
	assert_true(drift_noise(s, 2) < 0);
	/* The last three against the first three: six steps of -0.05. */
	assert_float_equal(drift_judge(s, 9, 0.01).size, exp(-0.3) - 1, 1e-9);
	assert_true(drift_judge(s, 9, 0.01).beyond_noise);
	/* 2.576 * 0.2 * sqrt(2 / 3) = 0.42 */
	assert_false(drift_judge(s, 9, 0.2).beyond_noise);
}

static void a_step_is_no_noise(void **state)
{
	struct drift_sample s[8];

	(void)state;
	for (int i = 0; i < 8; i++)
		s[i] = (struct drift_sample){i * 1000, (i < 4 ? 20 : 45) + i % 2 * 0.1};
	assert_true(drift_noise(s, 8) < 0.01);
	assert_true(drift_judge(s, 8, drift_noise(s, 8)).beyond_noise);
	assert_float_equal(drift_judge(s, 8, 0.01).size, 45.0 / 20 - 1, 0.01);
}

/* One difference: log(22) - (log(20) + log(20)) / 2 = 0.0953, over sqrt(1.5). */
static void three_samples(void **state)
{
	const struct drift_sample s[] = {{0, 20}, {1000, 22}, {2000, 20}};

	(void)state;
	assert_float_equal(drift_noise(s, 3), 0.0953101798 / sqrt(1.5), 1e-9);
	assert_false(drift_judge(s, 3, 0.05).beyond_noise);
	assert_false(drift_judge(s, 1, 0.05).beyond_noise);
}

static double draw(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return ((double)(*state >> 11) + 0.5) / 9007199254740992.0;
}

/* A known standard deviation is found on average, and steady noise is taken for drift
 * in about one of a hundred. */
static void drawn_series(void **state)
{
	uint64_t random = 1;
	double sum = 0;
	int drifts = 0;

	(void)state;
	for (int round = 0; round < 4000; round++) {
		struct drift_sample s[24];

		for (int i = 0; i < 24; i++) {
			double normal = sqrt(-2 * log(draw(&random))) *
					cos(6.283185307 * draw(&random));

			s[i] = (struct drift_sample){i, 40 * exp(0.12 * normal)};
		}
		sum += drift_noise(s, 24);
		drifts += drift_judge(s, 24, 0.12).beyond_noise;
	}
	assert_float_equal(sum / 4000, 0.12, 0.01);
	assert_true(drifts < 80);
	assert_true(drifts > 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(on_the_line_between_neighbours),
		cmocka_unit_test(a_slope_is_no_noise),
		cmocka_unit_test(a_step_is_no_noise),
		cmocka_unit_test(three_samples),
		cmocka_unit_test(drawn_series),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

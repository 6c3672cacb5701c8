/* SPDX-License-Identifier: MIT */
/* Reference series with results computed by hand, and thousands of random ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "drift_sim.h"
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
	/* The size is that of the line: eight steps of -0.05. */
	assert_float_equal(drift_judge(s, 9).size, exp(-0.4) - 1, 1e-9);
	assert_true(drift_judge(s, 9).beyond_noise);
	assert_int_equal(drift_judge(s, 9).at_ms, 4000);
}

static void a_step_is_no_noise(void **state)
{
	struct drift_sample s[8];

	(void)state;
	for (int i = 0; i < 8; i++)
		s[i] = (struct drift_sample){i * 1000, (i < 4 ? 20 : 45) + i % 2 * 0.1};
	assert_true(drift_noise(s, 8) < 0.01);
	assert_true(drift_judge(s, 8).beyond_noise);
	assert_int_equal(drift_judge(s, 8).at_ms, 4000);
	assert_float_equal(drift_judge(s, 8).size, 45.0 / 20 - 1, 0.01);
}

/* One difference: log(22) - (log(20) + log(20)) / 2 = 0.0953, over sqrt(1.5). */
static void three_samples(void **state)
{
	const struct drift_sample s[] = {{0, 20}, {1000, 22}, {2000, 20}};

	(void)state;
	assert_float_equal(drift_noise(s, 3), 0.0953101798 / sqrt(1.5), 1e-9);
	assert_false(drift_judge(s, 3).beyond_noise);
	assert_false(drift_judge(s, 1).beyond_noise);
	assert_false(drift_judge(s, 0).beyond_noise);
}

/* One sample that is off is no drift, wherever it is; two at the end may be one. */
static void an_outlier_is_no_drift(void **state)
{
	(void)state;
	for (int off = 0; off < 9; off++) {
		struct drift_sample s[9];
		const double usual[] = {3.5, 3.4, 3.6, 3.5, 3.6, 3.4, 3.5, 3.6, 3.4};

		for (int i = 0; i < 9; i++)
			s[i] = (struct drift_sample){i * 1000, usual[i]};
		s[off].rate = 0.8;
		assert_false(drift_judge(s, 9).beyond_noise);
		drift_repair(s, 9, 0.03, false);
		assert_float_equal(s[off].rate, 3.5, 0.11);
		assert_float_equal(exp(drift_level(s, 9)), 3.5, 1e-9);
		assert_float_equal(s[(off + 1) % 9].rate, usual[(off + 1) % 9], 1e-9);
	}
}

/* Where the line changed, only a sample that both neighbours contradict is one. */
static void a_step_is_not_repaired(void **state)
{
	struct drift_sample s[8];

	(void)state;
	for (int i = 0; i < 8; i++)
		s[i] = (struct drift_sample){i * 1000, i < 3 ? 20 : 10};
	s[5].rate = 3;
	drift_repair(s, 8, 0.01, true);
	for (int i = 0; i < 8; i++)
		assert_float_equal(s[i].rate, i < 3 ? 20 : 10, 1e-9);
}

/* Another series agrees if it has at least half of the change, of the same sign. */
static void another_series_confirms(void **state)
{
	const struct drift drift = {.size = -0.5, .at_ms = 1500, .beyond_noise = true};

	(void)state;
	assert_true(drift_confirms((struct drift_sample[]){{0, 20}, {2000, 12}}, 2,
				   &drift));
	assert_false(drift_confirms((struct drift_sample[]){{0, 20}, {2000, 16}}, 2,
				    &drift));
	assert_false(drift_confirms((struct drift_sample[]){{0, 20}, {2000, 40}}, 2,
				    &drift));
	/* It has nothing on one side. */
	assert_false(drift_confirms((struct drift_sample[]){{0, 20}, {1000, 10}}, 2,
				    &drift));
}

/* A series longer than is judged sample by sample. */
static void a_long_series(void **state)
{
	static struct drift_sample s[1000];

	(void)state;
	for (int i = 0; i < 1000; i++)
		s[i] = (struct drift_sample){i * 1000,
					     (i < 600 ? 20 : 10) + i % 7 * 0.1};
	assert_true(drift_judge(s, 1000).beyond_noise);
	assert_float_equal(drift_judge(s, 1000).size, -0.5, 0.02);
	assert_float_equal((double)drift_judge(s, 1000).at_ms, 600000, 20000);
}

static double draw(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return ((double)(*state >> 11) + 0.5) / 9007199254740992.0;
}

/* A known standard deviation is found on average. */
static void drawn_series(void **state)
{
	uint64_t random = 1;
	double sum = 0;

	(void)state;
	for (int round = 0; round < 4000; round++) {
		struct drift_sample s[24];

		for (int i = 0; i < 24; i++) {
			double normal = sqrt(-2 * log(draw(&random))) *
					cos(6.283185307 * draw(&random));

			s[i] = (struct drift_sample){i, 40 * exp(0.12 * normal)};
		}
		sum += drift_noise(s, 24);
	}
	assert_float_equal(sum / 4000, 0.12, 0.01);
}

static const struct drift_sim plans[] = {
	{.plan = DRIFT_SIM_SMART},
	{.plan = DRIFT_SIM_GRID, .references = 3},
	{.plan = DRIFT_SIM_GRID, .references = 6},
	{.plan = DRIFT_SIM_GRID, .references = 14},
};

/* A steady line is taken for one that changed in about 1 of 100 runs: with any spread,
 * with heavy tails, with a test that was disturbed. 500 runs show at most 3 %. */
static void steady_lines(void **state)
{
	static const double spreads[] = {0.01, 0.05, 0.2, 0.4};

	(void)state;
	for (size_t p = 0; p < sizeof(plans) / sizeof(plans[0]); p++) {
		for (int i = 0; i < 16; i++) {
			struct drift_sim sim = plans[p];
			double share;

			sim.spread = spreads[i / 4];
			sim.heavy = i & 1;
			sim.outlier = i & 2;
			share = drift_sim_share(&sim, 500, 1);
			if (share > 0.03)
				fail_msg("plan %zu, spread %g, heavy %d, outlier %d: "
					 "%.1f %%",
					 p, sim.spread, sim.heavy, sim.outlier,
					 100 * share);
		}
	}
}

/* The bench "drift" has all figures. With few visits, a change near the beginning or
 * the end of a run looks like a test that was disturbed. */
static void lines_that_change(void **state)
{
	static const struct {
		struct drift_sim sim;
		double least;
	} cases[] = {
		{{DRIFT_SIM_SMART, 0, 0.01, false, false, DRIFT_SIM_HALVES}, 0.6},
		{{DRIFT_SIM_SMART, 0, 0.01, false, false, DRIFT_SIM_DECLINES}, 0.97},
		{{DRIFT_SIM_GRID, 14, 0.05, false, false, DRIFT_SIM_HALVES}, 0.8},
		{{DRIFT_SIM_GRID, 14, 0.05, true, true, DRIFT_SIM_HALVES}, 0.75},
		{{DRIFT_SIM_GRID, 14, 0.05, false, false, DRIFT_SIM_DECLINES}, 0.97},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		double share = drift_sim_share(&cases[i].sim, 300, 1);

		if (share < cases[i].least)
			fail_msg("case %zu: %.1f %%", i, 100 * share);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(on_the_line_between_neighbours),
		cmocka_unit_test(a_slope_is_no_noise),
		cmocka_unit_test(a_step_is_no_noise),
		cmocka_unit_test(three_samples),
		cmocka_unit_test(an_outlier_is_no_drift),
		cmocka_unit_test(a_step_is_not_repaired),
		cmocka_unit_test(another_series_confirms),
		cmocka_unit_test(a_long_series),
		cmocka_unit_test(drawn_series),
		cmocka_unit_test(steady_lines),
		cmocka_unit_test(lines_that_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

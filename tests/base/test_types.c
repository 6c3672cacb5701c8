/* SPDX-License-Identifier: MIT */
/* The shared types: names in both directions, ranges, a measurement's status. */

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/types.h"

static void test_names(void **state)
{
	enum test_status status = TEST_OK;
	enum persist persist = PERSIST_NONE;
	enum backend backend = BACKEND_NONE;
	enum run_outcome outcome = RUN_RUNNING;

	(void)state;
	for (int i = 0; i < TEST_STATUS_COUNT; i++) {
		assert_int_equal(test_status_parse(test_status_name(i), &status), 0);
		assert_int_equal(status, i);
	}
	for (int i = 0; i < PERSIST_COUNT; i++) {
		assert_int_equal(persist_parse(persist_name(i), &persist), 0);
		assert_int_equal(persist, i);
	}
	for (int i = 0; i < BACKEND_COUNT; i++) {
		assert_int_equal(backend_parse(backend_name(i), &backend), 0);
		assert_int_equal(backend, i);
	}
	for (int i = 0; i < RUN_OUTCOME_COUNT; i++) {
		assert_int_equal(run_outcome_parse(run_outcome_name(i), &outcome), 0);
		assert_int_equal(outcome, i);
	}
	assert_int_equal(test_status_parse("OK", &status), -EINVAL);
	assert_int_equal(status, TEST_STATUS_COUNT - 1);
}

static void test_ranges(void **state)
{
	static const struct {
		struct mtu_range range;
		int count;
		int last;
	} rows[] = {
		{{1280, 1500, 20}, 12, 1500},
		{{1280, 1500, 30}, 8, 1490},
		{{1420, 1420, 1}, 1, 1420},
		{{1280, 1300, 65535}, 1, 1280},
		{{1300, 1280, 10}, 0, 0},
		{{1280, 1500, 0}, 0, 0},
		{{1280, 1500, -20}, 0, 0},
		/* Values that nobody has checked. */
		{{0, INT_MAX, 1}, INT_MAX, INT_MAX - 1},
		{{INT_MIN, INT_MAX, 1}, INT_MAX, -2},
		{{INT_MIN, INT_MAX, INT_MAX}, 3, INT_MAX - 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int count = mtu_range_count(&rows[i].range);

		assert_int_equal(count, rows[i].count);
		if (count)
			assert_int_equal(mtu_range_at(&rows[i].range, count - 1),
					 rows[i].last);
	}
	assert_true(mtu_range_allows(&rows[0].range, 1281));
	assert_false(mtu_range_allows(&rows[0].range, 1279));
	assert_false(mtu_range_allows(&rows[0].range, 1501));
}

static void test_pairs(void **state)
{
	/* Ascending. */
	static const struct mtu_pair pairs[] = {
		{INT_MIN, INT_MAX}, {1280, 1500},       {1400, 1280},      {1400, 1400},
		{1500, 1280},       {INT_MAX, INT_MIN}, {INT_MAX, INT_MAX}};
	const int count = sizeof(pairs) / sizeof(pairs[0]);

	(void)state;
	for (int i = 0; i < count; i++) {
		for (int j = 0; j < count; j++) {
			int order = mtu_pair_compare(&pairs[i], &pairs[j]);

			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
			assert_int_equal(mtu_pair_same(&pairs[i], &pairs[j]), i == j);
		}
	}
}

static void test_measurement(void **state)
{
	struct measurement m = {0};

	(void)state;
	dir_result_init(&m.dir[DIR_UPLOAD], TEST_OK, "%s", "");
	dir_result_init(&m.dir[DIR_DOWNLOAD], TEST_TIMEOUT, "stalled for %d s", 5);
	assert_int_equal(m.dir[DIR_DOWNLOAD].goodput_bps, NO_FIGURE);
	assert_int_equal(m.dir[DIR_DOWNLOAD].goodput_low_bps, NO_FIGURE);
	assert_int_equal(m.dir[DIR_DOWNLOAD].goodput_high_bps, NO_FIGURE);
	assert_string_equal(m.dir[DIR_DOWNLOAD].text, "stalled for 5 s");
	assert_int_equal(measurement_status(&m), TEST_TIMEOUT);
	m.dir[DIR_UPLOAD].status = TEST_BLACKHOLE;
	assert_int_equal(measurement_status(&m), TEST_BLACKHOLE);
	m.dir[DIR_UPLOAD].status = m.dir[DIR_DOWNLOAD].status = TEST_OK;
	assert_int_equal(measurement_status(&m), TEST_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_measurement),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

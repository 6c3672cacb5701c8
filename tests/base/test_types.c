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

static void test_rate_text(void **state)
{
	static const struct {
		enum test_status status;
		int64_t rate_bps;
		int decimals;
		const char *text;
		bool known;
	} rows[] = {
		{TEST_OK, 12345678, 3, "12.346", true},
		{TEST_OK, 12345678, 1, "12.3", true},
		{TEST_OK, 0, 1, "0.0", true},
		{TEST_OK, NO_FIGURE, 1, "?", false},
		{TEST_BLACKHOLE, 12345678, 1, "blackhole", false},
		{TEST_UNREACHABLE, NO_FIGURE, 3, "unreachable", false},
		{TEST_OK, INT64_MAX, 3, "9223372036854.775", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[RATE_TEXT_SIZE];

		assert_int_equal(rate_text(rows[i].status, rows[i].rate_bps,
					   rows[i].decimals, text),
				 rows[i].known);
		assert_string_equal(text, rows[i].text);
	}
}

static void test_rate_number(void **state)
{
	static const struct {
		int64_t rate_bps;
		int64_t of_bps;
		const char *text;
		const char *unit;
	} rows[] = {
		{36600000, 36600000, "36.6", "Mbit/s"},
		{1000000, 1000000, "1.0", "Mbit/s"},
		{999500, 999500, "1.0", "Mbit/s"},
		{999499, 999499, "999", "kbit/s"},
		{244900, 244900, "245", "kbit/s"},
		{1234567, 900000, "1235", "kbit/s"},
		{99949, 99949, "99.9", "kbit/s"},
		{9600, 9600, "9.6", "kbit/s"},
		{0, 0, "0.0", "kbit/s"},
		{244900, 36600000, "0.2", "Mbit/s"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[RATE_TEXT_SIZE];

		rate_number(rows[i].rate_bps, rows[i].of_bps, text);
		assert_string_equal(text, rows[i].text);
		assert_string_equal(rate_unit(rows[i].of_bps), rows[i].unit);
	}
}

/* "-" for what one end alone does not know. */
static void test_unknown_mtu(void **state)
{
	struct run_info info = {
		.server_range = {1280, MTU_UNKNOWN, 5},
		.server.link_mtu = 1420,
		.peer.link_mtu = 1400,
	};
	const struct mtu_pair pair = {1420, 1400};
	const struct mtu_pair half = {MTU_UNKNOWN, 1400};
	char text[PAIR_TEXT_SIZE];
	char words[PAIR_WORDS_SIZE];
	struct mtu_pair current;

	(void)state;
	assert_string_equal(mtu_pair_text(&pair, text), "1420/1400");
	assert_string_equal(mtu_pair_text(&half, text), "-/1400");
	assert_string_equal(mtu_pair_words(&pair, words),
			    "server MTU 1420, peer MTU 1400");
	assert_string_equal(mtu_pair_words(&half, words), "peer MTU 1400");
	assert_false(run_info_is_one_ended(&info));
	current = run_info_current(&info);
	assert_true(mtu_pair_same(&current, &pair));
	info.server_range = MTU_RANGE_UNKNOWN;
	info.server.link_mtu = 0;
	assert_true(run_info_is_one_ended(&info));
	current = run_info_current(&info);
	assert_true(mtu_pair_same(&current, &half));
	info.peer.link_mtu = 0;
	current = run_info_current(&info);
	assert_int_equal(current.server, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),       cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_pairs),       cmocka_unit_test(test_measurement),
		cmocka_unit_test(test_unknown_mtu), cmocka_unit_test(test_rate_text),
		cmocka_unit_test(test_rate_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

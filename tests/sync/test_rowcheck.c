/* SPDX-License-Identifier: MIT */
/* The rows that a session may send: a table of rows, then their number and order. */

#include "sync/rowcheck.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support.h"

static void begin(struct rowcheck *check, bool known)
{
	struct msg_open open = support_open(SUPPORT_RUN, 30000);

	rowcheck_begin(check, &open.run, known);
}

static void take_over(struct rowcheck *check, int server_min)
{
	struct msg_open open = support_open(SUPPORT_RUN, 30000);

	if (server_min)
		open.run.server_range.min = server_min;
	rowcheck_resume(check, &open.run);
}

struct bad_row {
	const char *what;
	uint32_t seq;
	struct mtu_pair mtu;
	int64_t goodput_bps;
	int64_t low_bps;
	int64_t high_bps;
	int r;
};

/* The run has MTUs of 1280 to 1500 at the server, 1300 to 1420 at the peer. */
static const struct bad_row rows[] = {
	{"fine", 1, {1280, 1300}, 5, 4, 6, 1},
	{"no interval", 1, {1500, 1420}, 5, NO_FIGURE, NO_FIGURE, 1},
	{"no goodput", 1, {1500, 1420}, NO_FIGURE, NO_FIGURE, NO_FIGURE, 1},
	{"the last number", 1000000, {1420, 1400}, 5, 5, 5, 1},
	{"a number too high", 1000001, {1420, 1400}, 5, 5, 5, -EINVAL},
	{"the server's MTU is too small", 1, {1279, 1400}, 5, 4, 6, -EINVAL},
	{"the server's MTU is too large", 1, {1501, 1400}, 5, 4, 6, -EINVAL},
	{"the peer's MTU is too small", 1, {1420, 1299}, 5, 4, 6, -EINVAL},
	{"the peer's MTU is too large", 1, {1420, 1421}, 5, 4, 6, -EINVAL},
	{"the peer's MTU is the unknown one", 1, {1420, 65535}, 5, 4, 6, -EINVAL},
	{"goodput below its interval", 1, {1420, 1400}, 3, 4, 6, -EINVAL},
	{"goodput above its interval", 1, {1420, 1400}, 7, 4, 6, -EINVAL},
	{"an interval of nothing", 1, {1420, 1400}, NO_FIGURE, 4, 6, -EINVAL},
};

static void rows_are_bounded(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct bad_row *row = &rows[i];

		for (int dir = 0; dir < DIR_COUNT; dir++) {
			struct measurement m = support_row(row->seq);
			struct rowcheck check;
			struct err err = ERR_INIT;

			print_message("%s, %s\n", row->what,
				      direction_name((enum direction)dir));
			m.mtu = row->mtu;
			m.dir[dir].goodput_bps = row->goodput_bps;
			m.dir[dir].goodput_low_bps = row->low_bps;
			m.dir[dir].goodput_high_bps = row->high_bps;
			begin(&check, true);
			assert_int_equal(rowcheck_take(&check, &m, &err), row->r);
			assert_int_equal(row->r < 0, err.text[0] != '\0');
		}
	}
}

static int take(struct rowcheck *check, uint32_t seq)
{
	struct measurement m = support_row(seq);
	int r = rowcheck_take(check, &m, NULL);

	if (r == 1)
		rowcheck_count(check, &m, true);
	return r;
}

static void numbers_rise(void **state)
{
	struct rowcheck check;

	(void)state;
	begin(&check, true);
	assert_int_equal(take(&check, 7), 1);
	assert_int_equal(take(&check, 7), 0);
	assert_int_equal(take(&check, 3), 0);
	assert_int_equal(take(&check, 9), 1);
	assert_int_equal(take(&check, 8), 0);
	/* After a takeover the peer sends its unacknowledged rows. */
	take_over(&check, 0);
	assert_int_equal(take(&check, 8), 1);
}

/* Probes asked for smaller MTUs than those of the session before. */
static void a_takeover_may_lower_the_range(void **state)
{
	struct measurement m = {.seq = 1, .mtu = {1220, 1300}};
	struct rowcheck check;

	(void)state;
	for (int dir = 0; dir < DIR_COUNT; dir++)
		dir_result_init(&m.dir[dir], TEST_BLACKHOLE, "%s", "");
	begin(&check, false);
	assert_int_equal(rowcheck_take(&check, &m, NULL), -EINVAL);
	take_over(&check, 1220);
	assert_int_equal(rowcheck_take(&check, &m, NULL), 1);
}

static void one_row_a_pair_and_some_of_before(void **state)
{
	static const int backlogs[] = {ROWCHECK_BACKLOG_NEW, ROWCHECK_BACKLOG};

	(void)state;
	for (int known = 0; known < 2; known++) {
		struct rowcheck check;
		uint32_t seq = 1;

		begin(&check, known);
		while (seq <= (uint32_t)backlogs[known])
			assert_int_equal(take(&check, seq++), 1);
		assert_int_equal(take(&check, seq), -EDQUOT);
		assert_int_equal(take(&check, 1), 0);
		rowcheck_earn(&check);
		assert_int_equal(take(&check, seq++), 1);
		assert_int_equal(take(&check, seq), -EDQUOT);
		take_over(&check, 0);
		assert_int_equal(take(&check, seq), -EDQUOT);
	}
}

static void a_row_that_was_there_costs_nothing(void **state)
{
	struct measurement m = support_row(1);
	struct rowcheck check;

	(void)state;
	begin(&check, false);
	for (m.seq = 1; m.seq <= ROWCHECK_BACKLOG_NEW + 1; m.seq++) {
		assert_int_equal(rowcheck_take(&check, &m, NULL), 1);
		rowcheck_count(&check, &m, false);
		assert_int_equal(rowcheck_take(&check, &m, NULL), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_bounded),
		cmocka_unit_test(numbers_rise),
		cmocka_unit_test(a_takeover_may_lower_the_range),
		cmocka_unit_test(one_row_a_pair_and_some_of_before),
		cmocka_unit_test(a_row_that_was_there_costs_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

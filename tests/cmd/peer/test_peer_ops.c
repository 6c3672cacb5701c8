/* SPDX-License-Identifier: MIT */
/* A visit of the sweep: disturbed tests, resources that an end lacks, and the messages
 * about them. */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../cmdlab.h"
#include "base/clock.h"

static int64_t peer_int(const struct cmdlab *lab, const char *sql)
{
	return fixture_read_int(lab->peer.files, sql);
}

static void assert_all_ok(const struct cmdlab *lab)
{
	assert_int_equal(
		peer_int(lab, "SELECT count(*) FROM visit WHERE status = 'ok'"), 4);
}

static void fail_runner(struct fakerunner *runner, enum runner_kind kind, int skip,
			int times, int code)
{
	runner->fault.kind = kind;
	runner->fault.skip = skip;
	runner->fault.times = times;
	runner->fault.code = code;
}

/* --- tests that are disturbed --- */

static bool lose_first(struct cmdlab *lab, int n, const struct test_spec *spec)
{
	(void)spec;
	lab->lost_from[DIR_UPLOAD] = n == 1 ? 1280 : 0;
	return true;
}

static void test_disturbed_test_is_done_again(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server(lab);
	lab->before_test = lose_first;
	fail_runner(&lab->server.runner, RUNNER_ASK, 0, 1000, -ECONNABORTED);
	assert_int_equal(cmdlab_run(lab), 0);
	cmdlab_assert_said(lab->peer.said, "pair 1380/1400: ");
	cmdlab_assert_said(lab->peer.said, "repeating the test");
	assert_int_equal(lab->peer.runner.measures, 4 * 2 + 1);
	assert_all_ok(lab);
}

/* Without a disturbance the failure is the pair's. */
static void test_failed_test_counts(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server(lab);
	lab->before_test = lose_first;
	assert_int_equal(cmdlab_run(lab), 0);
	cmdlab_assert_not_said(lab->peer.said, "repeating the test");
	assert_int_equal(lab->peer.runner.measures, 4 * 2);
	assert_int_equal(peer_int(lab, "SELECT count(*) FROM visit WHERE seq = 1 AND "
				       "status = 'blackhole'"),
			 1);
}

/* A test that is disturbed each time ends its visit, which is made again and then counts as
 * an error: that says nothing of the pair. */
static bool lose_all(struct cmdlab *lab, int n, const struct test_spec *spec)
{
	(void)n;
	(void)spec;
	lab->lost_from[DIR_UPLOAD] = lab->server.guard.facts.mtu == 1380 &&
						     lab->peer.guard.facts.mtu == 1400
					     ? 1280
					     : 0;
	return true;
}

static void test_always_disturbed(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server(lab);
	lab->before_test = lose_all;
	fail_runner(&lab->server.runner, RUNNER_ASK, 0, 1000, -ECONNABORTED);
	assert_int_equal(cmdlab_run(lab), 0);
	cmdlab_assert_said(lab->peer.said, "pair 1380/1400 was interrupted");
	/* Five tries in each of three visits. */
	assert_int_equal(lab->peer.runner.measures, 3 * 5 + 3 * 2);
	assert_int_equal(peer_int(lab, "SELECT count(*) FROM visit WHERE seq = 1 AND "
				       "status = 'unreachable'"),
			 1);
}

/* --- the second test of a visit, set up beside the first --- */

static void test_second_test_needs_no_request(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server(lab);
	assert_int_equal(cmdlab_run(lab), 0);
	assert_all_ok(lab);
	assert_true(lab->server.runner.armed.followed);
	/* A pair each. */
	assert_int_equal(lab->server.runner.arms, 4);
}

static void test_second_test_that_is_not_set_up_is_armed(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server(lab);
	fail_runner(&lab->peer.runner, RUNNER_RELEASE, 1, 2, -ENOENT);
	assert_int_equal(cmdlab_run(lab), 0);
	cmdlab_assert_not_said(lab->peer.said, "repeating the test");
	assert_all_ok(lab);
	assert_int_equal(lab->server.runner.arms, 4 + 2);
	assert_int_equal(lab->peer.runner.measures, 4 * 2);
}

static bool refuse_second(void *ctx, const struct test_spec *spec,
			  struct dir_result *ret)
{
	struct cmdlab *lab = ctx;

	if (lab->peer.runner.measures == 2)
		dir_result_init(ret, TEST_REFUSED, "connection refused");
	else
		fakerunner_fill(ret, 1000000 * (int64_t)spec->id);
	return true;
}

/* The end of the first may have taken it along: that is no result of the pair. */
static void test_second_test_that_fails_is_armed(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server(lab);
	lab->peer.runner.measure = refuse_second;
	assert_int_equal(cmdlab_run(lab), 0);
	assert_all_ok(lab);
	assert_int_equal(lab->server.runner.arms, 4 + 1);
	assert_int_equal(lab->peer.runner.measures, 4 * 2 + 1);
}

/* The server has not kept it either. */
static void test_second_test_after_a_first_that_fails(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server(lab);
	lab->before_test = lose_first;
	assert_int_equal(cmdlab_run(lab), 0);
	assert_int_equal(lab->server.runner.arms, 4 + 1);
	assert_int_equal(lab->peer.runner.measures, 4 * 2);
}

/* --- an outage of the line --- */

/* Renewals beside the test show what a round trip takes; then there is none for 1.5 s. */
static bool pause_in_first(struct cmdlab *lab, int n, const struct test_spec *spec)
{
	const struct fakeguard *guard = &lab->server.guard;
	int renewals = fakeguard_count(guard, GUARD_RENEW) + 3;

	if (n == 1) {
		while (fakeguard_count(guard, GUARD_RENEW) < renewals)
			cmdlab_answer_for(lab, 10);
		kill(lab->server.pid, SIGSTOP);
		cmdlab_answer_for(lab, 1500);
		kill(lab->server.pid, SIGCONT);
	}
	return lose_first(lab, n, spec);
}

static void test_outage_spoils_a_failed_test(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server(lab);
	lab->before_test = pause_in_first;
	assert_int_equal(cmdlab_run(lab), 0);
	cmdlab_assert_said(lab->peer.said, "the line was down in the upload test");
	assert_all_ok(lab);
	assert_int_equal(lab->peer.runner.measures, 4 * 2 + 1);
}

/* --- shortages --- */

static void test_own_shortage_is_waited_for(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server(lab);
	fail_runner(&lab->peer.runner, RUNNER_MEASURE, 0, 2, -EAGAIN);
	assert_int_equal(cmdlab_run(lab), 0);
	cmdlab_assert_said(lab->peer.said, "this end lacks a resource");
	assert_all_ok(lab);
}

static void test_server_shortage_is_waited_for(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server(lab);
	fail_runner(&lab->server.runner, RUNNER_ARM, 1, 2, -EADDRINUSE);
	assert_int_equal(cmdlab_run(lab), 0);
	cmdlab_assert_said(lab->peer.said,
			   "the server lacks a resource: the fake runner fails");
	assert_all_ok(lab);
}

static void test_shortage_that_lasts(void **state)
{
	struct cmdlab *lab = *state;

	lab->peer_config.wait_ms = 500;
	cmdlab_start_server(lab);
	fail_runner(&lab->server.runner, RUNNER_ARM, 0, 1000, -EMFILE);
	assert_int_equal(cmdlab_run(lab), 1);
	cmdlab_assert_said(lab->peer.said, "ulimit -n");
	assert_int_equal(peer_int(lab, "SELECT count(*) FROM measurement"), 0);
	assert_int_equal(lab->server.guard.facts.mtu, CMDLAB_MTU);
}

/* --- warnings --- */

static void test_settle_is_warned_of_once(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server(lab);
	fakeguard_fail(&lab->peer.guard, GUARD_SETTLE, 0, 3, -EROFS, "cannot flush");
	assert_int_equal(cmdlab_run(lab), 0);
	assert_int_equal(peer_int(lab, "SELECT count(*) FROM run_warning WHERE"
				       " kind = 'path_mtu_cached' AND at_end = 'peer'"
				       " AND detail = 'cannot flush'"),
			 1);
	assert_all_ok(lab);
}

/* The server's warning comes with a pair's answer, and is stored here as well. */
static void test_warning_of_the_server(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server(lab);
	fakeguard_fail(&lab->server.guard, GUARD_SETTLE, 0, 1, -EROFS, "cannot flush");
	assert_int_equal(cmdlab_run(lab), 0);
	assert_int_equal(peer_int(lab, "SELECT count(*) FROM run_warning WHERE"
				       " kind = 'path_mtu_cached' AND at_end = 'server'"
				       " AND detail = 'cannot flush'"),
			 1);
}

static void test_own_link_that_falls(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server(lab);
	fakeguard_fail(&lab->peer.guard, GUARD_SET, 1, 1, -ENETDOWN,
		       "interface 'lo' is down");
	assert_int_equal(cmdlab_run(lab), 0);
	cmdlab_assert_said(lab->peer.said, "pair 1380/1420 was interrupted");
	assert_all_ok(lab);
}

/* A port that no test has reached is not waited for as one that is busy. */
static bool refuse(void *ctx, const struct test_spec *spec, struct dir_result *ret)
{
	(void)ctx;
	assert_true(spec->first);
	dir_result_init(ret, TEST_REFUSED, "connection refused");
	return true;
}

/* The control connection works, but no test's does: the reason is not the MTUs. */
static void test_no_test_reaches_the_server(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server(lab);
	lab->peer.runner.measure = refuse;
	assert_int_equal(cmdlab_run(lab), 1);
	cmdlab_assert_said(lab->peer.said,
			   "no test reached TCP port 5201 of the server");
	assert_int_equal(peer_int(lab, "SELECT count(*) FROM measurement"), 1);
}

/* The same for a run that goes on, whatever it has measured before. */
static void test_no_test_reaches_the_server_again(void **state)
{
	struct cmdlab *lab = *state;

	test_no_test_reaches_the_server(state);
	lab->peer_config.resume = true;
	assert_int_equal(cmdlab_run(lab), 1);
	cmdlab_assert_said(lab->peer.said,
			   "no test reached TCP port 5201 of the server");
	assert_int_equal(peer_int(lab, "SELECT count(*) FROM measurement"), 2);
}

static int later_tests;

static bool count_later(struct cmdlab *lab, int n, const struct test_spec *spec)
{
	(void)lab;
	assert_int_equal(spec->first, n == 1);
	later_tests += !spec->first;
	return true;
}

static void test_only_the_first_test_is_in_a_hurry(void **state)
{
	struct cmdlab *lab = *state;

	later_tests = 0;
	lab->before_test = count_later;
	cmdlab_start_server(lab);
	assert_int_equal(cmdlab_run(lab), 0);
	assert_int_equal(later_tests, 7);
}

/* It slows down with time, as a line does: a busy machine does not spread the tests
 * evenly. The first tests tell how long 64 take. */
static bool slow_down(struct cmdlab *lab, int n, const struct test_spec *spec)
{
	static int64_t begun_ms;
	static int64_t pace_ms;
	int64_t now_ms = clock_boot_ms();

	(void)spec;
	/* So long that a busy machine's pauses are short beside them. */
	cmdlab_answer_for(lab, 20);
	if (n == 1)
		begun_ms = now_ms;
	if (n <= 9)
		pace_ms = (now_ms - begun_ms) * 8 + 1;
	else
		lab->slope =
			2000 + (int)(8000 * pace_ms / (pace_ms + now_ms - begun_ms));
	return true;
}

static void test_drift_of_the_line(void **state)
{
	struct cmdlab *lab = *state;

	lab->peer_config.order = GRID_SHUFFLED;
	lab->peer_config.passes = 8;
	lab->before_test = slow_down;
	cmdlab_start_server(lab);
	assert_int_equal(cmdlab_run(lab), 0);
	assert_int_equal(peer_int(lab, "SELECT count(*) FROM run_warning WHERE"
				       " kind = 'grid_drift' AND rate_percent < 90"),
			 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, cmdlab_setup, cmdlab_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_disturbed_test_is_done_again),
		TEST(test_failed_test_counts),
		TEST(test_always_disturbed),
		TEST(test_second_test_needs_no_request),
		TEST(test_second_test_that_is_not_set_up_is_armed),
		TEST(test_second_test_that_fails_is_armed),
		TEST(test_second_test_after_a_first_that_fails),
		TEST(test_outage_spoils_a_failed_test),
		TEST(test_own_shortage_is_waited_for),
		TEST(test_server_shortage_is_waited_for),
		TEST(test_shortage_that_lasts),
		TEST(test_settle_is_warned_of_once),
		TEST(test_warning_of_the_server),
		TEST(test_own_link_that_falls),
		TEST(test_no_test_reaches_the_server),
		TEST(test_no_test_reaches_the_server_again),
		TEST(test_only_the_first_test_is_in_a_hurry),
		TEST(test_drift_of_the_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

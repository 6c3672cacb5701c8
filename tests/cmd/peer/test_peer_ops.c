/* SPDX-License-Identifier: MIT */
/* A visit of the sweep: tests that others or the line disturb, what an end lacks for one,
 * and what is told of it. */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../cmdlab.h"

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
	cmdlab_assert_said(lab->peer.said, "it is done again");
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
	cmdlab_assert_not_said(lab->peer.said, "it is done again");
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
	cmdlab_assert_said(lab->peer.said, "pair 1380/1400 interrupted");
	/* Five tries in each of three visits. */
	assert_int_equal(lab->peer.runner.measures, 3 * 5 + 3 * 2);
	assert_int_equal(peer_int(lab, "SELECT count(*) FROM visit WHERE seq = 1 AND "
				       "status = 'unreachable'"),
			 1);
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
	cmdlab_assert_said(lab->peer.said, "this end lacks something");
	assert_all_ok(lab);
}

static void test_server_shortage_is_waited_for(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server(lab);
	fail_runner(&lab->server.runner, RUNNER_ARM, 1, 2, -EADDRINUSE);
	assert_int_equal(cmdlab_run(lab), 0);
	cmdlab_assert_said(lab->peer.said,
			   "the server lacks something: the fake runner fails");
	assert_all_ok(lab);
}

static void test_shortage_that_lasts(void **state)
{
	struct cmdlab *lab = *state;

	lab->peer_config.wait_ms = 500;
	cmdlab_start_server(lab);
	fail_runner(&lab->server.runner, RUNNER_ARM, 1, 1000, -EMFILE);
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
	assert_int_equal(peer_int(lab, "SELECT count(*) FROM warning WHERE text = "
				       "'cannot flush'"),
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
	assert_int_equal(peer_int(lab, "SELECT count(*) FROM warning WHERE text LIKE "
				       "'the server: %cannot flush'"),
			 1);
}

static void test_own_link_that_falls(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server(lab);
	fakeguard_fail(&lab->peer.guard, GUARD_SET, 1, 1, -ENETDOWN,
		       "interface 'lo' is down");
	assert_int_equal(cmdlab_run(lab), 0);
	cmdlab_assert_said(lab->peer.said, "pair 1380/1420 interrupted");
	assert_all_ok(lab);
}

static bool refuse(void *ctx, const struct test_spec *spec, struct dir_result *ret)
{
	(void)ctx;
	(void)spec;
	dir_result_init(ret, TEST_REFUSED, "connection refused");
	return true;
}

/* The control connection works, no test's does: that is no matter of MTUs. */
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

static bool slow_down(struct cmdlab *lab, int n, const struct test_spec *spec)
{
	(void)spec;
	lab->slope = 10000 - n * 100;
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
	assert_int_equal(peer_int(lab, "SELECT count(*) FROM warning WHERE text LIKE "
				       "'the line''s capacity changed meanwhile%'"),
			 1);
}

/* --- probes alone --- */

static void test_probe_that_cannot_be(void **state)
{
	struct cmdlab *lab = *state;

	lab->peer_config.strategy = &strategies[STRATEGY_probe];
	cmdlab_start_server(lab);
	assert_int_equal(cmdlab_run(lab), 1);
	cmdlab_assert_said(lab->peer.said, "a fake guard has no probes");
	assert_string_equal(lab->peer.printed, "");
	assert_int_equal(peer_int(lab, "SELECT count(*) FROM run"), 0);
	assert_int_equal(lab->peer.guard.facts.mtu, CMDLAB_MTU);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, cmdlab_setup, cmdlab_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_disturbed_test_is_done_again),
		TEST(test_failed_test_counts),
		TEST(test_always_disturbed),
		TEST(test_outage_spoils_a_failed_test),
		TEST(test_own_shortage_is_waited_for),
		TEST(test_server_shortage_is_waited_for),
		TEST(test_shortage_that_lasts),
		TEST(test_settle_is_warned_of_once),
		TEST(test_warning_of_the_server),
		TEST(test_own_link_that_falls),
		TEST(test_no_test_reaches_the_server),
		TEST(test_drift_of_the_line),
		TEST(test_probe_that_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

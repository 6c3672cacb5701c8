/* SPDX-License-Identifier: MIT */
/* The end of a run: what is printed, stored and told to the server. */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../cmdlab.h"

static void assert_stored(const struct cmdlab_end *end, const char *sql,
			  const char *expected)
{
	char *text = fixture_read_text(end->files, sql);

	assert_string_equal(text, expected);
	free(text);
}

static void assert_outcome(const struct cmdlab *lab, const char *outcome)
{
	assert_stored(&lab->peer, "SELECT outcome FROM run", outcome);
	assert_stored(&lab->server, "SELECT outcome FROM run", outcome);
}

static void assert_restored(const struct cmdlab *lab)
{
	assert_int_equal(lab->peer.guard.facts.mtu, CMDLAB_MTU);
	assert_int_equal(lab->server.guard.facts.mtu, CMDLAB_MTU);
	assert_int_equal(fakeguard_count(&lab->peer.guard, GUARD_COMMIT), 0);
}

static void test_done(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server(lab);
	assert_int_equal(cmdlab_run(lab), 0);
	cmdlab_assert_said(lab->peer.printed, "server MTU 1420, peer MTU 1420");
	cmdlab_assert_said(lab->peer.said, "0 of them failed; run 1 in ");
	assert_outcome(lab, "done");
	assert_restored(lab);
	cmdlab_end_server(lab);
	cmdlab_assert_said(lab->server.said, "ended: done, 4 rows received");
}

static bool stop(struct cmdlab *lab, int n, const struct test_spec *spec)
{
	(void)spec;
	if (n == 5)
		kill(lab->peer.pid, SIGTERM);
	return n != 5;
}

static void test_interrupted(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server(lab);
	lab->before_test = stop;
	assert_int_equal(cmdlab_run(lab), 1);
	cmdlab_assert_said(lab->peer.said, "stopped by Terminated");
	assert_outcome(lab, "interrupted");
	assert_stored(&lab->server, "SELECT outcome_text FROM run",
		      "stopped by Terminated");
	assert_restored(lab);
	/* The test that was under way is no row. */
	assert_int_equal(
		fixture_read_int(lab->server.files, "SELECT count(*) FROM measurement"),
		2);
}

/* STOP_SIGNAL_DEATH: another process of the program died. */
static bool die(struct cmdlab *lab, int n, const struct test_spec *spec)
{
	(void)spec;
	if (n == 5)
		kill(lab->peer.pid, SIGUSR1);
	return n != 5;
}

static void test_death_is_a_failure(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server(lab);
	lab->before_test = die;
	assert_int_equal(cmdlab_run(lab), 1);
	assert_outcome(lab, "failed");
	assert_restored(lab);
}

static void test_first_failure_ends_the_run(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server(lab);
	lab->peer_config.skip_errors = false;
	lab->lost_from[DIR_DOWNLOAD] = 1420;
	assert_int_equal(cmdlab_run(lab), 1);
	assert_outcome(lab, "failed");
	assert_restored(lab);
	assert_int_equal(
		fixture_read_int(lab->peer.files, "SELECT count(*) FROM measurement"),
		3);
	/* A run that failed has no fastest pair. */
	cmdlab_assert_not_said(lab->peer.printed, "server MTU 1420");
}

/* Somebody else's change of the link ends the run, and is no lost session. */
static void test_foreign_change(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server(lab);
	fakeguard_fail(&lab->peer.guard, GUARD_SET, 1, 1, -ESTALE,
		       "somebody else changed the MTU");
	assert_int_equal(cmdlab_run(lab), 1);
	cmdlab_assert_said(lab->peer.said, "somebody else changed the MTU");
	assert_outcome(lab, "failed");
}

static void test_no_pair_that_is_ok(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server(lab);
	lab->lost_from[DIR_UPLOAD] = 1400;
	assert_int_equal(cmdlab_run(lab), 0);
	assert_outcome(lab, "done");
	cmdlab_assert_said(
		lab->peer.printed,
		"recommended: none\nwhy: no measured pair worked both ways\n");
	cmdlab_assert_said(lab->peer.said, "4 of them failed");
}

static bool kill_server_at_last(struct cmdlab *lab, int n, const struct test_spec *spec)
{
	(void)spec;
	if (n == 8) {
		kill(lab->peer.pid, SIGINT);
		cmdlab_kill_server(lab);
	}
	return n != 8;
}

static void test_server_that_is_gone(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server(lab);
	lab->before_test = kill_server_at_last;
	assert_int_equal(cmdlab_run(lab), 1);
	cmdlab_assert_said(lab->peer.said, "cannot tell the server that the run ended");
	/* Nobody knows if its processes were killed one by one or all at once. */
	cmdlab_assert_said(lab->peer.said,
			   "; it restores its MTU within 10 s of silence, or at its "
			   "next start\n");
	assert_stored(&lab->peer, "SELECT outcome FROM run", "interrupted");
	assert_int_equal(lab->peer.guard.facts.mtu, CMDLAB_MTU);
}

/* Its successor knows of no session, and has restored the host when it started. */
static bool replace_server_at_last(struct cmdlab *lab, int n,
				   const struct test_spec *spec)
{
	bool answered = kill_server_at_last(lab, n, spec);

	if (n == 8)
		cmdlab_start_server(lab);
	return answered;
}

static void test_server_that_has_restored(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server(lab);
	lab->before_test = replace_server_at_last;
	assert_int_equal(cmdlab_run(lab), 1);
	cmdlab_assert_said(lab->peer.said, "unknown session: ");
	cmdlab_assert_said(lab->peer.said,
			   "; it has ended the session and restored its MTU\n");
}

static void test_restore_that_fails_is_told(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server(lab);
	fakeguard_fail(&lab->peer.guard, GUARD_RESTORE, 0, 1, -ESTALE,
		       "MTU 1300 is somebody else's");
	fakeguard_fail(&lab->server.guard, GUARD_RESTORE, 0, 1, -ESTALE,
		       "MTU 1310 is somebody else's");
	assert_int_equal(cmdlab_run(lab), 0);
	cmdlab_assert_said(lab->peer.said, "this end: MTU 1300 is somebody else's");
	cmdlab_assert_said(lab->peer.said, "MTU 1310 is somebody else's");
}

/* --- messages --- */

static bool stop_at_once(struct cmdlab *lab, int n, const struct test_spec *spec)
{
	(void)n;
	(void)spec;
	kill(lab->peer.pid, SIGTERM);
	return false;
}

static void test_run_without_measurements(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server(lab);
	lab->before_test = stop_at_once;
	assert_int_equal(cmdlab_run(lab), 1);
	cmdlab_assert_said(lab->peer.said, "no measurement stored; run 1 in ");
}

/* 30 Mbit/s each way for 0.2 of the 0.4 s that a test may take. */
static void test_traffic_to_expect(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server(lab);
	lab->slope = 0;
	lab->peer_config.duration_ms = 400;
	assert_int_equal(cmdlab_run(lab), 0);
	cmdlab_assert_said(lab->peer.said,
			   "the first measurement transferred 1.5 MB; the 4 planned so "
			   "far will take at most about 12 MB\n");
}

/* A failed test has no rate: it says nothing about the others. */
static void test_traffic_that_is_unknown(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server(lab);
	lab->lost_from[DIR_UPLOAD] = 1400;
	assert_int_equal(cmdlab_run(lab), 0);
	cmdlab_assert_not_said(lab->peer.said, "the first measurement transferred");
}

static void run_with_server_of(struct cmdlab *lab, const struct strategy *strategy)
{
	lab->server.options.persist = PERSIST_BEST;
	lab->peer_config.strategy = strategy;
	cmdlab_answer_probes(lab);
	cmdlab_start_server(lab);
	cmdlab_run(lab);
	cmdlab_end_server(lab);
}

static void test_run_that_applies_no_pair(void **state)
{
	struct cmdlab *lab = *state;

	run_with_server_of(lab, &strategies[STRATEGY_grid]);
	cmdlab_assert_said(lab->server.said, "this run applies no pair");
}

static void test_probe_that_applies_no_pair(void **state)
{
	struct cmdlab *lab = *state;

	run_with_server_of(lab, &strategies[STRATEGY_probe]);
	cmdlab_assert_said(lab->server.said, ", a probe\n");
	cmdlab_assert_not_said(lab->server.said, "applies no pair");
}

static void test_rows_the_server_refuses(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server(lab);
	fixture_exec(lab->server.files->db, "DROP TABLE measurement");
	assert_int_equal(cmdlab_run(lab), 0);
	cmdlab_assert_said(lab->peer.said, "database lacks 4 of the rows");
	assert_stored(&lab->peer, "SELECT outcome FROM run", "done");
}

/* --- a recommendation --- */

static void use_smart(struct cmdlab *lab)
{
	lab->peer_config.strategy = &strategies[STRATEGY_smart];
	lab->peer_config.budget_ms = 0;
	lab->server.options.min_given = lab->peer.options.min_given = false;
	lab->peer.options.range = (struct mtu_range){1400, 1420, 1};
	lab->server.host.guard.bounds.range = (struct mtu_range){1400, 1420, 1};
	lab->server.host.usual_min = 1400;
	cmdlab_start_server(lab);
}

static void test_recommendation(void **state)
{
	struct cmdlab *lab = *state;
	char *text, *copy;

	use_smart(lab);
	assert_int_equal(cmdlab_run(lab), 0);
	cmdlab_assert_said(lab->peer.printed,
			   "recommended: server MTU 1420, peer MTU 1420");
	text = fixture_recommendation(lab->peer.files);
	/* What is read is what was printed, and the server's copy says the same. */
	cmdlab_assert_said(lab->peer.printed, text);
	copy = fixture_recommendation(lab->server.files);
	assert_string_equal(copy, text);
	free(copy);
	free(text);
	/* The facts, and no sentence. */
	assert_int_equal(fixture_read_int(lab->peer.files,
					  "SELECT text = '' AND kind <> 'text' AND"
					  " upload_bps > 0 AND download_bps > 0"
					  " FROM recommendation JOIN reason"
					  " USING (run_id)"),
			 1);
	assert_int_equal(fixture_read_int(lab->server.files,
					  "SELECT server_mtu * 10000 + peer_mtu FROM "
					  "recommendation"),
			 14201420);
	assert_outcome(lab, "done");
	assert_int_equal(
		fixture_read_int(lab->server.files, "SELECT count(*) FROM path"), 1);
}

static void test_recommendation_is_kept(void **state)
{
	struct cmdlab *lab = *state;

	lab->peer.options.persist = lab->server.options.persist = PERSIST_BEST;
	/* The fastest pair is not the one that is recommended. */
	lab->slope = -100;
	use_smart(lab);
	assert_int_equal(cmdlab_run(lab), 0);
	cmdlab_assert_not_said(lab->peer.printed, "fastest measured");
	assert_int_equal(lab->peer.guard.committed_mtu, 1420);
	assert_int_equal(lab->server.guard.committed_mtu, 1420);
}

static void test_recommendation_the_server_lacks(void **state)
{
	struct cmdlab *lab = *state;

	use_smart(lab);
	fixture_exec(lab->server.files->db, "DROP TABLE recommendation");
	assert_int_equal(cmdlab_run(lab), 0);
	cmdlab_assert_said(lab->peer.said,
			   "the server: its database lacks this run's ");
	assert_outcome(lab, "done");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, cmdlab_setup, cmdlab_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_done),
		TEST(test_interrupted),
		TEST(test_death_is_a_failure),
		TEST(test_first_failure_ends_the_run),
		TEST(test_foreign_change),
		TEST(test_no_pair_that_is_ok),
		TEST(test_server_that_is_gone),
		TEST(test_server_that_has_restored),
		TEST(test_restore_that_fails_is_told),
		TEST(test_run_without_measurements),
		TEST(test_traffic_to_expect),
		TEST(test_traffic_that_is_unknown),
		TEST(test_run_that_applies_no_pair),
		TEST(test_probe_that_applies_no_pair),
		TEST(test_rows_the_server_refuses),
		TEST(test_recommendation),
		TEST(test_recommendation_is_kept),
		TEST(test_recommendation_the_server_lacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

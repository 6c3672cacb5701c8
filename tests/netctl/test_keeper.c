/* SPDX-License-Identifier: MIT */
/*
 * The keeper and the three processes it forks: exit status, forwarded signals, messages
 * and their time. test_keeper_death.c kills them.
 */

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "keeperlab.h"
#include "netctl/hoststate.h"
#include "netctl/journal.h"

static void test_status(void **state)
{
	static const int rows[][2] = {{0, 0}, {1, 1}, {2, 2}, {3, 3}, {4, 4}, {5, 1}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		pid_t keeper = start_keeper(rows[i][0], false);

		assert_int_equal(wait_status(keeper), rows[i][1]);
		assert_restored();
	}
}

static void test_signals(void **state)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

	(void)state;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		pid_t keeper = start_keeper(1, true);

		kill(keeper, signals[i]);
		assert_int_equal(wait_status(keeper), 1);
		assert_int_equal(shared->stop_signal, signals[i]);
		assert_restored();
	}
}

/* --- a requested end --- */

static void test_main_stuck(void **state)
{
	pid_t keeper;

	(void)state;
	with.main_end_ms = 600;
	keeper = start_keeper(0, true);
	kill(shared->main_pid, SIGSTOP);
	kill(keeper, SIGTERM);
	wait_ms(300);
	assert_true(alive(shared->main_pid));
	assert_int_equal(wait_status_within(keeper, 3000), 1);
	assert_string_equal(shared->said,
			    "the main process did not end in time and was "
			    "killed; the MTU is restored");
	assert_gone(shared->main_pid);
	assert_restored();
}

/* A second signal, a second later, means "at once"; duplicates from one key or one
 * hung-up terminal do not. */
static void test_asked_twice(void **state)
{
	static const int doubles[] = {SIGINT, SIGHUP, SIGTERM, SIGINT};
	pid_t keeper = start_keeper(0, true);

	(void)state;
	kill(shared->main_pid, SIGSTOP);
	for (size_t i = 0; i < sizeof(doubles) / sizeof(doubles[0]); i++) {
		kill(keeper, doubles[i]);
		wait_ms(100);
	}
	wait_ms(800);
	kill(keeper, SIGHUP);
	wait_ms(200);
	assert_true(alive(shared->main_pid));
	kill(keeper, SIGINT);
	assert_int_equal(wait_status_within(keeper, 3000), 1);
	assert_restored();
}

/* --- signals that the caller ignores --- */

static void test_child_signal_ignored(void **state)
{
	pid_t keeper;

	(void)state;
	with.ignored[0] = SIGCHLD;
	keeper = start_keeper(2, false);
	assert_int_equal(wait_status_within(keeper, 5000), 2);
	assert_restored();
	keeper = start_keeper(0, true);
	kill(shared->runner_pid, SIGKILL);
	assert_int_equal(wait_status_within(keeper, 5000), 1);
	assert_restored();
}

static void test_nohup(void **state)
{
	static const int signals[] = {SIGHUP, SIGINT};
	pid_t keeper;

	(void)state;
	with.ignored[0] = SIGHUP;
	with.ignored[1] = SIGINT;
	/* The keeper must not take that for a request to end, either. */
	with.main_end_ms = 1000;
	keeper = start_keeper(1, true);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		kill(keeper, signals[i]);
		kill(shared->main_pid, signals[i]);
	}
	wait_ms(1300);
	assert_true(alive(shared->main_pid));
	assert_int_equal(mtu_now(), 1300);
	kill(keeper, SIGTERM);
	assert_int_equal(wait_status_within(keeper, 5000), 1);
	assert_int_equal(shared->stop_signal, SIGTERM);
	assert_restored();
}

/* --- messages and their order --- */

static void test_restores_before_it_talks(void **state)
{
	pid_t keeper = start_keeper(0, true);

	(void)state;
	shared->say_blocks = true;
	kill(find_guard(keeper), SIGKILL);
	assert_restored();
	shared->say_blocks = false;
	assert_int_equal(wait_status_within(keeper, 5000), 1);
	assert_string_equal(shared->said, "the guard process died; the keeper: 'mtk0' "
					  "is restored to MTU 1420");
}

static void block_conf(void)
{
	assert_int_equal(mount(with.conf, with.conf, NULL, MS_BIND, NULL), 0);
}

static void unblock_conf(void)
{
	assert_int_equal(umount2(with.conf, MNT_DETACH), 0);
}

static void test_guard_could_not(void **state)
{
	char journal[JOURNAL_PATH_SIZE];
	pid_t keeper;

	(void)state;
	with.main_end_ms = 2000;
	keeper = start_keeper(0, true);
	block_conf();
	kill(keeper, SIGTERM);
	assert_int_equal(wait_status_within(keeper, 5000), 1);
	unblock_conf();
	assert_int_equal(journal_path(LINK, journal, NULL), 0);
	assert_non_null(strstr(shared->said, "the guard process could not restore; the "
					     "keeper: cannot restore"));
	assert_non_null(strstr(shared->said, journal));
	assert_non_null(strstr(shared->said, "; retrying every second"));
	assert_int_equal(mtu_now(), ORIGINAL);
	assert_int_equal(hoststate_restore_journal(LINK, NULL), 0);
}

static bool has_said(const char *text)
{
	int64_t deadline = clock_boot_ms() + 5000;

	/* Main's death is reported as well, before that or after it. */
	while (!strstr(shared->all_said, text) && clock_boot_ms() < deadline)
		wait_ms(5);
	return strstr(shared->all_said, text);
}

/* All others have ended, and no end was requested: the keeper retries until it
 * succeeds. */
static void test_tries_until_restored(void **state)
{
	pid_t keeper = start_keeper(0, true);

	(void)state;
	block_conf();
	kill(shared->main_pid, SIGKILL);
	assert_true(has_said("; retrying every second"));
	wait_ms(1200);
	assert_true(alive(keeper));
	unblock_conf();
	assert_int_equal(wait_status_within(keeper, 5000), 1);
	assert_non_null(strstr(shared->said, "the keeper retried: "));
	assert_restored();
}

/* After a signal the next start restores. */
static void test_tries_until_a_signal(void **state)
{
	pid_t keeper = start_keeper(0, true);

	(void)state;
	block_conf();
	kill(shared->main_pid, SIGKILL);
	assert_true(has_said("; retrying every second"));
	kill(keeper, SIGHUP);
	wait_ms(100);
	assert_true(alive(keeper));
	kill(keeper, SIGINT);
	assert_int_equal(wait_status_within(keeper, 1000), 1);
	unblock_conf();
	assert_int_equal(hoststate_restore_journal(LINK, NULL), 0);
	assert_restored();
}

static void test_conf_lock(void **state)
{
	pid_t keeper;

	(void)state;
	with.conf_lock_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 200);
	assert_true(with.conf_lock_fd > 0);
	keeper = start_keeper(0, false);
	assert_int_equal(wait_status_within(keeper, 5000), 0);
	assert_false(shared->lock_seen);
	close(with.conf_lock_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_status, set_up),
		cmocka_unit_test_setup(test_signals, set_up),
		cmocka_unit_test_setup(test_main_stuck, set_up),
		cmocka_unit_test_setup(test_asked_twice, set_up),
		cmocka_unit_test_setup(test_child_signal_ignored, set_up),
		cmocka_unit_test_setup(test_nohup, set_up),
		cmocka_unit_test_setup(test_restores_before_it_talks, set_up),
		cmocka_unit_test_setup_teardown(test_guard_could_not, set_up_conf,
						tear_down_conf),
		cmocka_unit_test_setup_teardown(test_tries_until_restored, set_up_conf,
						tear_down_conf),
		cmocka_unit_test_setup_teardown(test_tries_until_a_signal, set_up_conf,
						tear_down_conf),
		cmocka_unit_test_setup(test_conf_lock, set_up),
	};

	if (keeperlab_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

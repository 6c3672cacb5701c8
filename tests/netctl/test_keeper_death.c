/* SPDX-License-Identifier: MIT */
/*
 * MTU and conf file after a kill or stop of any of keeper, guard, main and runner: each
 * alone, two at a time, one after another while the first death is being handled, all
 * at once, and during the whole start.
 */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "keeperlab.h"
#include "netctl/hoststate.h"
#include "netctl/journal.h"

enum which {
	KEEPER,
	GUARD,
	MAIN,
	RUNNER,
	WHICH_COUNT,
};

struct pids {
	pid_t of[WHICH_COUNT];
};

static struct pids start(void)
{
	struct pids pids;

	pids.of[KEEPER] = start_keeper(0, true);
	pids.of[GUARD] = find_guard(pids.of[KEEPER]);
	pids.of[MAIN] = shared->main_pid;
	pids.of[RUNNER] = shared->runner_pid;
	assert_int_equal(mtu_now(), 1300);
	return pids;
}

static void sleep_us(long us)
{
	struct timespec time = {.tv_nsec = us * 1000};

	nanosleep(&time, NULL);
}

/* Assert that nothing is left but, if keeper and guard died together, the journal. */
static void assert_end(const struct pids *pids, int status)
{
	assert_int_equal(wait_status_within(pids->of[KEEPER], 8000), status);
	for (int i = GUARD; i < WHICH_COUNT; i++)
		assert_gone(pids->of[i]);
}

/* --- one process --- */

static void kill_one(enum which which)
{
	struct pids pids = start();

	kill(pids.of[which], SIGKILL);
	if (which != KEEPER)
		assert_end(&pids, 1);
	else
		assert_end(&pids, 128 + SIGKILL);
	assert_restored();
	if (which == KEEPER)
		assert_non_null(
			strstr(shared->all_said,
			       "the keeper process was killed; the guard: '" LINK
			       "' is restored to MTU"));
}

static void test_one_killed(void **state)
{
	(void)state;
	for (int i = 0; i < WHICH_COUNT; i++)
		kill_one((enum which)i);
}

/* --- two processes --- */

static void kill_two(enum which first, enum which second, long pause_us)
{
	struct pids pids = start();

	kill(pids.of[first], SIGKILL);
	if (pause_us)
		sleep_us(pause_us);
	kill(pids.of[second], SIGKILL);
	assert_end(&pids, first == KEEPER || second == KEEPER ? 128 + SIGKILL : 1);
	/* If keeper and guard die together, the next start restores. */
	if (first + second == KEEPER + GUARD)
		hoststate_restore_journal(LINK, NULL);
	assert_restored();
}

static void test_two_killed(void **state)
{
	(void)state;
	for (int i = 0; i < WHICH_COUNT; i++)
		for (int j = i + 1; j < WHICH_COUNT; j++)
			kill_two((enum which)i, (enum which)j, 0);
}

/* The second death comes at any moment of the restore after the first. */
static void test_killed_while_restoring(void **state)
{
	(void)state;
	for (long us = 50; us < 3000; us += us / 2) {
		kill_two(GUARD, MAIN, us);
		kill_two(MAIN, GUARD, us);
		kill_two(RUNNER, GUARD, us);
	}
}

/* The keeper may die after it has handled the guard's death, or before: then the
 * journal is there. */
static void kill_restorer(enum which first, enum which second, long pause_us)
{
	struct pids pids = start();
	struct err err = ERR_INIT;
	int status;
	int r;

	kill(pids.of[first], SIGKILL);
	sleep_us(pause_us);
	kill(pids.of[second], SIGKILL);
	status = wait_status_within(pids.of[KEEPER], 8000);
	assert_true(status == 1 || status == 128 + SIGKILL);
	for (int i = GUARD; i < WHICH_COUNT; i++)
		assert_gone(pids.of[i]);
	r = hoststate_restore_journal(LINK, &err);
	if (r == -ESTALE)
		/* Killed between the conf file's rename and the record of it. */
		assert_non_null(strstr(err.text, "no longer exists"));
	else
		assert_int_equal(r, 0);
	assert_restored();
}

static void test_restorer_killed(void **state)
{
	(void)state;
	for (long us = 50; us < 3000; us += us / 3) {
		kill_restorer(GUARD, KEEPER, us);
		kill_restorer(KEEPER, GUARD, us);
	}
}

static void test_all_killed(void **state)
{
	struct pids pids = start();
	struct journal journal;

	(void)state;
	for (int i = 0; i < WHICH_COUNT; i++)
		kill(pids.of[i], SIGSTOP);
	for (int i = 0; i < WHICH_COUNT; i++)
		kill(pids.of[i], SIGKILL);
	assert_end(&pids, 128 + SIGKILL);
	assert_int_equal(mtu_now(), 1300);
	assert_int_equal(journal_read(LINK, &journal, NULL), 0);
	assert_int_equal(hoststate_restore_journal(LINK, NULL), 0);
	assert_restored();
}

/* --- stopped --- */

static void test_keeper_stopped(void **state)
{
	struct pids pids = start();

	(void)state;
	kill(pids.of[KEEPER], SIGSTOP);
	kill(pids.of[MAIN], SIGKILL);
	assert_restored();
	kill(pids.of[KEEPER], SIGCONT);
	assert_end(&pids, 1);
}

/* The keeper ends a guard that does not end, and restores in its place. */
static void test_guard_stopped(void **state)
{
	struct pids pids = start();

	(void)state;
	kill(pids.of[GUARD], SIGSTOP);
	kill(pids.of[KEEPER], SIGTERM);
	assert_end(&pids, 1);
	assert_restored();
}

/* --- during the start --- */

/* The progress at the kill is unknown: whatever was done must be restored. */
static void test_killed_at_start(void **state)
{
	(void)state;
	for (long us = 20; us < 20000; us += us / 4) {
		pid_t keeper = fork_keeper(0, true);
		int status;

		sleep_us(us);
		kill(keeper, SIGKILL);
		status = wait_status_within(keeper, 8000);
		assert_int_equal(status, 128 + SIGKILL);
		if (shared->main_pid)
			assert_gone(shared->main_pid);
		if (shared->runner_pid)
			assert_gone(shared->runner_pid);
		assert_restored();
	}
}

/* Ctrl-C reaches all processes that are still in the terminal's process group. */
static void test_interrupted_at_start(void **state)
{
	(void)state;
	for (long us = 20; us < 20000; us += us / 4) {
		pid_t keeper = fork_keeper(1, true);
		int status;

		setpgid(keeper, keeper);
		sleep_us(us);
		kill(-keeper, SIGINT);
		status = wait_status_within(keeper, 8000);
		/* Before it handles signals it ends like any process. */
		assert_true(status == 1 ||
			    (status == 128 + SIGINT && !shared->main_pid));
		assert_null(strstr(shared->said, "died"));
		assert_null(strstr(shared->said, "was killed"));
		assert_restored();
	}
}

#define CONF_TEST(test) \
	cmocka_unit_test_setup_teardown(test, set_up_conf, tear_down_conf)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_one_killed, set_up),
		CONF_TEST(test_one_killed),
		CONF_TEST(test_two_killed),
		CONF_TEST(test_killed_while_restoring),
		CONF_TEST(test_restorer_killed),
		CONF_TEST(test_all_killed),
		CONF_TEST(test_keeper_stopped),
		CONF_TEST(test_guard_stopped),
		CONF_TEST(test_killed_at_start),
		cmocka_unit_test_setup(test_interrupted_at_start, set_up),
	};

	if (keeperlab_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * A commit in which an fsync() fails, each of them in turn, alone or with all that follow:
 * what is set afterwards cannot get in the way of the restore. And a first change in which
 * one fails.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "guardlab.h"
#include "netctl/hoststate.h"
#include "netctl/journal.h"

/* Every fsync() of the program comes here (ld --wrap). */
int __real_fsync(int fd);
int __wrap_fsync(int fd);

static struct {
	bool armed;
	int made;    /* since it was armed */
	int fail_at; /* the first that fails, from 1 */
	bool lasts;  /* so do all behind it */
} faults;

int __wrap_fsync(int fd)
{
	int made = faults.armed ? ++faults.made : 0;

	if (made &&
	    (made == faults.fail_at || (faults.lasts && made > faults.fail_at))) {
		errno = EIO;
		return -1;
	}
	return __real_fsync(fd);
}

static void arm(int fail_at, bool lasts)
{
	faults.armed = true;
	faults.made = 0;
	faults.fail_at = fail_at;
	faults.lasts = lasts;
}

static void check_restored(struct hoststate *state)
{
	char path[JOURNAL_PATH_SIZE];
	struct err err = ERR_INIT;

	if (hoststate_restore(state, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(mtu_now(), ORIGINAL);
	assert_file(t.conf, CONF);
	assert_int_equal(access(t.beside, F_OK), -1);
	assert_int_equal(journal_path(LINK, path, NULL), 0);
	assert_int_equal(access(path, F_OK), -1);
}

/* False once no fsync() of a commit is left to fail: it succeeded. */
static bool commit_fails(int fail_at, bool lasts)
{
	struct hoststate state;
	struct err err = ERR_INIT;
	int r;

	guardlab_init(&state, PERSIST_BEST, t.conf);
	assert_int_equal(guardlab_change(&state, 1380), 0);
	arm(fail_at, lasts);
	r = hoststate_commit(&state, &err);
	faults.armed = false;
	if (r == 0) {
		assert_int_equal(hoststate_restore(&state, NULL), 0);
		assert_int_equal(mtu_now(), 1380);
		assert_file(t.conf, CONF_WITH("1380"));
		return false;
	}
	print_message("fsync %d%s: %s\n", fail_at, lasts ? " and later" : "", err.text);
	/* Each change moves what the journal takes for ours, if it is not refused. */
	guardlab_change(&state, 1300);
	guardlab_change(&state, 1340);
	check_restored(&state);
	return true;
}

static void a_failed_commit_is_undone(void **state)
{
	int failed = 0;

	(void)state;
	while (commit_fails(failed + 1, true))
		failed++;
	assert_in_range(failed, 3, 100);
}

static void a_commit_that_fails_once_is_undone(void **state)
{
	int failed = 0;

	(void)state;
	while (commit_fails(failed + 1, false))
		failed++;
	assert_in_range(failed, 3, 100);
}

/* False once no fsync() of a first change is left to fail: it succeeded. */
static bool change_fails(int fail_at)
{
	char path[JOURNAL_PATH_SIZE];
	char fresh[JOURNAL_PATH_SIZE + 8];
	struct hoststate state;
	bool failed;

	guardlab_init(&state, PERSIST_NONE, "");
	arm(fail_at, false);
	failed = guardlab_change(&state, 1380) < 0;
	faults.armed = false;
	assert_int_equal(journal_path(LINK, path, NULL), 0);
	snprintf(fresh, sizeof(fresh), "%s.new", path);
	if (failed) {
		assert_false(state.pending);
		assert_int_equal(access(path, F_OK), -1);
		assert_int_equal(access(fresh, F_OK), -1);
	}
	check_restored(&state);
	return failed;
}

/* The journal may be there without being safe on the disk. */
static void a_failed_first_change_leaves_no_journal(void **state)
{
	int failed = 0;

	(void)state;
	while (change_fails(failed + 1))
		failed++;
	assert_int_equal(failed, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		GUARD_TEST(a_failed_first_change_leaves_no_journal),
		GUARD_TEST(a_failed_commit_is_undone),
		GUARD_TEST(a_commit_that_fails_once_is_undone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

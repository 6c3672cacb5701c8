/* SPDX-License-Identifier: MIT */
/*
 * The conf file's folder is moved away, not mounted, exchanged for another one or not
 * readable, at each system call of a sweep and of a commit, and between them. That
 * proves no change by another program: the conf file is restored once the folder is
 * back.
 */

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <dirent.h>
#include <glob.h>

#include "guardlab.h"
#include "netctl/conffile.h"
#include "netctl/hostconf.h"
#include "netctl/hoststate.h"
#include "netctl/journal.h"
#include "netctl/rtlink.h"
#include "netlab.h"
#include "syscalls.h"

#define SET 1300
/* More stops than any of the steps has. */
#define STOPS_MAX 4000

static char away[64];

static int set_up(void **state)
{
	int r = guardlab_set_up(state);

	snprintf(away, sizeof(away), "%s-away", t.folder);
	return r;
}

#define MOVED_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, guardlab_tear_down)

static void move_away(void)
{
	assert_int_equal(rename(t.folder, away), 0);
}

static void move_back(void)
{
	assert_int_equal(rename(away, t.folder), 0);
}

/* Return the number of files in the folder. */
static int entries(void)
{
	DIR *folder = opendir(t.folder);
	const struct dirent *entry;
	int count = 0;

	assert_non_null(folder);
	while ((entry = readdir(folder)))
		count += entry->d_name[0] != '.';
	closedir(folder);
	return count;
}

/* Assert that link and conf file are as before the run, without a copy or journal. */
static void assert_as_before(void)
{
	struct journal journal;

	assert_int_equal(mtu_now(), ORIGINAL);
	assert_file(t.conf, CONF);
	assert_int_equal(entries(), 1);
	assert_int_equal(journal_read(LINK, &journal, NULL), -ENOENT);
}

static void restore_with_journal(int code, const char *text)
{
	struct err err = ERR_INIT;

	assert_int_equal(hoststate_restore_journal(LINK, &err), code);
	if (!strstr(err.text, text))
		fail_msg("'%s' is not in '%s'", text, err.text);
}

/* --- at each system call --- */

static void sweep(void)
{
	struct hoststate state;
	int r;

	guardlab_init(&state, PERSIST_EACH, t.conf);
	syscalls_trace_me();
	r = guardlab_change(&state, SET);
	if (r == 0)
		r = guardlab_change(&state, SET + 20);
	/* The guard does this; if it fails, it retries later. */
	hoststate_restore(&state, NULL);
	_exit(r == 0 ? 0 : 1);
}

static void commit(void)
{
	struct hoststate state;

	guardlab_init(&state, PERSIST_BEST, t.conf);
	if (guardlab_change(&state, SET) < 0)
		_exit(2);
	syscalls_trace_me();
	if (hoststate_commit(&state, NULL) == 0)
		_exit(0);
	/* Main requests this then. */
	hoststate_restore(&state, NULL);
	_exit(1);
}

static void begin_anew(void)
{
	struct rtlink link;
	char pattern[160];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s*", t.conf);
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++)
		unlink(found.gl_pathv[i]);
	globfree(&found);
	write_file(t.conf, CONF);
	assert_int_equal(rtlink_get(LINK, &link, NULL), 0);
	assert_int_equal(rtlink_set_mtu(link.index, ORIGINAL, NULL), 0);
}

/* Move the folder away after this many stops, and back at the end of `body`. Return its
 * exit status, or -1 when it had finished before. */
static int moved_after(void (*body)(void), int stops)
{
	struct syscalls child;
	int status;

	begin_anew();
	child = syscalls_start(body);
	if (!syscalls_go(&child, stops)) {
		assert_int_equal(child.status, 0);
		return -1;
	}
	move_away();
	status = syscalls_finish(&child);
	move_back();
	if (hoststate_restore_journal(LINK, NULL) != 0)
		fail_msg("not restored when moved away after %d stops", stops);
	return status;
}

static void test_at_each_call_of_a_sweep(void **state)
{
	int stops;

	(void)state;
	for (stops = 0; moved_after(sweep, stops) >= 0; stops += 2) {
		assert_as_before();
		assert_in_range(stops, 0, STOPS_MAX);
	}
	assert_as_before();
	print_message("moved away at %d calls\n", stops / 2);
}

/* Link and conf file have the pair, or neither has it. The commit's answer is true. */
static void test_at_each_call_of_a_commit(void **state)
{
	int counts[2] = {0};
	int status;

	(void)state;
	for (int stops = 0; (status = moved_after(commit, stops)) >= 0; stops += 2) {
		bool kept = status == 0;

		assert_in_range(stops, 0, STOPS_MAX);
		assert_in_range(status, 0, 1);
		counts[status]++;
		if (!kept) {
			assert_as_before();
			continue;
		}
		assert_int_equal(mtu_now(), SET);
		assert_file(t.conf, CONF_WITH("1300"));
		assert_int_equal(entries(), 2);
		assert_int_equal(access(t.beside, F_OK), -1);
	}
	print_message("moved away at %d calls, the pair kept at %d of them\n",
		      counts[0] + counts[1], counts[0]);
	assert_in_range(counts[0], 1, STOPS_MAX);
	assert_in_range(counts[1], 1, STOPS_MAX);
}

/* --- between them --- */

static void test_away_for_a_while(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_EACH);
	assert_int_equal(guard_set(t.guard, SET, 60000, &err), 0);
	move_away();
	assert_int_equal(guard_set(t.guard, SET + 20, 60000, &err), -EIO);
	assert_non_null(strstr(err.text, "No such file or directory"));
	assert_int_equal(guard_restore(t.guard, &err), -EIO);
	assert_int_equal(mtu_now(), ORIGINAL);
	wait_ms(1200);
	move_back();
	/* The guard's own timer restores. */
	assert_said_within(1, 1500);
	assert_both_back("retried: ", t.said->last);
	assert_as_before();
	assert_int_equal(end_guard(), 0);
}

static void kill_in_a_sweep(void)
{
	struct err err = ERR_INIT;

	start_guard(PERSIST_EACH);
	assert_int_equal(guard_set(t.guard, SET, 60000, &err), 0);
	kill_guard();
}

static void test_not_mounted(void **state)
{
	(void)state;
	assert_int_equal(mkdir(away, 0755), 0);
	write_file(t.conf, "[Interface]\nMTU = 1111\n");
	assert_int_equal(mount(away, t.folder, NULL, MS_BIND, NULL), 0);
	write_file(t.conf, CONF);
	kill_in_a_sweep();
	assert_int_equal(umount2(t.folder, MNT_DETACH), 0);
	restore_with_journal(-EIO, "is not the one from the start of the run");
	assert_file(t.conf, "[Interface]\nMTU = 1111\n");
	assert_int_equal(entries(), 1);
	assert_int_equal(mount(away, t.folder, NULL, MS_BIND, NULL), 0);
	restore_with_journal(0, "is restored");
	assert_as_before();
	assert_int_equal(umount2(t.folder, MNT_DETACH), 0);
	unlink(t.conf);
	assert_int_equal(rmdir(t.folder), 0);
	move_back();
}

/* The folder gets another name permanently, and a new folder is at the path: it is
 * another user's until the first is back. */
static void test_another_folder(void **state)
{
	(void)state;
	kill_in_a_sweep();
	move_away();
	assert_int_equal(mkdir(t.folder, 0755), 0);
	write_file(t.conf, "[Interface]\nMTU = 1111\n");
	restore_with_journal(-EIO, "is not the one from the start of the run");
	restore_with_journal(-EIO, "has the steps that are left");
	assert_file(t.conf, "[Interface]\nMTU = 1111\n");
	assert_int_equal(entries(), 1);
	unlink(t.conf);
	assert_int_equal(rmdir(t.folder), 0);
	move_back();
	restore_with_journal(0, "is restored");
	assert_as_before();
}

/* The new folder has all files of the first: the conf file at the path is restored, and
 * the guard says so. */
static void test_copied_folder(void **state)
{
	char command[160];

	(void)state;
	kill_in_a_sweep();
	move_away();
	snprintf(command, sizeof(command), "cp -a %s %s", away, t.folder);
	netlab_run(command);
	restore_with_journal(
		0, "another folder took the place of its folder during the run");
	assert_as_before();
	snprintf(command, sizeof(command), "%s/wg0.conf", away);
	assert_file(command, CONF_WITH("1300"));
	snprintf(command, sizeof(command), "rm -r %s", away);
	netlab_run(command);
}

/* --- errors of open() --- */

/* Make opening a file with these flags fail; flags are openat's third argument. */
static int forbid_open(uint32_t flags, int errno_value)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int r = seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)errno_value),
				 SCMP_SYS(openat), 1,
				 SCMP_A2(SCMP_CMP_MASKED_EQ, flags, flags));

	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	return r;
}

/* Failures for the folders on the way, and for the conf file; a journal is opened with
 * other flags. */
static const struct failure {
	uint32_t flags;
	int errno_value;
	int code;
} failures[] = {
	{O_PATH, ESTALE, -EIO},
	{O_PATH, EIO, -EIO},
	{O_PATH, ENOENT, -EIO},
	{O_PATH, ENOTDIR, -EIO},
	{O_PATH, EACCES, -EIO},
	{O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, ESTALE, -EIO},
	{O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, EIO, -EIO},
	{O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, EACCES, -EACCES},
	{O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, ENFILE, -ENFILE},
};

static int restore_with(void *ctx)
{
	const struct failure *failure = ctx;
	struct err err = ERR_INIT;

	CHILD_CHECK(forbid_open(failure->flags, failure->errno_value) == 0);
	CHILD_CHECK(hoststate_restore_journal(LINK, &err) == failure->code);
	CHILD_CHECK(strstr(err.text, "has the steps that are left"));
	return 0;
}

static void test_failures_to_look(void **state)
{
	(void)state;
	kill_in_a_sweep();
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		struct failure failure = failures[i];

		assert_int_equal(netlab_child(restore_with, &failure), 0);
		assert_file(t.conf, CONF_WITH("1300"));
		assert_file(t.beside, CONF);
	}
	restore_with_journal(0, "is restored");
	assert_as_before();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		MOVED_TEST(test_at_each_call_of_a_sweep),
		MOVED_TEST(test_at_each_call_of_a_commit),
		MOVED_TEST(test_away_for_a_while),
		MOVED_TEST(test_not_mounted),
		MOVED_TEST(test_another_folder),
		MOVED_TEST(test_copied_folder),
		MOVED_TEST(test_failures_to_look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * A user owns a conf file and its folder, and exchanges the folder with a link to one
 * of root's, which holds a conf file of the same name. The exchange happens at each
 * system call of root's work on the conf file, and as fast as a process of that user
 * can. No part of root's file may get into the user's folder, and root's file and
 * folder stay as they are.
 */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <dirent.h>

#include "base/io.h"
#include "guardlab.h"
#include "netctl/conffile.h"
#include "netctl/hostconf.h"
#include "netctl/hoststate.h"
#include "netctl/journal.h"
#include "netctl/rtlink.h"
#include "netlab.h"
#include "syscalls.h"

#define USER   12345
#define SECRET "[Interface]\nPrivateKey = SECRET=\nMTU = 1420\n"
/* More stops than any of the steps has. */
#define STOPS_MAX 4000

static char home[64];      /* the user's */
static char wg[80];        /* the conf file's folder in it */
static char to_root[80];   /* the link, beside it */
static char conf[96];      /* the user's conf file */
static char root_wg[64];   /* root's folder */
static char root_conf[80]; /* root's conf file */
static struct stat root_before[2];

/* --- the folders --- */

static void make_folders(void)
{
	assert_int_equal(chmod(t.folder, 0755), 0);
	snprintf(home, sizeof(home), "%s/home", t.folder);
	snprintf(wg, sizeof(wg), "%s/wg", home);
	snprintf(to_root, sizeof(to_root), "%s/link", home);
	snprintf(conf, sizeof(conf), "%s/wg0.conf", wg);
	snprintf(root_wg, sizeof(root_wg), "%s/root", t.folder);
	snprintf(root_conf, sizeof(root_conf), "%s/wg0.conf", root_wg);
	assert_int_equal(mkdir(home, 0755), 0);
	assert_int_equal(mkdir(wg, 0755), 0);
	assert_int_equal(mkdir(root_wg, 0700), 0);
	write_file(root_conf, SECRET);
	assert_int_equal(chmod(root_conf, 0600), 0);
	assert_int_equal(symlink("../root", to_root), 0);
	assert_int_equal(lchown(to_root, USER, USER), 0);
	assert_int_equal(chown(home, USER, USER), 0);
	assert_int_equal(chown(wg, USER, USER), 0);
	assert_int_equal(stat(root_wg, &root_before[0]), 0);
	assert_int_equal(stat(root_conf, &root_before[1]), 0);
}

static void exchange(void)
{
	assert_int_equal(renameat2(AT_FDCWD, wg, AT_FDCWD, to_root, RENAME_EXCHANGE),
			 0);
}

static bool is_exchanged(void)
{
	struct stat st;

	assert_int_equal(lstat(wg, &st), 0);
	return S_ISLNK(st.st_mode);
}

/* Call `each` for every file in the user's folder. */
static void for_each_file(void (*each)(const char *path))
{
	DIR *folder = opendir(wg);
	const struct dirent *entry;
	char path[PATH_MAX];

	assert_non_null(folder);
	while ((entry = readdir(folder))) {
		snprintf(path, sizeof(path), "%s/%s", wg, entry->d_name);
		if (entry->d_name[0] != '.')
			each(path);
	}
	closedir(folder);
}

static void remove_file(const char *path)
{
	assert_int_equal(unlink(path), 0);
}

/* Restore the user's conf file, and remove all other files of a run. */
static void begin_anew(void)
{
	struct rtlink link;

	if (is_exchanged())
		exchange();
	for_each_file(remove_file);
	write_file(conf, CONF);
	assert_int_equal(chown(conf, USER, USER), 0);
	assert_int_equal(journal_remove(LINK, NULL), 0);
	assert_int_equal(rtlink_get(LINK, &link, NULL), 0);
	assert_int_equal(rtlink_set_mtu(link.index, ORIGINAL, NULL), 0);
}

static void check_no_secret(const char *path)
{
	cleanup_file FILE *file = fopen(path, "r");
	char data[512] = "";

	assert_non_null(file);
	assert_int_not_equal(fread(data, 1, sizeof(data) - 1, file), 0);
	if (strstr(data, "SECRET"))
		fail_msg("'%s' has what only root may read", path);
}

static void assert_as_before(const char *path, const struct stat *before)
{
	struct stat now;

	assert_int_equal(stat(path, &now), 0);
	if (now.st_ino != before->st_ino || now.st_mode != before->st_mode ||
	    now.st_uid != before->st_uid ||
	    now.st_ctim.tv_sec != before->st_ctim.tv_sec ||
	    now.st_ctim.tv_nsec != before->st_ctim.tv_nsec)
		fail_msg("'%s' is not as it was", path);
}

/* Any change in root's folder, even a short one, changes its times. */
static void assert_root_untouched(void)
{
	assert_as_before(root_wg, &root_before[0]);
	assert_as_before(root_conf, &root_before[1]);
	assert_file(root_conf, SECRET);
	if (is_exchanged())
		exchange();
	for_each_file(check_no_secret);
}

/* --- the steps of root's work --- */

static int begin_run(void)
{
	char real[PATH_MAX];
	int r = conffile_check(conf, real, NULL);

	return r < 0 ? r : hostconf_check(conf, NULL);
}

static int sweep(void)
{
	struct hoststate state;
	int r;

	guardlab_init(&state, PERSIST_EACH, conf);
	r = guardlab_change(&state, 1300);
	/* A guard does this next, also after a failure. */
	return hoststate_restore(&state, NULL) < 0 ? -1 : r;
}

static int keep(void)
{
	struct hoststate state;
	int r;

	guardlab_init(&state, PERSIST_BEST, conf);
	r = guardlab_change(&state, 1300);
	return r < 0 ? r : hoststate_commit(&state, NULL);
}

static int restore_leftovers(void)
{
	return hoststate_restore_journal(LINK, NULL);
}

/* Leave the host as a killed sweep does. */
static void leave_sweep(void)
{
	struct hoststate state;

	guardlab_init(&state, PERSIST_EACH, conf);
	assert_int_equal(guardlab_change(&state, 1300), 0);
}

static const struct step {
	const char *name;
	void (*before)(void);
	int (*run)(void);
} steps[] = {
	{"a program's start", NULL, begin_run},
	{"a sweep", NULL, sweep},
	{"a commit", NULL, keep},
	{"a restore from the journal", leave_sweep, restore_leftovers},
};

/* --- at each system call --- */

static const struct step *current;

static void run_traced(void)
{
	syscalls_trace_me();
	_exit(current->run() == 0 ? 0 : 1);
}

/* Exchange after `stops` stops, for `length` of them (0: permanently). False when the
 * step had finished before. */
static bool exchange_once(int stops, int length)
{
	struct syscalls child;

	begin_anew();
	if (current->before)
		current->before();
	child = syscalls_start(run_traced);
	if (!syscalls_go(&child, stops)) {
		/* Undisturbed, the step succeeds. */
		assert_int_equal(child.status, 0);
		return false;
	}
	exchange();
	if (length && syscalls_go(&child, length))
		exchange();
	syscalls_finish(&child);
	assert_root_untouched();
	return true;
}

static int exchange_at_each_call(int length, int between)
{
	int count = 0;

	while (exchange_once(count * between, length))
		assert_true(++count * between < STOPS_MAX);
	return count;
}

static void test_at_each_call(void **state)
{
	(void)state;
	make_folders();
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		int count;

		current = &steps[i];
		/* A call has a stop before and after it. Exchange at each call
		 * permanently, and at each third call for the next four. */
		count = exchange_at_each_call(0, 2) + exchange_at_each_call(8, 6);
		print_message("%s: the folder was exchanged %d times\n", current->name,
			      count);
		assert_in_range(count, 20, INT32_MAX);
	}
}

/* --- as fast as possible --- */

static _Noreturn void exchange_for_ever(_Atomic long *count)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (setgid(USER) < 0 || setuid(USER) < 0)
		_exit(1);
	for (;;) {
		if (renameat2(AT_FDCWD, wg, AT_FDCWD, to_root, RENAME_EXCHANGE) == 0)
			(*count)++;
	}
}

/* Repeat each step until the other process has exchanged the folders often enough. */
static void race(const struct step *step, _Atomic long *count, long until)
{
	pid_t user = fork();

	assert_true(user >= 0);
	if (user == 0)
		exchange_for_ever(count);
	while (*count < until)
		step->run();
	kill(user, SIGKILL);
	netlab_wait(user);
}

static void test_race(void **state)
{
	_Atomic long *count = mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_true(count != MAP_FAILED);
	make_folders();
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		for (int turn = 0; turn < 2; turn++) {
			begin_anew();
			if (steps[i].before)
				steps[i].before();
			race(&steps[i], count, *count + 500);
			assert_root_untouched();
		}
	}
	print_message("the folder was exchanged %ld times\n", *count);
	munmap(count, sizeof(*count));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		GUARD_TEST(test_at_each_call),
		GUARD_TEST(test_race),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

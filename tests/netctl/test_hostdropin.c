/* SPDX-License-Identifier: MIT */
/*
 * networkd's drop-in: made with its folder, restored, kept, and left alone where it is
 * somebody else's. A set, a restore and a commit are killed at each of their system calls.
 */

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "guardlab.h"
#include "netctl/hostdropin.h"
#include "netctl/hoststate.h"
#include "netctl/journal.h"
#include "netctl/rtlink.h"
#include "netlab.h"
#include "syscalls.h"

#define SET       1300
#define STOPS_MAX 3000

#define OF_RUN(mtu, before)                                                            \
	"# Written by mtusweep for a run that has not ended; MTU before: " before "\n" \
	"[Link]\nMTUBytes=" mtu "\n"
#define APPLIED(mtu)                                              \
	"# Written by mtusweep; remove this file to undo that.\n" \
	"[Link]\nMTUBytes=" mtu "\n"

static char dropin_folder[48];

/* The lab's conf file becomes the drop-in's path. Neither it nor its folder exists. */
static int set_up(void **state)
{
	int r = guardlab_set_up(state);

	/* Two thousand kills with their syncs are too much for a disk. */
	assert_int_equal(mount("tmpfs", t.folder, "tmpfs", 0, "mode=0755"), 0);

	snprintf(dropin_folder, sizeof(dropin_folder), "%s/a.network.d", t.folder);
	snprintf(t.conf, sizeof(t.conf), "%s/m.conf", dropin_folder);
	return r;
}

#define DROPIN_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, guardlab_tear_down)

static void make_dropin(const char *text)
{
	mkdir(dropin_folder, 0755);
	write_file(t.conf, text);
	assert_int_equal(chmod(t.conf, 0644), 0);
}

static void remove_dropin(void)
{
	unlink(t.conf);
	rmdir(dropin_folder);
}

static void assert_none(void)
{
	assert_int_equal(access(dropin_folder, F_OK), -1);
}

static void assert_alone(const char *text)
{
	char temporary[128];

	assert_file(t.conf, text);
	snprintf(temporary, sizeof(temporary), "%s.mtusweep-new", t.conf);
	assert_int_equal(access(temporary, F_OK), -1);
}

static void test_each(void **state)
{
	struct err err = ERR_INIT;
	struct stat st;

	(void)state;
	start_guard(PERSIST_EACH);
	assert_int_equal(guard_set(t.guard, SET, 5000, &err), 0);
	assert_alone(OF_RUN("1300", "0"));
	assert_int_equal(stat(t.conf, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(guard_set(t.guard, 1320, 5000, &err), 0);
	assert_int_equal(guard_set(t.guard, 1340, 5000, &err), 0);
	assert_alone(OF_RUN("1340", "0"));
	assert_int_equal(guard_restore(t.guard, &err), 0);
	assert_non_null(strstr(err.text, "m.conf' is removed"));
	assert_none();
}

static void test_one_of_before(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	make_dropin(APPLIED("1390"));
	start_guard(PERSIST_EACH);
	assert_int_equal(guard_set(t.guard, SET, 5000, &err), 0);
	assert_alone(OF_RUN("1300", "1390"));
	assert_int_equal(guard_restore(t.guard, &err), 0);
	assert_non_null(strstr(err.text, "m.conf' is restored"));
	assert_alone(APPLIED("1390"));
}

static void test_commit(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_BEST);
	assert_int_equal(guard_set(t.guard, SET, 5000, &err), 0);
	assert_none();
	assert_int_equal(guard_commit(t.guard, &err), 0);
	assert_non_null(strstr(err.text, "networkctl reload"));
	assert_alone(APPLIED("1300"));
	assert_int_equal(guard_set(t.guard, 1320, 5000, &err), 0);
	assert_int_equal(guard_restore(t.guard, &err), 0);
	assert_alone(APPLIED("1300"));
	assert_int_equal(mtu_now(), SET);
}

static void test_probe(void **state)
{
	struct hostchange_request probe = {.mtu = 1400, .probe = true};
	struct hoststate host;

	(void)state;
	guardlab_init(&host, PERSIST_EACH, t.conf);
	assert_int_equal(guardlab_change(&host, SET), 0);
	assert_alone(OF_RUN("1300", "0"));
	assert_int_equal(hoststate_change(&host, &probe, NULL), 0);
	assert_none();
	assert_int_equal(hoststate_restore(&host, NULL), 0);
}

static void test_theirs(void **state)
{
	static const char *const texts[] = {
		"[Link]\nMTUBytes=1300\n", APPLIED("1300") "RequiredForOnline=no\n",
		OF_RUN("1300", "1400"),    OF_RUN("1300", "x"),
		APPLIED("1299"),           "",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct err err = ERR_INIT;

		start_guard(PERSIST_EACH);
		assert_int_equal(guard_set(t.guard, SET, 5000, &err), 0);
		make_dropin(texts[i]);
		assert_int_equal(guard_set(t.guard, 1320, 5000, &err), -ESTALE);
		assert_int_equal(guard_restore(t.guard, &err), -ESTALE);
		assert_non_null(strstr(err.text, "changed by somebody else"));
		assert_int_equal(mtu_now(), ORIGINAL);
		if (texts[i][0])
			assert_file(t.conf, texts[i]);
		end_guard();
		remove_dropin();
	}
}

static void test_removed_by_them(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	make_dropin(APPLIED("1390"));
	start_guard(PERSIST_EACH);
	assert_int_equal(guard_set(t.guard, SET, 5000, &err), 0);
	unlink(t.conf);
	assert_int_equal(guard_restore(t.guard, &err), -ESTALE);
	assert_non_null(strstr(err.text, "removed by somebody else"));
	assert_int_equal(access(t.conf, F_OK), -1);
}

/* Their file in the folder that was made for the run. */
static void test_folder_in_use(void **state)
{
	struct err err = ERR_INIT;
	char theirs[96];

	(void)state;
	start_guard(PERSIST_EACH);
	assert_int_equal(guard_set(t.guard, SET, 5000, &err), 0);
	snprintf(theirs, sizeof(theirs), "%s/dns.conf", dropin_folder);
	write_file(theirs, "[Network]\n");
	assert_int_equal(guard_restore(t.guard, &err), 0);
	assert_file(theirs, "[Network]\n");
	assert_int_equal(access(t.conf, F_OK), -1);
}

static void test_start(void **state)
{
	struct err err = ERR_INIT;
	char real[PATH_MAX];

	(void)state;
	assert_int_equal(hostdropin_check(t.conf, real, &err), 0);
	assert_string_equal(real, t.conf);
	make_dropin(APPLIED("1390"));
	assert_int_equal(hostdropin_check(t.conf, real, &err), 0);
	assert_string_equal(err.text, "");
	/* A cut of power took the journal along. */
	make_dropin(OF_RUN("1300", "1390"));
	assert_int_equal(hostdropin_check(t.conf, real, &err), 0);
	assert_non_null(strstr(err.text, "of an interrupted run is restored"));
	assert_alone(APPLIED("1390"));
	make_dropin(OF_RUN("1300", "0"));
	assert_int_equal(hostdropin_check(t.conf, real, &err), 0);
	assert_int_equal(access(t.conf, F_OK), -1);
	make_dropin("[Link]\nMTUBytes=1300\n");
	assert_int_equal(hostdropin_check(t.conf, real, &err), -EEXIST);
	assert_non_null(strstr(err.text, "rename or remove it"));
	make_dropin(APPLIED("1390"));
	chmod(t.conf, 0600);
	assert_int_equal(hostdropin_check(t.conf, real, &err), -EEXIST);
}

/* --- kills --- */

static enum persist persist;

/* As the guard does: with PERSIST_EACH a set and its restore, else a commit. */
static void change(void)
{
	struct hoststate state;
	int r;

	guardlab_init(&state, persist, t.conf);
	if (persist == PERSIST_BEST && guardlab_change(&state, SET) < 0)
		_exit(1);
	syscalls_trace_me();
	if (persist == PERSIST_BEST)
		_exit(hoststate_commit(&state, NULL) == 0 ? 0 : 3);
	r = guardlab_change(&state, SET);
	if (r == 0)
		r = hoststate_restore(&state, NULL);
	_exit(r == 0 ? 0 : 4);
}

static bool killed_after(int stops)
{
	struct syscalls child = syscalls_start(change);
	bool killed = syscalls_go(&child, stops);

	syscalls_kill(&child);
	if (!killed)
		assert_int_equal(child.status, 0);
	return killed;
}

/* Start as the next guard does; true when the MTU is applied. */
static bool start_next(const char *before)
{
	struct err err = ERR_INIT;
	struct journal journal;
	char real[PATH_MAX];
	bool kept;

	if (hoststate_restore_journal(LINK, &err) < 0 ||
	    hostdropin_check(t.conf, real, &err) < 0)
		fail_msg("the next start: %s", err.text);
	assert_int_equal(journal_read(LINK, &journal, NULL), -ENOENT);
	kept = mtu_now() != ORIGINAL;
	assert_int_equal(mtu_now(), kept ? SET : ORIGINAL);
	if (kept)
		assert_alone(APPLIED("1300"));
	else if (before)
		assert_alone(before);
	else
		assert_none();
	return kept;
}

static void reset_link(void)
{
	struct rtlink link;

	assert_int_equal(rtlink_get(LINK, &link, NULL), 0);
	assert_int_equal(rtlink_set_mtu(link.index, ORIGINAL, NULL), 0);
}

/* Return the number of times that the outcome changed from one call to the next. */
static int kill_at_each_call(enum persist how, const char *before)
{
	bool kept = false;
	int stops = 0;
	int turns = 0;
	bool killed;

	persist = how;
	do {
		bool last = kept;

		reset_link();
		remove_dropin();
		if (before)
			make_dropin(before);
		killed = killed_after(stops);
		kept = start_next(before);
		turns += kept != last;
		stops++;
	} while (killed && stops < STOPS_MAX);
	assert_false(killed);
	assert_int_equal(kept, how == PERSIST_BEST);
	print_message("killed at %d moments\n", stops - 1);
	return turns;
}

static void test_commit_killed(void **state)
{
	(void)state;
	assert_int_equal(kill_at_each_call(PERSIST_BEST, NULL), 1);
}

static void test_each_killed(void **state)
{
	(void)state;
	assert_int_equal(kill_at_each_call(PERSIST_EACH, NULL), 0);
	assert_int_equal(kill_at_each_call(PERSIST_EACH, APPLIED("1390")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DROPIN_TEST(test_each),          DROPIN_TEST(test_one_of_before),
		DROPIN_TEST(test_commit),        DROPIN_TEST(test_probe),
		DROPIN_TEST(test_theirs),        DROPIN_TEST(test_removed_by_them),
		DROPIN_TEST(test_folder_in_use), DROPIN_TEST(test_start),
		DROPIN_TEST(test_commit_killed), DROPIN_TEST(test_each_killed),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

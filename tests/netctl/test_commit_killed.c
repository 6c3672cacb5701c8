/* SPDX-License-Identifier: MIT */
/*
 * A commit whose process is killed, at each of its system calls in turn. The next start
 * finds either the state from before or the applied pair, and can proceed. So with each
 * form of conf file that has an original beside it.
 */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <glob.h>

#include "guardlab.h"
#include "netctl/conffile.h"
#include "netctl/hostconf.h"
#include "netctl/hoststate.h"
#include "netctl/journal.h"
#include "netlab.h"
#include "syscalls.h"

#define SET 1300

#define KEYFILE_WITH(mtu) \
	"[wireguard]\n# mtu=1\nmtu=" mtu "\nprivate-key=abc=\n\n[wireguard-peer.p=]\n"

static const struct form {
	const char *name;
	const char *before;
	const char *after;
} forms[] = {
	{"wg0.conf", CONF, CONF_WITH("1300")},
	{"wg0.nmconnection", KEYFILE_WITH("1420"), KEYFILE_WITH("1300")},
};

static const struct form *form;

/* A commit makes some 150. */
#define STOPS_MAX 2000

/* Commit as the guard does; stop before the commit, and then at each system call. */
static void commit(void)
{
	struct hoststate state;

	guardlab_init(&state, PERSIST_BEST, t.conf);
	if (guardlab_change(&state, SET) < 0)
		_exit(1);
	syscalls_trace_me();
	_exit(hoststate_commit(&state, NULL) == 0 ? 0 : 3);
}

/* Kill it after this many stops; false when it had finished before. */
static bool commit_killed_after(int stops)
{
	struct syscalls child = syscalls_start(commit);
	bool killed = syscalls_go(&child, stops);

	syscalls_kill(&child);
	if (!killed)
		assert_int_equal(child.status, 0);
	return killed;
}

/* Remove the dated copies of earlier conf files and return their number. */
static size_t take_dated(void)
{
	char pattern[160];
	glob_t found;
	size_t count;

	snprintf(pattern, sizeof(pattern), "%s.mtusweep-2*", t.conf);
	if (glob(pattern, 0, NULL, &found) != 0)
		return 0;
	count = found.gl_pathc;
	for (size_t i = 0; i < count; i++) {
		assert_file(found.gl_pathv[i], form->before);
		unlink(found.gl_pathv[i]);
	}
	globfree(&found);
	return count;
}

/* Start as the next guard does, and check the state. True when the pair is applied. */
static bool start_next(void)
{
	struct err err = ERR_INIT;
	struct journal journal;
	bool kept;

	if (hoststate_restore_journal(LINK, &err) < 0 ||
	    hostconf_check(t.conf, &err) < 0)
		fail_msg("the next start: %s", err.text);
	assert_int_equal(journal_read(LINK, &journal, NULL), -ENOENT);
	assert_int_equal(access(t.beside, F_OK), -1);
	kept = mtu_now() != ORIGINAL;
	assert_int_equal(mtu_now(), kept ? SET : ORIGINAL);
	assert_file(t.conf, kept ? form->after : form->before);
	assert_int_equal(take_dated(), kept);
	if (kept && err.text[0])
		assert_non_null(strstr(err.text, "MTU 1300 of 'mtg0' was applied"));
	return kept;
}

static void use_form(const struct form *wanted)
{
	form = wanted;
	unlink(t.conf);
	snprintf(t.conf, sizeof(t.conf), "%s/%s", t.folder, form->name);
	snprintf(t.beside, sizeof(t.beside), "%s%s%s", t.conf, HOSTCONF_SUFFIX,
		 conffile_ending(t.conf));
}

static void check_form(const struct form *wanted)
{
	bool kept = false;
	int stops = 0;
	int turns = 0;
	bool killed;

	use_form(wanted);
	do {
		bool before = kept;

		netlab_run("ip link set " LINK " mtu 1420");
		write_file(t.conf, form->before);
		killed = commit_killed_after(stops);
		kept = start_next();
		turns += kept != before;
		stops++;
	} while (killed && stops < STOPS_MAX);
	/* The commit takes effect at one moment, and that moment comes. */
	assert_false(killed);
	assert_true(kept);
	assert_int_equal(turns, 1);
	print_message("%s: killed at %d moments\n", form->name, stops - 1);
}

static void test_killed_at_each_call(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		check_form(&forms[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		GUARD_TEST(test_killed_at_each_call),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

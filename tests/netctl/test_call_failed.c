/* SPDX-License-Identifier: MIT */
/*
 * A session in which a system call fails, each of them in turn, with each of the errors
 * that a disk, a kernel short of memory or a signal can cause: afterwards link or route,
 * conf file and journal are as before the session, or the pair is applied, and nothing
 * else is left.
 *
 * test_call_failed [EVERY]: fail every EVERY-th of these calls and errors (default 47;
 * 1: all, which ./test --fault does).
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/text.h"
#include "callfaults.h"
#include "guardlab.h"
#include "netctl/hostconf.h"
#include "netctl/journal.h"
#include "netlab.h"

#define PEER "10.9.0.2"
/* A way back that one call has broken off succeeds with the next try. */
#define TRIES 3

/* Exit statuses of a session. */
enum {
	RESTORED = 0,
	APPLIED = 1,
	NOT_RESTORED = 2,
};

static const int errors[] = {EIO, ENOSPC, EROFS, ENOBUFS, EINTR};
#define ERRORS (int)(sizeof(errors) / sizeof(errors[0]))

static struct {
	enum persist persist;
	bool by_route;
} session;
static int every = 47;

static int change(struct hoststate *state, int mtu)
{
	struct hostchange_request want = {.mtu = mtu, .by_route = session.by_route};
	struct err err = ERR_INIT;

	if (session.by_route)
		text_copy(want.address, sizeof(want.address), PEER);
	return hoststate_change(state, &want, &err);
}

/* In the child. */
static void run_session(void)
{
	struct hoststate state;
	struct err err = ERR_INIT;
	bool applied = false;

	guardlab_init(&state, session.persist, t.conf);
	if (change(&state, 1376) == 0 && change(&state, 1296) == 0) {
		hoststate_check(&state, &err);
		applied = session.persist == PERSIST_BEST &&
			  hoststate_commit(&state, &err) == 0;
	}
	for (int i = 0; i < TRIES; i++)
		hoststate_restore(&state, &err);
	if (applied)
		_exit(state.pending ? NOT_RESTORED : APPLIED);
	_exit(state.pending ? NOT_RESTORED : RESTORED);
}

static bool has_route(int mtu)
{
	char command[96];

	snprintf(command, sizeof(command),
		 "ip -4 route show table all dev " LINK " | grep -q ' mtu %d'", mtu);
	return system(command) == 0;
}

static bool has_any_route(void)
{
	return system("ip -4 route show table all dev " LINK " | grep -q ' mtu '") == 0;
}

static bool conf_has(const char *text)
{
	char command[160];

	snprintf(command, sizeof(command), "grep -q '%s' %s", text, t.conf);
	return system(command) == 0;
}

static void assert_nothing_beside(void)
{
	char path[JOURNAL_PATH_SIZE];
	char fresh[JOURNAL_PATH_SIZE + 32];

	assert_int_equal(access(t.beside, F_OK), -1);
	snprintf(fresh, sizeof(fresh), "%s.mtusweep-new", t.conf);
	assert_int_equal(access(fresh, F_OK), -1);
	assert_int_equal(journal_path(LINK, path, NULL), 0);
	assert_int_equal(access(path, F_OK), -1);
	snprintf(fresh, sizeof(fresh), "%s.new", path);
	assert_int_equal(access(fresh, F_OK), -1);
}

static void assert_as_before(void)
{
	assert_int_equal(mtu_now(), ORIGINAL);
	assert_false(has_any_route());
	assert_file(t.conf, CONF);
}

static void assert_applied(void)
{
	if (session.by_route) {
		assert_int_equal(mtu_now(), ORIGINAL);
		assert_true(has_route(1296));
		assert_true(conf_has("mtu 1296 # mtusweep"));
	} else {
		assert_int_equal(mtu_now(), 1296);
		assert_true(conf_has("MTU = 1296"));
	}
}

/* As before all sessions. */
static void reset(void)
{
	char command[160];

	netlab_run("ip link set " LINK " mtu 1420");
	netlab_try("ip route flush dev " LINK " proto 77");
	snprintf(command, sizeof(command), "rm -f %s.mtusweep-*", t.conf);
	netlab_run(command);
	write_file(t.conf, CONF);
}

static void check_end(const struct callfaults *faults)
{
	struct err err = ERR_INIT;

	switch (faults->status) {
	case RESTORED:
		assert_as_before();
		break;
	case APPLIED:
		/* What is left of the commit goes with the next start. */
		assert_in_range(hoststate_restore_journal(LINK, &err) + 200, 200, 200);
		assert_applied();
		break;
	case NOT_RESTORED:
		/* The pair counts from the journal on, also where main was told no. */
		for (int i = 0; i < TRIES; i++)
			hoststate_restore_journal(LINK, &err);
		assert_as_before();
		break;
	default:
		fail_msg("exit status %d", faults->status);
	}
	assert_nothing_beside();
	assert_int_equal(hostconf_check(t.conf, &err), 0);
}

/* False once no call is left to fail. */
static bool fail_call(int which, int error)
{
	struct callfaults faults = {.fail_at = which, .error = error};

	if (!callfaults_run(&faults, run_session))
		fail_msg("call %d (%d), errno %d: it does not end", which,
			 faults.failed, error);
	print_message("call %d (%d), errno %d: %d\n", which, faults.failed, error,
		      faults.status);
	check_end(&faults);
	if (faults.status == APPLIED)
		reset();
	return faults.failed >= 0;
}

static void each_call_fails(enum persist persist, bool by_route)
{
	int failed = 0;
	int which = 0;

	session.persist = persist;
	session.by_route = by_route;
	/* 47 has no factor in common with the number of errors: they take turns. */
	while (fail_call(1 + which / ERRORS, errors[which % ERRORS])) {
		failed++;
		which += every;
	}
	print_message("%d calls failed\n", failed);
	assert_in_range(failed, 5, 100000);
}

static void a_link_is_restored(void **state)
{
	(void)state;
	each_call_fails(PERSIST_NONE, false);
}

static void a_conf_file_is_restored(void **state)
{
	(void)state;
	each_call_fails(PERSIST_EACH, false);
}

static void a_commit_is_whole(void **state)
{
	(void)state;
	each_call_fails(PERSIST_BEST, false);
}

static void a_route_is_restored(void **state)
{
	(void)state;
	use_wireguard();
	each_call_fails(PERSIST_NONE, true);
}

static void a_conf_file_of_routes_is_restored(void **state)
{
	(void)state;
	use_wireguard();
	each_call_fails(PERSIST_EACH, true);
}

static void a_commit_of_routes_is_whole(void **state)
{
	(void)state;
	use_wireguard();
	each_call_fails(PERSIST_BEST, true);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		GUARD_TEST(a_link_is_restored),
		GUARD_TEST(a_conf_file_is_restored),
		GUARD_TEST(a_commit_is_whole),
		GUARD_TEST(a_route_is_restored),
		GUARD_TEST(a_conf_file_of_routes_is_restored),
		GUARD_TEST(a_commit_of_routes_is_whole),
	};

	if (argc == 2)
		every = atoi(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

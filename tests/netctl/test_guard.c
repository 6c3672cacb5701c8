/* SPDX-License-Identifier: MIT */
/*
 * The guard on a veth: leases, deaths, changes by other programs, and the answers to
 * main. The guard is a process of its own, as in the programs.
 */

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/io.h"
#include "guardlab.h"
#include "netctl/guard_wire.h"
#include "netctl/rtlink.h"
#include "netlab.h"

static void test_set_and_restore(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_NONE);
	assert_int_equal(guard_set(t.guard, 1300, 5000, &err), 0);
	assert_int_equal(mtu_now(), 1300);
	assert_int_equal(guard_set(t.guard, 1340, 5000, &err), 0);
	assert_int_equal(mtu_now(), 1340);
	assert_int_equal(guard_restore(t.guard, &err), 0);
	assert_int_equal(mtu_now(), ORIGINAL);
	assert_string_equal(err.text, "'mtg0' is restored to MTU 1420");
	assert_int_equal(guard_restore(t.guard, &err), 0);
	assert_string_equal(err.text, "");
	assert_file(t.conf, CONF);
}

static void test_refuses(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_NONE);
	assert_int_equal(guard_set(t.guard, 1279, 5000, &err), -ERANGE);
	assert_int_equal(guard_set(t.guard, 1501, 5000, &err), -ERANGE);
	assert_int_equal(mtu_now(), ORIGINAL);
	assert_int_equal(guard_set(t.guard, 1400, 5000, &err), 0);
	assert_int_equal(guard_commit(t.guard, &err), -EACCES);
	netlab_run("ip link set " LINK " down");
	assert_int_equal(guard_set(t.guard, 1380, 5000, &err), -ENETDOWN);
	assert_int_equal(guard_restore(t.guard, &err), 0);
	assert_int_equal(mtu_now(), ORIGINAL);
}

/* --- probes --- */

static bool has_way(void)
{
	return netlab_try("ip rule del pref 1 dport 4500 to 10.9.0.2") == 0;
}

static int probe(int mtu, const char *address, int port, struct err *err)
{
	return guard_probe(t.guard, mtu, address, port, 5000, err);
}

static void test_probe(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	use_wireguard();
	start_guard(PERSIST_EACH);
	assert_int_equal(probe(1279, "10.9.0.2", 4500, &err), -ERANGE);
	assert_int_equal(probe(HOSTCHANGE_PROBE_MTU_MAX + 1, "10.9.0.2", 4500, &err),
			 -ERANGE);
	assert_int_equal(mtu_now(), ORIGINAL);
	/* An MTU beyond the range, with a probe way; the conf file stays as it was. */
	assert_int_equal(probe(1560, "10.9.0.2", 4500, &err), 0);
	assert_int_equal(mtu_now(), 1560);
	assert_file(t.conf, CONF);
	assert_int_equal(probe(1280, "", 0, &err), 0);
	assert_int_equal(mtu_now(), 1280);
	assert_true(has_way());
	/* The first pair removes the probe way. */
	assert_int_equal(probe(1560, "10.9.0.2", 4500, &err), 0);
	assert_int_equal(guard_set(t.guard, 1400, 5000, &err), 0);
	assert_false(has_way());
	assert_int_equal(probe(1560, "", 0, &err), -ESTALE);
	assert_int_equal(mtu_now(), 1400);
	assert_int_equal(guard_restore(t.guard, &err), 0);
	assert_int_equal(mtu_now(), ORIGINAL);
	/* Without a probe way. */
	assert_int_equal(probe(1560, "10.9.0.2", 0, &err), 0);
	assert_int_equal(netlab_try("ip rule del pref 1"), 2);
}

static void test_probe_is_restored(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	use_wireguard();
	start_guard(PERSIST_NONE);
	assert_int_equal(probe(1560, "10.9.0.2", 4500, &err), 0);
	assert_int_equal(guard_restore(t.guard, &err), 0);
	assert_int_equal(mtu_now(), ORIGINAL);
	assert_false(has_way());
	/* The end of the lease does so, too. */
	assert_int_equal(guard_probe(t.guard, 1560, "10.9.0.2", 4500, 1000, &err), 0);
	assert_mtu_within(ORIGINAL, 2000);
	assert_said_within(1, 1000);
	assert_false(has_way());
	assert_int_equal(probe(1560, "", 0, &err), -ESTALE);
	/* Another program's change of the link stays, but the probe way is removed. */
	assert_int_equal(probe(1560, "10.9.0.2", 4500, &err), 0);
	netlab_run("ip link set " LINK " mtu 1333");
	assert_int_equal(guard_restore(t.guard, &err), -ESTALE);
	assert_int_equal(mtu_now(), 1333);
	assert_false(has_way());
}

/* A rule in front of the probe way is said, once. */
static void test_rule_in_front(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	use_wireguard();
	start_guard(PERSIST_NONE);
	netlab_run("ip rule add pref 0 to 10.9.0.0/24 lookup main");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(probe(1560, "10.9.0.2", 4500, &err), -EOPNOTSUPP);
		assert_false(has_way());
		assert_said_within(1, 1000);
	}
	assert_string_equal(t.said->last,
			    "the link's MTU is set for each probe: probes to "
			    "'10.9.0.2' take another route than theirs, perhaps by a "
			    "routing rule of this host with priority 0 or 1");
	assert_int_equal(probe(1560, "10.9.0.2", 0, &err), 0);
	netlab_run("ip rule del pref 0 to 10.9.0.0/24");
	assert_int_equal(probe(1560, "10.9.0.2", 4500, &err), 0);
	assert_true(has_way());
}

/* The guard does not trust main: it may be an attacker's. */
static const struct {
	const char *address;
	int port;
	int code;
} bad_targets[] = {
	{"192.0.2.53", 4500, -EACCES},   /* no route */
	{"198.51.100.2", 4500, -EACCES}, /* routed through another interface */
	{"10.9.0.7", 4500, -EACCES},     /* in the AllowedIPs, but routed elsewhere */
	{"10.9.0.9", 4500, -EACCES},     /* routed there, but in no AllowedIPs */
	{"10.9.0.1", 4500, -EACCES},     /* this host's own */
	{"127.0.0.9", 4500, -EACCES},
	{"10.9.0.3", 4500, -ENOTCONN},
	{"10.9.0", 4500, -EINVAL},
	{"10.9.0.2", 53, -ERANGE},
	{"10.9.0.2", 1023, -ERANGE},
	{"10.9.0.2", 65536, -ERANGE},
	{"10.9.0.2", -1, -ERANGE},
	{"", 4500, -ESTALE},
	{"", 0, -ESTALE},
};

static void test_probe_of_others(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	use_wireguard();
	netlab_run("ip link add mtd0 type veth peer name mtd1");
	netlab_run("ip link set mtd0 up");
	netlab_run("ip addr add 198.51.100.1/24 dev mtd0");
	netlab_run("ip route add 10.9.0.7/32 dev mtd0");
	start_guard(PERSIST_NONE);
	for (size_t i = 0; i < sizeof(bad_targets) / sizeof(bad_targets[0]); i++) {
		int r = probe(1560, bad_targets[i].address, bad_targets[i].port, &err);

		if (r != bad_targets[i].code)
			fail_msg("'%s', port %d: %d", bad_targets[i].address,
				 bad_targets[i].port, r);
		assert_int_equal(mtu_now(), ORIGINAL);
		assert_int_equal(netlab_try("ip rule del pref 1"), 2);
	}
	netlab_run("ip link set " LINK " down");
	assert_int_equal(probe(1560, "10.9.0.2", 4500, &err), -ENETDOWN);
}

/* The peer's guard knows the other end from the start. */
static void test_remote(void **state)
{
	struct guard_facts facts = {0};
	struct err err = ERR_INIT;

	(void)state;
	use_wireguard();
	t.remote = "10.9.0.2";
	start_guard(PERSIST_NONE);
	assert_int_equal(probe(1560, "10.9.0.7", 4500, &err), -EACCES);
	assert_string_equal(
		err.text, "'10.9.0.7' is not the address of the other end, '10.9.0.2'");
	assert_int_equal(guard_get_facts(t.guard, "10.9.0.7", &facts, &err), 0);
	assert_string_equal(facts.endpoint, "");
	assert_int_equal(guard_get_facts(t.guard, "10.9.0.2", &facts, &err), 0);
	assert_string_equal(facts.endpoint, "127.0.0.9");
	assert_true(facts.endpoint_local);
	assert_true(facts.outer_mtu > 1500);
	/* An endpoint behind the tunnel itself: the packets leave elsewhere. */
	use_endpoint("10.9.0.200");
	assert_int_equal(guard_get_facts(t.guard, "10.9.0.2", &facts, &err), 0);
	assert_string_equal(facts.endpoint, "10.9.0.200");
	assert_false(facts.endpoint_local);
	assert_int_equal(facts.outer_mtu, 0);
	assert_int_equal(probe(1560, "10.9.0.2", 4500, &err), 0);
}

static void assert_ended(int *fd)
{
	char byte;

	assert_int_equal(io_wait(*fd, -1, clock_boot_ms() + 2000), 1);
	assert_int_equal(recv(*fd, &byte, 1, MSG_DONTWAIT), 0);
	fd_close(fd);
}

static int tap(void)
{
	struct err err = ERR_INIT;
	int fd = -1;

	if (guard_tap(t.guard, &fd, &err) < 0)
		fail_msg("%s", err.text);
	return fd;
}

static void test_raw(void **state)
{
	struct err err = ERR_INIT;
	int fd = -1;

	(void)state;
	use_wireguard();
	start_guard(PERSIST_NONE);
	assert_int_equal(guard_raw(t.guard, RAWSOCK_ECHO, "10.9.0.2", &fd, &err),
			 -EACCES);
	assert_non_null(strstr(err.text, "--alone"));
	assert_int_equal(fd, -1);
}

static void test_tap(void **state)
{
	struct err err = ERR_INIT;
	int second;
	int fd = -1;
	int type = 0;
	socklen_t size = sizeof(type);

	(void)state;
	use_wireguard();
	start_guard(PERSIST_NONE);
	assert_int_equal(guard_tap(t.guard, &fd, &err), -ESTALE);
	assert_int_equal(guard_set(t.guard, 1300, 5000, &err), 0);
	assert_int_equal(guard_tap(t.guard, &fd, &err), -ESTALE);
	assert_int_equal(fd, -1);
	/* Main's descriptor is no packet socket, and it ends with the probe, in
	 * whatever way that ends. */
	assert_int_equal(probe(1560, "10.9.0.2", 4500, &err), 0);
	fd = tap();
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &type, &size), 0);
	assert_int_equal(type, AF_UNIX);
	second = tap();
	assert_ended(&fd);
	assert_int_equal(probe(1560, "10.9.0.2", 4500, &err), 0);
	assert_ended(&second);
	fd = tap();
	assert_int_equal(probe(1560, "10.9.0.9", 4500, &err), -EACCES);
	assert_ended(&fd);
	assert_int_equal(probe(1560, "10.9.0.2", 4500, &err), 0);
	fd = tap();
	assert_int_equal(guard_set(t.guard, 1300, 5000, &err), 0);
	assert_ended(&fd);
	assert_int_equal(probe(1560, "10.9.0.2", 4500, &err), 0);
	fd = tap();
	assert_int_equal(guard_restore(t.guard, &err), 0);
	assert_ended(&fd);
	assert_int_equal(guard_probe(t.guard, 1560, "10.9.0.2", 4500, 1000, &err), 0);
	fd = tap();
	assert_ended(&fd);
	assert_int_equal(probe(1560, "10.9.0.2", 4500, &err), 0);
	fd = tap();
	kill_guard();
	assert_ended(&fd);
}

/* An MTU that a probe has set must not be committed. */
static void test_probe_is_not_kept(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	use_wireguard();
	start_guard(PERSIST_BEST);
	assert_int_equal(guard_commit(t.guard, &err), -ESTALE);
	assert_int_equal(probe(9000, "10.9.0.2", 4500, &err), 0);
	assert_int_equal(guard_commit(t.guard, &err), -ESTALE);
	assert_string_equal(
		err.text,
		"the MTU of 'mtg0' was set for a probe and cannot be applied");
	/* Neither after a failed SET that should have ended the probe. */
	netlab_run("ip link set " LINK " down");
	assert_int_equal(guard_set(t.guard, 1400, 5000, &err), -ENETDOWN);
	netlab_run("ip link set " LINK " up");
	assert_int_equal(guard_commit(t.guard, &err), -ESTALE);
	assert_file(t.conf, CONF);
	assert_int_equal(guard_restore(t.guard, &err), 0);
	assert_int_equal(mtu_now(), ORIGINAL);
}

static void test_lease_bounds(void **state)
{
	static const int64_t bad[] = {INT64_MIN, -1, 0, 999, 600001, INT64_MAX};
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_NONE);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(guard_set(t.guard, 1400, bad[i], &err), -ERANGE);
		assert_int_equal(guard_renew(t.guard, bad[i], &err), -ERANGE);
	}
	assert_int_equal(mtu_now(), ORIGINAL);
	/* A renewal neither shortens the lease nor extends it without limit. */
	assert_int_equal(guard_set(t.guard, 1400, 1000, &err), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(guard_renew(t.guard, bad[i], &err), -ERANGE);
	assert_mtu_within(ORIGINAL, 2500);
	assert_int_equal(guard_set(t.guard, 1400, 600000, &err), 0);
}

static void test_lease(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_NONE);
	assert_int_equal(guard_set(t.guard, 1300, 1000, &err), 0);
	for (int i = 0; i < 4; i++) {
		wait_ms(400);
		assert_int_equal(guard_renew(t.guard, 1000, &err), 0);
	}
	assert_int_equal(mtu_now(), 1300);
	assert_mtu_within(ORIGINAL, 3000);
	/* The first answer may get lost: the guard repeats it. */
	for (int i = 0; i < 3; i++)
		assert_int_equal(guard_renew(t.guard, 1000, &err), -ESTALE);
	assert_non_null(strstr(err.text, "expired, and its MTU was restored"));
	netlab_run("ip link set " LINK " down");
	assert_int_equal(guard_set(t.guard, 1300, 1000, &err), -ENETDOWN);
	netlab_run("ip link set " LINK " up");
	assert_int_equal(guard_renew(t.guard, 1000, &err), -ESTALE);
	/* The same again, from a new start. */
	assert_int_equal(guard_set(t.guard, 1320, 1000, &err), 0);
	assert_int_equal(guard_renew(t.guard, 1000, &err), 0);
	assert_mtu_within(ORIGINAL, 3000);
	assert_int_equal(guard_renew(t.guard, 1000, &err), -ESTALE);
	assert_int_equal(guard_restore(t.guard, &err), 0);
	assert_int_equal(guard_renew(t.guard, 1000, &err), 0);
	assert_int_equal(t.said->count, 2);
	assert_string_equal(t.said->last,
			    "the lease expired: 'mtg0' is restored to MTU 1420");
}

static void test_main_dies(void **state)
{
	(void)state;
	start_guard(PERSIST_EACH);
	assert_int_equal(guard_set(t.guard, 1300, 60000, NULL), 0);
	assert_int_equal(end_guard(), 0);
	assert_int_equal(mtu_now(), ORIGINAL);
	assert_file(t.conf, CONF);
}

static void test_keeper_dies(void **state)
{
	(void)state;
	start_guard(PERSIST_NONE);
	assert_int_equal(guard_set(t.guard, 1300, 60000, NULL), 0);
	fd_close(&t.keeper_fd);
	assert_mtu_within(ORIGINAL, 1000);
}

static void test_guard_gone(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_NONE);
	kill(t.pid, SIGKILL);
	assert_int_equal(io_wait(guard_fd(t.guard), -1, clock_boot_ms() + 2000), 1);
	assert_int_equal(guard_set(t.guard, 1300, 5000, &err), -EPIPE);
	assert_string_equal(err.text, "the guard process is gone");
}

/* Answers that nobody reads must not delay the end of the lease. */
static void test_main_reads_nothing(void **state)
{
	struct guard_request request = {.verb = GUARD_FACTS};
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_NONE);
	assert_int_equal(guard_set(t.guard, 1300, 60000, &err), 0);
	for (int i = 0; i < 5000; i++) {
		struct pollfd room = {.fd = guard_fd(t.guard), .events = POLLOUT};

		if (poll(&room, 1, 2000) < 1 ||
		    send(guard_fd(t.guard), &request, sizeof(request),
			 MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			break;
	}
	assert_mtu_within(ORIGINAL, 2000);
}

static void test_facts(void **state)
{
	struct guard_facts facts = {0};

	(void)state;
	start_guard(PERSIST_EACH);
	assert_int_equal(guard_get_facts(t.guard, "10.0.0.1", &facts, NULL), 0);
	assert_true(facts.exists);
	assert_true(facts.up);
	assert_int_equal(facts.mtu, ORIGINAL);
	assert_int_equal(facts.backend, BACKEND_NONE);
	netlab_run("ip link del " LINK);
	assert_int_equal(guard_get_facts(t.guard, "", &facts, NULL), 0);
	assert_false(facts.exists);
	assert_int_equal(guard_settle(t.guard, NULL), 0);
}

static void test_foreign_mtu(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_NONE);
	assert_int_equal(guard_set(t.guard, 1300, 5000, &err), 0);
	netlab_run("ip link set " LINK " mtu 1333");
	assert_int_equal(guard_set(t.guard, 1320, 5000, &err), -ESTALE);
	assert_non_null(strstr(err.text, "changed to 1333 by somebody else"));
	assert_int_equal(guard_restore(t.guard, &err), -ESTALE);
	assert_int_equal(mtu_now(), 1333);
	assert_int_equal(guard_restore(t.guard, &err), 0);
}

static void test_foreign_interface(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_NONE);
	assert_int_equal(guard_set(t.guard, 1300, 5000, &err), 0);
	netlab_run("ip link del " LINK);
	assert_int_equal(guard_set(t.guard, 1320, 5000, &err), -ENODEV);
	netlab_run("ip link add " LINK " type veth peer name mtpeer");
	netlab_run("ip link set " LINK " mtu 1444 up");
	assert_int_equal(guard_set(t.guard, 1320, 5000, &err), -ESTALE);
	assert_int_equal(guard_restore(t.guard, &err), -ESTALE);
	assert_int_equal(mtu_now(), 1444);
}

/* A renewal checks the link; a link that was changed and set back is changed, too. */
static void test_renew_finds_changes(void **state)
{
	static const char *const commands[] = {
		"ip link set " LINK " mtu 1420",
		"ip link set " LINK " mtu 1333",
	};
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_NONE);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		assert_int_equal(guard_set(t.guard, 1300, 5000, &err), 0);
		netlab_run(commands[i]);
		assert_int_equal(guard_renew(t.guard, 5000, &err), -ECANCELED);
		assert_non_null(
			strstr(err.text, "by somebody else (1420 before the run)"));
		guard_restore(t.guard, NULL);
	}
	assert_int_equal(guard_set(t.guard, 1300, 5000, &err), 0);
	netlab_run("ip link del " LINK);
	assert_int_equal(guard_renew(t.guard, 5000, &err), -ENODEV);
}

static void test_renew_while_down(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_NONE);
	assert_int_equal(guard_set(t.guard, 1300, 1000, &err), 0);
	netlab_run("ip link set " LINK " down");
	for (int i = 0; i < 4; i++) {
		assert_int_equal(guard_renew(t.guard, 1000, &err), -ENETDOWN);
		assert_string_equal(err.text, "interface 'mtg0' is down");
		wait_ms(400);
	}
	assert_int_equal(mtu_now(), 1300);
	assert_mtu_within(ORIGINAL, 2000);
}

static void remake_link(void)
{
	netlab_run("ip link del " LINK);
	netlab_run("ip link add " LINK " type veth peer name mtpeer");
	netlab_run("ip link set " LINK " mtu 1444 up");
}

/* In a session another interface of the same name is refused, also after a lease has
 * expired; the next session accepts it. */
static void test_remade_interface(void **state)
{
	struct guard_facts facts = {0};
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_NONE);
	assert_int_equal(guard_set(t.guard, 1300, 1000, &err), 0);
	assert_mtu_within(ORIGINAL, 2000);
	remake_link();
	assert_int_equal(guard_set(t.guard, 1300, 5000, &err), -ESTALE);
	assert_non_null(strstr(err.text, "deleted and created again"));
	assert_int_equal(mtu_now(), 1444);
	assert_int_equal(guard_get_facts(t.guard, "", &facts, &err), 0);
	assert_false(facts.exists);
	assert_int_equal(guard_restore(t.guard, &err), 0);
	assert_int_equal(guard_get_facts(t.guard, "", &facts, &err), 0);
	assert_true(facts.exists);
	assert_int_equal(guard_set(t.guard, 1300, 5000, &err), 0);
	assert_int_equal(mtu_now(), 1300);
	assert_int_equal(guard_restore(t.guard, &err), 0);
	assert_int_equal(mtu_now(), 1444);
}

/* Nobody here can reach it any more: the message says what it keeps. */
static void test_moved_interface(void **state)
{
	struct err err = ERR_INIT;
	char command[64];
	int there = netlab_start("unshare --net sleep 60");

	(void)state;
	start_guard(PERSIST_NONE);
	assert_int_equal(guard_set(t.guard, 1300, 5000, &err), 0);
	/* It may not have its namespace yet. */
	snprintf(command, sizeof(command), "ip link set " LINK " netns %d", there);
	while (if_nametoindex(LINK)) {
		netlab_try(command);
		wait_ms(20);
	}
	assert_int_equal(guard_restore(t.guard, &err), -ESTALE);
	assert_string_equal(err.text,
			    "interface 'mtg0' is gone; if it was moved to another "
			    "network namespace, set its MTU there, to 1420 as before "
			    "the run");
	netlab_stop(there);
}

static void test_renamed_interface(void **state)
{
	struct rtlink link;
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_NONE);
	assert_int_equal(guard_set(t.guard, 1300, 5000, &err), 0);
	netlab_run("ip link set " LINK " down");
	netlab_run("ip link set " LINK " name other0");
	assert_int_equal(guard_set(t.guard, 1340, 5000, &err), -ENODEV);
	assert_int_equal(guard_restore(t.guard, &err), 0);
	assert_int_equal(rtlink_get("other0", &link, NULL), 0);
	assert_int_equal(link.mtu, ORIGINAL);
	netlab_run("ip link set other0 name " LINK);
}

static void test_remade_after_commit(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_BEST);
	assert_int_equal(guard_set(t.guard, 1300, 5000, &err), 0);
	assert_int_equal(guard_commit(t.guard, &err), 0);
	remake_link();
	assert_int_equal(guard_commit(t.guard, &err), -ESTALE);
	assert_int_equal(guard_set(t.guard, 1320, 5000, &err), 0);
	assert_int_equal(guard_restore(t.guard, &err), 0);
	assert_int_equal(mtu_now(), 1444);
}

/* A failed restore of the guard is retried every second, and reported once. */
static void test_lease_fails(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_EACH);
	assert_int_equal(guard_set(t.guard, 1300, 5000, &err), 0);
	block_conf();
	assert_int_equal(guard_renew(t.guard, 1000, &err), 0);
	assert_said_within(1, 2000);
	assert_non_null(strstr(t.said->last, "the lease expired: cannot restore"));
	assert_int_equal(mtu_now(), ORIGINAL);
	wait_ms(2300);
	assert_int_equal(t.said->count, 1);
	assert_int_equal(guard_renew(t.guard, 60000, &err), -ESTALE);
	unblock_conf();
	assert_said_within(2, 1500);
	assert_both_back("retried: ", t.said->last);
	assert_file(t.conf, CONF);
	assert_int_equal(end_guard(), 0);
}

/* While a restore has not succeeded, only a restore is permitted: else our own conf
 * file would count as another program's. */
static void test_restore_fails(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_EACH);
	assert_int_equal(guard_set(t.guard, 1300, 5000, &err), 0);
	block_conf();
	assert_int_equal(guard_restore(t.guard, &err), -EBUSY);
	assert_int_equal(guard_set(t.guard, 1320, 60000, &err), -ESTALE);
	assert_non_null(strstr(err.text, "are not restored yet"));
	assert_int_equal(guard_renew(t.guard, 60000, &err), -ESTALE);
	assert_int_equal(mtu_now(), ORIGINAL);
	assert_file(t.conf, CONF_WITH("1300"));
	unblock_conf();
	/* The guard's own timer restores; neither of them has delayed it. */
	assert_said_within(1, 1500);
	assert_file(t.conf, CONF);
	assert_int_equal(guard_renew(t.guard, 5000, &err), 0);
	assert_int_equal(guard_set(t.guard, 1320, 5000, &err), 0);
	assert_int_equal(guard_restore(t.guard, &err), 0);
	assert_file(t.conf, CONF);
}

/* --- the messages --- */

/* As a main would that was taken over: the result of the guard. */
static int send_raw(const struct guard_request *request)
{
	struct guard_reply reply = {0};

	assert_int_equal(send(guard_fd(t.guard), request, sizeof(*request), 0),
			 sizeof(*request));
	assert_int_equal(recv(guard_fd(t.guard), &reply, sizeof(reply), 0),
			 sizeof(reply));
	return reply.result;
}

/* The verb alone decides which bounds hold: no set takes a probe's rights. */
static void test_set_is_no_probe(void **state)
{
	struct guard_request request = {
		.verb = GUARD_SET,
		.lease_ms = 5000,
		.change = {.probe = true, .mtu = 9000, .port = 4500},
	};

	(void)state;
	use_wireguard();
	start_guard(PERSIST_NONE);
	strcpy(request.change.address, "10.9.0.2");
	assert_int_equal(send_raw(&request), -ERANGE);
	request.change.mtu = 1300;
	assert_int_equal(send_raw(&request), 0);
	assert_int_equal(mtu_now(), 1300);
	assert_false(has_way());
	/* Nor does a probe take a set's, with which it would be kept. */
	request.verb = GUARD_PROBE;
	request.change.probe = false;
	request.change.mtu = 9000;
	assert_int_equal(send_raw(&request), 0);
	assert_true(has_way());
	/* The strings end, whatever main has sent. */
	memset(request.change.address, '1', sizeof(request.change.address));
	assert_int_equal(send_raw(&request), -EINVAL);
}

static int answer_late(void *ctx)
{
	const int *fd = ctx;
	struct guard_request request;
	struct guard_reply reply;

	for (int i = 0; i < 3; i++) {
		CHILD_CHECK(recv(*fd, &request, sizeof(request), 0) == sizeof(request));
		memset(&reply, 0, sizeof(reply));
		/* The answer of an earlier request that came too late for its asker. */
		reply.serial = request.serial - 1;
		reply.result = -EIO;
		CHILD_CHECK(send(*fd, &reply, sizeof(reply), 0) == sizeof(reply));
		reply.serial = request.serial;
		reply.result = i == 1 ? -ESTALE : 0;
		CHILD_CHECK(send(*fd, &reply, sizeof(reply), 0) == sizeof(reply));
	}
	return 0;
}

static void test_late_answers(void **state)
{
	struct guard *guard;
	int pair[2];
	int pid;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(pair[0]);
		_exit(answer_late(&pair[1]));
	}
	close(pair[1]);
	assert_int_equal(guard_new(pair[0], &guard, NULL), 0);
	assert_int_equal(guard_set(guard, 1300, 1000, NULL), 0);
	assert_int_equal(guard_set(guard, 1300, 1000, NULL), -ESTALE);
	assert_int_equal(guard_settle(guard, NULL), 0);
	guard_free(guard);
	assert_int_equal(netlab_wait(pid), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		GUARD_TEST(test_set_and_restore),
		GUARD_TEST(test_refuses),
		GUARD_TEST(test_probe),
		GUARD_TEST(test_probe_is_restored),
		GUARD_TEST(test_probe_of_others),
		GUARD_TEST(test_rule_in_front),
		GUARD_TEST(test_remote),
		GUARD_TEST(test_raw),
		GUARD_TEST(test_tap),
		GUARD_TEST(test_probe_is_not_kept),
		GUARD_TEST(test_lease_bounds),
		GUARD_TEST(test_lease),
		GUARD_TEST(test_main_dies),
		GUARD_TEST(test_keeper_dies),
		GUARD_TEST(test_guard_gone),
		GUARD_TEST(test_main_reads_nothing),
		GUARD_TEST(test_facts),
		GUARD_TEST(test_foreign_mtu),
		GUARD_TEST(test_foreign_interface),
		GUARD_TEST(test_renew_finds_changes),
		GUARD_TEST(test_renew_while_down),
		GUARD_TEST(test_remade_interface),
		GUARD_TEST(test_moved_interface),
		GUARD_TEST(test_renamed_interface),
		GUARD_TEST(test_remade_after_commit),
		GUARD_TEST(test_lease_fails),
		GUARD_TEST(test_restore_fails),
		GUARD_TEST(test_set_is_no_probe),
		GUARD_TEST(test_late_answers),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

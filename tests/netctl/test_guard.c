/*
 * The guard on a veth: leases, deaths, other people's changes, and the answers to main.
 * The guard is a process of its own, as in the programs.
 */

#include <errno.h>
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
	assert_string_equal(err.text, "'mtg0' has its MTU 1420 back");
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
	assert_int_equal(guard_set(t.guard, 1400, 0, &err), -ERANGE);
	assert_int_equal(guard_set(t.guard, 1400, -1, &err), -ERANGE);
	assert_int_equal(mtu_now(), ORIGINAL);
	assert_int_equal(guard_set(t.guard, 1400, 5000, &err), 0);
	assert_int_equal(guard_commit(t.guard, &err), -EACCES);
	netlab_run("ip link set " LINK " down");
	assert_int_equal(guard_set(t.guard, 1380, 5000, &err), -ENETDOWN);
	assert_int_equal(guard_restore(t.guard, &err), 0);
	assert_int_equal(mtu_now(), ORIGINAL);
}

static void add_address(void)
{
	netlab_run("ip addr add 10.9.0.1/24 dev " LINK);
}

static bool has_way(void)
{
	return netlab_try("ip rule del pref 77 dport 4500 to 10.9.0.2") == 0;
}

static void test_probe(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	add_address();
	start_guard(PERSIST_EACH);
	assert_int_equal(guard_probe(t.guard, 1279, "", 0, 5000, &err), -ERANGE);
	assert_int_equal(
		guard_probe(t.guard, GUARD_PROBE_MTU_MAX + 1, "", 0, 5000, &err),
		-ERANGE);
	assert_int_equal(guard_probe(t.guard, 1500, "10.9.0.2", 0, 5000, &err),
			 -ERANGE);
	assert_int_equal(mtu_now(), ORIGINAL);
	/* Beyond the lattice, with a way, and the conf file as it was. */
	assert_int_equal(guard_probe(t.guard, 1560, "10.9.0.2", 4500, 5000, &err), 0);
	assert_int_equal(mtu_now(), 1560);
	assert_file(t.conf, CONF);
	assert_int_equal(guard_probe(t.guard, 1280, "", 0, 5000, &err), 0);
	assert_int_equal(mtu_now(), 1280);
	assert_true(has_way());
	/* The first pair ends it. */
	assert_int_equal(guard_probe(t.guard, 1560, "10.9.0.2", 4500, 5000, &err), 0);
	assert_int_equal(guard_set(t.guard, 1400, 5000, &err), 0);
	assert_false(has_way());
	assert_int_equal(guard_restore(t.guard, &err), 0);
	assert_int_equal(mtu_now(), ORIGINAL);
}

static void test_probe_is_put_back(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	add_address();
	start_guard(PERSIST_NONE);
	assert_int_equal(guard_probe(t.guard, 1560, "10.9.0.2", 4500, 5000, &err), 0);
	assert_int_equal(guard_restore(t.guard, &err), 0);
	assert_int_equal(mtu_now(), ORIGINAL);
	assert_false(has_way());
	/* The lease's end, too. */
	assert_int_equal(guard_probe(t.guard, 1560, "10.9.0.2", 4500, 200, &err), 0);
	assert_mtu_within(ORIGINAL, 1000);
	assert_said_within(1, 1000);
	assert_false(has_way());
	/* A link that somebody else changed keeps theirs, but not our way. */
	assert_int_equal(guard_probe(t.guard, 1560, "10.9.0.2", 4500, 5000, &err), 0);
	netlab_run("ip link set " LINK " mtu 1333");
	assert_int_equal(guard_restore(t.guard, &err), -ESTALE);
	assert_int_equal(mtu_now(), 1333);
	assert_false(has_way());
}

static void test_no_tap(void **state)
{
	struct err err = ERR_INIT;
	int fd = -1;

	(void)state;
	start_guard(PERSIST_NONE);
	/* No WireGuard, so no endpoint. */
	assert_int_equal(guard_tap(t.guard, "10.9.0.2", &fd, &err), -ENOTCONN);
	assert_int_equal(fd, -1);
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
	/* The first answer may get lost: it is said again. */
	for (int i = 0; i < 3; i++)
		assert_int_equal(guard_renew(t.guard, 1000, &err), -ESTALE);
	assert_non_null(strstr(err.text, "had run out"));
	netlab_run("ip link set " LINK " down");
	assert_int_equal(guard_set(t.guard, 1300, 100, &err), -ENETDOWN);
	netlab_run("ip link set " LINK " up");
	assert_int_equal(guard_renew(t.guard, 1000, &err), -ESTALE);
	/* And again, from a fresh start. */
	assert_int_equal(guard_set(t.guard, 1320, 500, &err), 0);
	assert_int_equal(guard_renew(t.guard, 500, &err), 0);
	assert_mtu_within(ORIGINAL, 3000);
	assert_int_equal(guard_renew(t.guard, 1000, &err), -ESTALE);
	assert_int_equal(guard_restore(t.guard, &err), 0);
	assert_int_equal(guard_renew(t.guard, 1000, &err), 0);
	assert_int_equal(t.said->count, 2);
	assert_string_equal(t.said->last,
			    "the lease ran out: 'mtg0' has its MTU 1420 back");
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

/* Answers that nobody takes must not keep the lease from running out. */
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

/* A renewal looks at the link; one set back by hand to what it was is changed too. */
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
		assert_int_equal(guard_renew(t.guard, 5000, &err), -ESTALE);
		assert_non_null(strstr(err.text, "by somebody else (it was 1300)"));
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
	assert_int_equal(guard_set(t.guard, 1300, 300, &err), 0);
	netlab_run("ip link set " LINK " down");
	for (int i = 0; i < 4; i++) {
		assert_int_equal(guard_renew(t.guard, 300, &err), -ENETDOWN);
		assert_string_equal(err.text, "interface 'mtg0' is down");
		wait_ms(150);
	}
	assert_int_equal(mtu_now(), 1300);
	assert_mtu_within(ORIGINAL, 1000);
}

static void remake_link(void)
{
	netlab_run("ip link del " LINK);
	netlab_run("ip link add " LINK " type veth peer name mtpeer");
	netlab_run("ip link set " LINK " mtu 1444 up");
}

/* In a session another interface of the name is refused, also when a lease ran out
 * between; the next session takes it. */
static void test_remade_interface(void **state)
{
	struct guard_facts facts = {0};
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_NONE);
	assert_int_equal(guard_set(t.guard, 1300, 100, &err), 0);
	assert_mtu_within(ORIGINAL, 1000);
	remake_link();
	assert_int_equal(guard_set(t.guard, 1300, 5000, &err), -ESTALE);
	assert_non_null(strstr(err.text, "deleted and made again"));
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

/* What fails in the guard by itself is tried every second, and said once. */
static void test_lease_fails(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_EACH);
	assert_int_equal(guard_set(t.guard, 1300, 5000, &err), 0);
	block_conf();
	assert_int_equal(guard_renew(t.guard, 500, &err), 0);
	assert_said_within(1, 1000);
	assert_non_null(strstr(t.said->last, "the lease ran out: cannot restore"));
	assert_int_equal(mtu_now(), ORIGINAL);
	wait_ms(2300);
	assert_int_equal(t.said->count, 1);
	assert_int_equal(guard_renew(t.guard, 60000, &err), -ESTALE);
	unblock_conf();
	assert_said_within(2, 1500);
	assert_both_back("tried again: ", t.said->last);
	assert_file(t.conf, CONF);
	assert_int_equal(end_guard(), 0);
}

/* Nothing but the way back while it is not done: else our own conf file would pass for
 * somebody else's. */
static void test_restore_fails(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	start_guard(PERSIST_EACH);
	assert_int_equal(guard_set(t.guard, 1300, 5000, &err), 0);
	block_conf();
	assert_int_equal(guard_restore(t.guard, &err), -EBUSY);
	assert_int_equal(guard_set(t.guard, 1320, 60000, &err), -ESTALE);
	assert_non_null(strstr(err.text, "has not succeeded yet"));
	assert_int_equal(guard_renew(t.guard, 60000, &err), -ESTALE);
	assert_int_equal(mtu_now(), ORIGINAL);
	assert_file(t.conf, CONF_WITH("1300"));
	unblock_conf();
	/* The guard's own timer, which neither of them put off. */
	assert_said_within(1, 1500);
	assert_file(t.conf, CONF);
	assert_int_equal(guard_renew(t.guard, 5000, &err), 0);
	assert_int_equal(guard_set(t.guard, 1320, 5000, &err), 0);
	assert_int_equal(guard_restore(t.guard, &err), 0);
	assert_file(t.conf, CONF);
}

/* --- the wire --- */

static int answer_late(void *ctx)
{
	const int *fd = ctx;
	struct guard_request request;
	struct guard_reply reply;

	for (int i = 0; i < 3; i++) {
		NETLAB_CHECK(recv(*fd, &request, sizeof(request), 0) ==
			     sizeof(request));
		memset(&reply, 0, sizeof(reply));
		/* As when the one before came too late for its asker. */
		reply.serial = request.serial - 1;
		reply.result = -EIO;
		NETLAB_CHECK(send(*fd, &reply, sizeof(reply), 0) == sizeof(reply));
		reply.serial = request.serial;
		reply.result = i == 1 ? -ESTALE : 0;
		NETLAB_CHECK(send(*fd, &reply, sizeof(reply), 0) == sizeof(reply));
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
		GUARD_TEST(test_probe_is_put_back),
		GUARD_TEST(test_no_tap),
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
		GUARD_TEST(test_renamed_interface),
		GUARD_TEST(test_remade_after_commit),
		GUARD_TEST(test_lease_fails),
		GUARD_TEST(test_restore_fails),
		GUARD_TEST(test_late_answers),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* A WireGuard interface that was made in one network namespace and moved to another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cap-ng.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/io.h"
#include "guardlab.h"
#include "netctl/outside.h"
#include "netctl/probetap.h"
#include "netctl/rtlink.h"
#include "netlab.h"

/* The first namespace, in which the interface is made, and a process in it. */
static int there = -1;
static int keeper;
static struct outside outside = OUTSIDE_NONE;
/* The port of the interface, which no other namespace of this host has. */
static int port;

static void enter(int namespace)
{
	assert_int_equal(setns(namespace, CLONE_NEWNET), 0);
}

static int own_namespace(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* Make the interface, with an endpoint that is reachable where it is made, and move it to
 * a namespace that has nothing else. This process follows it. */
static int set_up(void **state)
{
	char command[160];
	int here;

	assert_int_equal(guardlab_set_up(state), 0);
	use_wireguard();
	port = 20000 + getpid() % 10000;
	snprintf(command, sizeof(command), "wg set " LINK " listen-port %d", port);
	netlab_run(command);
	netlab_run("ip link add out mtu 1444 type veth peer name far");
	netlab_run("ip addr add 192.0.2.1/24 dev out");
	netlab_run("ip link set far up");
	netlab_run("ip link set out up");
	use_endpoint("192.0.2.9");
	keeper = netlab_start("sleep 600");
	there = own_namespace();
	netlab_enter();
	here = own_namespace();
	enter(there);
	snprintf(command, sizeof(command), "ip link set " LINK " netns /proc/%d/fd/%d",
		 getpid(), here);
	netlab_run(command);
	enter(here);
	close(here);
	netlab_run("ip link set " LINK " mtu 1420 up");
	netlab_run("ip addr add 10.9.0.1/24 dev " LINK);
	netlab_run("ip route add default dev " LINK);
	return 0;
}

static int tear_down(void **state)
{
	outside_close(&outside);
	netlab_stop(keeper);
	fd_close(&there);
	return guardlab_tear_down(state);
}

static void open_outside(void)
{
	struct err err = ERR_INIT;

	if (outside_open(LINK, &outside, &err) < 0)
		fail_msg("%s", err.text);
}

static void test_lists(void **state)
{
#define REST " 07 00000000:00000000 00:00000000 00000000 "
	static const char list[] =
		"   sl  local_address rem_address   st tx_queue rx_queue tr tm->when "
		"retrnsmt   uid  timeout inode ref pointer drops\n"
		"  126: 00000000:CB1F 00000000:0000" REST "    0        0 1 2 0 0\n"
		"  127: 0100007F:0035 0100007F:CB20" REST "    0        0 1 2 0 0\n"
		"  128: 00000000:0050 00000000:0000" REST " 1000        0 1 2 0 0\n"
		"   9: 00000000000000000000000000000000:1F90 "
		"00000000000000000000000000000000:0000" REST "    0        0 1 2 0 0\n";

	(void)state;
	assert_true(outside_lists_port(list, 0xCB1F, true));
	assert_true(outside_lists_port(list, 0x1F90, true));
	/* A connected socket is no WireGuard's. */
	assert_false(outside_lists_port(list, 0x35, false));
	assert_false(outside_lists_port(list, 0xCB20, false));
	assert_false(outside_lists_port(list, 7, false));
	assert_false(outside_lists_port("", 7, false));
	assert_false(outside_lists_port("  1: 00000000:", 0, false));
	/* Another user's. */
	assert_true(outside_lists_port(list, 0x50, false));
	assert_false(outside_lists_port(list, 0x50, true));
}

/* Lookups, and the path MTU, are those of the namespace that it was made in. */
static void test_lookups(void **state)
{
	struct rtroute route;
	struct rtlink link;
	int mtu = 0;

	(void)state;
	assert_int_equal(rtlink_get(LINK, &link, NULL), 0);
	assert_true(outside_is_elsewhere(port));
	open_outside();
	assert_int_equal(outside.ifindex, link.index);
	assert_non_null(strstr(outside.name, "process"));
	assert_int_equal(rtroute_get_at(&outside.place, "192.0.2.9", &route, NULL), 0);
	assert_string_equal(route.oif_name, "out");
	assert_false(route.local);
	assert_int_equal(rtroute_get_at(&outside.place, "192.0.2.1", &route, NULL), 0);
	assert_true(route.local);
	assert_int_equal(rtroute_get("192.0.2.9", &route, NULL), 0);
	assert_string_equal(route.oif_name, LINK);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
			rtroute_path_mtu(&outside.place, "192.0.2.9", i, &mtu, NULL),
			0);
		assert_int_equal(mtu, 1444);
	}
	assert_int_equal(rtroute_path_mtu(&outside.place, "127.0.0.1", 0, &mtu, NULL),
			 0);
	assert_int_equal(mtu, 65535);
	assert_int_equal(rtroute_flush_exceptions(&outside.place, NULL), 0);
	outside_close(&outside);
	assert_int_equal(outside.packets, -1);
	assert_int_equal(outside.place.netlink, -1);
}

/* In its own namespace nothing is looked for. */
static void test_here(void **state)
{
	(void)state;
	netlab_run("ip link del " LINK);
	enter(there);
	if (t.daemon)
		netlab_stop(t.daemon);
	t.daemon = 0;
	netlab_run("ip link add " LINK " type veth peer name mtpeer2");
	use_wireguard();
	open_outside();
	assert_int_equal(outside.ifindex, 0);
	assert_int_equal(outside.packets, -1);
	/* Nothing can be told of a port that is not known. */
	assert_false(outside_is_elsewhere(0));
	assert_int_equal(outside_open("nothing0", &outside, NULL), 0);
	assert_int_equal(outside.ifindex, 0);
}

static int hold_port(void *ctx)
{
	struct sockaddr_storage any;
	int *ready = ctx;
	int fd;

	if (unshare(CLONE_NEWNET) < 0 || address_parse("0.0.0.0", port, &any) < 0)
		return 1;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (bind(fd, (const struct sockaddr *)&any, address_size(&any)) < 0 ||
	    write(*ready, "", 1) != 1)
		return 1;
	pause();
	return 0;
}

/* A third namespace has the same port, and no interface that explains it: only a daemon
 * can be known by its control socket. */
static void test_ambiguous(void **state)
{
	struct err err = ERR_INIT;
	int ready[2];
	char byte;
	int pid;

	(void)state;
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0)
		_exit(hold_port(&ready[1]));
	assert_int_equal(read(ready[0], &byte, 1), 1);
	if (t.daemon) {
		open_outside();
		assert_true(outside.ifindex > 0);
	} else {
		assert_int_equal(outside_open(LINK, &outside, &err), -ENOTUNIQ);
		assert_non_null(strstr(err.text, "several namespaces"));
		assert_int_equal(outside.ifindex, 0);
	}
	netlab_stop(pid);
	close(ready[0]);
	close(ready[1]);
}

static int look_without_rights(void *ctx)
{
	struct err err = ERR_INIT;

	(void)ctx;
	capng_get_caps_process();
	capng_updatev(CAPNG_DROP, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_SYS_ADMIN,
		      CAP_SYS_PTRACE, -1);
	CHILD_CHECK(capng_apply(CAPNG_SELECT_CAPS) == 0);
	CHILD_CHECK(outside_open(LINK, &outside, &err) < 0);
	CHILD_CHECK(strstr(err.text, "'" LINK "': its outer packets are in another "
				     "network namespace and cannot be seen: cannot "
				     "look into "));
	CHILD_CHECK(outside.ifindex == 0 && outside.packets == -1);
	return 0;
}

static void test_no_rights(void **state)
{
	(void)state;
	assert_int_equal(netlab_child(look_without_rights, NULL), 0);
}

/* --- the tap --- */

static void send_there(const char *to, size_t size)
{
	static const char data[2000];
	struct sockaddr_storage target;
	cleanup_fd int fd = -1;
	int here = own_namespace();

	enter(there);
	assert_int_equal(address_parse(to, 4600, &target), 0);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(sendto(fd, data, size - 8, 0, (const struct sockaddr *)&target,
			   address_size(&target)) > 0);
	enter(here);
	close(here);
}

static bool is_seen(struct probetap *tap, enum probetap_way way, int size)
{
	int64_t deadline_ms = clock_boot_ms() + 2000;
	struct probetap_seen seen;

	do {
		probetap_read(tap);
		seen = probetap_look(tap, way, size);
	} while (!seen.whole && clock_left_ms(deadline_ms) > 0 && !usleep(1000));
	return seen.whole;
}

/* One socket serves two probes, one after the other. */
static void test_tap(void **state)
{
	struct probetap_target target = {.address = "127.0.0.9", .port = 4600};
	struct probetap_target other = {.address = "127.0.0.8", .port = 4600};
	struct probetap *tap;
	pid_t pid;
	int fd;

	(void)state;
	open_outside();
	assert_int_equal(probetap_start(&other, outside.packets, &pid, &fd, NULL), 0);
	probetap_stop(&pid);
	close(fd);
	send_there("127.0.0.8", 801);
	assert_int_equal(probetap_start(&target, outside.packets, &pid, &fd, NULL), 0);
	assert_int_equal(probetap_new(fd, &tap, NULL), 0);
	send_there("127.0.0.8", 802);
	probetap_read(tap);
	assert_false(probetap_saw(tap, PROBETAP_OUT));
	send_there("127.0.0.9", 803);
	assert_true(is_seen(tap, PROBETAP_OUT, 803));
	assert_true(probetap_saw(tap, PROBETAP_OUT));
	assert_false(probetap_look(tap, PROBETAP_OUT, 801).whole);
	assert_false(probetap_look(tap, PROBETAP_OUT, 802).whole);
	probetap_free(tap);
	probetap_stop(&pid);
	probetap_silence(outside.packets);
	send_there("127.0.0.9", 804);
	assert_int_equal(io_wait(outside.packets, -1, clock_boot_ms() + 50), 0);
}

/* --- the guard --- */

static void test_guard_sees(void **state)
{
	struct guard_facts facts;

	(void)state;
	open_outside();
	t.outside = &outside;
	start_guard(PERSIST_NONE);
	assert_int_equal(guard_get_facts(t.guard, "10.9.0.2", &facts, NULL), 0);
	assert_string_equal(facts.endpoint, "192.0.2.9");
	assert_false(facts.unseen);
	assert_int_equal(facts.outer_mtu, 1444);
	assert_false(facts.endpoint_local);
	assert_int_equal(guard_settle(t.guard, NULL), 0);
}

/* An interface with another index is not the one that was looked for. */
static void test_guard_compares(void **state)
{
	struct guard_facts facts;

	(void)state;
	open_outside();
	outside.ifindex++;
	t.outside = &outside;
	start_guard(PERSIST_NONE);
	assert_int_equal(guard_get_facts(t.guard, "10.9.0.2", &facts, NULL), 0);
	assert_true(facts.unseen);
	assert_int_equal(facts.outer_mtu, 0);
}

static void test_guard_taps(void **state)
{
	struct guard_facts facts;
	struct probetap *tap;
	int fd;

	(void)state;
	use_endpoint("127.0.0.9");
	open_outside();
	t.outside = &outside;
	start_guard(PERSIST_NONE);
	assert_int_equal(guard_get_facts(t.guard, "10.9.0.2", &facts, NULL), 0);
	/* A relay there. */
	assert_true(facts.endpoint_local);
	assert_int_equal(guard_probe(t.guard, 1400, "10.9.0.2", 0, 5000, NULL), 0);
	assert_int_equal(guard_tap(t.guard, &fd, NULL), 0);
	assert_int_equal(probetap_new(fd, &tap, NULL), 0);
	send_there("127.0.0.9", 900);
	assert_true(is_seen(tap, PROBETAP_OUT, 900));
	probetap_free(tap);
	assert_int_equal(guard_restore(t.guard, NULL), 0);
}

static void test_guard_cannot_see(void **state)
{
	struct guard_facts facts;

	(void)state;
	start_guard(PERSIST_NONE);
	assert_int_equal(guard_get_facts(t.guard, "10.9.0.2", &facts, NULL), 0);
	assert_true(facts.unseen);
	assert_int_equal(facts.outer_mtu, 0);
}

#define OUTSIDE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		OUTSIDE_TEST(test_lookups),
		OUTSIDE_TEST(test_here),
		OUTSIDE_TEST(test_ambiguous),
		OUTSIDE_TEST(test_no_rights),
		OUTSIDE_TEST(test_tap),
		OUTSIDE_TEST(test_guard_sees),
		OUTSIDE_TEST(test_guard_taps),
		OUTSIDE_TEST(test_guard_cannot_see),
		OUTSIDE_TEST(test_guard_compares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

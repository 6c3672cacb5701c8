/* SPDX-License-Identifier: MIT */
/* The tap and the probe way, on real interfaces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <linux/filter.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/io.h"
#include "netctl/outerpkt.h"
#include "netctl/proberoute.h"
#include "netctl/probetap.h"
#include "netctl/rtroute.h"
#include "netlab.h"

#define PORT     4500
#define LINK_MTU "1500"

static int set_up(void **state)
{
	(void)state;
	netlab_enter();
	netlab_run("ip link set lo mtu " LINK_MTU);
	netlab_run("ip addr add 127.0.0.9/8 dev lo");
	netlab_run("ip -6 addr add fd00::9/128 dev lo");
	return 0;
}

/* Send a UDP datagram of `size` bytes, header included, from the port to the port. */
static void send_udp(const char *from, const char *to, int port, size_t size)
{
	static const char data[4000];
	struct sockaddr_storage source;
	struct sockaddr_storage target;
	cleanup_fd int fd = -1;
	int on = 1;

	assert_int_equal(address_parse(from, port, &source), 0);
	assert_int_equal(address_parse(to, port, &target), 0);
	fd = socket(source.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(
		bind(fd, (const struct sockaddr *)&source, address_size(&source)), 0);
	assert_int_equal(sendto(fd, data, size - 8, 0, (const struct sockaddr *)&target,
				address_size(&target)),
			 (ssize_t)size - 8);
}

static struct probetap_target target_of(const char *endpoint)
{
	struct probetap_target target = {.port = PORT};

	snprintf(target.address, sizeof(target.address), "%s", endpoint);
	return target;
}

static pid_t tap_pid;

static struct probetap *tap_on(const char *endpoint)
{
	struct probetap_target target = target_of(endpoint);
	struct err err = ERR_INIT;
	struct probetap *tap;
	int fd;

	if (probetap_start(&target, -1, &tap_pid, &fd, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(probetap_new(fd, &tap, NULL), 0);
	return tap;
}

static int tear_down(void **state)
{
	(void)state;
	probetap_stop(&tap_pid);
	return 0;
}

static const char *look(struct probetap *tap, enum probetap_way way, int size)
{
	struct probetap_seen seen;

	probetap_read(tap);
	seen = probetap_look(tap, way, size);
	return seen.whole && seen.fragmented ? "both"
	       : seen.whole                  ? "whole"
	       : seen.fragmented             ? "fragmented"
					     : "nothing";
}

/* A packet may be delivered a moment after it was sent. */
static void assert_seen(struct probetap *tap, enum probetap_way way, int size,
			const char *expected)
{
	int64_t deadline_ms = clock_boot_ms() + 2000;

	while (strcmp(look(tap, way, size), expected) != 0 &&
	       clock_left_ms(deadline_ms) > 0)
		usleep(1000);
	assert_string_equal(look(tap, way, size), expected);
}

static void look_at(const char *own, const char *endpoint, int largest)
{
	struct probetap *tap = tap_on(endpoint);

	send_udp(own, endpoint, PORT, 900);
	send_udp(own, endpoint, PORT, (size_t)largest);
	send_udp(own, endpoint, PORT, (size_t)largest + 1);
	send_udp(own, endpoint, PORT + 1, 901);
	send_udp(own, own, PORT, 902);
	assert_seen(tap, PROBETAP_OUT, 900, "whole");
	assert_seen(tap, PROBETAP_OUT, largest, "whole");
	assert_seen(tap, PROBETAP_OUT, largest + 1, "fragmented");
	assert_seen(tap, PROBETAP_OUT, 901, "nothing");
	assert_seen(tap, PROBETAP_OUT, 902, "nothing");
	send_udp(endpoint, own, PORT, (size_t)largest - 1);
	send_udp(endpoint, own, PORT, 3000);
	assert_seen(tap, PROBETAP_IN, largest - 1, "whole");
	assert_seen(tap, PROBETAP_IN, 3000, "fragmented");
	probetap_forget(tap, PROBETAP_OUT);
	assert_seen(tap, PROBETAP_IN, 3000, "fragmented");
	assert_seen(tap, PROBETAP_OUT, 900, "nothing");
	probetap_forget(tap, PROBETAP_IN);
	assert_seen(tap, PROBETAP_IN, 3000, "nothing");
	/* After its end no packet is seen any more. */
	send_udp(own, endpoint, PORT, 903);
	probetap_stop(&tap_pid);
	assert_seen(tap, PROBETAP_OUT, 903, "nothing");
	probetap_free(tap);
}

static void test_ipv4(void **state)
{
	(void)state;
	look_at("127.0.0.1", "127.0.0.9", 1480);
}

static void test_ipv6(void **state)
{
	(void)state;
	look_at("::1", "fd00::9", 1460);
}

static int try_other_filter(void *ctx)
{
	struct sock_filter all[] = {BPF_STMT(BPF_RET | BPF_K, 65535)};
	struct sock_fprog program = {.len = 1, .filter = all};
	struct probetap_target target = target_of("127.0.0.9");
	int *fd = ctx;

	CHILD_CHECK(netlab_drop_root() == 0);
	CHILD_CHECK(setsockopt(*fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
			       sizeof(program)) < 0 &&
		    errno == EPERM);
	CHILD_CHECK(setsockopt(*fd, SOL_SOCKET, SO_DETACH_FILTER, all, sizeof(int)) <
			    0 &&
		    errno == EPERM);
	CHILD_CHECK(probetap_open(&target, fd, NULL) == -EPERM);
	return 0;
}

/* A process that has the socket cannot see more. */
static void test_locked(void **state)
{
	struct probetap_target target = target_of("127.0.0.9");
	int fd;

	(void)state;
	assert_int_equal(probetap_open(&target, &fd, NULL), 0);
	assert_int_equal(netlab_child(try_other_filter, &fd), 0);
	close(fd);
	target = target_of("localhost");
	assert_int_equal(probetap_open(&target, &fd, NULL), -EINVAL);
}

/* Count the bytes of packets that the socket itself gives, until none comes for a
 * while. */
static int packets_of(int fd)
{
	unsigned char head[OUTERPKT_HEAD];
	int count = 0;

	while (io_wait(fd, -1, clock_boot_ms() + 100) > 0) {
		if (recv(fd, head, sizeof(head), MSG_DONTWAIT) > 0)
			count++;
	}
	return count;
}

static void only_the_target(const char *own, const char *endpoint)
{
	struct probetap_target target = target_of(endpoint);
	cleanup_fd int fd = -1;

	assert_int_equal(probetap_open(&target, &fd, NULL), 0);
	send_udp(own, endpoint, PORT + 1, 901);
	send_udp(endpoint, own, PORT + 1, 901);
	send_udp(own, own, PORT, 902);
	assert_int_equal(packets_of(fd), 0);
	/* On the loopback each packet is seen on its way out and in. */
	send_udp(own, endpoint, PORT, 900);
	send_udp(endpoint, own, PORT, 3000);
	assert_int_equal(packets_of(fd), 4);
}

/* The kernel gives no packet of another port or address to that process. */
static void test_filter(void **state)
{
	(void)state;
	only_the_target("127.0.0.1", "127.0.0.9");
	only_the_target("::1", "fd00::9");
}

/* More sizes than one message has room for. */
static void test_many_sizes(void **state)
{
	struct probetap *tap = tap_on("127.0.0.9");

	(void)state;
	for (size_t size = 20; size < 1470; size++)
		send_udp("127.0.0.1", "127.0.0.9", PORT, size);
	assert_seen(tap, PROBETAP_OUT, 1469, "whole");
	for (int size = 20; size < 1470; size++)
		assert_true(probetap_look(tap, PROBETAP_OUT, size).whole);
	probetap_free(tap);
}

/* --- the way --- */

static const char *connected_mtu(const char *to, int port)
{
	static char text[16];
	struct sockaddr_storage target;
	cleanup_fd int fd = -1;
	socklen_t size = sizeof(int);
	int mtu = 0;

	assert_int_equal(address_parse(to, port, &target), 0);
	fd = socket(target.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
		connect(fd, (const struct sockaddr *)&target, address_size(&target)),
		0);
	if (target.ss_family == AF_INET)
		getsockopt(fd, IPPROTO_IP, IP_MTU, &mtu, &size);
	else
		getsockopt(fd, IPPROTO_IPV6, IPV6_MTU, &mtu, &size);
	snprintf(text, sizeof(text), "%d", mtu);
	return text;
}

static void check_way(const char *address)
{
	struct proberoute way = {
		.ifindex = (int)if_nametoindex("mt0"),
		.port = PORT,
	};
	struct err err = ERR_INIT;

	snprintf(way.address, sizeof(way.address), "%s", address);
	assert_string_equal(connected_mtu(address, PORT), "1400");
	if (proberoute_add(&way, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(proberoute_add(&way, &err), 0);
	assert_string_equal(connected_mtu(address, PORT), "1");
	assert_string_equal(connected_mtu(address, PORT + 1), "1400");
	assert_int_equal(proberoute_remove(&way, &err), 0);
	assert_string_equal(connected_mtu(address, PORT), "1400");
	assert_int_equal(proberoute_remove(&way, &err), 0);
	/* After its interface is gone, only the rule is left. */
	assert_int_equal(proberoute_add(&way, &err), 0);
}

static void test_way(void **state)
{
	(void)state;
	netlab_run("ip link add mt0 type veth peer name mt1");
	netlab_run("ip link set mt0 mtu 1400 up");
	netlab_run("ip link set mt1 up");
	netlab_run("ip addr add 10.0.0.1/24 dev mt0");
	netlab_run("ip addr add fd01::1/64 dev mt0 nodad");
	check_way("10.0.0.2");
	check_way("fd01::2");
}

/* Hosts with several uplinks, and VPNs, have rules of their own for private networks. */
static void test_way_beside_rules(void **state)
{
	struct proberoute way = {.address = "10.0.0.2", .port = PORT};
	struct err err = ERR_INIT;

	(void)state;
	netlab_run("ip link add mt0 mtu 1400 up type veth peer name mt1");
	netlab_run("ip link set mt1 up");
	netlab_run("ip addr add 10.0.0.1/24 dev mt0");
	way.ifindex = (int)if_nametoindex("mt0");
	netlab_run("ip rule add pref 2 to 10.0.0.0/8 lookup main");
	assert_int_equal(proberoute_add(&way, NULL), 0);
	assert_string_equal(connected_mtu(way.address, PORT), "1");
	assert_int_equal(proberoute_remove(&way, NULL), 0);
	netlab_run("ip rule add pref 1 to 10.0.0.0/8 lookup main");
	assert_int_equal(proberoute_add(&way, &err), -EOPNOTSUPP);
	assert_string_equal(
		err.text,
		"probes to '10.0.0.2' take another route than theirs, perhaps "
		"by a routing rule of this host with priority 0 or 1");
	netlab_run("ip rule del pref 1");
	assert_int_equal(netlab_try("ip rule del pref 1"), 2);
	assert_string_equal(connected_mtu(way.address, PORT), "1400");
}

static void test_way_without_link(void **state)
{
	struct proberoute way = {.ifindex = 4711, .address = "10.0.0.2", .port = PORT};

	(void)state;
	assert_true(proberoute_add(&way, NULL) < 0);
	assert_int_equal(netlab_try("ip rule del pref 1"), 2);
	assert_int_equal(proberoute_remove(&way, NULL), 0);
	way.ifindex = (int)if_nametoindex("lo");
	assert_int_equal(proberoute_add(&way, NULL), 0);
	netlab_run("ip link set lo down");
	assert_int_equal(proberoute_remove(&way, NULL), 0);
	assert_int_equal(netlab_try("ip rule del pref 1"), 2);
}

#define ROOT_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROOT_TEST(test_ipv4),
		ROOT_TEST(test_ipv6),
		ROOT_TEST(test_locked),
		ROOT_TEST(test_filter),
		ROOT_TEST(test_many_sizes),
		ROOT_TEST(test_way),
		ROOT_TEST(test_way_beside_rules),
		ROOT_TEST(test_way_without_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

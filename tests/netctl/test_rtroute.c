/* SPDX-License-Identifier: MIT */
/*
 * Routes and path MTU exceptions, real ones, in a namespace of their own:
 *
 *	"here" 10.9.0.1/24, 2001:db8:9::1/64  ----veth----  "there", which says nothing
 *
 * An exception is made as a router makes it: with an ICMP error about a datagram that a
 * socket of ours could have sent. It comes in by "lo".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "netctl/rtroute.h"
#include "netlab.h"

#define HERE4  "10.9.0.1"
#define THERE4 "10.9.0.2"
#define HERE6  "2001:db8:9::1"
#define THERE6 "2001:db8:9::2"
#define PORT   9999
#define LEARNT 1300

/* The kernel adds an IPv6 address at once, and its local route from a work queue. */
static int wait_for_local_route(void)
{
	int64_t deadline_ms = clock_boot_ms() + 5000;
	struct rtroute route;

	while (rtroute_get(HERE6, &route, NULL) < 0 || !route.local) {
		if (clock_boot_ms() > deadline_ms)
			return -1;
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	return 0;
}

static int enter(void **state)
{
	(void)state;
	netlab_enter();
	netlab_run("ip link add here type veth peer name there");
	/* Older kernels bring a link up before they apply the mode. */
	netlab_run("ip link set there addrgenmode none");
	netlab_run("ip link set here addrgenmode none");
	netlab_run("ip link set there up");
	netlab_run("ip link set here up");
	netlab_run("ip addr add " HERE4 "/24 dev here");
	netlab_run("ip addr add " HERE6 "/64 dev here nodad");
	return wait_for_local_route();
}

/* --- rtroute_get() --- */

static const struct route_case {
	const char *add; /* "ip" arguments, or NULL */
	const char *address;
	int code;
	const char *oif;
	const char *source;
	int mtu;
	bool local;
} routes[] = {
	{NULL, "10.9.0.7", 0, "here", HERE4, 0, false},
	{NULL, "2001:db8:9::7", 0, "here", HERE6, 0, false},
	{NULL, HERE4, 0, "lo", HERE4, 0, true},
	{NULL, HERE6, 0, "lo", HERE6, 0, true},
	{NULL, "127.0.0.1", 0, "lo", "127.0.0.1", 0, true},
	{"route add 10.20.0.0/16 via 10.9.0.2", "10.20.1.1", 0, "here", HERE4, 0,
	 false},
	{"route add 10.21.0.0/16 via 10.9.0.2 mtu 1300", "10.21.1.1", 0, "here", HERE4,
	 1300, false},
	{"route add 10.22.0.0/16 dev here mtu lock 1280", "10.22.1.1", 0, "here", HERE4,
	 1280, false},
	{"route add 10.23.0.0/16 dev here advmss 1000", "10.23.1.1", 0, "here", HERE4,
	 0, false},
	{"route add 10.24.0.0/16 dev there src 10.9.0.1", "10.24.1.1", 0, "there",
	 HERE4, 0, false},
	{"-6 route add 2001:db8:21::/48 via 2001:db8:9::2 mtu 1300", "2001:db8:21::1",
	 0, "here", HERE6, 1300, false},
	{"-6 route add 2001:db8:22::/48 dev here", "2001:db8:22::1", 0, "here", HERE6,
	 0, false},
	{NULL, "10.77.0.1", -ENETUNREACH, "", "", 0, false},
	{NULL, "2001:db8:77::1", -ENETUNREACH, "", "", 0, false},
	{"route add unreachable 10.31.0.0/16", "10.31.0.1", -ENETUNREACH, "", "", 0,
	 false},
	{"route add prohibit 10.32.0.0/16", "10.32.0.1", -ENETUNREACH, "", "", 0,
	 false},
	{"route add blackhole 10.33.0.0/16", "10.33.0.1", -ENETUNREACH, "", "", 0,
	 false},
	{"-6 route add unreachable 2001:db8:31::/48", "2001:db8:31::1", -ENETUNREACH,
	 "", "", 0, false},
	{"-6 route add prohibit 2001:db8:32::/48", "2001:db8:32::1", -ENETUNREACH, "",
	 "", 0, false},
	{"-6 route add blackhole 2001:db8:33::/48", "2001:db8:33::1", -ENETUNREACH, "",
	 "", 0, false},
	{NULL, "", -EINVAL, "", "", 0, false},
	{NULL, "server.example", -EINVAL, "", "", 0, false},
	{NULL, "10.9.0.1/24", -EINVAL, "", "", 0, false},
	{NULL, "fe80::1%here", -EINVAL, "", "", 0, false},
};

static void check_route(const struct route_case *c)
{
	struct rtroute route = {.oif = 77};
	struct err err = ERR_INIT;

	assert_int_equal(rtroute_get(c->address, &route, &err), c->code);
	if (c->code < 0) {
		assert_int_equal(route.oif, 77);
		assert_non_null(strstr(err.text, c->address));
		return;
	}
	assert_string_equal(err.text, "");
	assert_string_equal(route.oif_name, c->oif);
	assert_int_equal(route.oif, if_nametoindex(c->oif));
	assert_string_equal(route.source, c->source);
	assert_int_equal(route.mtu, c->mtu);
	assert_int_equal(route.advmss,
			 c->add && strstr(c->add, " advmss 1000") ? 1000 : 0);
	assert_int_equal(route.local, c->local);
}

static void test_get(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		char command[128];

		print_message("  %s\n", routes[i].address);
		if (routes[i].add) {
			snprintf(command, sizeof(command), "ip %s", routes[i].add);
			netlab_run(command);
		}
		check_route(&routes[i]);
	}
}

/* --- exceptions --- */

static uint16_t checksum(const void *data, size_t size)
{
	const uint8_t *at = data;
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < size; i += 2)
		sum += (uint32_t)(at[i] << 8 | at[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static int connected(int family, struct sockaddr_storage *ret_here)
{
	struct sockaddr_in there4 = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	struct sockaddr_in6 there6 = {.sin6_family = AF_INET6,
				      .sin6_port = htons(PORT)};
	socklen_t size = sizeof(*ret_here);
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int rc;

	inet_pton(AF_INET, THERE4, &there4.sin_addr);
	inet_pton(AF_INET6, THERE6, &there6.sin6_addr);
	if (family == AF_INET)
		rc = connect(fd, (struct sockaddr *)&there4, sizeof(there4));
	else
		rc = connect(fd, (struct sockaddr *)&there6, sizeof(there6));
	if (rc < 0 || getsockname(fd, (struct sockaddr *)ret_here, &size) < 0)
		fd_close(&fd);
	return fd;
}

/* The path MTU to the other end that the kernel has cached, by a new socket. */
static int path_mtu(int family)
{
	struct sockaddr_storage here;
	cleanup_fd int fd = connected(family, &here);
	socklen_t size = sizeof(int);
	int mtu = -1;

	if (family == AF_INET)
		getsockopt(fd, IPPROTO_IP, IP_MTU, &mtu, &size);
	else
		getsockopt(fd, IPPROTO_IPV6, IPV6_MTU, &mtu, &size);
	return mtu;
}

/* "Fragmentation needed" (RFC 792, RFC 1191) about a datagram from that port. */
static int send_frag_needed(int about_port)
{
	struct {
		struct icmphdr icmp;
		struct iphdr ip;
		struct udphdr udp;
	} error = {
		.icmp = {.type = ICMP_DEST_UNREACH, .code = ICMP_FRAG_NEEDED},
		.ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP},
		.udp = {.source = (uint16_t)about_port, .dest = htons(PORT)},
	};
	struct sockaddr_in here = {.sin_family = AF_INET};
	cleanup_fd int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);

	inet_pton(AF_INET, HERE4, &here.sin_addr);
	error.icmp.un.frag.mtu = htons(LEARNT);
	error.ip.tot_len = htons(1500);
	error.ip.frag_off = htons(IP_DF);
	error.ip.saddr = here.sin_addr.s_addr;
	inet_pton(AF_INET, THERE4, &error.ip.daddr);
	error.udp.len = htons(1480);
	error.icmp.checksum = checksum(&error, sizeof(error));
	return sendto(fd, &error, sizeof(error), 0, (struct sockaddr *)&here,
		      sizeof(here)) == sizeof(error)
		       ? 0
		       : -1;
}

/* "Packet too big" (RFC 4443); the kernel fills in the checksum of ICMPv6. */
static int send_too_big(int about_port)
{
	struct {
		struct icmp6_hdr icmp;
		struct ip6_hdr ip;
		struct udphdr udp;
	} error = {
		.icmp = {.icmp6_type = ICMP6_PACKET_TOO_BIG},
		.udp = {.source = (uint16_t)about_port, .dest = htons(PORT)},
	};
	struct sockaddr_in6 here = {.sin6_family = AF_INET6};
	cleanup_fd int fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6);

	inet_pton(AF_INET6, HERE6, &here.sin6_addr);
	error.icmp.icmp6_mtu = htonl(LEARNT);
	error.ip.ip6_vfc = 6 << 4;
	error.ip.ip6_plen = htons(1460);
	error.ip.ip6_nxt = IPPROTO_UDP;
	error.ip.ip6_hlim = 64;
	error.ip.ip6_src = here.sin6_addr;
	inet_pton(AF_INET6, THERE6, &error.ip.ip6_dst);
	error.udp.len = htons(1460);
	return sendto(fd, &error, sizeof(error), 0, (struct sockaddr *)&here,
		      sizeof(here)) == sizeof(error)
		       ? 0
		       : -1;
}

/* A packet may be delivered a moment after it was sent. */
static void assert_learnt(int family)
{
	int64_t deadline_ms = clock_boot_ms() + 2000;

	while (path_mtu(family) != LEARNT && clock_left_ms(deadline_ms) > 0)
		usleep(1000);
	assert_int_equal(path_mtu(family), LEARNT);
}

static void make_exceptions(void)
{
	struct sockaddr_storage here;
	int fd = connected(AF_INET, &here);

	assert_true(fd >= 0);
	assert_int_equal(send_frag_needed(((struct sockaddr_in *)&here)->sin_port), 0);
	fd_close(&fd);
	fd = connected(AF_INET6, &here);
	assert_true(fd >= 0);
	assert_int_equal(send_too_big(((struct sockaddr_in6 *)&here)->sin6_port), 0);
	fd_close(&fd);
	/* Otherwise the check below would prove nothing. */
	assert_learnt(AF_INET);
	assert_learnt(AF_INET6);
}

static void test_exception_is_not_the_routes_own(void **state)
{
	struct rtroute route;

	(void)state;
	make_exceptions();
	assert_int_equal(rtroute_get(THERE4, &route, NULL), 0);
	assert_int_equal(route.mtu, 0);
	assert_string_equal(route.oif_name, "here");
	assert_int_equal(rtroute_get(THERE6, &route, NULL), 0);
	assert_int_equal(route.mtu, 0);
	assert_string_equal(route.oif_name, "here");
	assert_int_equal(rtroute_flush_exceptions(NULL, NULL), 0);
}

static void test_flush(void **state)
{
	struct rtroute route;
	struct err err = ERR_INIT;

	(void)state;
	/* The second time they are learnt again, and forgotten again. */
	for (int i = 0; i < 2; i++) {
		make_exceptions();
		assert_int_equal(rtroute_flush_exceptions(NULL, &err), 0);
		assert_int_equal(path_mtu(AF_INET), 1500);
		assert_int_equal(path_mtu(AF_INET6), 1500);
	}
	assert_int_equal(rtroute_flush_exceptions(NULL, &err), 0);
	assert_string_equal(err.text, "");
	/* Routes of other programs stay, with their own MTU. */
	assert_int_equal(rtroute_get("10.21.1.1", &route, NULL), 0);
	assert_int_equal(route.mtu, 1300);
	assert_int_equal(rtroute_get("2001:db8:21::1", &route, NULL), 0);
	assert_int_equal(route.mtu, 1300);
}

static int flush_with_readonly_sys(void *ctx)
{
	struct err err = ERR_INIT;

	(void)ctx;
	netlab_private_mounts();
	CHILD_CHECK(mount("/proc/sys", "/proc/sys", NULL, MS_BIND, NULL) == 0);
	CHILD_CHECK(mount(NULL, "/proc/sys", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY,
			  NULL) == 0);
	CHILD_CHECK(rtroute_flush_exceptions(NULL, &err) == -EROFS);
	CHILD_CHECK(strstr(err.text, "IPv4"));
	return 0;
}

static void test_flush_half(void **state)
{
	(void)state;
	make_exceptions();
	assert_int_equal(netlab_child(flush_with_readonly_sys, NULL), 0);
	assert_int_equal(path_mtu(AF_INET), LEARNT);
	assert_int_equal(path_mtu(AF_INET6), 1500);
	assert_int_equal(rtroute_flush_exceptions(NULL, NULL), 0);
}

static int flush_as_nobody(void *ctx)
{
	const int *expected = ctx;
	struct err err = ERR_INIT;

	CHILD_CHECK(netlab_drop_root() == 0);
	CHILD_CHECK(rtroute_flush_exceptions(NULL, &err) == *expected);
	CHILD_CHECK(strstr(err.text, *expected == -EPERM ? "IPv6" : "IPv4"));
	return 0;
}

static void test_flush_without_capability(void **state)
{
	int expected = -EPERM;

	(void)state;
	make_exceptions();
	assert_int_equal(netlab_child(flush_as_nobody, &expected), 0);
	assert_int_equal(path_mtu(AF_INET), LEARNT);
	assert_int_equal(path_mtu(AF_INET6), LEARNT);
	assert_int_equal(rtroute_flush_exceptions(NULL, NULL), 0);
	expected = -EACCES;
	assert_int_equal(netlab_child(flush_as_nobody, &expected), 0);
}

/* An exception belongs to the table it was learnt in. */
static void test_flush_another_table(void **state)
{
	(void)state;
	netlab_run("ip -6 route add " THERE6 " dev here table 4711");
	netlab_run("ip -6 rule add to " THERE6 " lookup 4711");
	make_exceptions();
	assert_int_equal(rtroute_flush_exceptions(NULL, NULL), 0);
	assert_int_equal(path_mtu(AF_INET6), 1500);
	netlab_run("ip -6 rule del to " THERE6 " lookup 4711");
	netlab_run("ip -6 route flush table 4711");
}

static int lowest_free_fd(void)
{
	cleanup_fd int fd = dup(0);

	assert_true(fd >= 0);
	return fd;
}

/* A lookup takes one descriptor; without one it fails, and finds no route. */
static void test_get_without_descriptors(void **state)
{
	struct err err = ERR_INIT;
	struct rlimit before;
	struct rtroute found[2] = {{.oif = 77}, {.oif = 77}};
	int results[2];

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	for (int spare = 0; spare < 2; spare++) {
		struct rlimit few = before;

		few.rlim_cur = (rlim_t)(lowest_free_fd() + spare);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
		results[spare] = rtroute_get(THERE4, &found[spare], &err);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	}
	assert_int_equal(results[0], -EMFILE);
	assert_int_equal(found[0].oif, 77);
	assert_non_null(strstr(err.text, "cannot open a netlink socket"));
	assert_int_equal(results[1], 0);
	assert_string_equal(found[1].oif_name, "here");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_get_without_descriptors),
		cmocka_unit_test(test_exception_is_not_the_routes_own),
		cmocka_unit_test(test_flush),
		cmocka_unit_test(test_flush_half),
		cmocka_unit_test(test_flush_without_capability),
		cmocka_unit_test(test_flush_another_table),
	};

	return cmocka_run_group_tests(tests, enter, NULL);
}

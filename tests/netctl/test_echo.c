/* SPDX-License-Identifier: MIT */
/* Raw sockets, and the packets that a plain host answers: this one, over the loopback. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/io.h"
#include "base/priv.h"
#include "netctl/echo.h"
#include "netctl/echofind.h"
#include "netctl/rawsock.h"
#include "netlab.h"

#define IPV4    "127.0.0.9"
#define IPV6    "fd00::9"
#define PORT    33434
#define WAIT_US 300000

static int set_up(void **state)
{
	(void)state;
	netlab_enter();
	netlab_run("ip link set lo mtu 1500");
	netlab_run("ip addr add " IPV4 "/8 dev lo");
	netlab_run("ip -6 addr add " IPV6 "/128 dev lo");
	return 0;
}

static struct rawsock_target raw_target(enum rawsock_kind kind, const char *address)
{
	struct rawsock_target target = {.kind = kind, .interface = "lo"};

	memcpy(target.address, address, strlen(address) + 1);
	return target;
}

static int open_raw(enum rawsock_kind kind, const char *address)
{
	struct rawsock_target target = raw_target(kind, address);
	int fd = -1;

	assert_int_equal(rawsock_open(&target, &fd, NULL), 0);
	return fd;
}

static void open_echo(enum echo_kind kind, const char *address, struct echo *ret)
{
	static const enum rawsock_kind raw[ECHO_KINDS] = {
		[ECHO_TCP] = RAWSOCK_TCP,
		[ECHO_OUTER] = RAWSOCK_OUTER,
	};
	struct echo_target target = {
		.interface = "lo",
		.local = address,
		.remote = address,
		.port = PORT,
	};
	int fd = kind == ECHO_UDP ? -1 : open_raw(raw[kind], address);

	assert_int_equal(echo_open(ret, kind, fd, &target, NULL), 0);
}

/* Send a size, and return true if its answer comes. */
static bool answers(struct echo *echo, int size, uint16_t number)
{
	struct pollfd polled = {.fd = echo->fd, .events = POLLIN};
	uint16_t got;

	if (echo_send(echo, size, number) < 0)
		return false;
	while (poll(&polled, 1, WAIT_US / 1000) > 0) {
		if (echo_receive(echo, &got) == 1 && got == number)
			return true;
	}
	return false;
}

static void check_kind(enum echo_kind kind, const char *address)
{
	struct echo echo;
	int64_t took_us = 0;

	print_message("%s, %s\n", echo_kind_name(kind), address);
	open_echo(kind, address, &echo);
	assert_int_equal(echofind_touch(&echo, 7, WAIT_US, -1, &took_us), 1);
	assert_true(took_us > 0);
	assert_int_equal(echo_send(&echo, echo_least(&echo) - 1, 8), -EMSGSIZE);
	/* No larger packet than the link's MTU leaves. */
	assert_int_equal(echo_send(&echo, 1501, 9), -EMSGSIZE);
	assert_int_equal(echo_send(&echo, 1500, 65535), 0);
	assert_int_equal(echofind_touch(&echo, 11, WAIT_US, -1, &took_us), 1);
	echo_close(&echo);
}

static void test_kinds(void **state)
{
	(void)state;
	for (int kind = 0; kind < ECHO_KINDS; kind++)
		check_kind((enum echo_kind)kind, IPV4);
	check_kind(ECHO_PLAIN, IPV6);
	check_kind(ECHO_TCP, IPV6);
	check_kind(ECHO_UDP, IPV6);
	check_kind(ECHO_OUTER, IPV6);
}

/* An open port answers each SYN, though the earlier ones are not reset yet. */
static void test_open_port(void **state)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	cleanup_fd int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool seen[ECHO_PORTS] = {false};
	int count = 0;
	struct echo echo;
	uint16_t number;

	(void)state;
	/* On a real path the kernel's resets come too late for the next SYN. */
	netlab_run("nft add table inet late");
	netlab_run(
		"nft add chain inet late out { type filter hook output priority 0 ; }");
	netlab_run("nft add rule inet late out tcp flags & rst == rst drop");
	assert_int_equal(bind(listener, (const struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(listener, 64), 0);
	open_echo(ECHO_TCP, IPV4, &echo);
	for (uint16_t i = 0; i < ECHO_PORTS; i++)
		assert_int_equal(echo_send(&echo, 1280, i), 0);
	while (echo_receive(&echo, &number) == 1) {
		assert_true(number < ECHO_PORTS);
		count += !seen[number];
		seen[number] = true;
	}
	assert_int_equal(count, ECHO_PORTS);
	echo_close(&echo);
	netlab_run("nft delete table inet late");
}

/* Larger packets than the link's MTU go in pieces, if that is allowed. */
static void test_pieces(void **state)
{
	struct echo echo;

	(void)state;
	open_echo(ECHO_PLAIN, IPV4, &echo);
	assert_false(answers(&echo, 1600, 20));
	assert_int_equal(echo_allow_pieces(&echo, true), 0);
	assert_true(answers(&echo, 1600, 22));
	assert_int_equal(echo_allow_pieces(&echo, false), 0);
	assert_false(answers(&echo, 1600, 24));
	echo_close(&echo);
}

static void put_u16(unsigned char *at, unsigned int value)
{
	at[0] = (unsigned char)(value >> 8);
	at[1] = (unsigned char)value;
}

/* Send what a router with a narrow next link answers to a packet of this socket. */
static void send_too_big(const struct echo *echo, unsigned int mtu)
{
	struct sockaddr_in from = {0};
	struct sockaddr_in to = {.sin_family = AF_INET};
	socklen_t length = sizeof(from);
	cleanup_fd int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
	/* the error, then the beginning of the packet: IP header, ports or echo */
	unsigned char data[8 + 20 + 8] = {3, 4, [8] = 0x45, [16] = 64, [28] = 8};
	uint32_t sum = 0;

	inet_pton(AF_INET, IPV4, &to.sin_addr);
	assert_int_equal(getsockname(echo->fd, (struct sockaddr *)&from, &length), 0);
	put_u16(data + 6, mtu);
	put_u16(data + 10, 1500);
	data[17] = echo->kind == ECHO_UDP ? IPPROTO_UDP : IPPROTO_ICMP;
	memcpy(data + 20, &from.sin_addr, 4);
	memcpy(data + 24, &to.sin_addr, 4);
	if (echo->kind == ECHO_UDP) {
		put_u16(data + 28, ntohs(from.sin_port));
		put_u16(data + 30, PORT);
	}
	for (size_t i = 0; i < sizeof(data); i += 2)
		sum += (uint32_t)data[i] << 8 | data[i + 1];
	put_u16(data + 2, ~((sum & 0xffff) + (sum >> 16)) & 0xffff);
	assert_int_equal(
		sendto(fd, data, sizeof(data), 0, (struct sockaddr *)&to, sizeof(to)),
		sizeof(data));
}

/* An error about an earlier packet is no answer about the next one, which leaves. */
static void test_late_error(void **state)
{
	struct echo echo;

	(void)state;
	open_echo(ECHO_UDP, IPV4, &echo);
	send_too_big(&echo, 1300);
	assert_int_equal(echo_send(&echo, 1280, 30), 0);
	assert_true(answers(&echo, 1280, 31));
	assert_int_equal(echo_send(&echo, 1501, 33), -EMSGSIZE);
	echo_close(&echo);
}

static void test_too_big(void **state)
{
	struct echo echo;

	(void)state;
	open_echo(ECHO_OUTER, IPV4, &echo);
	send_too_big(&echo, 1300);
	assert_true(answers(&echo, 1280, 31));
	assert_int_equal(echo.too_big, 1300);
	/* The smallest counts; the last two are no link's. */
	send_too_big(&echo, 1400);
	send_too_big(&echo, 67);
	send_too_big(&echo, 0);
	assert_true(answers(&echo, 1280, 32));
	assert_int_equal(echo.too_big, 1300);
	echo_close(&echo);
}

static void test_wrong(void **state)
{
	struct rawsock_target target = raw_target(RAWSOCK_ECHO, "x");
	struct echo_target six = {.interface = "lo", .local = IPV6, .remote = IPV6};
	struct echo echo;
	int fd = -1;

	(void)state;
	assert_int_equal(rawsock_open(&target, &fd, NULL), -EINVAL);
	assert_int_equal(
		echo_open(&echo, ECHO_STAMP, open_raw(RAWSOCK_ECHO, IPV6), &six, NULL),
		-EAFNOSUPPORT);
	assert_int_equal(echo.fd, -1);
}

/* Main is refused all of this with such a socket. */
static int use_as_main(void *ctx)
{
	int fd = *(int *)ctx;
	struct sock_filter all[] = {{BPF_RET | BPF_K, 0, 0, 0xffff}};
	struct sock_fprog program = {.len = 1, .filter = all};
	int on = 1;

	CHILD_CHECK(netlab_drop_root() == 0);
	CHILD_CHECK(setsockopt(fd, IPPROTO_IP, IP_HDRINCL, &on, sizeof(on)) == 0);
	on = 0;
	CHILD_CHECK(setsockopt(fd, IPPROTO_IP, IP_HDRINCL, &on, sizeof(on)) == 0);
	CHILD_CHECK(priv_refuse_headers(NULL) == 0);
	CHILD_CHECK(setsockopt(fd, IPPROTO_IP, IP_HDRINCL, &on, sizeof(on)) < 0 &&
		    errno == EPERM);
	CHILD_CHECK(setsockopt(fd, IPPROTO_IPV6, IPV6_HDRINCL, &on, sizeof(on)) < 0 &&
		    errno == EPERM);
	CHILD_CHECK(setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on)) < 0 &&
		    errno == EPERM);
	CHILD_CHECK(setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof(on)) < 0 &&
		    errno == EPERM);
	CHILD_CHECK(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "", 1) < 0 &&
		    errno == EPERM);
	CHILD_CHECK(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
			       sizeof(program)) < 0 &&
		    errno == EPERM);
	CHILD_CHECK(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) < 0);
	return 0;
}

static void test_main(void **state)
{
	int fd = open_raw(RAWSOCK_ECHO, IPV4);

	(void)state;
	assert_int_equal(netlab_child(use_as_main, &fd), 0);
	fd_close(&fd);
}

/* Send echo requests from another address until the end. */
static void flood(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	unsigned char request[8] = {8, 0, 0xf7, 0xff};
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);

	for (;;) {
		if (sendto(fd, request, sizeof(request), 0, (struct sockaddr *)&to,
			   sizeof(to)) < 0)
			continue;
	}
}

/* A socket hears others from its begin to its filter. */
static void test_earlier_packets(void **state)
{
	pid_t flooder = fork();
	char packet[100];
	int heard = 0;

	(void)state;
	assert_true(flooder >= 0);
	if (flooder == 0)
		flood();
	for (int i = 0; i < 2000; i++) {
		int fd = open_raw(RAWSOCK_ECHO, IPV4);

		heard += recv(fd, packet, sizeof(packet), MSG_DONTWAIT) > 0;
		fd_close(&fd);
	}
	kill(flooder, SIGKILL);
	waitpid(flooder, NULL, 0);
	assert_int_equal(heard, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),   cmocka_unit_test(test_open_port),
		cmocka_unit_test(test_pieces),  cmocka_unit_test(test_late_error),
		cmocka_unit_test(test_too_big), cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_main),    cmocka_unit_test(test_earlier_packets),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}

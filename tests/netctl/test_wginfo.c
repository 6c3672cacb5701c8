/* SPDX-License-Identifier: MIT */
/*
 * WireGuard's own facts from a real wireguard-go, and from the kernel's WireGuard if
 * this machine has it, in network and mount namespaces of their own. Needs "wg".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "netctl/wginfo.h"
#include "netlab.h"

/* Enough peers for the kernel's dump to need several messages, and to split peers. */
#define PEERS   40
#define ALLOWED 100

static struct rtlink get(const char *name)
{
	struct rtlink link;
	struct err err = ERR_INIT;

	if (rtlink_get(name, &link, &err) < 0)
		fail_msg("%s", err.text);
	return link;
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, path);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 4), 0);
	return fd;
}

/* --- wginfo_backend() --- */

static enum backend backend_of(const char *name)
{
	struct rtlink link = get(name);

	return wginfo_backend(&link);
}

/* A user who may not connect learns the backend from visible facts. */
static int backend_as_nobody(void *ctx)
{
	const struct rtlink *links = ctx;

	CHILD_CHECK(netlab_drop_root() == 0);
	CHILD_CHECK(wginfo_backend(&links[0]) == BACKEND_USERSPACE);
	CHILD_CHECK(wginfo_backend(&links[1]) == BACKEND_NONE);
	CHILD_CHECK(wginfo_backend(&links[2]) == BACKEND_NONE);
	return 0;
}

static void test_backend_without_rights(void **state)
{
	struct rtlink links[] = {
		{.name = "real7", .kind = "tun"},
		{.name = "folder7", .kind = "tun"},
		{.name = "none7", .kind = "tun"},
	};
	cleanup_fd int daemon = listen_at("/var/run/wireguard/real7.sock");

	(void)state;
	assert_true(daemon >= 0);
	assert_int_equal(chmod("/var/run/wireguard/real7.sock", 0600), 0);
	assert_int_equal(mkdir("/var/run/wireguard/folder7.sock", 0700), 0);
	assert_int_equal(netlab_child(backend_as_nobody, links), 0);
}

static void test_backend(void **state)
{
	cleanup_fd int daemon = -1;

	(void)state;
	assert_int_equal(wginfo_backend(&(struct rtlink){.kind = "wireguard"}),
			 BACKEND_KERNEL);
	netlab_run("ip tuntap add tun7 mode tun");
	/* No socket; a socket, but no tun; a file of that name that is no socket. */
	assert_int_equal(backend_of("tun7"), BACKEND_NONE);
	daemon = listen_at("/var/run/wireguard/lo.sock");
	assert_int_equal(backend_of("lo"), BACKEND_NONE);
	fd_close(&daemon);
	assert_int_equal(mkdir("/var/run/wireguard/tun7.sock", 0700), 0);
	assert_int_equal(backend_of("tun7"), BACKEND_NONE);
	assert_int_equal(rmdir("/var/run/wireguard/tun7.sock"), 0);
	/* A daemon; then the socket that a dead one leaves. */
	daemon = listen_at("/var/run/wireguard/tun7.sock");
	assert_int_equal(backend_of("tun7"), BACKEND_USERSPACE);
	fd_close(&daemon);
	assert_int_equal(backend_of("tun7"), BACKEND_NONE);
	unlink("/var/run/wireguard/tun7.sock");
	netlab_run("ip link del tun7");
}

/* --- wginfo_find_peer(): real WireGuard --- */

/* Bob's of RFC 7748, section 6.1. */
#define PRIVATE_KEY "XasIfmJKikt54X+Lg4AO5m87sSkmGLb9HC+LJ/+I4Os="
#define PUBLIC_KEY  "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08="

static char config_path[] = "/run/test_wginfo.conf";

/* Peer p has the endpoint 192.0.2.(p+1), or 2001:db8::(p+1) if p is odd, and the tunnel
 * addresses 10.p.0.0 to 10.p.0.99 and fd00:p::/64. The last but one has no endpoint,
 * and all other addresses. */
static void write_config(void)
{
	FILE *file = fopen(config_path, "w");

	assert_non_null(file);
	fprintf(file, "[Interface]\nPrivateKey = %s\n", PRIVATE_KEY);
	for (int p = 0; p < PEERS; p++) {
		fprintf(file, "[Peer]\nPublicKey = %c%c", 'A' + p / 10, 'A' + p % 10);
		fprintf(file, "%041d=\n", 0);
		if (p % 2)
			fprintf(file, "Endpoint = [2001:db8::%x]:51820\n", p + 1);
		else if (p != PEERS - 2)
			fprintf(file, "Endpoint = 192.0.2.%d:51820\n", p + 1);
		fprintf(file, "AllowedIPs = fd00:%x::/64", p);
		for (int i = 0; i < ALLOWED; i++)
			fprintf(file, ", 10.%d.0.%d/32", p, i);
		fprintf(file, p == PEERS - 2 ? ", 0.0.0.0/0\n" : "\n");
	}
	assert_int_equal(fclose(file), 0);
}

static void check_peers(const struct rtlink *link, enum backend backend)
{
	struct err err = ERR_INIT;

	for (int p = 0; p < PEERS; p++) {
		for (int i = 0; i < ALLOWED; i += ALLOWED - 1) {
			struct wginfo_peer peer = {0};
			char address[64];
			char expected[80];

			snprintf(address, sizeof(address), "10.%d.0.%d", p, i);
			snprintf(expected, sizeof(expected), "%s/32", address);
			if (wginfo_find_peer(link, backend, address, &peer, &err) < 0)
				fail_msg("%s", err.text);
			assert_string_equal(peer.allowed, expected);
			assert_int_equal(peer.endpoint_family,
					 p % 2 ? 6 : (p == PEERS - 2 ? 0 : 4));
		}
	}
}

static void check_answers(const char *name, enum backend backend)
{
	struct rtlink link = get(name);
	struct wginfo_peer peer = {.endpoint_family = 77};
	struct err err = ERR_INIT;
	char key[KEY_SIZE];

	assert_int_equal(wginfo_own_key(&link, backend, key, &err), -ENOKEY);
	assert_int_equal(wginfo_backend(&link), backend);
	assert_int_equal(wginfo_find_peer(&link, backend, "10.0.0.1", &peer, &err),
			 -ENOENT);
	assert_int_equal(peer.endpoint_family, 77);
	assert_non_null(strstr(err.text, "'10.0.0.1'"));
	assert_int_equal(wginfo_find_peer(&link, backend, "10.0.0", &peer, &err),
			 -EINVAL);
	write_config();
	{
		char command[128];

		snprintf(command, sizeof(command), "wg setconf %s %s", name,
			 config_path);
		netlab_run(command);
	}
	check_peers(&link, backend);
	assert_int_equal(wginfo_find_peer(&link, backend, "fd00:3::7", &peer, &err), 0);
	assert_string_equal(peer.allowed, "fd00:3::/64");
	assert_string_equal(peer.key, "AD00000000000000000000000000000000000000000=");
	assert_int_equal(wginfo_own_key(&link, backend, key, &err), 0);
	assert_string_equal(key, PUBLIC_KEY);
	assert_int_equal(wginfo_find_peer(&link, backend, "8.8.8.8", &peer, &err), 0);
	assert_string_equal(peer.allowed, "0.0.0.0/0");
	assert_int_equal(peer.endpoint_family, 0);
	assert_int_equal(wginfo_find_peer(&link, backend, "fd00:ff::1", &peer, &err),
			 -ENOENT);
}

static void wait_for_daemon(const char *name)
{
	int64_t deadline_ms = clock_boot_ms() + 10000;
	struct rtlink link;

	while (rtlink_get(name, &link, NULL) < 0 ||
	       wginfo_backend(&link) != BACKEND_USERSPACE) {
		if (clock_boot_ms() > deadline_ms)
			fail_msg("wireguard-go did not start within 10 s");
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	}
}

static int daemon_pid;

static void test_userspace(void **state)
{
	(void)state;
	daemon_pid = netlab_start("wireguard-go -f wgt7");
	wait_for_daemon("wgt7");
	check_answers("wgt7", BACKEND_USERSPACE);
}

static int stop_daemon(void **state)
{
	(void)state;
	netlab_stop(daemon_pid);
	daemon_pid = 0;
	return 0;
}

/* With the kernel's WireGuard its dump is read; without it, the message names the
 * cause. */
static void test_kernel(void **state)
{
	struct rtlink link = {.name = "lo", .index = 1, .kind = "wireguard"};
	struct wginfo_peer peer;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(
		wginfo_find_peer(&link, BACKEND_KERNEL, "10.0.0.1", &peer, &err),
		-EOPNOTSUPP);
	if (netlab_try("ip link add wgk7 type wireguard") == 0) {
		check_answers("wgk7", BACKEND_KERNEL);
		netlab_run("ip link del wgk7");
	} else {
		assert_non_null(strstr(err.text, "this kernel has no WireGuard"));
	}
}

static void test_not_wireguard(void **state)
{
	struct rtlink link = get("lo");
	struct wginfo_peer peer;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(wginfo_find_peer(&link, BACKEND_NONE, "10.0.0.1", &peer, &err),
			 -EOPNOTSUPP);
	assert_non_null(strstr(err.text, "'lo' is not WireGuard"));
}

/* --- wginfo_find_peer(): faulty daemons --- */

static const struct bad_daemon {
	const char *answer; /* NULL: no answer, and the connection stays open */
	int code;
} bad_daemons[] = {
	{"", -EPIPE},
	{"private_key=00", -EPIPE},
	{"private_key=00\nerrno=0\n", -EPIPE},
	{"HTTP/1.1 400 Bad Request\r\n", -EBADMSG},
	{"errno=13\n\n", -EACCES},
	{NULL, -ETIMEDOUT},
};

static int answer_once(int listener, const struct bad_daemon *bad)
{
	cleanup_fd int fd = accept(listener, NULL, NULL);
	char question[64] = "";
	ssize_t n = read(fd, question, sizeof(question) - 1);

	CHILD_CHECK(n == 7 && strcmp(question, "get=1\n\n") == 0);
	if (bad->answer)
		CHILD_CHECK(io_write_all(fd, bad->answer, strlen(bad->answer)) == 0);
	else
		CHILD_CHECK(read(fd, question, sizeof(question)) == 0);
	return 0;
}

static void test_bad_daemons(void **state)
{
	cleanup_fd int listener = listen_at("/var/run/wireguard/bad7.sock");
	struct rtlink link = {.name = "bad7", .kind = "tun"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad_daemons) / sizeof(bad_daemons[0]); i++) {
		struct wginfo_peer peer;
		struct err err = ERR_INIT;
		int child = fork();

		assert_true(child >= 0);
		if (child == 0)
			_exit(answer_once(listener, &bad_daemons[i]));
		assert_int_equal(wginfo_find_peer(&link, BACKEND_USERSPACE, "10.0.0.1",
						  &peer, &err),
				 bad_daemons[i].code);
		assert_int_equal(netlab_wait(child), 0);
		assert_non_null(strstr(err.text, "bad7.sock'"));
	}
}

static void test_no_daemon(void **state)
{
	struct rtlink link = {.name = "gone7", .kind = "tun"};
	struct wginfo_peer peer;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(
		wginfo_find_peer(&link, BACKEND_USERSPACE, "10.0.0.1", &peer, &err),
		-ENOENT);
	assert_non_null(strstr(err.text, "/gone7.sock'"));
}

/* All network namespaces share the control sockets in /run/wireguard: mount a separate
 * one. */
static int enter(void **state)
{
	(void)state;
	netlab_enter();
	netlab_private_mounts();
	if (mount("tmpfs", "/run", "tmpfs", 0, NULL) < 0)
		return -1;
	return mkdir("/run/wireguard", 0755);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_backend),
		cmocka_unit_test(test_backend_without_rights),
		cmocka_unit_test_teardown(test_userspace, stop_daemon),
		cmocka_unit_test(test_kernel),
		cmocka_unit_test(test_not_wireguard),
		cmocka_unit_test(test_bad_daemons),
		cmocka_unit_test(test_no_daemon),
	};

	return cmocka_run_group_tests(tests, enter, NULL);
}

/* SPDX-License-Identifier: MIT */
/* A guard on a veth for the tests of netctl/. */
#include "guardlab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/leave.h"
#include "base/text.h"
#include "netctl/hostconf.h"
#include "netctl/journal.h"
#include "netctl/rtlink.h"
#include "netctl/wginfo.h"
#include "netlab.h"

struct guardlab t;

int mtu_now(void)
{
	struct rtlink link;

	assert_int_equal(rtlink_get(LINK, &link, NULL), 0);
	return link.mtu;
}

void wait_ms(int ms)
{
	io_wait(-1, -1, clock_boot_ms() + ms);
}

void assert_mtu_within(int mtu, int ms)
{
	int64_t deadline = clock_boot_ms() + ms;

	while (mtu_now() != mtu && clock_boot_ms() < deadline)
		wait_ms(5);
	assert_int_equal(mtu_now(), mtu);
}

void assert_said_within(int count, int ms)
{
	int64_t deadline = clock_boot_ms() + ms;

	while (t.said->count < count && clock_boot_ms() < deadline)
		wait_ms(5);
	assert_int_equal(t.said->count, count);
}

void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

void assert_file(const char *path, const char *text)
{
	cleanup_file FILE *file = fopen(path, "r");
	char data[512] = "";

	assert_non_null(file);
	assert_true(fread(data, 1, sizeof(data) - 1, file) > 0);
	assert_string_equal(data, text);
}

void assert_both_back(const char *prefix, const char *text)
{
	char expected[256];

	snprintf(expected, sizeof(expected),
		 "%s'" LINK "' is restored to MTU 1420, and conf file '%s' is restored",
		 prefix, t.conf);
	assert_string_equal(text, expected);
}

static void start_wireguard_go(void)
{
	int64_t deadline = clock_boot_ms() + 10000;
	struct rtlink link;

	mkdir("/run/wireguard", 0755);
	assert_int_equal(mount("tmpfs", "/run/wireguard", "tmpfs", 0, NULL), 0);
	t.daemon = netlab_start("wireguard-go -f " LINK);
	while (rtlink_get(LINK, &link, NULL) < 0 ||
	       wginfo_backend(&link) != BACKEND_USERSPACE) {
		if (clock_boot_ms() > deadline)
			fail_msg("wireguard-go did not start within 10 s");
		wait_ms(5);
	}
}

#define KEY(letter) letter "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

void use_wireguard(void)
{
	netlab_run("ip link del " LINK);
	if (netlab_try("ip link add " LINK " type wireguard") != 0)
		start_wireguard_go();
	netlab_run("wg set " LINK " peer " KEY(
		"B") " endpoint 127.0.0.9:4600 allowed-ips 10.9.0.2/32,10.9.0.7/32");
	netlab_run("wg set " LINK " peer " KEY("C") " allowed-ips 10.9.0.3/32");
	netlab_run("ip link set " LINK " mtu 1420 up");
	netlab_run("ip addr add 10.9.0.1/24 dev " LINK);
}

void use_endpoint(const char *address)
{
	char command[160];

	snprintf(command, sizeof(command), "wg set %s peer %s endpoint %s:4600", LINK,
		 KEY("B"), address);
	netlab_run(command);
}

static void note_said(const char *text)
{
	text_copy(t.said->last, sizeof(t.said->last), text);
	t.said->count++;
}

void start_guard(enum persist persist)
{
	struct guard_config config = {
		.bounds = {.range = {.min = 1280, .max = 1500, .step = 20},
			   .persist = persist,
			   .scope = t.scope},
		.lock_fd = -1,
		.outside = t.outside,
		.say = note_said,
	};
	int main_pair[2];
	int keeper_pair[2];

	text_copy(config.bounds.interface, sizeof(config.bounds.interface), LINK);
	if (t.remote)
		text_copy(config.bounds.remote, sizeof(config.bounds.remote), t.remote);
	if (persist != PERSIST_NONE)
		text_copy(config.bounds.conf_file, sizeof(config.bounds.conf_file),
			  t.conf);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, main_pair), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, keeper_pair), 0);
	t.pid = fork();
	if (t.pid == 0) {
		close(main_pair[1]);
		close(keeper_pair[1]);
		leave_process(guard_serve(&config, main_pair[0], keeper_pair[0]));
	}
	close(main_pair[0]);
	close(keeper_pair[0]);
	t.keeper_fd = keeper_pair[1];
	assert_int_equal(guard_new(main_pair[1], &t.guard, NULL), 0);
}

void guardlab_init(struct hoststate *state, enum persist persist, const char *conf)
{
	struct hostchange_bounds bounds = {.interface = LINK, .persist = persist};

	text_copy(bounds.conf_file, sizeof(bounds.conf_file), conf);
	hoststate_init(state, &bounds);
}

int guardlab_change(struct hoststate *state, int mtu)
{
	struct hostchange_request want = {.mtu = mtu};

	return hoststate_change(state, &want, NULL);
}

int end_guard(void)
{
	int status;

	guard_free(t.guard);
	t.guard = NULL;
	fd_close(&t.keeper_fd);
	assert_int_equal(waitpid(t.pid, &status, 0), t.pid);
	t.pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void kill_guard(void)
{
	kill(t.pid, SIGKILL);
	assert_int_equal(end_guard(), 128 + SIGKILL);
}

void block_conf(void)
{
	assert_int_equal(mount(t.conf, t.conf, NULL, MS_BIND, NULL), 0);
}

void unblock_conf(void)
{
	assert_int_equal(umount2(t.conf, MNT_DETACH), 0);
}

int guardlab_set_up(void **state)
{
	(void)state;
	t.daemon = 0;
	t.remote = NULL;
	t.outside = NULL;
	t.scope = SCOPE_LINK;
	netlab_enter();
	netlab_private_run();
	netlab_run("ip link add " LINK " type veth peer name mtpeer");
	netlab_run("ip link set " LINK " mtu 1420 up");
	text_copy(t.folder, sizeof(t.folder), "/tmp/mtusweep-guard-XXXXXX");
	assert_non_null(mkdtemp(t.folder));
	snprintf(t.conf, sizeof(t.conf), "%s/wg0.conf", t.folder);
	snprintf(t.beside, sizeof(t.beside), "%s%s", t.conf, HOSTCONF_SUFFIX);
	write_file(t.conf, CONF);
	chmod(t.conf, 0640);
	t.said = mmap(NULL, sizeof(*t.said), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return t.said == MAP_FAILED ? -1 : 0;
}

int guardlab_tear_down(void **state)
{
	char command[64];

	(void)state;
	/* A failed test may have left the conf file blocked, and the guard busy. */
	while (umount2(t.conf, MNT_DETACH) == 0)
		continue;
	if (t.guard)
		end_guard();
	netlab_stop(t.daemon);
	journal_remove(LINK, NULL);
	while (umount2(t.folder, MNT_DETACH) == 0)
		continue;
	snprintf(command, sizeof(command), "rm -rf %s", t.folder);
	netlab_run(command);
	munmap(t.said, sizeof(*t.said));
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* Privileges, each in a child process whose /proc/self/status is then read. */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../child_check.h"
#include "base/io.h"
#include "base/priv.h"

#define NET_ADMIN        (1ULL << 12)
#define DAC_CHOWN_FOWNER ((1ULL << 1) | (1ULL << 0) | (1ULL << 3))
#define KILL             (1ULL << 5)
#define SYS_RESOURCE     (1ULL << 24)

static unsigned long long status_field(const char *name)
{
	cleanup_file FILE *file = fopen("/proc/self/status", "r");
	char line[256];

	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, name, strlen(name)) == 0)
			return strtoull(line + strlen(name) + 1, NULL,
					strncmp(name, "Cap", 3) == 0 ? 16 : 10);
	}
	return ~0ULL;
}

static bool caps_are(unsigned long long caps)
{
	return status_field("CapEff") == caps && status_field("CapPrm") == caps &&
	       status_field("CapInh") == 0 && status_field("CapBnd") == caps &&
	       status_field("NoNewPrivs") == 1;
}

static int drop_to_nobody(void)
{
	struct priv_user user;

	if (priv_find_user("nobody", "x.db", &user, NULL) < 0 ||
	    priv_drop(&user, NULL) < 0)
		return 1;
	if (getuid() != user.uid || geteuid() != user.uid || getgroups(0, NULL) != 0)
		return 2;
	if (setuid(0) == 0)
		return 3;
	return caps_are(0) ? 0 : 4;
}

static int drop_as_root(void)
{
	struct priv_user user = {.uid = 0, .gid = 0};

	if (priv_drop(&user, NULL) < 0)
		return 1;
	return caps_are(0) ? 0 : 2;
}

static int keep_net_admin(void)
{
	const gid_t group = 65534;

	if (setgroups(1, &group) < 0 || priv_keep(0, NULL) < 0)
		return 1;
	return caps_are(NET_ADMIN) && getuid() == 0 && getgroups(0, NULL) == 0 ? 0 : 2;
}

static int keep_all(void)
{
	return priv_keep(PRIV_KEEP_CONF_FILE | PRIV_KEEP_KILL, NULL) == 0 &&
			       caps_are(NET_ADMIN | DAC_CHOWN_FOWNER | KILL)
		       ? 0
		       : 1;
}

static int oom_score(void)
{
	cleanup_file FILE *file = fopen("/proc/self/oom_score_adj", "r");
	int score = 1001;

	return file && fscanf(file, "%d", &score) == 1 ? score : 1001;
}

/* Where lowering is not permitted, the score is at least the default. */
static int spare_from_oom(void)
{
	bool may = status_field("CapEff") & SYS_RESOURCE;
	FILE *file = fopen("/proc/self/oom_score_adj", "w");

	if (!file || fputs("500", file) < 0 || fclose(file) != 0)
		return 1;
	priv_spare_from_oom();
	if (oom_score() != (may ? PRIV_SPARED_SCORE : 0))
		return 2;
	priv_spare_from_oom();
	return oom_score() == (may ? PRIV_SPARED_SCORE : 0) ? 0 : 3;
}

static int forbid_exec(void)
{
	char *argv[] = {(char *)"true", NULL};

	if (priv_confine(PRIV_SOCKETS_LOCAL, NULL) < 0)
		return 1;
	if (execv("/bin/true", argv) == 0 || errno != EPERM)
		return 2;
	/* The filter also holds in a child of a child. */
	if (fork() == 0) {
		execv("/bin/true", argv);
		_exit(errno == EPERM ? 0 : 3);
	}
	int status;

	wait(&status);
	return WEXITSTATUS(status);
}

/* The arguments make root's call fail for another reason. */
static const struct refused {
	const char *name;
	long call;
	int errno_value;
} refused_calls[] = {
	{"execveat", SYS_execveat, EPERM},
	{"clone3", SYS_clone3, ENOSYS},
	{"unshare", SYS_unshare, EPERM},
	{"setns", SYS_setns, EPERM},
	{"process_vm_readv", SYS_process_vm_readv, EPERM},
	{"process_vm_writev", SYS_process_vm_writev, EPERM},
	{"process_madvise", SYS_process_madvise, EPERM},
	{"pidfd_getfd", SYS_pidfd_getfd, EPERM},
	{"kcmp", SYS_kcmp, EPERM},
	{"bpf", SYS_bpf, EPERM},
	{"perf_event_open", SYS_perf_event_open, EPERM},
	{"userfaultfd", SYS_userfaultfd, EPERM},
	{"io_uring_setup", SYS_io_uring_setup, ENOSYS},
	{"io_uring_enter", SYS_io_uring_enter, ENOSYS},
	{"io_uring_register", SYS_io_uring_register, ENOSYS},
	{"init_module", SYS_init_module, EPERM},
	{"finit_module", SYS_finit_module, EPERM},
	{"delete_module", SYS_delete_module, EPERM},
	{"kexec_load", SYS_kexec_load, EPERM},
	{"add_key", SYS_add_key, EPERM},
	{"request_key", SYS_request_key, EPERM},
	{"keyctl", SYS_keyctl, EPERM},
	{"mount", SYS_mount, EPERM},
	{"umount2", SYS_umount2, EPERM},
	{"pivot_root", SYS_pivot_root, EPERM},
	{"chroot", SYS_chroot, EPERM},
	{"fsopen", SYS_fsopen, EPERM},
	{"fsconfig", SYS_fsconfig, EPERM},
	{"fsmount", SYS_fsmount, EPERM},
	{"fspick", SYS_fspick, EPERM},
	{"move_mount", SYS_move_mount, EPERM},
	{"open_tree", SYS_open_tree, EPERM},
	{"mount_setattr", SYS_mount_setattr, EPERM},
	{"name_to_handle_at", SYS_name_to_handle_at, EPERM},
	{"open_by_handle_at", SYS_open_by_handle_at, EPERM},
	{"swapon", SYS_swapon, EPERM},
	{"swapoff", SYS_swapoff, EPERM},
	{"quotactl", SYS_quotactl, EPERM},
	{"acct", SYS_acct, EPERM},
	{"reboot", SYS_reboot, EPERM},
	{"syslog", SYS_syslog, EPERM},
	{"sethostname", SYS_sethostname, EPERM},
	{"setdomainname", SYS_setdomainname, EPERM},
	{"settimeofday", SYS_settimeofday, EPERM},
	{"clock_settime", SYS_clock_settime, EPERM},
#ifndef __SANITIZE_ADDRESS__
	{"ptrace", SYS_ptrace, EPERM},
#endif
};

static int refuse_calls(void)
{
	if (priv_confine(PRIV_SOCKETS_PACKET, NULL) < 0)
		return 1;
	for (size_t i = 0; i < sizeof(refused_calls) / sizeof(refused_calls[0]); i++) {
		const struct refused *refused = &refused_calls[i];

		errno = 0;
		if (syscall(refused->call, -1L, -1L, -1L, -1L, -1L, -1L) == -1 &&
		    errno == refused->errno_value)
			continue;
		fprintf(stderr, "%s: errno %d\n", refused->name, errno);
		return 2;
	}
	return 0;
}

static int refuse_namespaces(void)
{
	static const unsigned long flags[] = {
		CLONE_NEWNS,   CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
		CLONE_NEWUSER, CLONE_NEWPID,    CLONE_NEWNET,
	};

	if (priv_confine(PRIV_SOCKETS_INET, NULL) < 0)
		return 1;
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		long pid = syscall(SYS_clone, flags[i] | SIGCHLD, 0, 0, 0, 0);

		if (pid == 0)
			_exit(0);
		if (pid > 0 || errno != EPERM)
			return 2;
	}
	return 0;
}

static const struct {
	int family;
	enum priv_sockets from;
} families[] = {
	{AF_UNIX, PRIV_SOCKETS_LOCAL},      {AF_NETLINK, PRIV_SOCKETS_LOCAL},
	{AF_INET, PRIV_SOCKETS_INET},       {AF_INET6, PRIV_SOCKETS_INET},
	{AF_PACKET, PRIV_SOCKETS_PACKET},   {AF_UNSPEC, PRIV_SOCKETS_PACKET + 1},
	{AF_AX25, PRIV_SOCKETS_PACKET + 1}, {AF_KEY, PRIV_SOCKETS_PACKET + 1},
	{AF_ALG, PRIV_SOCKETS_PACKET + 1},  {AF_VSOCK, PRIV_SOCKETS_PACKET + 1},
	{AF_XDP, PRIV_SOCKETS_PACKET + 1},  {-1, PRIV_SOCKETS_PACKET + 1},
};

static int check_families(enum priv_sockets sockets)
{
	if (priv_confine(sockets, NULL) < 0)
		return 1;
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		int fd = socket(families[i].family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		bool refused = fd < 0 && errno == EAFNOSUPPORT;

		if (fd >= 0)
			close(fd);
		if (refused != (sockets < families[i].from)) {
			fprintf(stderr, "family %d, level %d\n", families[i].family,
				(int)sockets);
			return 2;
		}
	}
	return 0;
}

static int local_sockets(void)
{
	return check_families(PRIV_SOCKETS_LOCAL);
}

static int inet_sockets(void)
{
	return check_families(PRIV_SOCKETS_INET);
}

static int packet_sockets(void)
{
	return check_families(PRIV_SOCKETS_PACKET);
}

static void *begin_thread(void *ctx)
{
	return ctx;
}

/* Use the calls of libcurl, civetweb, SQLite and getaddrinfo(). */
static int work_as_usual(void)
{
	struct addrinfo *found = NULL;
	pthread_t thread;
	void *told = NULL;
	int pair[2];
	int status;

	if (priv_confine(PRIV_SOCKETS_INET, NULL) < 0)
		return 1;
	if (pthread_create(&thread, NULL, begin_thread, pair) != 0 ||
	    pthread_join(thread, &told) != 0 || told != pair)
		return 2;
	if (getaddrinfo("127.0.0.1", "5000", NULL, &found) != 0)
		return 3;
	freeaddrinfo(found);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0)
		return 4;
	if (fork() == 0)
		_exit(0);
	return wait(&status) > 0 && status == 0 ? 0 : 5;
}

#ifndef __SANITIZE_ADDRESS__
static int receive_only(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
	int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char byte = 0;
	int pair[2];

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (udp < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0 ||
	    priv_confine(PRIV_SOCKETS_LOCAL, NULL) < 0 || priv_receive_only(NULL) < 0)
		return 1;
	if (send(pair[0], &byte, 1, MSG_NOSIGNAL) != 1 ||
	    recv(pair[1], &byte, 1, 0) != 1)
		return 2;
	if (sendto(udp, &byte, 1, 0, (struct sockaddr *)&to, sizeof(to)) >= 0 ||
	    errno != EPERM)
		return 3;
	if (open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0 || errno != EPERM)
		return 4;
	if (socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) >= 0 || errno != EPERM)
		return 5;
	if (fork() >= 0 || errno != EPERM)
		return 6;
	if (kill(getppid(), 0) == 0 || errno != EPERM)
		return 7;
	return bind(udp, (struct sockaddr *)&to, sizeof(to)) < 0 && errno == EPERM ? 0
										   : 8;
}
#endif

static int dead_parent(void)
{
	priv_die_with_parent(SIGTERM, getppid() + 100000);
	return 7;
}

static void test_processes(void **state)
{
	(void)state;
	assert_int_equal(child_status(drop_to_nobody), 0);
	assert_int_equal(child_status(drop_as_root), 0);
	assert_int_equal(child_status(keep_net_admin), 0);
	assert_int_equal(child_status(keep_all), 0);
	assert_int_equal(child_status(spare_from_oom), 0);
	assert_int_equal(child_status(forbid_exec), 0);
	assert_int_equal(child_status(refuse_calls), 0);
	assert_int_equal(child_status(refuse_namespaces), 0);
	assert_int_equal(child_status(local_sockets), 0);
	assert_int_equal(child_status(inet_sockets), 0);
	assert_int_equal(child_status(packet_sockets), 0);
	assert_int_equal(child_status(work_as_usual), 0);
#ifndef __SANITIZE_ADDRESS__
	assert_int_equal(child_status(receive_only), 0);
#endif
	assert_int_equal(child_status(dead_parent), 1);
	assert_true(priv_have_net_admin());
}

static void test_find_user(void **state)
{
	char folder[] = "/tmp/mtusweep-priv-XXXXXX";
	char path[64];
	struct priv_user user;
	struct err err = ERR_INIT;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/x.db", folder);
	unsetenv("SUDO_UID");
	assert_int_equal(chown(folder, 65534, 65534), 0);
	assert_int_equal(priv_find_user(NULL, path, &user, &err), 0);
	assert_int_equal(user.uid, 65534);
	setenv("SUDO_UID", "1234", 1);
	setenv("SUDO_GID", "1235", 1);
	assert_int_equal(priv_find_user(NULL, path, &user, &err), 0);
	assert_int_equal(user.uid, 1234);
	assert_int_equal(user.gid, 1235);
	assert_int_equal(priv_find_user("no-such-user", path, &user, &err), -ENOENT);
	assert_string_equal(
		err.text, "no such user 'no-such-user'; --user expects a user's name");
	unsetenv("SUDO_UID");
	rmdir(folder);
	assert_int_equal(priv_find_user(NULL, path, &user, &err), -ENOENT);
	assert_non_null(strstr(err.text, folder));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_processes),
		cmocka_unit_test(test_find_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* A keeper on a veth, its main and runner small stand-ins. */
#include "keeperlab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/leave.h"
#include "base/stop.h"
#include "base/text.h"
#include "netctl/guard.h"
#include "netctl/hostconf.h"
#include "netctl/journal.h"
#include "netctl/keeper.h"
#include "netctl/rtlink.h"
#include "netlab.h"

struct keeperlab_shared *shared;
struct keeperlab_with with;

static char folder[64];
static char conf[80];

int keeperlab_init(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return shared == MAP_FAILED || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0
		       ? -1
		       : 0;
}

int mtu_now(void)
{
	struct rtlink link;

	assert_int_equal(rtlink_get(LINK, &link, NULL), 0);
	return link.mtu;
}

static int stand_in_main(void *ctx, int guard_socket, int runner_socket)
{
	struct guard *guard;

	(void)ctx;
	stop_install();
	if (getuid() == 0 || guard_new(guard_socket, &guard, NULL) < 0)
		return 1;
	shared->set_result = guard_set(guard, 1300, 60000, NULL);
	if (with.conf_lock_fd && fcntl(with.conf_lock_fd, F_GETFD) >= 0)
		shared->lock_seen = true;
	shared->main_pid = getpid();
	while (with.commits && !shared->go)
		io_wait(-1, -1, clock_boot_ms() + 1);
	if (with.commits)
		guard_commit(guard, NULL);
	shared->committed = true;
	if (shared->main_waits) {
		io_wait(guard_socket, stop_fd(), clock_boot_ms() + 10000);
		shared->stop_signal = stop_signal();
	}
	guard_free(guard);
	close(runner_socket);
	return shared->main_status;
}

static int stand_in_runner(int fd)
{
	char byte;

	if (with.conf_lock_fd && fcntl(with.conf_lock_fd, F_GETFD) >= 0)
		shared->lock_seen = true;
	shared->runner_pid = getpid();
	return read(fd, &byte, 1) == 0 ? 0 : 1;
}

void wait_ms(int ms)
{
	io_wait(-1, -1, clock_boot_ms() + ms);
}

static void note_said(const char *text)
{
	size_t used = strlen(shared->all_said);

	text_copy(shared->said, sizeof(shared->said), text);
	text_copy(shared->all_said + used, sizeof(shared->all_said) - used, text);
	while (shared->say_blocks)
		wait_ms(5);
}

pid_t fork_keeper(int main_status, bool main_waits)
{
	struct guard_config config = {
		.bounds.range = {.min = 1280, .max = 1500, .step = 20},
		.lock_fd = -1,
		.conf_lock_fd = with.conf_lock_fd,
		.say = note_said,
	};
	struct priv_user user = {.uid = 65534, .gid = 65534, .name = "nobody"};
	struct keeper_roles roles = {
		.main = stand_in_main,
		.runner = stand_in_runner,
		.main_end_ms = with.main_end_ms,
	};
	pid_t pid;

	shared->main_pid = shared->runner_pid = 0;
	shared->stop_signal = 0;
	shared->lock_seen = shared->say_blocks = false;
	shared->go = shared->committed = false;
	shared->said[0] = shared->all_said[0] = '\0';
	shared->set_result = 1;
	shared->main_status = main_status;
	shared->main_waits = main_waits;
	text_copy(config.bounds.interface, sizeof(config.bounds.interface), LINK);
	if (with.conf) {
		config.bounds.persist = with.commits ? PERSIST_BEST : PERSIST_EACH;
		text_copy(config.bounds.conf_file, sizeof(config.bounds.conf_file),
			  with.conf);
	}
	pid = fork();
	if (pid == 0) {
		for (int i = 0; i < 2; i++)
			if (with.ignored[i])
				signal(with.ignored[i], SIG_IGN);
		leave_process(keeper_run(&config, &user, &roles));
	}
	return pid;
}

pid_t start_keeper(int main_status, bool main_waits)
{
	int64_t deadline = clock_boot_ms() + 5000;
	pid_t pid = fork_keeper(main_status, main_waits);

	while ((!shared->main_pid || !shared->runner_pid) && clock_boot_ms() < deadline)
		wait_ms(5);
	assert_int_equal(shared->set_result, 0);
	return pid;
}

int wait_status(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int wait_status_within(pid_t pid, int ms)
{
	int64_t deadline = clock_boot_ms() + ms;
	siginfo_t info = {0};

	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       !info.si_pid && clock_boot_ms() < deadline)
		wait_ms(5);
	if (!info.si_pid) {
		kill(shared->main_pid, SIGKILL);
		kill(pid, SIGKILL);
		wait_status(pid);
		fail_msg("the keeper waits for more than %d ms", ms);
	}
	return wait_status(pid);
}

pid_t find_guard(pid_t parent)
{
	char path[64];
	cleanup_file FILE *file = NULL;
	int pid;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", parent, parent);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fscanf(file, "%d", &pid) == 1) {
		if (pid != shared->main_pid && pid != shared->runner_pid)
			return pid;
	}
	fail_msg("no guard among the children of %d", parent);
	return 0;
}

bool alive(pid_t pid)
{
	return kill(pid, 0) == 0;
}

void assert_gone(pid_t pid)
{
	int64_t deadline = clock_boot_ms() + 3000;

	/* Reap the process: its parent was killed. */
	while (waitpid(pid, NULL, WNOHANG) == 0 && clock_boot_ms() < deadline)
		wait_ms(2);
	while (alive(pid) && clock_boot_ms() < deadline)
		wait_ms(2);
	assert_false(alive(pid));
}

static void assert_conf_restored(void)
{
	cleanup_file FILE *file = fopen(conf, "r");
	char beside[128];
	char data[128] = "";

	assert_non_null(file);
	assert_true(fread(data, 1, sizeof(data) - 1, file) > 0);
	assert_string_equal(data, CONF);
	snprintf(beside, sizeof(beside), "%s%s", conf, HOSTCONF_SUFFIX);
	assert_int_equal(access(beside, F_OK), -1);
}

void assert_restored(void)
{
	int64_t deadline = clock_boot_ms() + 3000;
	struct journal journal;

	while (mtu_now() != ORIGINAL && clock_boot_ms() < deadline)
		wait_ms(5);
	assert_int_equal(mtu_now(), ORIGINAL);
	while (journal_read(LINK, &journal, NULL) == 0 && clock_boot_ms() < deadline)
		wait_ms(5);
	assert_int_equal(journal_read(LINK, &journal, NULL), -ENOENT);
	if (with.conf)
		assert_conf_restored();
}

int set_up(void **state)
{
	(void)state;
	memset(&with, 0, sizeof(with));
	netlab_enter();
	netlab_private_run();
	netlab_run("ip link add " LINK " type veth peer name mtpeer");
	netlab_run("ip link set " LINK " mtu 1420 up");
	return 0;
}

int set_up_conf(void **state)
{
	cleanup_file FILE *file = NULL;

	set_up(state);
	text_copy(folder, sizeof(folder), "/tmp/mtusweep-keeper-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(conf, sizeof(conf), "%s/wg0.conf", folder);
	file = fopen(conf, "w");
	if (!file)
		return -1;
	fputs(CONF, file);
	with.conf = conf;
	return 0;
}

int tear_down_conf(void **state)
{
	char command[96];

	(void)state;
	umount2(conf, MNT_DETACH);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	netlab_run(command);
	return 0;
}

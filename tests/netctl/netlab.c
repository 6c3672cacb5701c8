/* SPDX-License-Identifier: MIT */
/* Namespaces and children for the tests of netctl/. */
#include "netlab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/leave.h"

#define NOBODY    65534
#define WORDS_MAX 64

static _Noreturn void become(const char *command)
{
	char copy[1024];
	char *words[WORDS_MAX] = {0};
	char *rest = copy;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (snprintf(copy, sizeof(copy), "%s", command) >= (int)sizeof(copy))
		_exit(126);
	for (int i = 0; i < WORDS_MAX - 1 && rest; i++)
		words[i] = strsep(&rest, " ");
	execvp(words[0], words);
	_exit(127);
}

int netlab_wait(int pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void netlab_enter(void)
{
	if (unshare(CLONE_NEWNET) < 0)
		fail_msg("cannot make a network namespace (%s): this test needs root",
			 strerror(errno));
	netlab_run("ip link set lo up");
}

void netlab_private_mounts(void)
{
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		fail_msg("cannot make a mount namespace (%s): this test needs root",
			 strerror(errno));
}

void netlab_private_run(void)
{
	netlab_private_mounts();
	mkdir("/run/mtusweep", 0700);
	assert_int_equal(mount("tmpfs", "/run/mtusweep", "tmpfs", 0, "mode=0700"), 0);
}

void netlab_run(const char *command)
{
	int pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		become(command);
	status = netlab_wait(pid);
	if (status)
		fail_msg("'%s' ended with status %d", command, status);
}

int netlab_try(const char *command)
{
	int pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, STDERR_FILENO);
		become(command);
	}
	return netlab_wait(pid);
}

int netlab_start(const char *command)
{
	int pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		become(command);
	return pid;
}

void netlab_stop(int pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGTERM);
	netlab_wait(pid);
}

int netlab_child(int (*body)(void *ctx), void *ctx)
{
	int pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		leave_process(body(ctx));
	return netlab_wait(pid);
}

int netlab_drop_root(void)
{
	if (geteuid() == 0 && setgroups(0, NULL) < 0)
		return -errno;
	if (geteuid() == 0 && (setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
			       setresuid(NOBODY, NOBODY, NOBODY) < 0))
		return -errno;
	leave_allow_checks();
	return 0;
}

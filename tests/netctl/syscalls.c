/* SPDX-License-Identifier: MIT */
/* A child that stops at each of its system calls. */
#include "syscalls.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

void syscalls_trace_me(void)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 || raise(SIGSTOP) != 0)
		_exit(120);
}

static void await_stop(struct syscalls *child)
{
	int status;

	assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
	child->ended = !WIFSTOPPED(status);
	if (child->ended)
		child->status = WIFEXITED(status) ? WEXITSTATUS(status)
						  : 128 + WTERMSIG(status);
}

struct syscalls syscalls_start(void (*body)(void))
{
	struct syscalls child = {.pid = fork()};

	assert_true(child.pid >= 0);
	if (child.pid == 0) {
		body();
		_exit(121);
	}
	await_stop(&child);
	assert_false(child.ended);
	return child;
}

bool syscalls_go(struct syscalls *child, int stops)
{
	for (int i = 0; i < stops && !child->ended; i++) {
		assert_int_equal(ptrace(PTRACE_SYSCALL, child->pid, NULL, NULL), 0);
		await_stop(child);
	}
	return !child->ended;
}

int syscalls_finish(struct syscalls *child)
{
	if (!child->ended) {
		assert_int_equal(ptrace(PTRACE_DETACH, child->pid, NULL, NULL), 0);
		await_stop(child);
	}
	assert_true(child->ended);
	return child->status;
}

void syscalls_kill(struct syscalls *child)
{
	if (child->ended)
		return;
	kill(child->pid, SIGKILL);
	await_stop(child);
}

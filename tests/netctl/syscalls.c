/* SPDX-License-Identifier: MIT */
/* A child that stops at each of its system calls. */
#include "syscalls.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
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
	/* Without it, no call is told. */
	assert_int_equal(
		ptrace(PTRACE_SETOPTIONS, child.pid, NULL, PTRACE_O_TRACESYSGOOD), 0);
	return child;
}

/* Is it stopped at a call for its own memory? How many of them there are depends on where
 * the kernel laid it out. */
static bool is_of_memory(struct syscalls *child)
{
	struct __ptrace_syscall_info info;

	if (child->ended)
		return false;
	assert_true(ptrace(PTRACE_GET_SYSCALL_INFO, child->pid, sizeof(info), &info) >
		    0);
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
		child->call = (long)info.entry.nr;
	return child->call == SYS_mmap || child->call == SYS_munmap ||
	       child->call == SYS_madvise || child->call == SYS_brk;
}

bool syscalls_go(struct syscalls *child, int stops)
{
	for (int i = 0; i < stops && !child->ended; i++) {
		do {
			assert_int_equal(ptrace(PTRACE_SYSCALL, child->pid, NULL, NULL),
					 0);
			await_stop(child);
		} while (is_of_memory(child));
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

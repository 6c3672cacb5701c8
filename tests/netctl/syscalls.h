/* SPDX-License-Identifier: MIT */
#ifndef TESTS_NETCTL_SYSCALLS_H
#define TESTS_NETCTL_SYSCALLS_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * A child that stops before and after each of its system calls but those for its own
 * memory, so that a test can act at each of these moments. The child calls
 * syscalls_trace_me() at the beginning of that part, and ends with an exit status that
 * the test expects.
 */

struct syscalls {
	pid_t pid;
	long call; /* the last one that it made */
	bool ended;
	int status; /* its exit status, once it has ended */
};

/* Call it in the child; does not return on failure. */
void syscalls_trace_me(void);

/* Fork a child for `body`, and wait until it is traced. */
struct syscalls syscalls_start(void (*body)(void));

/* Let it continue through this many stops; false when it ended before. */
bool syscalls_go(struct syscalls *child, int stops);

/* Let it continue to its end; return its exit status. */
int syscalls_finish(struct syscalls *child);

void syscalls_kill(struct syscalls *child);

#endif

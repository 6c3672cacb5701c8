/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CHILD_CHECK_H
#define TESTS_CHILD_CHECK_H

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* In a forked child of a test, where cmocka's asserts would go on with the other tests:
 * print the condition that does not hold, and return 1. */
#define CHILD_CHECK(condition)                                             \
	do {                                                               \
		if (!(condition)) {                                        \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, \
				#condition);                               \
			return 1;                                          \
		}                                                          \
	} while (0)

/* Run `child` in a process of its own and return its exit status; -1: it did not exit. */
static inline int child_status(int (*child)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(child());
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

#endif

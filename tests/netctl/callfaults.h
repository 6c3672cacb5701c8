/* SPDX-License-Identifier: MIT */
#ifndef TESTS_NETCTL_CALLFAULTS_H
#define TESTS_NETCTL_CALLFAULTS_H

#include <stdbool.h>

/*
 * A child in which one system call fails, without being made. The kernel asks this
 * process about each call of the child (seccomp's user notification, on every
 * architecture alike). The call that ends a process and the return from a signal handler
 * do not count.
 */

struct callfaults {
	int fail_at; /* the number of the call, from 1; 0: none */
	int error;   /* its errno */

	/* Results. */
	int made; /* calls of the child */
	int failed; /* the number of the call that failed, as <sys/syscall.h> has it; -1 */
	int status; /* the exit status, or 128 and the signal */
};

/* Run `body` in the child, which must leave with _exit(). False if it takes longer than
 * 20 s: the child is killed. */
bool callfaults_run(struct callfaults *faults, void (*body)(void));

#endif

/* SPDX-License-Identifier: MIT */
#ifndef TESTS_NETCTL_NETLAB_H
#define TESTS_NETCTL_NETLAB_H

#include "../child_check.h"

/*
 * The surroundings of the tests of netctl/: a network namespace of their own, the "ip"
 * program, and children for changes that a process cannot revoke (capabilities,
 * mounts).
 */

/* Enter a new network namespace with "lo" up; it disappears when this process exits. */
void netlab_enter(void);

/* Enter a new mount namespace; no mount leaks out of it. */
void netlab_private_mounts(void);

/* The same, with a /run/mtusweep of its own: other programs clean up only their own. */
void netlab_private_run(void);

/* Run a program, its words separated by single blanks, and fail the test unless it
 * exits with status 0. */
void netlab_run(const char *command);

/* Run a program and return its exit status, or -1; its stderr is discarded. */
int netlab_try(const char *command);

/* Run a program in the background and return its pid. It dies with this process. */
int netlab_start(const char *command);
/* Wait for a child and return its exit status, or -1. */
int netlab_wait(int pid);
/* End a process of netlab_start() or fork(), and wait for it. */
void netlab_stop(int pid);

/* Run `body` in a child: 0 when it returned 0. In it use CHILD_CHECK, not cmocka's
 * asserts, which would continue with the other tests there. */
int netlab_child(int (*body)(void *ctx), void *ctx);

/* Become nobody, without capabilities, permanently. 0 or -errno. */
int netlab_drop_root(void);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_CHILDREN_H
#define NETCTL_CHILDREN_H

#include <signal.h>
#include <sys/types.h>

#include "netctl/keeper.h"

/*
 * The keeper's children: guard, runner and main, each forked before any thread exists, with
 * only the privileges and descriptors it needs. For keeper.c.
 */

enum children_role {
	CHILD_GUARD,
	CHILD_RUNNER,
	CHILD_MAIN,
	CHILD_COUNT,
};

struct children {
	pid_t pids[CHILD_COUNT]; /* 0 once it has ended */
	int status[CHILD_COUNT]; /* exit status; 128 + signal */
	int keeper_fd; /* its closing tells the guard that the keeper is dead */
};

struct children_config {
	const struct guard_config *guard;
	const struct priv_user *user;
	const struct keeper_roles *roles;
	const sigset_t *signals; /* blocked in the keeper, which waits for them */
};

/* 0, or -errno: those that were forked by then are in *ret, too. */
int children_start(const struct children_config *config, struct children *ret);

/* Note those that have ended, without waiting for any. */
void children_reap(struct children *children);

#endif

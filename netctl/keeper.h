#ifndef NETCTL_KEEPER_H
#define NETCTL_KEEPER_H

#include "base/err.h"
#include "base/priv.h"
#include "netctl/guard.h"

/*
 * The keeper: what the user started. It forks guard, runner and main before any thread
 * exists, gives each only the descriptors it needs, forwards SIGINT, SIGTERM and SIGHUP
 * to main, and waits. When the guard dies it restores from the journal; when any of the
 * four dies the others are ended. Its exit status is main's, or 1.
 */

struct keeper_roles {
	/* In a process of its own, unprivileged; returns the exit status. */
	int (*main)(void *ctx, int guard_fd, int runner_fd);
	int (*runner)(int fd);
	void *ctx;
};

/* Returns the exit status for the program. */
int keeper_run(const struct guard_config *config, const struct priv_user *user,
	       const struct keeper_roles *roles);

#endif

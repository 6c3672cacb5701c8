/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_KEEPER_H
#define NETCTL_KEEPER_H

#include <stdint.h>

#include "base/err.h"
#include "base/priv.h"
#include "netctl/guard.h"

/*
 * The keeper: the process that the user starts. It forks guard, runner and main before
 * any thread exists, gives each only the descriptors it needs, forwards SIGINT, SIGTERM
 * and SIGHUP to main (not a SIGINT or SIGHUP that was ignored at the start), and waits.
 * When the guard dies it restores from the journal; when any of the four dies the
 * others are ended. Its exit status is main's, or 1. Where it cannot restore it tries
 * again every second until it can, also when the others have ended: the journal stays
 * for the next start once a signal ends that, or KEEPER_MAIN_END_MS after one.
 *
 * From the first of these signals main has KEEPER_MAIN_END_MS to put both ends back and
 * to close its database; then it is killed, and the guard puts this end back. A SIGINT
 * or SIGTERM KEEPER_INSIST_MS or more after the first signal kills it at once. What a
 * terminal sends to main as well, and what one key or one closed terminal makes of
 * several signals at a time, is not counted as asking twice.
 */

#define KEEPER_MAIN_END_MS 30000
#define KEEPER_INSIST_MS   1000

struct keeper_roles {
	/* In a process of its own, unprivileged; returns the exit status. The signals
	 * that ask for the end are blocked until it calls stop_install(). */
	int (*main)(void *ctx, int guard_fd, int runner_fd);
	int (*runner)(int fd);
	void *ctx;
	int64_t main_end_ms; /* 0: KEEPER_MAIN_END_MS */
};

/* Returns the exit status for the program. */
int keeper_run(const struct guard_config *config, const struct priv_user *user,
	       const struct keeper_roles *roles);

#endif

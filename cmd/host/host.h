/* SPDX-License-Identifier: MIT */
#ifndef CMD_HOST_HOST_H
#define CMD_HOST_HOST_H

#include "base/err.h"
#include "base/priv.h"
#include "base/types.h"
#include "cmd/host/host_options.h"
#include "netctl/guard.h"
#include "netctl/rtlink.h"

/*
 * The common part of mtusweep-server and mtusweep-peer: their options (host_options.h)
 * and the checks before the first change. All of it runs in the process that the user
 * started, still privileged, before the others are forked.
 */

struct host;

/* The description of one of the two programs. */
struct host_program {
	const char *name;
	const char *synopsis;
	const struct option_spec *rows; /* its own options; the last row goes on with
					   host_option_rows */
	/* Checks of the options beyond the table. A failure is a usage error. */
	int (*check)(struct err *err);
	/* The program's own checks of the host, and the last words to its main's `ctx`. */
	int (*ready)(struct host *host, struct err *err);
	/* Its main process and what that gets (keeper_roles). */
	int (*main)(void *ctx, int guard_fd, int runner_fd);
	void *ctx;
};

/*
 * The whole of a program: options, help, version, --restore, the checks, and the keeper.
 * Returns the exit status: 0; 1 failed; 2 usage.
 */
int host_main(const struct host_program *program, int argc, char **argv);

/* All that the keeper needs, detected and checked. guard.range has the MTUs that this
 * end allows: the range on the command line, else what the host's links can carry. */
struct host {
	struct guard_config guard;
	struct priv_user user;
	struct rtlink link;
	enum backend backend;
};

/* Print one line to stderr, "<program>: <text>". If a terminal or pipe is blocked, the
 * line is lost without a wait. */
void host_say(const char *text);

/* The same in main, clear of the progress line. */
void host_tell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Set a pair's MTU and clear the state that the last pair left: guard_set(), with its
 * errors, and guard_settle(). A failure of guard_settle() is only a warning, given in
 * *ret_warning once (*warned). -EPIPE: the guard is gone.
 */
int host_set_mtu(struct guard *guard, int mtu, int64_t lease_ms, bool *warned,
		 struct err *ret_warning, struct err *err);

/* Fill in what this end knows of itself, but for address and endpoint. */
void host_facts(const struct host *host, const char *versions, struct end_facts *ret);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef CMD_HOST_HOST_H
#define CMD_HOST_HOST_H

#include "base/err.h"
#include "base/priv.h"
#include "base/types.h"
#include "base/warning.h"
#include "cmd/host/host_options.h"
#include "netctl/confhome.h"
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
	const char *summary;            /* a sentence or two below it in the help */
	const struct option_spec *rows; /* its own options; the last row goes on with
					   host_option_rows */
	/* The libraries in use, "libiperf 3.12, curl 7.88.1", for --version. Static. */
	const char *(*libraries)(void);
	/* Checks of the options beyond the table. A failure is a usage error. */
	int (*check)(struct err *err);
	/* The program's own checks of the host, which also complete its main's `ctx`.
	 * */
	int (*ready)(struct host *host, struct err *err);
	/* NULL, or: the checks of the host failed, and that was told on stderr. */
	void (*failed)(const char *why);
	/* Its main process and that one's argument (keeper_roles). */
	int (*main)(void *ctx, int guard_fd, int runner_fd);
	void *ctx;
};

/*
 * The whole of a program: options, help, version, --restore, the checks, and the keeper.
 * Returns the exit status: 0; 1 failed; 2 usage.
 */
int host_main(const struct host_program *program, int argc, char **argv);

/* All that the keeper needs, detected and checked. guard.range has the MTUs that this
 * end allows: the range on the command line, else what the host's links can carry, and
 * below usual_min what probes may ask for. */
struct host {
	struct guard_config guard;
	struct priv_user user;
	struct rtlink link;
	enum backend backend;
	struct confhome home; /* with --persist */
	/* At the start; the guard counts again when a session begins. */
	int peers;     /* WireGuard peers of the interface; 0 unknown */
	bool by_route; /* guard_facts.by_route */
	int unit;      /* this end's MTUs are multiples of it; 0: 1 */
	/* The smallest MTU, unless probes show that only smaller ones fit, and both
	 * ends have no IPv6 inside the tunnel. */
	int usual_min;
	int route_mtu; /* what the route to the other end had, where that counts; or 0 */
};

/* From now on lines begin with this name, borrowed. */
void host_say_as(const char *name);

/* Print one line to stderr, "<program>: <text>". If a terminal or pipe is blocked, the
 * line is lost without a wait. */
void host_say(const char *text);

/* The same in main, clear of the progress line. */
void host_tell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Lines as they are, without the program's name. */
void host_tell_text(const char *text);
/* The same with a priority of syslog(3), which is put before it as "<4>" where standard
 * error is the journal (sd-daemon(3), systemd.exec(5) on JOURNAL_STREAM). */
void host_tell_at(int priority, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The sentence of a warning. */
void host_warn(const struct warning *w);

/*
 * Set a pair's MTU for the path to `address`, the other end's inside the tunnel, and
 * clear the state that the last pair left: guard_set_for(), with its errors, and
 * guard_settle(). A failure of guard_settle() is only a warning, given in *ret_warning
 * once (*warned). -EPIPE: the guard is gone.
 */
int host_set_mtu(struct guard *guard, const char *address, int mtu, int64_t lease_ms,
		 bool *warned, struct err *ret_warning, struct err *err);

/* The MTU in use: the route's, where that counts, else the link's. */
int host_mtu(const struct host *host);
/* Read both anew, since anybody may change them; the route is that to `address`. Errors as
 * guard_get_facts() and rtroute_get_on(). */
int host_read_mtus(struct host *host, struct guard *guard, const char *address,
		   struct err *err);

/* Tell the user if a run cannot have the identity of its tunnel. */
void host_tell_keys(const struct host *host, const struct guard_facts *facts);

/* Fill in this end's facts, except address, endpoint and key. */
void host_facts(const struct host *host, const char *versions, struct end_facts *ret);

#endif

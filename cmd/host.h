#ifndef CMD_HOST_H
#define CMD_HOST_H

#include "base/err.h"
#include "base/options.h"
#include "base/priv.h"
#include "base/types.h"
#include "netctl/guard.h"
#include "netctl/rtlink.h"

/*
 * What mtusweep-server and mtusweep-peer have in common: the options about this host,
 * and the checks before anything is changed. All of it runs in the process the user
 * started, still privileged, before the others are forked.
 */

struct host_options {
	const char *interface;
	const char *conf_file; /* NULL: /etc/wireguard/<interface>.conf */
	const char *db;
	const char *user; /* NULL: see priv_find_user() */
	struct mtu_range range;
	int persist; /* enum persist, as an option's choice */
	int64_t lease_ms;
	bool force;
	bool restore;
	bool help;
	bool version;
};

extern const char *const host_persist_choices[];

/* The program's one set, with its defaults, and the option table that fills it: each
 * program's own table goes on with it. */
extern struct host_options host_options;
extern const struct option_spec host_option_rows[];

/*
 * Options, help, version and the checks that need no host. `rows` are the program's own
 * options, whose last row goes on with host_option_rows. Returns -1 to go on, else the
 * program's exit status (0 after help or version, 2 for usage).
 */
struct host_program {
	const char *name;
	const char *synopsis;
	const struct option_spec *rows;
	/* What a table cannot say; NULL for none. */
	int (*check)(struct err *err);
};

int host_parse(const struct host_program *program, int argc, char **argv);

/* -EINVAL unless it is an IPv4 or IPv6 address; the sentence names the option. */
int host_check_address(const char *option, const char *address, struct err *err);

/* Everything the keeper needs, found out and checked. */
struct host {
	struct guard_config guard;
	struct priv_user user;
	struct rtlink link;
	enum backend backend;
};

/*
 * Privileges, lock, what a killed run left behind, interface, MTU range, conf file,
 * user. Nothing is changed, but for putting back what a journal says. On success the
 * caller runs the keeper; host->guard.lock_fd is open.
 */
int host_prepare(struct host *ret, struct err *err);

/* --restore: the exit status. */
int host_restore(void);

/* One line to stderr, "<program>: <text>"; a terminal or pipe that takes nothing loses
 * it, and holds nothing up. */
void host_say(const char *text);

/* The same in main, clear of the progress line. */
void host_tell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Fill in what this end knows of itself, but for address and endpoint. */
void host_facts(const struct host *host, const char *versions, struct end_facts *ret);

#endif

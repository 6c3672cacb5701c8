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
	bool help;
	bool version;
};

extern const char *const host_persist_choices[];

/* The defaults of design and help. */
void host_options_init(struct host_options *options);

/* The rows of every option table of the two programs; they fill `options`. Writes at
 * most HOST_OPTION_ROWS rows and returns how many: the end marker is the caller's. */
#define HOST_OPTION_ROWS 12
int host_option_rows(struct host_options *options, struct option_spec *rows);

/*
 * Options, help, version and the checks that need no host. Returns -1 to go on, else
 * the program's exit status (0 after help or version, 2 for usage).
 */
int host_parse(const char *program, const char *synopsis,
	       const struct option_spec *table, int argc, char **argv,
	       struct host_options *options);

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
int host_prepare(const struct host_options *options, struct host *ret, struct err *err);

/* One line to stderr, "<program>: <text>"; a terminal that is gone is no error. */
void host_say(const char *text);

/* Fill in what this end knows of itself, but for address and endpoint. */
void host_facts(const struct host *host, const char *versions, struct end_facts *ret);

#endif

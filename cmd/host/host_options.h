/* SPDX-License-Identifier: MIT */
#ifndef CMD_HOST_HOST_OPTIONS_H
#define CMD_HOST_HOST_OPTIONS_H

#include "base/err.h"
#include "base/options.h"
#include "base/types.h"

/* The ports of the server's endpoint and of the tests, unless other ones are given. */
#define HOST_SERVER_PORT 5000
#define HOST_IPERF_PORT  5201

/* The options about this host, which mtusweep-server and mtusweep-peer have in common. */

struct host_options {
	const char *interface;
	const char *conf_file; /* NULL: found (netctl/confhome.h) */
	const char *db;
	const char *user; /* NULL: see priv_find_user() */
	struct mtu_range range;
	int persist; /* enum persist, as an option's choice */
	bool persist_given;
	int scope; /* enum scope, as an option's choice */
	bool min_given;
	bool max_given;
	bool step_given;
	int64_t lease_ms;
	bool lease_given;
	bool force;
	bool restore;
	bool debug;
	bool help;
	bool version;
};

extern const char *const host_persist_choices[];

/* The program's one set, with its defaults, and the option table that fills it: each
 * program's own table goes on with it. */
extern struct host_options host_options;
extern const struct option_spec host_option_rows[];

/* True if the command line gave any option of the grid. */
bool host_options_have_range(void);
/* Without one: use all MTUs that this end allows, from `usual_min` on. */
void host_options_use_range(const struct mtu_range *allowed, int usual_min);

/* Make the checks that the table cannot express. -EINVAL: the text names the option. */
int host_options_check(struct err *err);

/* Write an address inside the tunnel in its usual form, without a zone: that is always
 * --interface. -EINVAL: it is no IPv4 or IPv6 address, or has another zone; the sentence
 * names the option. */
int host_options_take_address(const char *option, const char *address,
			      char ret[ADDRESS_SIZE], struct err *err);

#endif

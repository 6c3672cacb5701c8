/* SPDX-License-Identifier: MIT */
/* The options about this host. */

#include "cmd/host/host_options.h"

#include <errno.h>
#include <string.h>

#include "base/address.h"

const char *const host_persist_choices[] = {"none", "each", "best", NULL};

struct host_options host_options = {
	.interface = "wg0",
	.db = "mtusweep.db",
	.range = {.min = 1280, .max = 1500, .step = 20},
	.lease_ms = 10000,
};

const struct option_spec host_option_rows[] = {
	{.name = "interface",
	 .value = "NAME",
	 .kind = OPTION_STRING,
	 .into = &host_options.interface,
	 .help = "the WireGuard interface (default wg0)"},
	{.name = "mtu-min",
	 .value = "MTU",
	 .kind = OPTION_INT,
	 .into = &host_options.range.min,
	 .seen = &host_options.min_given,
	 .min = MTU_MIN,
	 .max = MTU_MAX,
	 .help = "smallest MTU of this end (default 1280)"},
	{.name = "mtu-max",
	 .value = "MTU",
	 .kind = OPTION_INT,
	 .into = &host_options.range.max,
	 .seen = &host_options.max_given,
	 .min = MTU_MIN,
	 .max = MTU_MAX,
	 .help = "largest MTU of this end (default 1500; smart and probe: more\n"
		 "if the host's links can carry more)"},
	{.name = "mtu-step",
	 .value = "BYTES",
	 .kind = OPTION_INT,
	 .into = &host_options.range.step,
	 .seen = &host_options.step_given,
	 .min = 1,
	 .max = MTU_MAX,
	 .help = "difference of one MTU and the next (default 20; smart: 1)"},
	{.name = "db",
	 .value = "FILE",
	 .kind = OPTION_STRING,
	 .into = &host_options.db,
	 .help = "database of the results (default mtusweep.db)"},
	{.name = "persist",
	 .kind = OPTION_CHOICE,
	 .into = &host_options.persist,
	 .seen = &host_options.persist_given,
	 .choices = host_persist_choices,
	 .help = "none: change the link's MTU only, and restore it (default);\n"
		 "each: change the conf file at every step too, and restore\n"
		 "it; best: apply the best pair to link and conf file at the\n"
		 "end. Both ends need the same value"},
	{.name = "conf-file",
	 .value = "FILE",
	 .kind = OPTION_STRING,
	 .into = &host_options.conf_file,
	 .help = "wg-quick's conf file, changed only with --persist\n"
		 "(default /etc/wireguard/<interface>.conf)"},
	{.name = "lease",
	 .value = "SECONDS",
	 .kind = OPTION_SECONDS,
	 .into = &host_options.lease_ms,
	 .seen = &host_options.lease_given,
	 .min = LEASE_MIN_MS,
	 .max = LEASE_MAX_MS,
	 .help = "restore the MTU after SECONDS of silence from the other end;\n"
		 "the shorter of both ends' values counts (default 10, more if\n"
		 "a round trip takes seconds)"},
	{.name = "user",
	 .value = "NAME",
	 .kind = OPTION_STRING,
	 .into = &host_options.user,
	 .help = "run the unprivileged processes as this user (default: the\n"
		 "user who called sudo, else the owner of the database's\n"
		 "folder)"},
	{.name = "force",
	 .kind = OPTION_FLAG,
	 .into = &host_options.force,
	 .help = "accept an interface that is not WireGuard"},
	{.name = "restore",
	 .kind = OPTION_FLAG,
	 .into = &host_options.restore,
	 .help = "restore what a killed run changed on this interface, and\n"
		 "exit"},
	{.name = "debug",
	 .kind = OPTION_FLAG,
	 .into = &host_options.debug,
	 .help = "log each step to stderr with its time, without keys\n"
		 "(or set MTUSWEEP_DEBUG=1)"},
	{.name = "help",
	 .kind = OPTION_FLAG,
	 .into = &host_options.help,
	 .help = "show this help"},
	{.name = "version",
	 .kind = OPTION_FLAG,
	 .into = &host_options.version,
	 .help = "show the version"},
	{.name = NULL},
};

/* As the kernel has it: dev_valid_name() in net/core/dev.c. */
static bool is_interface_name(const char *name)
{
	return name[0] && strlen(name) < IF_NAME_SIZE &&
	       !strpbrk(name, "/: \t\n\v\f\r") && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0;
}

bool host_options_have_lattice(void)
{
	return host_options.min_given || host_options.max_given ||
	       host_options.step_given;
}

int host_options_check(struct err *err)
{
	const struct mtu_range *range = &host_options.range;

	if (range->min > range->max)
		return err_set(err, -EINVAL, "--mtu-min %d is above --mtu-max %d",
			       range->min, range->max);
	if (!is_interface_name(host_options.interface))
		return err_set(
			err, -EINVAL,
			"'%s' is no interface name: it has 1 to %d characters, no "
			"blank, ':' or '/'",
			host_options.interface, IF_NAME_SIZE - 1);
	return 0;
}

int host_options_check_address(const char *option, const char *address, struct err *err)
{
	struct sockaddr_storage parsed;

	if (address_parse(address, 0, &parsed) == 0)
		return 0;
	return err_set(err, -EINVAL,
		       "'%s' is no value for --%s: it takes an IPv4 or IPv6 address",
		       address, option);
}

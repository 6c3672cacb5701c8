/* SPDX-License-Identifier: MIT */
/* The options about this host. */

#include "cmd/host/host_options.h"

#include <errno.h>
#include <string.h>

#include "base/address.h"

const char *const host_persist_choices[] = {"none", "each", "best", NULL};
static const char *const scope_choices[] = {"auto", "link", "route", NULL};

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
	 .help = "smallest MTU of this end (default 1280; smart and probe: the\n"
		 "interface's MTU, if that is less. Without IPv6 in the tunnel\n"
		 "they also use less where nothing larger fits)"},
	{.name = "mtu-max",
	 .value = "MTU",
	 .kind = OPTION_INT,
	 .into = &host_options.range.max,
	 .seen = &host_options.max_given,
	 .min = MTU_MIN,
	 .max = MTU_MAX,
	 .help = "largest MTU of this end (default 1500; smart and probe: the\n"
		 "largest MTU of this host's Ethernet links, if that is more)"},
	{.name = "mtu-step",
	 .value = "BYTES",
	 .kind = OPTION_INT,
	 .into = &host_options.range.step,
	 .seen = &host_options.step_given,
	 .min = 1,
	 .max = MTU_MAX,
	 .help = "step from one MTU to the next (default 20; smart: 1)"},
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
	 .help = "none: change only the link's MTU, and restore it;\n"
		 "each: change the conf file too, and restore it;\n"
		 "best: apply the recommended pair, in link and conf file.\n"
		 "A peer with each or best needs the same at the server\n"
		 "(default none)"},
	{.name = "scope",
	 .kind = OPTION_CHOICE,
	 .into = &host_options.scope,
	 .choices = scope_choices,
	 .help = "link: change the MTU of the interface, for all its peers;\n"
		 "route: change that of the routes to the other end alone;\n"
		 "auto: route if the interface has several peers, else link\n"
		 "(default auto)"},
	{.name = "conf-file",
	 .value = "FILE",
	 .kind = OPTION_STRING,
	 .into = &host_options.conf_file,
	 .help = "file that keeps the MTU, changed only with --persist, which a\n"
		 "peer's --apply implies: wg-quick's, *.nmconnection, or\n"
		 "*.network.d/*.conf (default: found, and named at the start)"},
	{.name = "lease",
	 .value = "SECONDS",
	 .kind = OPTION_SECONDS,
	 .into = &host_options.lease_ms,
	 .seen = &host_options.lease_given,
	 .min = LEASE_MIN_MS,
	 .max = LEASE_MAX_MS,
	 .help = "restore the MTU after SECONDS of silence from the other end,\n"
		 "from 1 to 600; the shorter of both ends' values counts\n"
		 "(default: peer 10, on a slow path up to 60; server: what the\n"
		 "peer has, up to 60)"},
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
	 .help = "restore what a killed run changed on this interface, then\n"
		 "exit"},
	{.name = "debug",
	 .kind = OPTION_FLAG,
	 .into = &host_options.debug,
	 .help = "log each step with its time to stderr, without keys; so does\n"
		 "MTUSWEEP_DEBUG=1 in the environment"},
	{.name = "help",
	 .letter = 'h',
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

bool host_options_have_range(void)
{
	return host_options.min_given || host_options.max_given ||
	       host_options.step_given;
}

void host_options_use_range(const struct mtu_range *allowed, int usual_min)
{
	if (host_options_have_range())
		return;
	host_options.range = *allowed;
	host_options.range.min = usual_min;
}

int host_options_check(struct err *err)
{
	const struct mtu_range *range = &host_options.range;

	if (range->min > range->max)
		return err_set(err, -EINVAL, "--mtu-min %d is above --mtu-max %d",
			       range->min, range->max);
	if (!is_interface_name(host_options.interface))
		return err_set(err, -EINVAL,
			       "invalid interface name '%s': expected 1 to %d "
			       "characters without blank, ':' or '/'",
			       host_options.interface, IF_NAME_SIZE - 1);
	return 0;
}

int host_options_take_address(const char *option, const char *address,
			      char ret[ADDRESS_SIZE], struct err *err)
{
	int r = address_normalize(address, host_options.interface, ret);

	if (r == -EXDEV)
		return err_set(err, -EINVAL,
			       "invalid value '%s' for --%s: the part behind '%%' is "
			       "another interface than the tunnel's, '%s'; name the "
			       "tunnel's with --interface",
			       address, option, host_options.interface);
	if (r < 0)
		return err_set(err, -EINVAL,
			       "invalid value '%s' for --%s: expected an IPv4 or IPv6 "
			       "address",
			       address, option);
	return 0;
}

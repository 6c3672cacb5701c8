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
	 .help = "largest MTU of this end (default 1500; smart, probe: what\n"
		 "the host's links can carry, if that is more)"},
	{.name = "mtu-step",
	 .value = "BYTES",
	 .kind = OPTION_INT,
	 .into = &host_options.range.step,
	 .seen = &host_options.step_given,
	 .min = 1,
	 .max = MTU_MAX,
	 .help = "from one MTU to the next (default 20; smart: 1)"},
	{.name = "db",
	 .value = "FILE",
	 .kind = OPTION_STRING,
	 .into = &host_options.db,
	 .help = "database for the results (default mtusweep.db)"},
	{.name = "persist",
	 .kind = OPTION_CHOICE,
	 .into = &host_options.persist,
	 .seen = &host_options.persist_given,
	 .choices = host_persist_choices,
	 .help = "none: change MTUs live only and put them back (default);\n"
		 "each: the conf file follows every step and is put back;\n"
		 "best: write the best pair to link and conf file at the\n"
		 "end. Both ends must be given the same"},
	{.name = "conf-file",
	 .value = "FILE",
	 .kind = OPTION_STRING,
	 .into = &host_options.conf_file,
	 .help = "wg-quick's file, changed with --persist only\n"
		 "(default /etc/wireguard/<interface>.conf)"},
	{.name = "lease",
	 .value = "SECONDS",
	 .kind = OPTION_SECONDS,
	 .into = &host_options.lease_ms,
	 .seen = &host_options.lease_given,
	 .min = LEASE_MIN_MS,
	 .max = LEASE_MAX_MS,
	 .help = "put the MTU back when the other end was not heard of for\n"
		 "so long (default 10, more where round trips take seconds;\n"
		 "the shorter counts of those that were given)"},
	{.name = "user",
	 .value = "NAME",
	 .kind = OPTION_STRING,
	 .into = &host_options.user,
	 .help = "run what needs no privileges as this user (default: who\n"
		 "called sudo, else the owner of the database's folder)"},
	{.name = "force",
	 .kind = OPTION_FLAG,
	 .into = &host_options.force,
	 .help = "go on with an interface that is not WireGuard"},
	{.name = "restore",
	 .kind = OPTION_FLAG,
	 .into = &host_options.restore,
	 .help = "only put back what a killed run left on this interface"},
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

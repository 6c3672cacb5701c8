/* mtusweep-peer: options, checks, and the start of the processes. cmd/lead.c does the
 * rest. */

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/uuid.h"
#include "cmd/host.h"
#include "cmd/lead.h"
#include "engine/runner.h"
#include "netctl/keeper.h"
#include "netctl/rtroute.h"

static const char *const strategies[] = {"grid", NULL};
static const char *const orders[] = {"row", "shuffled", NULL};

struct peer_options {
	struct host_options host;
	struct lead_config lead;
	int strategy;
	int order;
	bool seed_given;
};

#define PEER_ROWS 11

static void option_rows(struct peer_options *o, struct option_spec *rows)
{
	const struct option_spec table[PEER_ROWS] = {
		{.name = "server-ip",
		 .value = "ADDRESS",
		 .kind = OPTION_STRING,
		 .into = &o->lead.server_ip,
		 .help = "the server's address inside the tunnel (needed)"},
		{.name = "server-port",
		 .value = "PORT",
		 .kind = OPTION_INT,
		 .into = &o->lead.server_port,
		 .min = 1,
		 .max = 65535,
		 .help = "the server's TCP port (default 5000)"},
		{.name = "iperf-port",
		 .value = "PORT",
		 .kind = OPTION_INT,
		 .into = &o->lead.iperf_port,
		 .min = 1,
		 .max = 65535,
		 .help = "the port of the throughput tests (default: the one the\n"
			 "server was started with)"},
		{.name = "duration",
		 .value = "SECONDS",
		 .kind = OPTION_SECONDS,
		 .into = &o->lead.duration_ms,
		 .min = 100,
		 .max = 3600000,
		 .help = "length of one direction's test (default 5)"},
		{.name = "strategy",
		 .value = "grid",
		 .kind = OPTION_CHOICE,
		 .into = &o->strategy,
		 .choices = strategies,
		 .help = "grid: every MTU of the server with every one of the peer"},
		{.name = "passes",
		 .value = "N",
		 .kind = OPTION_INT,
		 .into = &o->lead.passes,
		 .min = 1,
		 .max = 1000,
		 .help = "measure every pair N times (default 1)"},
		{.name = "order",
		 .value = "row|shuffled",
		 .kind = OPTION_CHOICE,
		 .into = &o->order,
		 .choices = orders,
		 .help = "row: server MTU in the outer loop (default); shuffled:\n"
			 "so that a drifting line does not look like the MTU's doing"},
		{.name = "seed",
		 .value = "N",
		 .kind = OPTION_U64,
		 .into = &o->lead.seed,
		 .seen = &o->seed_given,
		 .help = "seed of the shuffled order (default: a random one, stored)"},
		{.name = "wait",
		 .value = "SECONDS",
		 .kind = OPTION_SECONDS,
		 .into = &o->lead.wait_ms,
		 .min = 0,
		 .max = 86400000,
		 .help = "wait so long for the server, or for an interface that went\n"
			 "down during the run (default 60)"},
		{.name = "peer-skip-errors",
		 .value = "True|False",
		 .kind = OPTION_BOOL,
		 .into = &o->lead.skip_errors,
		 .help = "False: end the run at the first failed test; True: record\n"
			 "it and go on (default)"},
		{.name = NULL},
	};

	memcpy(rows, table, sizeof(table));
}

/* The tunnel must be the way to the server: else another path would be measured. */
static int check_route(struct peer_options *o, const struct host *host, struct err *err)
{
	struct rtroute route;
	int r = rtroute_get(o->lead.server_ip, &route, err);

	if (r < 0)
		return r;
	if (route.local)
		return err_set(
			err, -EINVAL,
			"--server-ip %s is an address of this host; it takes the "
			"server's address inside the tunnel",
			o->lead.server_ip);
	if (route.oif != host->link.index)
		return err_set(
			err, -EINVAL,
			"packets to --server-ip %s leave by '%s', not by '%s': give "
			"the server's address inside the tunnel, or another "
			"--interface",
			o->lead.server_ip, route.oif_name, host->link.name);
	text_copy(o->lead.local, sizeof(o->lead.local), route.source);
	if (route.mtu)
		snprintf(o->lead.warning, sizeof(o->lead.warning),
			 "the route to %s has an MTU of its own, %d, which overrides "
			 "the "
			 "interface's",
			 o->lead.server_ip, route.mtu);
	return 0;
}

/* As options_parse() does for the others; what a table cannot say. */
static int check_usage(const struct peer_options *o, struct err *err)
{
	unsigned char address[16];

	if (!o->lead.server_ip)
		return err_set(
			err, -EINVAL,
			"--server-ip is missing: the server's address inside the "
			"tunnel");
	if (inet_pton(AF_INET, o->lead.server_ip, address) != 1 &&
	    inet_pton(AF_INET6, o->lead.server_ip, address) != 1)
		return err_set(
			err, -EINVAL,
			"'%s' is no value for --server-ip: it takes an IPv4 or IPv6 "
			"address",
			o->lead.server_ip);
	return 0;
}

static int fail(const struct err *err, int status)
{
	host_say(err->text);
	return status;
}

int main(int argc, char **argv)
{
	struct peer_options o = {
		.lead = {.server_port = 5000,
			 .duration_ms = 5000,
			 .wait_ms = 60000,
			 .passes = 1,
			 .skip_errors = true},
	};
	struct option_spec table[PEER_ROWS + HOST_OPTION_ROWS];
	struct keeper_roles roles = {.main = lead_main, .runner = runner_serve};
	struct err err = ERR_INIT;
	struct host host;
	int rows;
	int status;

	host_options_init(&o.host);
	rows = host_option_rows(&o.host, table);
	option_rows(&o, table + rows);
	status = host_parse("mtusweep-peer",
			    "mtusweep-peer --server-ip ADDRESS [OPTION]...", table,
			    argc, argv, &o.host);
	if (status >= 0)
		return status;
	if (check_usage(&o, &err) < 0)
		return fail(&err, 2);
	if (!o.seed_given)
		o.lead.seed = random_u64() >> 1;
	if (host_prepare(&o.host, &host, &err) < 0 || check_route(&o, &host, &err) < 0)
		return fail(&err, 1);
	o.lead.order = (enum grid_order)o.order;
	o.lead.options = &o.host;
	o.lead.host = &host;
	roles.ctx = &o.lead;
	return keeper_run(&host.guard, &host.user, &roles);
}

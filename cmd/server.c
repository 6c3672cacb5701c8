/* mtusweep-server: options, checks, and the start of the processes. cmd/follow.c does
 * the rest. */

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cmd/follow.h"
#include "cmd/host.h"
#include "engine/runner.h"
#include "netctl/keeper.h"

struct server_options {
	struct host_options host;
	struct follow_config follow;
	const char *server_ip;
};

#define SERVER_ROWS 5

static void option_rows(struct server_options *o, struct option_spec *rows)
{
	const struct option_spec table[SERVER_ROWS] = {
		{.name = "server-ip",
		 .value = "ADDRESS",
		 .kind = OPTION_STRING,
		 .into = &o->server_ip,
		 .help = "this host's address inside the tunnel (default: the\n"
			 "interface's first IPv4 address)"},
		{.name = "server-port",
		 .value = "PORT",
		 .kind = OPTION_INT,
		 .into = &o->follow.port,
		 .min = 1,
		 .max = 65535,
		 .help = "the TCP port peers call (default 5000)"},
		{.name = "iperf-port",
		 .value = "PORT",
		 .kind = OPTION_INT,
		 .into = &o->follow.iperf_port,
		 .min = 1,
		 .max = 65535,
		 .help = "the TCP port of the throughput tests (default 5201)"},
		{.name = "once",
		 .kind = OPTION_FLAG,
		 .into = &o->follow.once,
		 .help = "exit after the first completed run; without it, serve run\n"
			 "after run until told to stop"},
		{.name = NULL},
	};

	memcpy(rows, table, sizeof(table));
}

static int find_address(struct server_options *o, const struct host *host,
			struct err *err)
{
	int r;

	if (!o->server_ip)
		return rtlink_get_address(host->link.index, AF_INET, o->follow.address,
					  err);
	text_copy(o->follow.address, sizeof(o->follow.address), o->server_ip);
	r = rtlink_has_address(host->link.index, o->server_ip, err);
	if (r == 0)
		return err_set(err, -EADDRNOTAVAIL,
			       "--server-ip %s is no address of '%s'", o->server_ip,
			       host->link.name);
	return r < 0 ? r : 0;
}

static int check_usage(const struct server_options *o, struct err *err)
{
	unsigned char address[16];

	if (o->server_ip && inet_pton(AF_INET, o->server_ip, address) != 1 &&
	    inet_pton(AF_INET6, o->server_ip, address) != 1)
		return err_set(
			err, -EINVAL,
			"'%s' is no value for --server-ip: it takes an IPv4 or IPv6 "
			"address",
			o->server_ip);
	if (o->follow.port == o->follow.iperf_port)
		return err_set(err, -EINVAL,
			       "--server-port and --iperf-port are both %d; they must "
			       "differ",
			       o->follow.port);
	return 0;
}

static int fail(const struct err *err, int status)
{
	host_say(err->text);
	return status;
}

int main(int argc, char **argv)
{
	struct server_options o = {.follow = {.port = 5000, .iperf_port = 5201}};
	struct option_spec table[SERVER_ROWS + HOST_OPTION_ROWS];
	struct keeper_roles roles = {.main = follow_main, .runner = runner_serve};
	struct err err = ERR_INIT;
	struct host host;
	int rows;
	int status;

	host_options_init(&o.host);
	rows = host_option_rows(&o.host, table);
	option_rows(&o, table + rows);
	status = host_parse("mtusweep-server", "mtusweep-server [OPTION]...", table,
			    argc, argv, &o.host);
	if (status >= 0)
		return status;
	if (check_usage(&o, &err) < 0)
		return fail(&err, 2);
	if (host_prepare(&o.host, &host, &err) < 0 || find_address(&o, &host, &err) < 0)
		return fail(&err, 1);
	o.follow.options = &o.host;
	o.follow.host = &host;
	roles.ctx = &o.follow;
	return keeper_run(&host.guard, &host.user, &roles);
}

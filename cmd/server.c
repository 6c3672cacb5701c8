/* mtusweep-server: options, checks, and the start of the processes. cmd/server/server.c does
 * the rest. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"
#include "cmd/host/host.h"
#include "cmd/server/server.h"

static struct server_config server = {.port = 5000, .iperf_port = 5201};
static const char *server_ip;

static const struct option_spec rows[] = {
	{.name = "server-ip",
	 .value = "ADDRESS",
	 .kind = OPTION_STRING,
	 .into = &server_ip,
	 .help = "this host's address inside the tunnel (default: the first\n"
		 "IPv4 address of the interface)"},
	{.name = "server-port",
	 .value = "PORT",
	 .kind = OPTION_INT,
	 .into = &server.port,
	 .min = 1024,
	 .max = 65535,
	 .help = "TCP port of the peers' requests; the probes use the same UDP\n"
		 "port (default 5000)"},
	{.name = "iperf-port",
	 .value = "PORT",
	 .kind = OPTION_INT,
	 .into = &server.iperf_port,
	 .min = 1024,
	 .max = 65535,
	 .help = "TCP port of the throughput tests (default 5201)"},
	{.name = "once",
	 .kind = OPTION_FLAG,
	 .into = &server.once,
	 .help = "exit after the first completed run; a probe does not count\n"
		 "(default: serve run after run)"},
	{.more = host_option_rows},
};

static int find_address(const struct host *host, struct err *err)
{
	int r;

	if (!server_ip)
		return rtlink_get_address(host->link.index, AF_INET, server.address,
					  err);
	text_copy(server.address, sizeof(server.address), server_ip);
	r = rtlink_has_address(host->link.index, server_ip, err);
	if (r == 0)
		return err_set(err, -EADDRNOTAVAIL,
			       "--server-ip %s is no address of '%s'", server_ip,
			       host->link.name);
	return r < 0 ? r : 0;
}

static int check_usage(struct err *err)
{
	if (server.port == server.iperf_port)
		return err_set(err, -EINVAL,
			       "--server-port and --iperf-port are both %d; they must "
			       "differ",
			       server.port);
	return server_ip ? host_options_check_address("server-ip", server_ip, err) : 0;
}

static int ready(struct host *host, struct err *err)
{
	server.options = &host_options;
	server.host = host;
	return find_address(host, err);
}

int main(int argc, char **argv)
{
	const struct host_program program = {
		.name = "mtusweep-server",
		.synopsis = "mtusweep-server [OPTION]...",
		.rows = rows,
		.check = check_usage,
		.ready = ready,
		.main = server_main,
		.ctx = &server,
	};

	return host_main(&program, argc, argv);
}

/* SPDX-License-Identifier: MIT */
/* mtusweep-server: its option table. The checks are in cmd/server/server_options.c, the
 * rest in cmd/server/server.c. */

#include "cmd/server/server.h"

static const struct option_spec rows[] = {
	{.name = "server-ip",
	 .value = "ADDRESS",
	 .kind = OPTION_STRING,
	 .into = &server_options.server_ip,
	 .help = "this host's address inside the tunnel (default: the first\n"
		 "IPv4 address of the interface, else the first IPv6 one)"},
	{.name = "server-port",
	 .value = "PORT",
	 .kind = OPTION_INT,
	 .into = &server_options.config.port,
	 .min = 1024,
	 .max = 65535,
	 .help = "TCP port of the peers' requests; the probes use the same UDP\n"
		 "port (default 5000)"},
	{.name = "iperf-port",
	 .value = "PORT",
	 .kind = OPTION_INT,
	 .into = &server_options.config.iperf_port,
	 .min = 1024,
	 .max = 65535,
	 .help = "TCP port of the throughput tests (default 5201)"},
	{.name = "once",
	 .kind = OPTION_FLAG,
	 .into = &server_options.config.once,
	 .help = "exit after the first completed run; a probe does not count\n"
		 "(default: serve run after run)"},
	{.more = host_option_rows},
};

int main(int argc, char **argv)
{
	const struct host_program program = {
		.name = "mtusweep-server",
		.synopsis = "mtusweep-server [OPTION]...",
		.summary = "Serves mtusweep-peer, which finds the best MTUs for both "
			   "ends of a WireGuard\ntunnel. It restores this host after "
			   "each run, unless --persist best applies a pair.",
		.rows = rows,
		.libraries = server_libraries,
		.check = server_options_check,
		.ready = server_options_ready,
		.main = server_main,
		.ctx = &server_options.config,
	};

	return host_main(&program, argc, argv);
}

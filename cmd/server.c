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
	 .seen = &server_options.port_given,
	 .min = 1024,
	 .max = 65535,
	 .help = "TCP port of the peers' requests; the probes use the same UDP\n"
		 "port (default 5000)"},
	{.name = "iperf-port",
	 .value = "PORT",
	 .kind = OPTION_INT,
	 .into = &server_options.config.iperf_port,
	 .seen = &server_options.iperf_port_given,
	 .min = 1024,
	 .max = 65535,
	 .help = "TCP port of the throughput tests (default 5201)"},
	{.name = "once",
	 .kind = OPTION_FLAG,
	 .into = &server_options.config.once,
	 .help = "exit after the first completed run; a probe does not count\n"
		 "(default: serve run after run)"},
	{.name = "alone",
	 .kind = OPTION_FLAG,
	 .into = &server_options.config.alone,
	 .help = "serve no peer: find the MTU of this end without mtusweep at the\n"
		 "peer, by packets that any host answers, and say at most which\n"
		 "one the peer should have. With --persist best: apply it. Exit\n"
		 "status 3: the current MTU does not fit"},
	{.name = "peer",
	 .value = "ADDRESS[:PORT]",
	 .kind = OPTION_LIST,
	 .into = &server_options.config.one_end.named,
	 .help = "with --alone: the peer's address in the tunnel, with a TCP port\n"
		 "that is open if it answers no echo (default: addresses of the\n"
		 "tunnel's network and of AllowedIPs; required if the interface\n"
		 "has several peers)"},
	{.name = "json",
	 .kind = OPTION_FLAG,
	 .into = &server_options.config.one_end.json,
	 .help = "with --alone: print one JSON document in place of all texts:\n"
		 "the run as mtusweep show --json prints it"},
	{.more = host_option_rows},
};

int main(int argc, char **argv)
{
	const struct host_program program = {
		.name = "mtusweep-server",
		.synopsis = "mtusweep-server [OPTION]...",
		.summary = "Serves mtusweep-peer, which finds the best MTUs for both "
			   "ends of a WireGuard\ntunnel. It restores this host after "
			   "each run, unless --persist best applies a pair.\nWith "
			   "--alone it finds the MTU of this end by itself.",
		.rows = rows,
		.libraries = server_libraries,
		.check = server_options_check,
		.ready = server_options_ready,
		.main = server_main,
		.ctx = &server_options.config,
	};

	return host_main(&program, argc, argv);
}

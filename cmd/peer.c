/* mtusweep-peer: its option table. The checks are in cmd/peer/peer_options.c, the rest in
 * cmd/peer/peer.c. */

#include "cmd/host/host.h"
#include "cmd/peer/peer_options.h"

static const struct option_spec rows[] = {
	{.name = "server-ip",
	 .value = "ADDRESS",
	 .kind = OPTION_STRING,
	 .into = &peer_options.config.server_ip,
	 .help = "the server's address inside the tunnel (needed)"},
	{.name = "server-port",
	 .value = "PORT",
	 .kind = OPTION_INT,
	 .into = &peer_options.config.server_port,
	 .min = 1024,
	 .max = 65535,
	 .help = "the server's TCP port (default 5000)"},
	{.name = "iperf-port",
	 .value = "PORT",
	 .kind = OPTION_INT,
	 .into = &peer_options.config.iperf_port,
	 .min = 1024,
	 .max = 65535,
	 .help = "the port of the throughput tests (default: the one the\n"
		 "server was started with)"},
	{.name = "duration",
	 .value = "SECONDS",
	 .kind = OPTION_SECONDS,
	 .into = &peer_options.config.duration_ms,
	 .seen = &peer_options.duration_given,
	 .min = 100,
	 .max = 3600000,
	 .help = "length of one direction's test (default 5; smart: 2)"},
	{.name = "precision",
	 .value = "PERCENT",
	 .kind = OPTION_INT,
	 .into = &peer_options.config.precision,
	 .seen = &peer_options.precision_given,
	 .min = 0,
	 .max = 50,
	 .help = "end a test before its --duration, after 0.5 s at the\n"
		 "earliest, as soon as its goodput is known to PERCENT either\n"
		 "way (default 0: each test lasts its --duration; smart: 3)"},
	{.name = "congestion",
	 .value = "ALGORITHM",
	 .kind = OPTION_STRING,
	 .into = &peer_options.config.congestion,
	 .help = "TCP congestion control of the tests, at whichever end sends\n"
		 "(default: each kernel's own; smart: bbr where both have it)"},
	{.name = "strategy",
	 .kind = OPTION_CHOICE,
	 .into = &peer_options.strategy,
	 .seen = &peer_options.strategy_given,
	 .choices = strategy_names,
	 .help = STRATEGY_LIST(STRATEGY_HELP)},
	{.name = "margin",
	 .value = "PERCENT",
	 .kind = OPTION_INT,
	 .into = &peer_options.config.margin,
	 .min = 1,
	 .max = 50,
	 .help = "with smart: it is settled when no pair tested may be faster\n"
		 "by more than that (default 5)"},
	{.name = "budget",
	 .value = "SECONDS",
	 .kind = OPTION_SECONDS,
	 .into = &peer_options.config.budget_ms,
	 .min = 0,
	 .max = 86400000,
	 .help = "with smart: begin no further pair after so long; 0: no limit\n"
		 "(default 60)"},
	{.name = "passes",
	 .value = "N",
	 .kind = OPTION_INT,
	 .into = &peer_options.config.passes,
	 .seen = &peer_options.passes_given,
	 .min = 1,
	 .max = 1000,
	 .help = "with grid: measure every pair N times (default 1)"},
	{.name = "order",
	 .kind = OPTION_CHOICE,
	 .into = &peer_options.order,
	 .seen = &peer_options.order_given,
	 .choices = peer_order_names,
	 .help = "with grid: row: server MTU in the outer loop (default);\n"
		 "shuffled: so that a drifting line does not look like the\n"
		 "MTU's doing, and with visits of the smallest pair between, by\n"
		 "which drift is told"},
	{.name = "seed",
	 .value = "N",
	 .kind = OPTION_U64,
	 .into = &peer_options.config.seed,
	 .seen = &peer_options.config.seed_given,
	 .help = "seed of the shuffled order (default: a random one, stored)"},
	{.name = "wait",
	 .value = "SECONDS",
	 .kind = OPTION_SECONDS,
	 .into = &peer_options.config.wait_ms,
	 .min = 0,
	 .max = 86400000,
	 .help = "wait so long for the server, for an interface that went\n"
		 "down during the run, or for what an end lacks (default 60)"},
	{.name = "resume",
	 .value = "[RUN]",
	 .kind = OPTION_OPTIONAL,
	 .into = &peer_options.config.resume_run,
	 .seen = &peer_options.config.resume,
	 .help = "go on with an interrupted run of the database (default: its\n"
		 "newest), with the options it was started with: only what is\n"
		 "missing is measured"},
	{.name = "repeat-failed",
	 .kind = OPTION_FLAG,
	 .into = &peer_options.config.repeat_failed,
	 .help = "with --resume: measure pairs that failed again"},
	{.name = "apply",
	 .kind = OPTION_FLAG,
	 .into = &peer_options.config.apply,
	 .help = "measure one pair and keep it, as --persist best does (which\n"
		 "the server must be started with): --pair's, or the one a\n"
		 "run recommends, or else its fastest"},
	{.name = "run",
	 .value = "RUN",
	 .kind = OPTION_STRING,
	 .into = &peer_options.config.apply_run,
	 .help = "with --apply: of this run (default: the newest sweep); with\n"
		 "--pair too: only if that was ok there, on the same two ends"},
	{.name = "pair",
	 .value = "S,P",
	 .kind = OPTION_STRING,
	 .into = &peer_options.pair,
	 .help = "with --apply: server MTU S and peer MTU P"},
	{.name = "peer-skip-errors",
	 .value = "True|False",
	 .kind = OPTION_BOOL,
	 .into = &peer_options.config.skip_errors,
	 .help = "False: end the run at the first failed test; True: record\n"
		 "it and go on (default)"},
	{.more = host_option_rows},
};

int main(int argc, char **argv)
{
	const struct host_program program = {
		.name = "mtusweep-peer",
		.synopsis = "mtusweep-peer --server-ip ADDRESS [OPTION]...",
		.rows = rows,
		.check = peer_options_check,
		.ready = peer_options_ready,
		.main = peer_main,
		.ctx = &peer_options.config,
	};

	return host_main(&program, argc, argv);
}

/* SPDX-License-Identifier: MIT */
/* mtusweep-peer: its option table. The checks are in cmd/peer/peer_options.c, the rest in
 * cmd/peer/peer.c. */

#include "cmd/host/host.h"
#include "cmd/peer/peer_options.h"

static const struct option_spec rows[] = {
	{.name = "server-ip",
	 .value = "ADDRESS",
	 .kind = OPTION_STRING,
	 .into = &peer_options.config.server_ip,
	 .help = "the server's address inside the tunnel (required, except with\n"
		 "--alone and --restore)"},
	{.name = "alone",
	 .kind = OPTION_FLAG,
	 .into = &peer_options.config.alone,
	 .help = "in place of --server-ip: find the MTU of this end without\n"
		 "mtusweep at the other one, by packets that any host answers,\n"
		 "and say at most which one the other end should have. With\n"
		 "--persist best: apply it. Exit status 3: the current MTU does\n"
		 "not fit"},
	{.name = "target",
	 .value = "ADDRESS[:PORT]",
	 .kind = OPTION_LIST,
	 .into = &peer_options.config.one_end.named,
	 .help = "with --alone: ask this address behind the tunnel, at a TCP port\n"
		 "that is open if it answers no echo; may be given again\n"
		 "(default: addresses of the tunnel's network, of AllowedIPs,\n"
		 "and of DNS servers behind the tunnel)"},
	{.name = "watch",
	 .value = "SECONDS",
	 .kind = OPTION_SECONDS,
	 .into = &peer_options.config.watch.every_ms,
	 .min = WATCH_EVERY_MIN_MS,
	 .max = WATCH_EVERY_MAX_MS,
	 .help = "probe the path every SECONDS until stopped, store each probe,\n"
		 "and say once what changed (mtusweep history). With --persist\n"
		 "best: apply the pair, or with --alone the MTU, that fits"},
	{.name = "watch-once",
	 .kind = OPTION_FLAG,
	 .into = &peer_options.config.watch.once,
	 .help = "with --watch: end with the first news. Exit status 3: the\n"
		 "current MTU does not fit; 4: other news"},
	{.name = "settle",
	 .value = "SECONDS",
	 .kind = OPTION_SECONDS,
	 .into = &peer_options.config.watch.settle_ms,
	 .seen = &peer_options.config.watch.settle_given,
	 .min = WATCH_EVERY_MIN_MS,
	 .max = WATCH_SETTLE_MAX_MS,
	 .help = "with --watch and --persist best: apply at most one MTU every\n"
		 "SECONDS, and a larger one only if nothing smaller was seen for\n"
		 "so long (default 600)"},
	{.name = "iperf-server",
	 .value = "ADDRESS[:PORT]",
	 .kind = OPTION_STRING,
	 .into = &peer_options.config.one_end.iperf_server,
	 .help = "with --alone: then measure upload and download, with the\n"
		 "recommended MTU and the current one, or with --strategy grid\n"
		 "all of this end's range, against 'iperf3 -s' at this address\n"
		 "behind the tunnel (default port 5201)"},
	{.name = "server-port",
	 .value = "PORT",
	 .kind = OPTION_INT,
	 .into = &peer_options.config.server_port,
	 .min = 1024,
	 .max = 65535,
	 .help = "the server's --server-port (default 5000)"},
	{.name = "iperf-port",
	 .value = "PORT",
	 .kind = OPTION_INT,
	 .into = &peer_options.config.iperf_port,
	 .min = 1024,
	 .max = 65535,
	 .help = "TCP port of the throughput tests, the same as at the server\n"
		 "(default: the server's --iperf-port)"},
	{.name = "duration",
	 .value = "SECONDS",
	 .kind = OPTION_SECONDS,
	 .into = &peer_options.config.duration_ms,
	 .seen = &peer_options.duration_given,
	 .min = 100,
	 .max = 3600000,
	 .help = "length of one direction's test (default 5; smart: at most 1.4\n"
		 "on a path of up to 20 ms, else 2 or 8 round trips)"},
	{.name = "precision",
	 .value = "PERCENT",
	 .kind = OPTION_INT,
	 .into = &peer_options.config.precision,
	 .seen = &peer_options.precision_given,
	 .min = 0,
	 .max = 50,
	 .help = "end a test, after 0.5 s at the earliest, once its goodput is\n"
		 "known to within PERCENT (default 0: each test lasts its\n"
		 "--duration; smart: 3)"},
	{.name = "congestion",
	 .value = "ALGORITHM",
	 .kind = OPTION_STRING,
	 .into = &peer_options.config.congestion,
	 .seen = &peer_options.congestion_given,
	 .help = "TCP congestion control of the tests' senders (default:\n"
		 "each kernel's own; smart: bbr if both ends have it)"},
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
	 .seen = &peer_options.margin_given,
	 .min = 1,
	 .max = 50,
	 .help = "smart: stop when no tested pair can still be more than\n"
		 "PERCENT faster than the recommended one (default 5)"},
	{.name = "budget",
	 .value = "SECONDS",
	 .kind = OPTION_SECONDS,
	 .into = &peer_options.config.budget_ms,
	 .seen = &peer_options.budget_given,
	 .min = 0,
	 .max = 86400000,
	 .help = "smart: start no measurement later than SECONDS after the start\n"
		 "of the first one; 0: no limit (default 60)"},
	{.name = "no-probe",
	 .kind = OPTION_FLAG,
	 .into = &peer_options.config.no_probe,
	 .seen = &peer_options.no_probe_given,
	 .help = "grid: do not probe the path first; no pair is recommended"},
	{.name = "check",
	 .kind = OPTION_FLAG,
	 .into = &peer_options.config.check,
	 .seen = &peer_options.check_given,
	 .help = "probe: print one line that says if the current pair fits, for\n"
		 "a monitoring system, and store nothing. Exit status: 0 it\n"
		 "fits, 3 it does not, 1 failed"},
	{.name = "json",
	 .kind = OPTION_FLAG,
	 .into = &peer_options.config.json,
	 .help = "print one JSON document when the run has ended, in place of\n"
		 "all texts: the run as mtusweep show --json prints it"},
	{.name = "passes",
	 .value = "N",
	 .kind = OPTION_INT,
	 .into = &peer_options.config.passes,
	 .seen = &peer_options.passes_given,
	 .min = 1,
	 .max = 1000,
	 .help = "grid, --apply: measure every pair N times (default 1)"},
	{.name = "order",
	 .kind = OPTION_CHOICE,
	 .into = &peer_options.order,
	 .seen = &peer_options.order_given,
	 .choices = peer_order_names,
	 .help = "the order of a grid's pairs; row: by server MTU, then by peer\n"
		 "MTU; shuffled: at random, with repeated measurements of the\n"
		 "smallest pair, which detect a drift of the line (default row)"},
	{.name = "seed",
	 .value = "N",
	 .kind = OPTION_U64,
	 .into = &peer_options.config.seed,
	 .seen = &peer_options.config.seed_given,
	 .help = "smart, --order shuffled: seed of the random order of\n"
		 "measurements (default: random)"},
	{.name = "wait",
	 .value = "SECONDS",
	 .kind = OPTION_SECONDS,
	 .into = &peer_options.config.wait_ms,
	 .min = 0,
	 .max = 86400000,
	 .help = "wait up to SECONDS for the server (also that of --iperf-server,\n"
		 "which may be busy), for an interface that goes down during the\n"
		 "run, or while a host is short of memory, processes, descriptors\n"
		 "or ports (default 60)"},
	{.name = "resume",
	 .value = "[RUN]",
	 .kind = OPTION_OPTIONAL,
	 .into = &peer_options.config.resume_run,
	 .seen = &peer_options.config.resume,
	 .help = "continue a run of the database: repeat the options of the run;\n"
		 "measures only what is missing (default: the newest sweep)"},
	{.name = "repeat-failed",
	 .kind = OPTION_FLAG,
	 .into = &peer_options.config.repeat_failed,
	 .help = "with --resume: measure failed pairs again"},
	{.name = "apply",
	 .kind = OPTION_FLAG,
	 .into = &peer_options.config.apply,
	 .help = "measure one pair and apply it at both ends, in link and conf\n"
		 "file; the server needs --persist best. Without --pair it is\n"
		 "the pair that the run of --run recommends or, if it recommends\n"
		 "none, the fastest of that run"},
	{.name = "run",
	 .value = "RUN",
	 .kind = OPTION_STRING,
	 .into = &peer_options.config.apply_run,
	 .help = "with --apply: take the pair from this run (default: the newest\n"
		 "with a pair that was ok, or that probes alone predict). With\n"
		 "--apply --pair: apply the pair only if that holds of it in\n"
		 "this run, between the same two ends (default: in any case)"},
	{.name = "pair",
	 .value = "S/P",
	 .kind = OPTION_PAIR,
	 .into = &peer_options.config.pair,
	 .help = "with --apply: server MTU S and peer MTU P"},
	{.name = "peer-skip-errors",
	 .value = "True|False",
	 .kind = OPTION_BOOL,
	 .into = &peer_options.config.skip_errors,
	 .seen = &peer_options.skip_errors_given,
	 .help = "True: record a failed test and continue; False: end the run\n"
		 "at the first failed test (default True)"},
	{.more = host_option_rows},
};

int main(int argc, char **argv)
{
	const struct host_program program = {
		.name = "mtusweep-peer",
		.synopsis = "mtusweep-peer --server-ip ADDRESS [OPTION]...\n"
			    "       mtusweep-peer --alone [--target ADDRESS]... "
			    "[OPTION]...",
		.summary = "Finds the best MTUs for both ends of a WireGuard tunnel, "
			   "with mtusweep-server at\nthe other end. It recommends a "
			   "pair, and restores both hosts unless it applies one.",
		.rows = rows,
		.libraries = peer_libraries,
		.check = peer_options_check,
		.ready = peer_options_ready,
		.failed = peer_options_failed,
		.main = peer_main,
		.ctx = &peer_options.config,
	};

	peer_options.rows = rows;
	return host_main(&program, argc, argv);
}

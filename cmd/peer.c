/* mtusweep-peer: options, checks, and the start of the processes. cmd/peer/peer.c does the
 * rest. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/pair.h"
#include "base/text.h"
#include "base/uuid.h"
#include "cmd/host/host.h"
#include "cmd/peer/peer.h"
#include "cmd/peer/strategy_options.h"
#include "netctl/rtroute.h"

static const char *const orders[] = {"row", "shuffled", NULL};

static struct peer_config peer = {
	.server_port = 5000,
	.duration_ms = 5000,
	.wait_ms = 60000,
	.passes = 1,
	.margin = 5,
	.budget_ms = 60000,
	.skip_errors = true,
};
static int strategy;
static bool strategy_given;
static bool passes_given;
static bool order_given;
static bool duration_given;
static bool precision_given;
static bool congestion_given;
static bool margin_given;
static bool budget_given;
static bool skip_errors_given;
static int order;
static const char *pair;

static const struct option_spec rows[] = {
	{.name = "server-ip",
	 .value = "ADDRESS",
	 .kind = OPTION_STRING,
	 .into = &peer.server_ip,
	 .help = "the server's address inside the tunnel (required)"},
	{.name = "server-port",
	 .value = "PORT",
	 .kind = OPTION_INT,
	 .into = &peer.server_port,
	 .min = 1024,
	 .max = 65535,
	 .help = "TCP port of the server (default 5000)"},
	{.name = "iperf-port",
	 .value = "PORT",
	 .kind = OPTION_INT,
	 .into = &peer.iperf_port,
	 .min = 1024,
	 .max = 65535,
	 .help = "TCP port of the throughput tests (default: the server's\n"
		 "--iperf-port)"},
	{.name = "duration",
	 .value = "SECONDS",
	 .kind = OPTION_SECONDS,
	 .into = &peer.duration_ms,
	 .seen = &duration_given,
	 .min = 100,
	 .max = 3600000,
	 .help = "length of one direction's test (default 5; smart: 2)"},
	{.name = "precision",
	 .value = "PERCENT",
	 .kind = OPTION_INT,
	 .into = &peer.precision,
	 .seen = &precision_given,
	 .min = 0,
	 .max = 50,
	 .help = "end a test as soon as its goodput is known to PERCENT, but\n"
		 "not within 0.5 s (default 0: each test lasts its\n"
		 "--duration; smart: 3)"},
	{.name = "congestion",
	 .value = "ALGORITHM",
	 .kind = OPTION_STRING,
	 .into = &peer.congestion,
	 .seen = &congestion_given,
	 .help = "TCP congestion control of the tests' senders (default:\n"
		 "each kernel's own; smart: bbr if both ends have it)"},
	{.name = "strategy",
	 .kind = OPTION_CHOICE,
	 .into = &strategy,
	 .seen = &strategy_given,
	 .choices = strategy_names,
	 .help = STRATEGY_LIST(STRATEGY_HELP)},
	{.name = "margin",
	 .value = "PERCENT",
	 .kind = OPTION_INT,
	 .into = &peer.margin,
	 .seen = &margin_given,
	 .min = 1,
	 .max = 50,
	 .help = "smart: stop when no tested pair can still be more than\n"
		 "PERCENT faster (default 5)"},
	{.name = "budget",
	 .value = "SECONDS",
	 .kind = OPTION_SECONDS,
	 .into = &peer.budget_ms,
	 .seen = &budget_given,
	 .min = 0,
	 .max = 86400000,
	 .help = "smart: start no pair later than this; 0: no limit\n"
		 "(default 60)"},
	{.name = "passes",
	 .value = "N",
	 .kind = OPTION_INT,
	 .into = &peer.passes,
	 .seen = &passes_given,
	 .min = 1,
	 .max = 1000,
	 .help = "grid: measure every pair N times (default 1)"},
	{.name = "order",
	 .kind = OPTION_CHOICE,
	 .into = &order,
	 .seen = &order_given,
	 .choices = orders,
	 .help = "grid: row: in order, the server's MTU in the outer loop\n"
		 "(default); shuffled: in random order, with repeated\n"
		 "measurements of the smallest pair that detect a drift of\n"
		 "the line"},
	{.name = "seed",
	 .value = "N",
	 .kind = OPTION_U64,
	 .into = &peer.seed,
	 .seen = &peer.seed_given,
	 .help = "grid: seed of the shuffled order (default: random)"},
	{.name = "wait",
	 .value = "SECONDS",
	 .kind = OPTION_SECONDS,
	 .into = &peer.wait_ms,
	 .min = 0,
	 .max = 86400000,
	 .help = "wait this long for the server, for an interface that went\n"
		 "down during the run, or for resources that a host lacks\n"
		 "(default 60)"},
	{.name = "resume",
	 .value = "[RUN]",
	 .kind = OPTION_OPTIONAL,
	 .into = &peer.resume_run,
	 .seen = &peer.resume,
	 .help = "continue an interrupted run of the database (default: the\n"
		 "newest), with the options it was started with; measure only\n"
		 "what is missing"},
	{.name = "repeat-failed",
	 .kind = OPTION_FLAG,
	 .into = &peer.repeat_failed,
	 .help = "with --resume: measure failed pairs again"},
	{.name = "apply",
	 .kind = OPTION_FLAG,
	 .into = &peer.apply,
	 .help = "measure one pair and apply it at both ends, as --persist\n"
		 "best does; the server needs --persist best. The pair is\n"
		 "--pair, else the one the run recommends, else the run's\n"
		 "fastest"},
	{.name = "run",
	 .value = "RUN",
	 .kind = OPTION_STRING,
	 .into = &peer.apply_run,
	 .help = "with --apply: the run that the pair comes from (default: the\n"
		 "newest sweep); with --pair, apply it only if it was ok in\n"
		 "this run, between the same two ends"},
	{.name = "pair",
	 .value = "S,P",
	 .kind = OPTION_STRING,
	 .into = &pair,
	 .help = "with --apply: server MTU S and peer MTU P"},
	{.name = "peer-skip-errors",
	 .value = "True|False",
	 .kind = OPTION_BOOL,
	 .into = &peer.skip_errors,
	 .seen = &skip_errors_given,
	 .help = "True: record a failed test and continue (default); False:\n"
		 "end the run at the first failed test"},
	{.more = host_option_rows},
};

/* The tunnel must be the way to the server: else another path would be measured. */
static int check_route(const struct host *host, struct err *err)
{
	struct rtroute route;
	int r = rtroute_get(peer.server_ip, &route, err);

	if (r < 0)
		return r;
	if (route.local)
		return err_set(
			err, -EINVAL,
			"--server-ip %s is an address of this host; it takes the "
			"server's address inside the tunnel",
			peer.server_ip);
	if (route.oif != host->link.index)
		return err_set(
			err, -EINVAL,
			"packets to --server-ip %s leave by '%s', not by '%s': give "
			"the server's address inside the tunnel, or another "
			"--interface",
			peer.server_ip, route.oif_name, host->link.name);
	text_copy(peer.local, sizeof(peer.local), route.source);
	if (route.mtu)
		snprintf(peer.warning, sizeof(peer.warning),
			 "the route to %s has an MTU of its own, %d, which overrides "
			 "the "
			 "interface's",
			 peer.server_ip, route.mtu);
	return 0;
}

static int check_apply(struct err *err)
{
	if (!peer.apply && (peer.apply_run || pair))
		return err_set(err, -EINVAL, "--run and --pair are for --apply");
	if (!peer.apply)
		return 0;
	if (peer.resume)
		return err_set(err, -EINVAL,
			       "--apply keeps a pair, --resume goes on with a sweep: "
			       "give one of them");
	if (host_options.persist_given && host_options.persist != PERSIST_BEST)
		return err_set(err, -EINVAL,
			       "--apply writes link and conf file, --persist %s does "
			       "not: leave it away, or give --persist best",
			       persist_name((enum persist)host_options.persist));
	host_options.persist = PERSIST_BEST;
	return pair ? pair_parse(pair, &peer.pair, err) : 0;
}

/* A probe keeps nothing and leaves nothing to go on with. */
static int check_probe(struct err *err)
{
	if (peer.strategy->make_plan)
		return 0;
	if (peer.apply || peer.resume || host_options.persist != PERSIST_NONE)
		return err_set(err, -EINVAL,
			       "--strategy %s measures and keeps no pair: leave "
			       "--apply, --resume and --persist away",
			       strategy_name(peer.strategy));
	return 0;
}

/* One pair is no matter of strategy. */
static int find_strategy(struct err *err)
{
	struct strategy_use use = {
		.by_default = !strategy_given,
		.one_pair = peer.apply,
		.shuffled = order == GRID_SHUFFLED,
	};

	if (peer.apply && strategy_given)
		return err_set(
			err, -EINVAL,
			"--strategy is for a sweep, --apply keeps one pair: give "
			"one of them");
	if (!strategy_given)
		strategy = peer.apply || host_options_have_lattice() ? STRATEGY_grid
								     : STRATEGY_smart;
	peer.strategy = &strategies[strategy];
	use.strategy = peer.strategy;
	return strategy_options_check(rows, &use, err);
}

static void set_strategy_defaults(void)
{
	if (!duration_given && peer.strategy->duration_ms)
		peer.duration_ms = peer.strategy->duration_ms;
	if (!precision_given && peer.strategy->precision)
		peer.precision = peer.strategy->precision;
	if (!host_options.step_given && peer.strategy->mtu_step)
		host_options.range.step = peer.strategy->mtu_step;
	peer.prefer_bbr = peer.strategy->prefer_bbr;
}

static int check_usage(struct err *err)
{
	int r;

	if (host_options.restore)
		return 0;
	r = find_strategy(err);
	if (r < 0)
		return r;
	set_strategy_defaults();
	r = check_probe(err);
	if (r == 0)
		r = check_apply(err);
	if (r < 0)
		return r;
	if (peer.repeat_failed && !peer.resume)
		return err_set(
			err, -EINVAL,
			"--repeat-failed is for --resume: it measures the failed "
			"pairs of an earlier run again");
	if (!peer.server_ip)
		return err_set(
			err, -EINVAL,
			"--server-ip is missing: the server's address inside the "
			"tunnel");
	return host_options_check_address("server-ip", peer.server_ip, err);
}

static int ready(struct host *host, struct err *err)
{
	if (!peer.seed_given)
		peer.seed = random_u64() >> 1;
	peer.order = (enum grid_order)order;
	/* What this end allows, unless a lattice was asked for. */
	if (!peer.strategy->is_grid && !host_options_have_lattice())
		host_options.range = host->guard.range;
	peer.options = &host_options;
	peer.host = host;
	text_copy(host->guard.remote, sizeof(host->guard.remote), peer.server_ip);
	return check_route(host, err);
}

int main(int argc, char **argv)
{
	const struct host_program program = {
		.name = "mtusweep-peer",
		.synopsis = "mtusweep-peer --server-ip ADDRESS [OPTION]...",
		.rows = rows,
		.check = check_usage,
		.ready = ready,
		.main = peer_main,
		.ctx = &peer,
	};

	return host_main(&program, argc, argv);
}

/* SPDX-License-Identifier: MIT */
#include "cmd/peer/peer_options.h"

#include <errno.h>
#include <stdio.h>

#include "base/random.h"
#include "base/text.h"
#include "cmd/alone/alone_options.h"
#include "cmd/peer/peer_check.h"
#include "cmd/peer/strategy_options.h"
#include "netctl/rtroute.h"

struct peer_options peer_options = {
	.config =
		{
			.server_port = HOST_SERVER_PORT,
			.duration_ms = 5000,
			.wait_ms = 60000,
			.passes = 1,
			.margin = 5,
			.budget_ms = 60000,
			.skip_errors = true,
			.watch = {.settle_ms = WATCH_SETTLE_MS},
		},
};

const char *const peer_order_names[] = {"row", "shuffled", NULL};

static char server_ip[ADDRESS_SIZE];

/* The set that the checks below look at. */
static struct peer_config *const peer = &peer_options.config;
static struct alone_config *const one_end = &peer_options.config.one_end;

/* The tunnel must be the way to the server: else another path would be measured. */
static int check_route(struct host *host, struct err *err)
{
	struct rtroute route;
	int r = rtroute_get_on(peer->server_ip, host->link.index, &route, err);

	if (r < 0)
		return r;
	if (route.local)
		return err_set(err, -EINVAL,
			       "--server-ip %s is an address of this host; give the "
			       "server's address inside the tunnel",
			       peer->server_ip);
	if (route.oif != host->link.index)
		return err_set(err, -EINVAL,
			       "packets to --server-ip %s leave by '%s', not by '%s': "
			       "give the server's address inside the tunnel, or "
			       "another --interface",
			       peer->server_ip, route.oif_name, host->link.name);
	text_copy(peer->local, sizeof(peer->local), route.source);
	peer->route_advmss = route.advmss;
	if (host->by_route)
		host->route_mtu = route.mtu;
	else
		peer->route_mtu = route.mtu;
	return 0;
}

static int check_apply(struct err *err)
{
	if (!peer->apply && (peer->apply_run || peer->pair.server))
		return err_set(err, -EINVAL, "--run and --pair need --apply");
	if (!peer->apply)
		return 0;
	if (peer->resume)
		return err_set(err, -EINVAL,
			       "--apply applies a pair, --resume continues a sweep: "
			       "give one of them");
	if (host_options.persist_given && host_options.persist != PERSIST_BEST)
		return err_set(err, -EINVAL,
			       "--apply writes link and conf file, --persist %s does "
			       "not: omit it, or give --persist best",
			       persist_name((enum persist)host_options.persist));
	host_options.persist = PERSIST_BEST;
	return 0;
}

/* Rates alone cannot show that a pair's packets arrive whole. */
static int check_no_probe(struct err *err)
{
	if (!peer->no_probe || host_options.persist != PERSIST_BEST)
		return 0;
	return err_set(err, -EINVAL,
		       "--persist best applies only a pair that probes confirm: omit "
		       "--no-probe, or choose a pair later with --apply --pair");
}

/* A probe applies nothing and leaves nothing to resume. */
static int check_probe(struct err *err)
{
	if (peer->strategy->make_plan)
		return 0;
	if (peer->apply || peer->resume || host_options.persist != PERSIST_NONE)
		return err_set(err, -EINVAL,
			       "--strategy %s neither measures nor applies a pair: "
			       "omit --apply, --resume and --persist",
			       strategy_name(peer->strategy));
	return 0;
}

/* --apply measures one pair, so no strategy applies. */
static int find_strategy(struct err *err)
{
	struct strategy_use use = {
		.by_default = !peer_options.strategy_given,
		.one_pair = peer->apply,
		.shuffled = peer_options.order == GRID_SHUFFLED,
	};

	if (peer->apply && peer_options.strategy_given)
		return err_set(err, -EINVAL,
			       "--strategy is for a sweep, --apply applies one pair: "
			       "give one of them");
	if (!peer_options.strategy_given)
		peer_options.strategy = peer->apply || host_options_have_range()
						? STRATEGY_grid
						: STRATEGY_smart;
	peer->strategy = &strategies[peer_options.strategy];
	use.strategy = peer->strategy;
	return strategy_options_check(peer_options.rows, &use, err);
}

static void set_strategy_defaults(void)
{
	if (!peer_options.precision_given && peer->strategy->precision)
		peer->precision = peer->strategy->precision;
	if (!peer_options.duration_given && peer->strategy->duration_ms) {
		peer->duration_ms = peer->strategy->duration_ms;
		peer->duration_by_path = peer->strategy->duration_by_path &&
					 peer->precision > 0;
	}
	if (!host_options.step_given && peer->strategy->mtu_step)
		host_options.range.step = peer->strategy->mtu_step;
	peer->prefer_bbr = peer->strategy->prefer_bbr;
}

/* A watch only probes, and prints no result. */
static int check_watch(struct err *err)
{
	const struct {
		const char *name;
		bool given;
	} others[] = {
		{"iperf-server", one_end->iperf_server != NULL},
		{"json", peer->json},
		{"check", peer->check},
		{"apply", peer->apply},
		{"resume", peer->resume},
		{"repeat-failed", peer->repeat_failed},
		{"persist each", host_options.persist == PERSIST_EACH},
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (peer->watch.every_ms && others[i].given)
			return err_set(err, -EINVAL,
				       "--watch has no use for --%s: it probes, and "
				       "stores what it finds",
				       others[i].name);
	}
	return watch_options_check(&peer->watch, host_options.persist == PERSIST_BEST,
				   err);
}

/* A watch of both ends makes the probes of that strategy. */
static int take_watch_strategy(struct err *err)
{
	const struct strategy_use use = {.strategy = &strategies[STRATEGY_probe]};

	if (peer_options.strategy_given && peer_options.strategy != STRATEGY_probe)
		return err_set(err, -EINVAL,
			       "--watch probes, --strategy %s measures: give one of "
			       "them",
			       strategy_names[peer_options.strategy]);
	peer_options.strategy = STRATEGY_probe;
	peer->strategy = use.strategy;
	return strategy_options_check(peer_options.rows, &use, err);
}

/* The options that --alone has no use for. */
static const char *find_useless(void)
{
	const struct {
		const char *name;
		bool given;
	} others[] = {
		{"server-ip", peer->server_ip != NULL},
		{"apply", peer->apply},
		{"resume", peer->resume},
		{"repeat-failed", peer->repeat_failed},
		{"run", peer->apply_run != NULL},
		{"pair", peer->pair.server != 0},
		{"persist each", host_options.persist == PERSIST_EACH},
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (others[i].given)
			return others[i].name;
	}
	return NULL;
}

static void set_one_end(void)
{
	one_end->option = "target";
	one_end->own = DIR_UPLOAD;
	one_end->json = peer->json;
	one_end->duration_ms = peer->duration_ms;
	one_end->wait_ms = peer->wait_ms;
	one_end->precision = peer->precision;
	one_end->congestion = peer->congestion;
	one_end->skip_errors = peer->skip_errors;
	one_end->grid = peer->strategy->is_grid;
	one_end->passes = peer->passes;
	one_end->watch = &peer->watch;
}

/* Without a server of tests there is nothing to choose. With one, the probes are made in
 * any case. */
static int find_one_end_strategy(enum strategy_one_end *ret, struct err *err)
{
	bool grid = peer_options.strategy_given ? peer_options.strategy == STRATEGY_grid
						: host_options_have_range();

	peer->strategy = &strategies[STRATEGY_probe];
	*ret = ONE_END_PROBES;
	if (!one_end->iperf_server && peer_options.strategy_given)
		return err_set(err, -EINVAL,
			       "--alone has no use for --strategy without "
			       "--iperf-server: it probes the path from this end");
	if (!one_end->iperf_server)
		return 0;
	if (peer_options.strategy_given && peer_options.strategy == STRATEGY_probe)
		return err_set(err, -EINVAL,
			       "--strategy probe measures no throughput, "
			       "--iperf-server does: give one of them");
	*ret = grid ? ONE_END_SWEEPS : ONE_END_CONFIRMS;
	if (grid)
		peer->strategy = &strategies[STRATEGY_grid];
	return 0;
}

static int refuse_useless(const char *option, enum strategy_one_end use,
			  struct err *err)
{
	static const char *const words[] = {
		[ONE_END_PROBES] =
			" without --iperf-server: it probes the path from this end",
		[ONE_END_CONFIRMS] = (" here: it measures the recommended MTU and the "
				      "current one; --strategy grid measures more"),
		[ONE_END_SWEEPS] = ": it measures all MTUs of this end's range",
	};

	return err_set(err, -EINVAL, "--alone has no use for --%s%s", option,
		       words[use]);
}

static int check_alone(struct err *err)
{
	const char *useless = find_useless();
	enum strategy_one_end use;
	int r;

	if (useless)
		return err_set(err, -EINVAL,
			       "--alone has no use for --%s: it works without "
			       "mtusweep at the other end",
			       useless);
	r = find_one_end_strategy(&use, err);
	if (r < 0)
		return r;
	useless = strategy_options_useless(peer_options.rows, use);
	if (useless)
		return refuse_useless(useless, use, err);
	if (peer->seed_given && peer_options.order != GRID_SHUFFLED)
		return err_set(
			err, -EINVAL,
			"--seed is for --order shuffled; --order row needs none");
	set_strategy_defaults();
	set_one_end();
	r = check_watch(err);
	return r < 0 ? r : alone_options_check(one_end, err);
}

int peer_options_check(struct err *err)
{
	int r;

	if (host_options.restore)
		return 0;
	if (peer->alone)
		return check_alone(err);
	if (one_end->named.count || one_end->iperf_server)
		return err_set(err, -EINVAL, "--%s needs --alone",
			       one_end->named.count ? "target" : "iperf-server");
	r = check_watch(err);
	if (r == 0)
		r = peer->watch.every_ms ? take_watch_strategy(err)
					 : find_strategy(err);
	if (r < 0)
		return r;
	set_strategy_defaults();
	r = peer->watch.every_ms ? 0 : check_probe(err);
	if (r == 0)
		r = check_apply(err);
	if (r == 0)
		r = check_no_probe(err);
	if (r < 0)
		return r;
	if (peer->check && peer->json)
		return err_set(err, -EINVAL,
			       "--check prints one line, --json a document of a stored "
			       "run: give one of them");
	if (peer->repeat_failed && !peer->resume)
		return err_set(err, -EINVAL,
			       "--repeat-failed needs --resume: it measures the failed "
			       "pairs of an earlier run again");
	if (!peer->server_ip)
		return err_set(err, -EINVAL,
			       "--server-ip is missing: the server's address inside "
			       "the tunnel; --alone needs none");
	r = host_options_take_address("server-ip", peer->server_ip, server_ip, err);
	peer->server_ip = server_ip;
	return r;
}

int peer_options_ready(struct host *host, struct err *err)
{
	if (!peer->seed_given)
		peer->seed = random_u64() >> 1;
	peer->order = (enum grid_order)peer_options.order;
	one_end->seed = peer->seed;
	one_end->order = peer->order;
	if (!peer->strategy->is_grid)
		host_options_use_range(&host->guard.bounds.range, host->usual_min);
	peer->options = &host_options;
	peer->host = host;
	if (peer->alone)
		return alone_options_ready(one_end, host, err);
	text_copy(host->guard.bounds.remote, sizeof(host->guard.bounds.remote),
		  peer->server_ip);
	return check_route(host, err);
}

void peer_options_failed(const char *why)
{
	if (peer->check)
		peer_check_failed(why);
}

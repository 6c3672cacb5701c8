#include "cmd/lead.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/stop.h"
#include "base/text.h"
#include "base/uuid.h"
#include "cmd/lead_grid.h"
#include "cmd/lead_ops.h"
#include "cmd/lead_probe.h"
#include "cmd/lead_smart.h"
#include "engine/iperf_test.h"
#include "engine/plan_rest.h"
#include "netctl/sysctl.h"
#include "store/query.h"

/* --- the start of a run --- */

/* A database that is opened for writing is made where there is none: not for a name that
 * has a run to be found in it. */
static int check_database(const struct lead_config *config, struct err *err)
{
	bool needs_run = config->resume || config->apply_run ||
			 (config->apply && !config->pair.server);
	struct query *query;
	int r = needs_run ? query_open(config->options->db, &query, err) : 0;

	if (needs_run && r == 0)
		query_close(query);
	/* The others come again as it is opened. */
	return r == -ENOENT ? r : 0;
}

static int open_all(struct lead *lead, int guard_socket, int runner_socket,
		    struct err *err)
{
	const struct lead_config *config = lead->config;
	struct client_config client;
	int r;

	lead_client_config(lead, &client);
	r = guard_new(guard_socket, &lead->guard, err);
	if (r == 0)
		r = runner_new(runner_socket, &lead->runner, err);
	if (r == 0)
		r = check_database(config, err);
	if (r == 0)
		r = store_open(config->options->db, &lead->store, err);
	if (r == 0)
		r = rtwatch_new(config->options->interface, &lead->watch, err);
	if (r == 0)
		r = client_new(&client, &lead->client, err);
	return r;
}

static const char *const strategy_names[] = {
	[LEAD_GRID] = "grid",
	[LEAD_SMART] = "smart",
	[LEAD_PROBE] = STRATEGY_PROBE,
};

static void describe_run(struct lead *lead)
{
	const struct lead_config *config = lead->config;
	struct run_info *run = &lead->run;
	char versions[sizeof(run->peer.versions)];

	uuid_make(run->uuid);
	run->started_at_ms = clock_wall_ms();
	run->peer_range = config->options->range;
	run->passes = config->passes;
	run->seed = config->seed;
	run->duration_ms = config->duration_ms;
	run->persist = (enum persist)config->options->persist;
	text_copy(run->strategy, sizeof(run->strategy),
		  config->apply ? STRATEGY_APPLY : strategy_names[config->strategy]);
	snprintf(versions, sizeof(versions),
		 "mtusweep " MTUSWEEP_VERSION ", libiperf %s, curl %s, sqlite %s",
		 iperf_test_version(), client_library_version(),
		 store_library_version());
	host_facts(config->host, versions, &run->peer);
	text_copy(run->peer.address, sizeof(run->peer.address), config->local);
}

/* The outer packets' family, which WireGuard alone knows. */
static int ask_guard(struct lead *lead, struct err *err)
{
	struct guard_facts facts = {0};
	int r = guard_get_facts(lead->guard, lead->config->server_ip, &facts, err);

	lead->run.peer.endpoint_family = facts.endpoint_family;
	return r;
}

static char *options_json(const struct lead_config *config)
{
	const struct host_options *options = config->options;
	char seed[24];
	json_t *object;
	char *text;

	/* JSON's integers have a sign, here and in SQLite. */
	snprintf(seed, sizeof(seed), "%" PRIu64, config->seed);
	object = json_pack(
		"{s:s, s:i, s:s, s:i, s:i, s:i, s:f, s:i, s:s, s:s, s:s, s:f, s:f, "
		"s:b, s:i, s:s?, s:s, s:i, s:f}",
		"server-ip", config->server_ip, "server-port", config->server_port,
		"interface", options->interface, "mtu-min", options->range.min,
		"mtu-max", options->range.max, "mtu-step", options->range.step,
		"duration", (double)config->duration_ms / 1000, "passes",
		config->passes, "order", config->order == GRID_ROW ? "row" : "shuffled",
		"seed", seed, "persist", persist_name((enum persist)options->persist),
		"wait", (double)config->wait_ms / 1000, "lease",
		(double)options->lease_ms / 1000, "peer-skip-errors",
		config->skip_errors, "precision", config->precision, "congestion",
		config->congestion, "strategy", strategy_names[config->strategy],
		"margin", config->margin, "budget", (double)config->budget_ms / 1000);
	text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	return text;
}

/* With --resume: the run of the database in place of a new one. */
static int find_run(struct lead *lead, struct err *err)
{
	cleanup_free char *options = options_json(lead->config);
	struct resume_wish wish = {
		.db = lead->config->options->db,
		.run = lead->config->resume_run,
		.options = options,
		.seed_given = lead->config->seed_given,
	};
	int r;

	if (!lead->config->resume)
		return 0;
	r = resume_load(&wish, &lead->resumed, err);
	if (r == 0)
		r = resume_check_end("peer", &lead->resumed.info.peer, &lead->run.peer,
				     err);
	if (r < 0)
		return r;
	lead->run = lead->resumed.info;
	lead->server_known = true;
	lead->bound = true;
	return 0;
}

/* With --apply: the one pair, and where it was measured the two ends it was measured
 * on. */
static int find_pair(struct lead *lead, struct err *err)
{
	const struct lead_config *config = lead->config;
	const struct mtu_range *allowed = &config->host->guard.range;
	struct apply_wish wish = {
		.db = config->options->db,
		.run = config->apply_run,
		.mtu = config->pair,
	};
	struct applied found = {.mtu = config->pair};
	int r;

	if (!config->apply)
		return 0;
	r = wish.mtu.server && !wish.run ? 0 : apply_load(&wish, &found, err);
	if (r == 0 && found.measured) {
		r = resume_check_end("peer", &found.peer, &lead->run.peer, err);
		lead->run.server = found.server;
		lead->server_known = true;
	}
	if (r == 0 && !mtu_range_allows(allowed, found.mtu.peer))
		r = err_set(err, -ERANGE,
			    "this end allows MTUs %d to %d, not peer MTU %d: start it "
			    "with other --mtu-min and --mtu-max",
			    allowed->min, allowed->max, found.mtu.peer);
	lead->run.server_range =
		(struct mtu_range){found.mtu.server, found.mtu.server, 1};
	lead->run.peer_range = (struct mtu_range){found.mtu.peer, found.mtu.peer, 1};
	return r;
}

/* A test of so few round trips tells of TCP's start more than of the path. */
#define TEST_TRIPS 10

static void warn_of_slow_path(struct lead *lead)
{
	int64_t rtt_ms = client_rtt_us(lead->client) / 1000;
	char text[256];

	if (lead->run.duration_ms >= TEST_TRIPS * rtt_ms)
		return;
	snprintf(text, sizeof(text),
		 "tests of %.1f s are short for a path whose round trip takes %.1f s: "
		 "their rates are TCP's start more than the path's; --duration %lld "
		 "tells more",
		 (double)lead->run.duration_ms / 1000, (double)rtt_ms / 1000,
		 (long long)(TEST_TRIPS * rtt_ms + 999) / 1000);
	lead_warn(lead, text);
}

static int begin_run(struct lead *lead, struct err *err)
{
	cleanup_free char *options = options_json(lead->config);
	char warning[256];
	int r = store_begin_run(lead->store, &lead->run, "peer", options, &lead->run_id,
				err);

	if (r < 0)
		return r;
	if (lead->config->resume && lead->run.pairs_planned)
		host_tell("run %lld goes on: %d of %d visits are left",
			  (long long)lead->run_id, lead->visits,
			  lead->run.pairs_planned);
	else if (lead->config->resume)
		host_tell("run %lld goes on after %zu visit%s", (long long)lead->run_id,
			  lead->resumed.count,
			  text_plural((int64_t)lead->resumed.count));
	host_tell("visits planned%s: %d, with %.1f s of tests",
		  lead->config->strategy == LEAD_SMART ? " at first" : "", lead->visits,
		  (double)lead->visits * (double)lead->run.duration_ms * 2 / 1000);
	lead_warn(lead, lead->config->warning);
	warn_of_slow_path(lead);
	for (int i = 0; sysctl_warning(i, warning, sizeof(warning)); i++)
		lead_warn(lead, warning);
	return 0;
}

static int make_plan(const struct lead *lead, struct plan **ret, struct err *err)
{
	struct plan_grid_options grid = lead_grid_options(lead);
	struct plan_rest_options rest = {
		.known = lead->resumed.known,
		.known_count = lead->resumed.count,
		.repeat_failed = lead->config->repeat_failed,
	};
	int r;

	if (lead->config->strategy == LEAD_SMART)
		r = lead_smart_plan(lead, &rest.whole, err);
	else
		r = plan_grid_new(&grid, &rest.whole, err);
	return r < 0 ? r : plan_rest_new(&rest, ret, err);
}

static int sweep(struct lead *lead, struct err *err)
{
	struct sweep_options options = {
		.stop_on_failure = !lead->config->skip_errors,
		.first_seq = lead->resumed.last_seq + 1,
		.budget_ms = lead->config->strategy == LEAD_SMART
				     ? lead->config->budget_ms
				     : 0,
	};
	struct sweep_summary summary = {0};
	struct plan *plan;
	int r = make_plan(lead, &plan, err);

	if (r < 0)
		return r;
	lead->visits = plan_total(plan);
	r = begin_run(lead, err);
	if (r == 0 && lead->config->strategy == LEAD_SMART)
		r = store_put_path(lead->store, lead->run_id, &lead->survey, err);
	/* Where it is not taken now it is sent again at the end. */
	if (r == 0 && lead->config->strategy == LEAD_SMART)
		lead_smart_share_path(lead, NULL);
	if (r == 0)
		r = sweep_run(plan, &options, &lead_ops, lead, &summary, err);
	plan_free(plan);
	if (r == 0 && summary.budget_spent)
		host_tell("the time of --budget %g is spent: what is open stays open",
			  (double)lead->config->budget_ms / 1000);
	return r;
}

static int probe_only(struct lead *lead, struct err *err)
{
	int r = lead_probe_only(lead, err);

	if (r == -EINTR)
		err_set(err, r, "%s", stop_reason());
	if (r < 0)
		host_tell("%s", err->text);
	lead_put_back(lead, lead_outcome(r), r < 0 ? err->text : "");
	return r;
}

static int run(struct lead *lead, struct err *err)
{
	int r = ask_guard(lead, err);

	if (r == 0)
		r = find_run(lead, err);
	if (r == 0)
		r = find_pair(lead, err);
	if (r == 0)
		r = lead_connect(lead, lead->config->wait_ms, err);
	if (r == -EINTR)
		err_set(err, r, "stopped before the run began; nothing was changed");
	if (r < 0) {
		host_tell("%s", err->text);
		return r;
	}
	if (lead->config->strategy == LEAD_PROBE)
		return probe_only(lead, err);
	if (lead->config->strategy == LEAD_SMART)
		r = lead_smart_survey(lead, err);
	if (r == 0)
		r = sweep(lead, err);
	return lead_end(lead, r, err);
}

/* After a failure that was told of, the database has little to add. */
static void close_all(struct lead *lead, bool failed)
{
	struct err err = ERR_INIT;

	lease_stop(lead->lease);
	resume_release(&lead->resumed);
	client_free(lead->client);
	rtwatch_free(lead->watch);
	if (store_close(lead->store, &err) < 0 && !failed)
		host_tell("%s", err.text);
	runner_free(lead->runner);
	guard_free(lead->guard);
}

int lead_main(void *ctx, int guard_socket, int runner_socket)
{
	struct lead lead = {.config = ctx};
	struct err err = ERR_INIT;
	int r;

	/* A background job must not be stopped for writing its progress. */
	signal(SIGTTOU, SIG_IGN);
	if (stop_install() < 0)
		return 1;
	lead.stop_fd = stop_fd();
	r = open_all(&lead, guard_socket, runner_socket, &err);
	if (r < 0) {
		host_tell("%s", err.text);
	} else {
		describe_run(&lead);
		r = run(&lead, &err);
	}
	close_all(&lead, r < 0);
	return r < 0 ? 1 : 0;
}

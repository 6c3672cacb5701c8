#include "cmd/lead.h"

#include <errno.h>
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
#include "cmd/lead_ops.h"
#include "engine/iperf_test.h"
#include "netctl/sysctl.h"
#include "store/query.h"

/* How long the end of a run may take for each of: rows, commit, close. */
#define END_TIMEOUT_MS 5000

/* --- the start of a run --- */

static int open_all(struct lead *lead, int guard_socket, int runner_socket,
		    struct err *err)
{
	const struct lead_config *config = lead->config;
	struct client_config client = {.port = config->server_port};
	int r;

	text_copy(client.interface, sizeof(client.interface),
		  config->options->interface);
	text_copy(client.address, sizeof(client.address), config->server_ip);
	client.stop_fd = stop_fd();
	r = guard_new(guard_socket, &lead->guard, err);
	if (r == 0)
		r = runner_new(runner_socket, &lead->runner, err);
	if (r == 0)
		r = store_open(config->options->db, &lead->store, err);
	if (r == 0)
		r = client_new(&client, &lead->client, err);
	return r;
}

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
	text_copy(run->strategy, sizeof(run->strategy), "grid");
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
	json_t *object = json_pack(
		"{s:s, s:i, s:s, s:i, s:i, s:i, s:f, s:i, s:s, s:I, s:s, s:f, s:f, "
		"s:b}",
		"server-ip", config->server_ip, "server-port", config->server_port,
		"interface", options->interface, "mtu-min", options->range.min,
		"mtu-max", options->range.max, "mtu-step", options->range.step,
		"duration", (double)config->duration_ms / 1000, "passes",
		config->passes, "order", config->order == GRID_ROW ? "row" : "shuffled",
		"seed", (json_int_t)config->seed, "persist",
		persist_name((enum persist)options->persist), "wait",
		(double)config->wait_ms / 1000, "lease",
		(double)options->lease_ms / 1000, "peer-skip-errors",
		config->skip_errors);
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

	json_decref(object);
	return text;
}

static int begin_run(struct lead *lead, struct err *err)
{
	cleanup_free char *options = options_json(lead->config);
	char warning[256];
	int r = store_begin_run(lead->store, &lead->run, "peer", options, &lead->run_id,
				err);

	if (r < 0)
		return r;
	lead_warn(lead, lead->config->warning);
	for (int i = 0; sysctl_warning(i, warning, sizeof(warning)); i++)
		lead_warn(lead, warning);
	return 0;
}

/* --- its end --- */

static int commit_best(struct lead *lead, const struct query_result *best,
		       struct err *err)
{
	int r = lead_set_pair(lead, &best->mtu, err);

	if (r == 0)
		r = client_commit(lead->client, lead->session, END_TIMEOUT_MS, err);
	if (r < 0)
		return r;
	r = guard_commit(lead->guard, err);
	if (r < 0)
		lead_tell("the server keeps MTU %d, this end could not keep %d: %.250s",
			  best->mtu.server, best->mtu.peer, err->text);
	return r;
}

static int find_best(struct lead *lead, struct query_result *ret, struct err *err)
{
	struct query *query;
	int r = query_open(lead->config->options->db, &query, err);

	if (r < 0)
		return r;
	r = query_best(query, lead->run_id, QUERY_BY_SUM, ret, err);
	query_close(query);
	return r;
}

static void print_best(const struct query_result *best)
{
	printf("fastest measured: server MTU %d, peer MTU %d (upload %.1f, download "
	       "%.1f "
	       "Mbit/s)\n",
	       best->mtu.server, best->mtu.peer, (double)best->upload_bps / 1e6,
	       (double)best->download_bps / 1e6);
	fflush(stdout);
}

/* Whether the run has a best pair, and with --persist best both ends keep it. */
static int conclude(struct lead *lead, struct err *err)
{
	struct query_result best;
	int r = find_best(lead, &best, err);

	if (r == -ENODATA && lead->run.persist != PERSIST_BEST) {
		lead_tell("%s", err->text);
		return 0;
	}
	if (r < 0)
		return r;
	print_best(&best);
	if (lead->run.persist != PERSIST_BEST)
		return 0;
	r = commit_best(lead, &best, err);
	if (r == 0)
		lead_tell("both ends keep this pair, in their conf files too");
	return r;
}

static void put_back(struct lead *lead, enum run_outcome outcome, const char *why)
{
	struct msg_close m = {.outcome = outcome};
	struct err err = ERR_INIT;
	int r;

	client_ignore_stop(lead->client);
	lead_send_rows(lead, END_TIMEOUT_MS);
	lease_stop(lead->lease);
	lead->lease = NULL;
	r = guard_restore(lead->guard, &err);
	if (r < 0)
		lead_tell("this end: %.400s", err.text);
	text_copy(m.session, sizeof(m.session), lead->session);
	text_copy(m.text, sizeof(m.text), why);
	r = client_close(lead->client, &m, END_TIMEOUT_MS, &err);
	if (r < 0)
		lead_tell(
			"the server could not be told that the run ended (%.200s); it "
			"puts its MTU back by itself within %lld s",
			err.text, (long long)(lead->lease_ms / 1000));
	else if (err.text[0])
		lead_tell("the server: %.400s", err.text);
}

static enum run_outcome outcome_of(int r)
{
	if (r == 0)
		return RUN_DONE;
	return r == -EINTR ? RUN_INTERRUPTED : RUN_FAILED;
}

static void explain(const struct lead *lead, int r, const struct sweep_summary *summary,
		    struct err *err)
{
	if (r == -EINTR)
		err_set(err, r, "stopped by %s",
			stop_signal() ? strsignal(stop_signal()) : "request");
	if (r < 0)
		lead_tell("%s", err->text);
	lead_tell("%d of %d pairs measured, %d of them failed; run %lld in '%s'%s",
		  summary->done, lead->run.pairs_planned, summary->failed,
		  (long long)lead->run_id, lead->config->options->db,
		  r < 0 ? "; both ends go back to the MTUs they had" : "");
}

static int sweep(struct lead *lead, struct sweep_summary *summary, struct err *err)
{
	struct plan_grid_options grid = {
		.server = lead->run.server_range,
		.peer = lead->run.peer_range,
		.passes = lead->config->passes,
		.order = lead->config->order,
		.seed = lead->config->seed,
	};
	struct sweep_options options = {
		.stop_on_failure = !lead->config->skip_errors,
		.first_seq = 1,
	};
	struct plan *plan;
	int r = plan_grid_new(&grid, &plan, err);

	if (r < 0)
		return r;
	lead->run.pairs_planned = plan_total(plan);
	r = begin_run(lead, err);
	if (r == 0)
		r = sweep_run(plan, &options, &lead_ops, lead, summary, err);
	plan_free(plan);
	return r;
}

static int run(struct lead *lead, struct err *err)
{
	struct sweep_summary summary = {0};
	enum run_outcome outcome;
	int r = ask_guard(lead, err);

	if (r == 0)
		r = lead_connect(lead, lead->config->wait_ms, err);
	if (r < 0)
		return r;
	r = sweep(lead, &summary, err);
	if (r == 0)
		r = conclude(lead, err);
	outcome = outcome_of(r);
	if (lead->run_id)
		explain(lead, r, &summary, err);
	put_back(lead, outcome, r < 0 ? err->text : "");
	if (lead->run_id)
		store_end_run(lead->store, lead->run_id, outcome,
			      r < 0 ? err->text : "", NULL);
	/* With a run, explain() has said it. */
	return lead->run_id && r < 0 ? -EALREADY : r;
}

static void close_all(struct lead *lead)
{
	struct err err = ERR_INIT;

	lease_stop(lead->lease);
	client_free(lead->client);
	if (store_close(lead->store, &err) < 0)
		lead_tell("%s", err.text);
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
	r = open_all(&lead, guard_socket, runner_socket, &err);
	if (r == 0) {
		describe_run(&lead);
		r = run(&lead, &err);
	}
	if (r == -EINTR)
		lead_tell("stopped before the run began; nothing was changed");
	else if (r < 0 && r != -EALREADY)
		lead_tell("%s", err.text);
	close_all(&lead);
	return r < 0 ? 1 : 0;
}

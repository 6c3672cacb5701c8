/* SPDX-License-Identifier: MIT */
/* A run of the peer that measures pairs, by whatever strategy. */

#include "cmd/peer/peer_sweep.h"

#include <stdio.h>

#include "base/text.h"
#include "cmd/peer/peer_end.h"
#include "engine/plan_rest.h"
#include "netctl/sysctl.h"

/* A test of so few round trips tells of TCP's start more than of the path. */
#define TEST_TRIPS 10

static void warn_of_slow_path(struct peer *peer)
{
	int64_t rtt_ms = client_rtt_us(peer->session.client) / 1000;
	char text[256];

	if (peer->run.info.duration_ms >= TEST_TRIPS * rtt_ms)
		return;
	snprintf(text, sizeof(text),
		 "tests of %.1f s are short for a path whose round trip takes %.1f s: "
		 "their rates are TCP's start more than the path's; --duration %lld "
		 "tells more",
		 (double)peer->run.info.duration_ms / 1000, (double)rtt_ms / 1000,
		 (long long)(TEST_TRIPS * rtt_ms + 999) / 1000);
	peer_run_warn(&peer->run, text);
}

static int begin_run(struct peer *peer, int visits, struct err *err)
{
	char warning[256];
	int r = store_keep_secret(peer->run.store, peer->run.info.uuid,
				  peer->session.secret, err);

	if (r == 0)
		r = store_begin_record(peer->run.store, &peer->run.info,
				       peer->run.options, &peer->run.id, err);
	if (r < 0)
		return r;
	if (peer->config->resume && peer->run.info.pairs_planned)
		host_tell("run %lld goes on: %d of %d visits are left",
			  (long long)peer->run.id, visits,
			  peer->run.info.pairs_planned);
	else if (peer->config->resume)
		host_tell("run %lld goes on after %zu visit%s", (long long)peer->run.id,
			  peer->run.resumed.count,
			  text_plural((int64_t)peer->run.resumed.count));
	host_tell("visits planned%s: %d, with %.1f s of tests",
		  peer->config->strategy->is_grid ? "" : " at first", visits,
		  (double)visits * (double)peer->run.info.duration_ms * 2 / 1000);
	peer_run_warn(&peer->run, peer->config->warning);
	warn_of_slow_path(peer);
	for (int i = 0; sysctl_warning(i, warning, sizeof(warning)); i++)
		peer_run_warn(&peer->run, warning);
	return 0;
}

static int make_plan(const struct peer *peer, struct plan **ret, struct err *err)
{
	struct plan_rest_options rest = {
		.known = peer->run.resumed.known,
		.known_count = peer->run.resumed.count,
		.repeat_failed = peer->config->repeat_failed,
	};
	int r = peer->config->strategy->make_plan(peer, &rest.whole, err);

	return r < 0 ? r : plan_rest_new(&rest, ret, err);
}

static int sweep(struct peer *peer, struct err *err)
{
	const struct strategy *strategy = peer->config->strategy;
	struct sweep_options options = {
		.stop_on_failure = !peer->config->skip_errors,
		.first_seq = peer->run.resumed.last_seq + 1,
		.budget_ms = strategy->is_grid ? 0 : peer->config->budget_ms,
	};
	struct sweep_summary summary = {0};
	struct plan *plan;
	int r = make_plan(peer, &plan, err);

	if (r < 0)
		return r;
	r = begin_run(peer, plan_total(plan), err);
	if (r == 0 && strategy->begun)
		r = strategy->begun(peer, err);
	if (r == 0)
		r = sweep_run(plan, &options, &peer_ops, &peer->visit, &summary, err);
	plan_free(plan);
	if (r == 0 && summary.budget_spent)
		host_tell("the time of --budget %g is spent: what is open stays open",
			  (double)peer->config->budget_ms / 1000);
	return r;
}

int peer_sweep(struct peer *peer, struct err *err)
{
	const struct strategy *strategy = peer->config->strategy;
	int r = strategy->survey ? strategy->survey(peer, err) : 0;

	if (r == 0)
		r = sweep(peer, err);
	return peer_end(peer, r, err);
}

/* SPDX-License-Identifier: MIT */
/* A run of the peer that measures pairs, by whatever strategy. */

#include "cmd/peer/peer_sweep.h"

#include "base/text.h"
#include "cmd/peer/peer_conclude.h"
#include "cmd/peer/peer_end.h"
#include "cmd/peer/peer_parts.h"
#include "cmd/peer/peer_traffic.h"
#include "engine/plan_rest.h"
#include "netctl/sysctl.h"

/* A test of so few round trips tells of TCP's start more than of the path. */
#define TEST_TRIPS 10

/* A strategy that recommends a pair says it with that: only before the tests is the round
 * trip the path's own. */
static void note_slow_path(struct peer *peer)
{
	int64_t rtt_ms = client_rtt_us(peer->session.client) / 1000;
	struct warning *w = &peer->short_tests;

	*w = (struct warning){0};
	if (peer->run.info.duration_ms >= TEST_TRIPS * rtt_ms)
		return;
	*w = (struct warning){
		.kind = WARNING_SHORT_TESTS,
		.duration_ms = peer->run.info.duration_ms,
		.rtt_ms = rtt_ms,
		.value = (TEST_TRIPS * rtt_ms + 999) / 1000,
	};
	if (peer->config->strategy->surveys)
		host_warn(w);
	else
		peer_run_warn(&peer->run, w);
}

static void tell_plan(const struct peer *peer, int visits)
{
	const struct run_info *run = &peer->run.info;
	long long id = peer->run.id;

	if (peer->config->resume && visits == 0) {
		host_tell("run %lld continues: nothing is missing", id);
		return;
	}
	if (peer->config->resume && run->pairs_planned)
		host_tell("run %lld continues: %d of %d measurements are left", id,
			  visits, run->pairs_planned);
	else if (peer->config->resume)
		host_tell("run %lld continues after %zu measurement%s", id,
			  peer->run.resumed.count,
			  text_plural((int64_t)peer->run.resumed.count));
	host_tell("measurements planned%s: %d, with %.1f s of tests",
		  peer->config->strategy->is_grid ? "" : " at first", visits,
		  (double)visits * (double)run->duration_ms * 2 / 1000);
	peer_traffic_tell_planned(visits, run->duration_ms);
}

static int begin_run(struct peer *peer, int visits, struct err *err)
{
	struct warning w = {
		.kind = WARNING_ROUTE_MTU,
		.at_end = WARNING_END_PEER,
		.mtu = peer->config->route_mtu,
		.detail = peer->config->server_ip,
	};
	int r = store_keep_secret(peer->run.store, peer->run.info.uuid,
				  peer->session.secret, err);

	if (r == 0)
		r = store_begin_record(peer->run.store, &peer->run.info,
				       peer->run.options, &peer->run.id, err);
	if (r < 0)
		return r;
	tell_plan(peer, visits);
	if (peer->config->route_mtu)
		peer_run_warn(&peer->run, &w);
	w.kind = WARNING_ROUTE_ADVMSS;
	w.value = peer->config->route_advmss;
	if (w.value)
		peer_run_warn(&peer->run, &w);
	note_slow_path(peer);
	for (int i = 0; sysctl_warning(i, &w); i++) {
		w.at_end = WARNING_END_PEER;
		peer_run_warn(&peer->run, &w);
	}
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

static int run_sweep(struct peer *peer, struct err *err)
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
	if (r == 0 && peer_survey_wanted(peer->config))
		r = peer_survey_store(peer, err);
	if (r == 0 && peer_survey_wanted(peer->config) && !peer->config->resume)
		r = peer_predict(peer, err);
	if (r == 0)
		r = sweep_run(plan, &options, &peer_ops, &peer->visit, &summary, err);
	plan_free(plan);
	if (r == 0 && summary.budget_spent)
		host_tell("the --budget of %g s is spent: pairs that are not measured "
			  "yet are skipped",
			  (double)peer->config->budget_ms / 1000);
	return r;
}

int peer_sweep(struct peer *peer, struct err *err)
{
	int r = peer_survey_wanted(peer->config) ? peer_survey(peer, err) : 0;

	if (r == 0)
		r = peer_survey_check(peer, err);
	if (r == 0)
		r = run_sweep(peer, err);
	return peer_end(peer, r, err);
}

/* SPDX-License-Identifier: MIT */
/* A run of the peer, by whatever strategy. */

#include "cmd/peer/peer_sweep.h"

#include <errno.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/debug.h"
#include "base/text.h"
#include "cmd/peer/peer_answer.h"
#include "cmd/peer/peer_conclude.h"
#include "cmd/peer/peer_end.h"
#include "cmd/peer/peer_ops.h"
#include "cmd/peer/peer_parts.h"
#include "cmd/peer/peer_test.h"
#include "cmd/peer/peer_traffic.h"
#include "engine/plan_rest.h"
#include "netctl/sysctl.h"

/* A test of so few round trips tells of TCP's start more than of the path. */
#define TEST_TRIPS 10

/* It is stored with the recommendation: only before the tests is the round trip the path's
 * own. */
static void note_slow_path(struct peer *peer)
{
	int64_t rtt_ms = client_rtt_us(peer->session.client) / 1000;
	int64_t test_ms = peer_test_ms(&peer->session);
	struct warning *w = &peer->short_tests;

	*w = (struct warning){0};
	if (test_ms >= TEST_TRIPS * rtt_ms)
		return;
	*w = (struct warning){
		.kind = WARNING_SHORT_TESTS,
		.duration_ms = test_ms,
		.rtt_ms = rtt_ms,
		.value = (TEST_TRIPS * rtt_ms + 999) / 1000,
	};
	host_warn(w);
}

static void tell_plan(const struct peer *peer, int visits)
{
	const struct run_info *run = &peer->run.info;
	int64_t test_ms = peer_test_ms(&peer->session);
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
		  (double)visits * (double)test_ms * 2 / 1000);
	peer_traffic_tell_planned(visits, test_ms);
}

/* Settings of this host that distort a test. */
static void warn_of_tests(struct peer *peer)
{
	struct warning w;

	for (int i = 0; sysctl_warning(i, &w); i++) {
		w.at_end = WARNING_END_PEER;
		peer_run_warn(&peer->run, &w);
	}
}

/* `plan` is NULL where the probes are all. */
static int begin_run(struct peer *peer, const struct plan *plan, struct err *err)
{
	struct warning w = {
		.kind = WARNING_ROUTE_MTU,
		.at_end = WARNING_END_PEER,
		.mtu = peer->config->route_mtu,
		.detail = peer->config->server_ip,
	};
	int r = peer_run_open(&peer->run, err);

	if (r == 0)
		r = store_keep_secret(peer->run.store, peer->run.info.uuid,
				      peer->session.secret, err);
	if (r == 0)
		r = store_begin_record(peer->run.store, &peer->run.info,
				       peer->run.options, &peer->run.id, err);
	if (r < 0)
		return r;
	if (plan)
		tell_plan(peer, plan_total(plan));
	if (peer->config->route_mtu)
		peer_run_warn(&peer->run, &w);
	w.kind = WARNING_ROUTE_ADVMSS;
	w.value = peer->config->route_advmss;
	if (w.value)
		peer_run_warn(&peer->run, &w);
	if (plan)
		warn_of_tests(peer);
	return 0;
}

/* The resumed measurements, by their numbers, of before the path changed: the plan is for
 * the path as it is. A grid's pairs are measured whatever the path is. */
static size_t count_of_another_path(const struct peer *peer)
{
	const struct resumed *resumed = &peer->run.resumed;
	uint32_t since = peer->findings.survey.since_seq;
	size_t count = 0;

	if (peer->config->strategy->is_grid)
		return 0;
	while (count < resumed->count && resumed->known[count].seq <= since)
		count++;
	return count;
}

static int make_plan(const struct peer *peer, struct plan **ret, struct err *err)
{
	const struct resumed *resumed = &peer->run.resumed;
	size_t skip = count_of_another_path(peer);
	struct plan_rest_options rest = {
		.known = resumed->known + skip,
		.known_count = resumed->count - skip,
		.repeat_failed = peer->config->repeat_failed,
	};
	int r = peer->config->strategy->make_plan(peer, &rest.whole, err);

	return r < 0 ? r : plan_rest_new(&rest, ret, err);
}

/* Store what was answered. */
static int begin_answered(struct peer *peer, const struct plan *plan, struct err *err)
{
	int r = begin_run(peer, plan, err);

	if (r == 0 && peer_survey_wanted(peer->config))
		r = peer_survey_store(peer, err);
	if (r == 0)
		r = peer_store_prediction(peer, err);
	return r;
}

/* The plan rests on the path as it was. */
static int record_and_check(void *ctx, const struct measurement *m, struct err *err)
{
	struct peer *peer = (struct peer *)((char *)ctx - offsetof(struct peer, visit));
	int r = peer_ops.record(ctx, m, err);

	if (r == 0)
		r = peer_recheck_path(peer, m, err);
	return r > 0 ? err_set(err, -EXDEV, "the path changed during the run") : r;
}

static void tell_budget_spent(const struct peer_config *config)
{
	host_tell("the --budget of %g s is spent: pairs that are not measured yet are "
		  "skipped",
		  (double)config->budget_ms / 1000);
}

static int run_plan(struct peer *peer, struct plan *plan,
		    const struct sweep_options *options, struct err *err)
{
	struct sweep_summary summary = {0};
	struct sweep_ops ops = peer_ops;
	int r;

	peer->path_checked = false;
	/* The pairs of a grid are measured whatever the path is. */
	if (!peer->config->strategy->is_grid && peer_survey_wanted(peer->config))
		ops.record = record_and_check;
	r = sweep_run(plan, options, &ops, &peer->visit, &summary, err);
	if (r == 0 && summary.budget_spent)
		tell_budget_spent(peer->config);
	if (r == 0 && ops.record == record_and_check)
		r = peer_recheck_end(peer, err);
	return r > 0 ? -EXDEV : r;
}

/* The path changed: a new plan for what it is now. */
static int measure_anew(struct peer *peer, struct sweep_options *options,
			struct err *err)
{
	struct plan *plan;
	int r = peer->config->strategy->make_plan(peer, &plan, err);

	if (r < 0)
		return r;
	options->first_seq = peer->findings.survey.since_seq + 1;
	peer->visit.before =
		(int)(peer->findings.survey.since_seq - peer->run.resumed.last_seq);
	r = run_plan(peer, plan, options, err);
	plan_free(plan);
	return r;
}

static int measure_pairs(struct peer *peer, struct plan *plan, struct err *err)
{
	const struct strategy *strategy = peer->config->strategy;
	struct sweep_options options = {
		.stop_on_failure = !peer->config->skip_errors,
		.first_seq = peer->run.resumed.last_seq + 1,
		.budget_ms = strategy->is_grid ? 0 : peer->config->budget_ms,
	};
	int64_t until_ms = clock_boot_ms() + options.budget_ms;
	int r = begin_answered(peer, plan, err);

	if (r == 0)
		r = run_plan(peer, plan, &options, err);
	while (r == -EXDEV) {
		if (options.budget_ms && clock_boot_ms() >= until_ms) {
			tell_budget_spent(peer->config);
			return 0;
		}
		if (options.budget_ms)
			options.budget_ms = until_ms - clock_boot_ms();
		r = measure_anew(peer, &options, err);
	}
	return r;
}

/* After the answer: all that is stored of the run, but its end. */
static int run_sweep(struct peer *peer, struct err *err)
{
	struct plan *plan;
	int r;

	if (peer->config->check)
		return 0;
	if (!peer->config->strategy->make_plan)
		return begin_answered(peer, NULL, err);
	note_slow_path(peer);
	r = make_plan(peer, &plan, err);
	if (r < 0)
		return r;
	r = measure_pairs(peer, plan, err);
	plan_free(plan);
	return r;
}

int peer_sweep(struct peer *peer, struct err *err)
{
	int r;

	debug_phase("probe");
	r = peer_survey_wanted(peer->config) ? peer_survey(peer, err)
	    : peer->config->apply            ? peer_survey_ahead(peer, err)
					     : 0;

	if (r == 0)
		r = peer_survey_check(peer, err);
	debug_phase("answer");
	if (r == 0)
		r = peer_answer(peer, err);
	debug_phase("store");
	if (r == 0)
		r = peer_survey_reopen(peer, err);
	if (r == 0)
		r = run_sweep(peer, err);
	r = peer_end(peer, r, err);
	if (r < 0 || peer->config->strategy->make_plan)
		return r;
	r = peer_answer_status(peer, err);
	if (r < 0)
		host_tell("%s", err->text);
	return r;
}

/* A run of the peer that measures pairs, by whatever strategy. */

#include "cmd/lead_sweep.h"

#include <stdio.h>

#include "base/text.h"
#include "cmd/lead_ops.h"
#include "engine/plan_rest.h"
#include "netctl/sysctl.h"

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
	char warning[256];
	int r = store_keep_secret(lead->store, lead->run.uuid, lead->secret, err);

	if (r == 0)
		r = store_begin_record(lead->store, &lead->run, lead->options,
				       &lead->run_id, err);
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
		  lead->config->strategy->is_grid ? "" : " at first", lead->visits,
		  (double)lead->visits * (double)lead->run.duration_ms * 2 / 1000);
	lead_warn(lead, lead->config->warning);
	warn_of_slow_path(lead);
	for (int i = 0; sysctl_warning(i, warning, sizeof(warning)); i++)
		lead_warn(lead, warning);
	return 0;
}

static int make_plan(const struct lead *lead, struct plan **ret, struct err *err)
{
	struct plan_rest_options rest = {
		.known = lead->resumed.known,
		.known_count = lead->resumed.count,
		.repeat_failed = lead->config->repeat_failed,
	};
	int r = lead->config->strategy->make_plan(lead, &rest.whole, err);

	return r < 0 ? r : plan_rest_new(&rest, ret, err);
}

static int sweep(struct lead *lead, struct err *err)
{
	const struct strategy *strategy = lead->config->strategy;
	struct sweep_options options = {
		.stop_on_failure = !lead->config->skip_errors,
		.first_seq = lead->resumed.last_seq + 1,
		.budget_ms = strategy->is_grid ? 0 : lead->config->budget_ms,
	};
	struct sweep_summary summary = {0};
	struct plan *plan;
	int r = make_plan(lead, &plan, err);

	if (r < 0)
		return r;
	lead->visits = plan_total(plan);
	r = begin_run(lead, err);
	if (r == 0 && strategy->begun)
		r = strategy->begun(lead, err);
	if (r == 0)
		r = sweep_run(plan, &options, &lead_ops, lead, &summary, err);
	plan_free(plan);
	if (r == 0 && summary.budget_spent)
		host_tell("the time of --budget %g is spent: what is open stays open",
			  (double)lead->config->budget_ms / 1000);
	return r;
}

int lead_sweep(struct lead *lead, struct err *err)
{
	const struct strategy *strategy = lead->config->strategy;
	int r = strategy->survey ? strategy->survey(lead, err) : 0;

	if (r == 0)
		r = sweep(lead, err);
	return lead_end(lead, r, err);
}

/* SPDX-License-Identifier: MIT */
#include "cmd/alone/alone_rates.h"

#include <errno.h>

#include "base/clock.h"
#include "base/debug.h"
#include "base/io.h"
#include "base/one_end_tests.h"
#include "base/stop.h"
#include "base/text.h"
#include "cmd/alone/alone_iperf.h"
#include "cmd/host/progress.h"
#include "cmd/run/conclude.h"
#include "engine/plan_confirm.h"
#include "engine/sweep.h"
#include "netctl/sysctl.h"
#include "store/store.h"

/* In percent: that of --margin by default. */
#define MARGIN           5
#define RECOVER_PAUSE_MS 500

/* --- the run --- */

/* The pair with this MTU at this end. */
static struct mtu_pair own_pair(const struct alone *alone, int mtu)
{
	return mtu ? mtu_pair_of_sender(alone->config->own, mtu) : (struct mtu_pair){0};
}

static int own_mtu(const struct alone *alone, const struct mtu_pair *mtu)
{
	return mtu_pair_sender(mtu, alone->config->own);
}

static enum warning_end own_end(const struct alone *alone)
{
	return alone->config->own == DIR_UPLOAD ? WARNING_END_PEER : WARNING_END_SERVER;
}

bool alone_rates_wanted(const struct alone *alone)
{
	return alone->config->iperf.address[0] &&
	       (alone->config->grid || alone->result.own_mtu);
}

static struct plan_grid_options grid_options(const struct alone_config *config)
{
	bool is_peer = config->own == DIR_UPLOAD;
	const struct mtu_range *range = &config->options->range;

	return (struct plan_grid_options){
		.server = is_peer ? MTU_RANGE_UNKNOWN : *range,
		.peer = is_peer ? *range : MTU_RANGE_UNKNOWN,
		.passes = config->passes,
		.order = config->order,
		.seed = config->seed,
	};
}

void alone_rates_describe(const struct alone *alone, struct run_info *info)
{
	const struct alone_config *config = alone->config;
	struct plan_grid_options grid = grid_options(config);

	if (!alone_rates_wanted(alone))
		return;
	text_copy(info->strategy, sizeof(info->strategy),
		  config->grid ? "grid" : "smart");
	info->duration_ms = config->duration_ms;
	if (config->congestion)
		text_copy(info->congestion, sizeof(info->congestion),
			  config->congestion);
	if (!config->grid)
		return;
	info->passes = config->passes;
	info->seed = config->seed;
	info->pairs_planned = plan_grid_visits(&grid);
}

void alone_rates_note_options(const struct alone_config *config, json_t *object)
{
	if (!config->iperf_server)
		return;
	json_object_set_new(object, "iperf-server", json_string(config->iperf_server));
	json_object_set_new(object, "duration",
			    json_real((double)config->duration_ms / 1000));
	json_object_set_new(object, "precision", json_integer(config->precision));
}

/* An MTU that the guard may not set is not measured. */
static struct mtu_pair allowed_pair(const struct alone *alone, int mtu,
				    const char *which)
{
	const struct mtu_range *range = &alone->config->host->guard.bounds.range;

	if (!mtu || mtu_range_allows(range, mtu))
		return own_pair(alone, mtu);
	if (alone->config->host->by_route && mtu > range->max) {
		host_tell("MTU %d, %s, is measured as %d, the largest that routes take",
			  mtu, which, range->max);
		return own_pair(alone, range->max);
	}
	host_tell("MTU %d, %s, is not measured: it is outside %d to %d", mtu, which,
		  range->min, range->max);
	return own_pair(alone, 0);
}

static int make_plan(const struct alone *alone, const struct path *path,
		     struct plan **ret, struct err *err)
{
	const struct alone_config *config = alone->config;
	struct plan_grid_options grid = grid_options(config);
	struct plan_confirm_options confirm;

	if (config->grid)
		return plan_grid_new(&grid, ret, err);
	confirm = (struct plan_confirm_options){
		.path = *path,
		.recommended =
			allowed_pair(alone, alone->result.own_mtu, "the recommended"),
		.current = allowed_pair(alone, alone_current_mtu(alone),
					"the current one"),
	};
	return plan_confirm_new(&confirm, ret, err);
}

/* --- the sweep's operations --- */

struct rates {
	struct alone *alone;
	struct alone_iperf iperf;
	struct store *store;
	int64_t run;
	struct visit visit;
	bool settle_warned;
};

static void warn_of(struct rates *rates, const struct warning *w)
{
	host_warn(w);
	store_warn(rates->store, rates->run, w, NULL);
}

static int op_apply(void *ctx, const struct visit *visit, struct err *err)
{
	struct rates *rates = ctx;
	struct alone *alone = rates->alone;
	struct err warning = ERR_INIT;
	int r;

	rates->visit = *visit;
	r = host_set_mtu(alone->guard, alone->config->iperf.address,
			 own_mtu(alone, &visit->mtu),
			 alone_iperf_lease_ms(&rates->iperf), &rates->settle_warned,
			 &warning, err);
	if (warning.text[0])
		warn_of(rates, &(struct warning){.kind = WARNING_PATH_MTU_CACHED,
						 .at_end = own_end(alone),
						 .detail = warning.text});
	return r == -ENETDOWN || r == -ENODEV ? -EAGAIN : r;
}

/* The test's own connection waits for the path. */
static int op_wait_path(void *ctx, struct err *err)
{
	(void)ctx;
	(void)err;
	return 0;
}

static int op_measure(void *ctx, enum direction dir, struct dir_result *ret,
		      struct err *err)
{
	struct rates *rates = ctx;

	return alone_iperf_measure(&rates->iperf, dir, rates->visit.lost[dir], ret,
				   err);
}

static int op_record(void *ctx, const struct measurement *m, struct err *err)
{
	struct rates *rates = ctx;

	debug_phase("record");
	return store_record(rates->store, rates->run, m, err);
}

/* Wait until this end's interface takes the MTU again. */
static int op_recover(void *ctx, struct err *err)
{
	struct rates *rates = ctx;
	int64_t until_ms = clock_boot_ms() + rates->alone->config->wait_ms;
	int r;

	for (;;) {
		r = op_apply(rates, &rates->visit, err);
		if (r != -EAGAIN || clock_left_ms(until_ms) == 0)
			break;
		r = io_wait(-1, stop_fd(), clock_boot_ms() + RECOVER_PAUSE_MS);
		if (r < 0)
			return r;
	}
	if (r == -EAGAIN)
		return -ENETDOWN;
	return r < 0 ? r : SWEEP_BLAMELESS;
}

static const char *phase_text(enum sweep_phase phase)
{
	switch (phase) {
	case SWEEP_APPLYING:
		return "setting the MTU";
	case SWEEP_UPLOAD:
		return "upload";
	case SWEEP_DOWNLOAD:
		return "download";
	case SWEEP_RECORDED:
		return "done";
	case SWEEP_RECOVERING:
		return "waiting for the interface";
	}
	return "";
}

static void op_progress(void *ctx, const struct sweep_progress *p)
{
	struct rates *rates = ctx;
	struct progress_line line = {
		.mtu = p->visit.mtu,
		.doing = phase_text(p->phase),
		.done = p->done,
		.total = p->total,
		.left_ms = p->left_ms,
		.last = p->last,
	};

	if (p->phase == SWEEP_RECOVERING && p->why)
		host_tell("MTU %d was interrupted and will be measured again: %.300s",
			  own_mtu(rates->alone, &p->visit.mtu), p->why);
	if (p->phase == SWEEP_RECORDED)
		progress_row(&line);
	else
		progress_update(&line);
}

static const struct sweep_ops rates_ops = {
	.apply = op_apply,
	.wait_path = op_wait_path,
	.measure = op_measure,
	.record = op_record,
	.recover = op_recover,
	.progress = op_progress,
};

/* --- the whole --- */

/* Settings of this host that distort a test. */
static void warn_of_tests(struct rates *rates)
{
	struct warning w;

	for (int i = 0; sysctl_warning(i, &w); i++) {
		w.at_end = own_end(rates->alone);
		warn_of(rates, &w);
	}
}

static int run_plan(struct rates *rates, struct plan *plan, struct err *err)
{
	const struct alone_config *config = rates->alone->config;
	const struct sweep_options options = {
		.stop_on_failure = !config->skip_errors,
		.first_seq = 1,
	};
	struct sweep_summary summary = {0};
	int planned = plan_total(plan);
	int r;

	host_tell("measurements planned%s: %d, with %.1f s of tests",
		  config->grid ? "" : " at first", planned,
		  (double)planned * (double)config->duration_ms * 2 / 1000);
	r = sweep_run(plan, &options, &rates_ops, rates, &summary, err);
	progress_clear();
	host_tell("%d measurement%s stored, %d of them failed", summary.done,
		  text_plural(summary.done), summary.failed);
	return r;
}

/* Returns `r`, or why the MTU of before is not restored. */
static int restore(struct alone *alone, int r, struct err *err)
{
	struct err why = ERR_INIT;
	int restored = guard_restore(alone->guard, &why);

	if (restored < 0 && r < 0)
		host_tell("%.400s", r == -EINTR ? stop_reason() : err->text);
	if (restored < 0)
		return err_set(err, restored, "%s", why.text);
	if (r == -EINTR)
		return err_set(err, r, "%s; the MTU is restored", stop_reason());
	return r;
}

static int measure_rates(struct rates *rates, const struct path *path, struct err *err)
{
	struct plan *plan;
	int r = make_plan(rates->alone, path, &plan, err);

	if (r < 0)
		return r;
	warn_of_tests(rates);
	r = alone_iperf_begin(rates->alone, &rates->iperf, err);
	if (r == 0)
		r = run_plan(rates, plan, err);
	alone_iperf_end(&rates->iperf);
	plan_free(plan);
	return restore(rates->alone, r, err);
}

/* Without a recommended MTU the rows speak for themselves. */
static int conclude_rates(struct rates *rates, struct evidence *e, struct err *err)
{
	const struct alone_config *config = rates->alone->config;
	cleanup_free char *text = NULL;
	int r;

	debug_phase("conclude");
	if (!e->mtu.server)
		return 0;
	r = conclude_one_end(config->options->db, rates->run, MARGIN, e, err);
	if (r == 0)
		r = one_end_tests_text(e, &text, err);
	if (r < 0)
		return r;
	rates->alone->contradicted = one_end_is_contradicted(e);
	rates->alone->confirmed = e->status == EVIDENCE_CONFIRMED;
	/* The database has it too, so do not wait for a reader that does not read. */
	if (!config->json)
		progress_print(text);
	return store_recommend(rates->store, rates->run, e, err);
}

/* Returns `r`, or why rows that were all measured are not concluded. */
static int conclude_after(struct rates *rates, struct evidence *e, int r,
			  struct err *err)
{
	struct err why = ERR_INIT;
	int concluded = conclude_rates(rates, e, &why);

	if (concluded == 0)
		return r;
	if (r == 0)
		return err_set(err, concluded, "%s", why.text);
	host_tell("%s", why.text);
	return r;
}

int alone_rates(struct alone *alone, int64_t run, struct evidence *e, struct err *err)
{
	struct rates rates = {.alone = alone, .run = run};
	struct err why = ERR_INIT;
	int r = store_open(alone->config->options->db, &rates.store, err);

	if (r == 0)
		r = measure_rates(&rates, &e->survey.path, err);
	/* A failed test that ends the run says something, too. */
	if (r == 0 || r == -ECANCELED)
		r = conclude_after(&rates, e, r, err);
	/* Nothing is lost if this fails. */
	if (rates.store && store_close(rates.store, &why) < 0)
		host_tell("%s", why.text);
	return r;
}

/* SPDX-License-Identifier: MIT */
/* The loop over the plan, and its reaction to the failures of operations. */
#include "engine/sweep.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"

/* Times that one visit may be lost: while the pair may be the cause, and in all. */
#define BLAMED_MAX 3
#define LOST_MAX   10

struct sweep {
	struct plan *plan;
	const struct sweep_options *options;
	const struct sweep_ops *ops;
	void *ctx;
	struct sweep_summary *summary;
	struct visit visit;
	struct measurement now;
	struct measurement last;
	int64_t started_ms;
	int64_t recorded_ms; /* time of the last recorded visit */
	struct err err;
};

/* The average time of the visits so far, times the number of those to come. */
static int64_t estimate_left_ms(const struct sweep *s, int total, int64_t now_ms)
{
	int done = s->summary->done;
	int64_t left_ms;

	if (done == 0)
		return NO_FIGURE;
	left_ms = (s->recorded_ms - s->started_ms) * (total - done) / done -
		  (now_ms - s->recorded_ms);
	return left_ms > 0 ? left_ms : 0;
}

static void tell_progress(struct sweep *s, enum sweep_phase phase, const char *why)
{
	int64_t now_ms = clock_boot_ms();
	int total = plan_total(s->plan);
	struct sweep_progress progress = {
		.phase = phase,
		.visit = s->visit,
		.done = s->summary->done,
		.total = total,
		.elapsed_ms = now_ms - s->started_ms,
		.left_ms = estimate_left_ms(s, total, now_ms),
		.last = s->summary->done > 0 ? &s->last : NULL,
		.why = why,
	};

	if (s->ops->progress)
		s->ops->progress(s->ctx, &progress);
}

static void set_failed(struct sweep *s, enum test_status status, const char *text)
{
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		dir_result_init(&s->now.dir[dir], status, "%s", text);
		s->now.dir[dir].started_at_ms = clock_wall_ms();
	}
}

static int measure_direction(struct sweep *s, enum direction dir)
{
	tell_progress(s, dir == DIR_UPLOAD ? SWEEP_UPLOAD : SWEEP_DOWNLOAD, NULL);
	return s->ops->measure(s->ctx, dir, &s->now.dir[dir], &s->err);
}

enum direction sweep_first(const struct visit *visit)
{
	return visit->lost[DIR_DOWNLOAD] && !visit->lost[DIR_UPLOAD] ? DIR_DOWNLOAD
								     : DIR_UPLOAD;
}

bool sweep_skips(const struct visit *visit, const struct dir_result *first,
		 struct dir_result *ret)
{
	enum direction dir = sweep_first(visit);

	if (!visit->lost[dir] || visit->lost[direction_back(dir)] ||
	    first->status != TEST_BLACKHOLE)
		return false;
	dir_result_init(ret, TEST_ERROR,
			"not tested: the %s showed that the pair does not work",
			direction_name(dir));
	ret->started_at_ms = first->started_at_ms;
	return true;
}

static int measure_both(struct sweep *s)
{
	enum direction first = sweep_first(&s->visit);
	enum direction second = direction_back(first);
	int r = measure_direction(s, first);

	if (r < 0 || sweep_skips(&s->visit, &s->now.dir[first], &s->now.dir[second]))
		return r;
	return measure_direction(s, second);
}

/* Fill s->now with the results of this visit. */
static int do_visit(struct sweep *s)
{
	int r;

	s->err.text[0] = '\0';
	tell_progress(s, SWEEP_APPLYING, NULL);
	r = s->ops->apply(s->ctx, &s->visit, &s->err);
	if (r == 0)
		r = s->ops->wait_path(s->ctx, &s->err);
	if (r == -EHOSTDOWN) {
		set_failed(s, TEST_UNREACHABLE, s->err.text);
		return 0;
	}
	return r < 0 ? r : measure_both(s);
}

static int recover_sweep(struct sweep *s)
{
	struct err why = s->err;

	tell_progress(s, SWEEP_RECOVERING, why.text);
	return s->ops->recover(s->ctx, &s->err);
}

static int record_visit(struct sweep *s)
{
	return s->ops->record(s->ctx, &s->now, &s->err);
}

/* The pair broke the path each time: say so, and record which operation failed. */
static int record_unreachable(struct sweep *s, const struct err *why)
{
	set_failed(s, TEST_UNREACHABLE, why->text);
	return record_visit(s);
}

/* The line failed in every attempt: that is no property of the pair. */
static int record_unmeasured(struct sweep *s, const struct err *why)
{
	struct err text;

	err_set(&text, 0, "not measured after %d attempts: %.300s", LOST_MAX,
		why->text);
	set_failed(s, TEST_ERROR, text.text);
	return record_visit(s);
}

static int visit_and_record(struct sweep *s)
{
	int blamed = 0;

	for (int lost = 1;; lost++) {
		int r = do_visit(s);
		struct err why = s->err;

		if (r == 0)
			return record_visit(s);
		if (r != -EAGAIN)
			return r;
		r = recover_sweep(s);
		if (r < 0)
			return r;
		blamed += r == SWEEP_MAY_BLAME;
		if (blamed == BLAMED_MAX)
			return record_unreachable(s, &why);
		if (lost == LOST_MAX)
			return record_unmeasured(s, &why);
	}
}

static int settle_visit(struct sweep *s)
{
	enum test_status status = measurement_status(&s->now);
	char words[PAIR_WORDS_SIZE];

	s->last = s->now;
	s->recorded_ms = clock_boot_ms();
	s->summary->done++;
	if (status != TEST_OK)
		s->summary->failed++;
	plan_learn(s->plan, &s->now);
	tell_progress(s, SWEEP_RECORDED, NULL);
	if (status == TEST_OK || !s->options->stop_on_failure)
		return 0;
	return err_set(&s->err, -ECANCELED,
		       "stopped at the first failed test: %s: '%s'",
		       mtu_pair_words(&s->now.mtu, words), test_status_name(status));
}

static bool is_budget_spent(const struct sweep *s)
{
	return s->options->budget_ms > 0 &&
	       clock_boot_ms() - s->started_ms >= s->options->budget_ms;
}

static int run_visits(struct sweep *s)
{
	while (plan_next(s->plan, &s->visit)) {
		int r;

		/* Only if the plan has another visit. */
		s->summary->budget_spent = is_budget_spent(s);
		if (s->summary->budget_spent)
			return 0;
		memset(&s->now, 0, sizeof(s->now));
		s->now.seq = s->options->first_seq + (uint32_t)s->summary->done;
		s->now.pass = s->visit.pass;
		s->now.mtu = s->visit.mtu;
		s->now.reference = s->visit.reference;
		r = visit_and_record(s);
		if (r == 0)
			r = settle_visit(s);
		if (r < 0)
			return r;
	}
	return 0;
}

int sweep_run(struct plan *plan, const struct sweep_options *options,
	      const struct sweep_ops *ops, void *ctx, struct sweep_summary *ret,
	      struct err *err)
{
	struct sweep sweep = {
		.plan = plan,
		.options = options,
		.ops = ops,
		.ctx = ctx,
		.summary = ret,
		.started_ms = clock_boot_ms(),
	};
	int r;

	*ret = (struct sweep_summary){0};
	r = run_visits(&sweep);
	if (r < 0 && err)
		*err = sweep.err;
	return r;
}

/* SPDX-License-Identifier: MIT */
/*
 * The sweep over fakes. Every call is written down as a letter:
 *
 *	A apply   W wait_path   U, D measure   R record   C recover
 *
 * and a script says what the n-th call of an operation answers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/plan_grid.h"
#include "engine/sweep.h"

#define ROWS_MAX 16

struct answer {
	char op;
	int nth; /* from 1; 0 ends a script, -1 is every time */
	int code;
};

struct world {
	const struct answer *script;
	char calls[200];
	int counts[128];
	struct mtu_pair applied;
	enum test_status upload; /* status of every upload */
	enum test_status download;
	struct measurement rows[ROWS_MAX];
	int row_count;
	int learned;
	struct sweep_progress told[200];
	char why[200][40];
	int told_count;
};

static int answer(struct world *w, char op, struct err *err)
{
	size_t length = strlen(w->calls);

	assert_true(length + 1 < sizeof(w->calls));
	w->calls[length] = op;
	w->counts[(int)op]++;
	for (const struct answer *a = w->script; a && a->nth != 0; a++) {
		if (a->op != op || (a->nth >= 0 && a->nth != w->counts[(int)op]))
			continue;
		return a->code < 0 ? err_set(err, a->code, "fake %c failed", op)
				   : a->code;
	}
	return 0;
}

static int fake_apply(void *ctx, const struct visit *visit, struct err *err)
{
	struct world *w = ctx;

	w->applied = visit->mtu;
	return answer(w, 'A', err);
}

static int fake_wait_path(void *ctx, struct err *err)
{
	return answer(ctx, 'W', err);
}

static int fake_measure(void *ctx, enum direction dir, struct dir_result *ret,
			struct err *err)
{
	struct world *w = ctx;
	int code = answer(w, dir == DIR_UPLOAD ? 'U' : 'D', err);

	if (code < 0)
		return code;
	dir_result_init(ret, dir == DIR_UPLOAD ? w->upload : w->download, "%s", "");
	ret->received_bps = w->applied.server * 10000 + w->applied.peer;
	return 0;
}

static int fake_record(void *ctx, const struct measurement *m, struct err *err)
{
	struct world *w = ctx;
	int code = answer(w, 'R', err);

	if (code == 0) {
		assert_true(w->row_count < ROWS_MAX);
		w->rows[w->row_count++] = *m;
	}
	return code;
}

static int fake_recover(void *ctx, struct err *err)
{
	return answer(ctx, 'C', err);
}

static void fake_progress(void *ctx, const struct sweep_progress *progress)
{
	struct world *w = ctx;

	assert_true(w->told_count < 200);
	w->told[w->told_count] = *progress;
	snprintf(w->why[w->told_count], sizeof(w->why[0]), "%s",
		 progress->why ? progress->why : "");
	w->told_count++;
}

/* A plan of one visit. */
struct one_visit {
	struct plan plan;
	struct visit visit;
	bool done;
};

static bool one_visit_next(struct plan *plan, struct visit *ret)
{
	struct one_visit *one = (struct one_visit *)plan;

	*ret = one->visit;
	one->done = !one->done;
	return one->done;
}

static void one_visit_learn(struct plan *plan, const struct measurement *m)
{
	(void)plan;
	(void)m;
}

static int one_visit_total(const struct plan *plan)
{
	(void)plan;
	return 1;
}

static const struct plan_ops one_visit_ops = {
	.next = one_visit_next,
	.learn = one_visit_learn,
	.total = one_visit_total,
};

static const struct sweep_ops fakes = {
	.apply = fake_apply,
	.wait_path = fake_wait_path,
	.measure = fake_measure,
	.record = fake_record,
	.recover = fake_recover,
	.progress = fake_progress,
};

/* A 2x2 grid that counts what it learns. */
static struct world *learner;
static const struct plan_ops *grid_ops;

static void count_learn(struct plan *plan, const struct measurement *m)
{
	assert_memory_equal(m, &learner->rows[learner->row_count - 1], sizeof(*m));
	learner->learned++;
	grid_ops->learn(plan, m);
}

static struct plan *make_plan(struct world *w)
{
	static const struct plan_grid_options grid = {
		.server = {1400, 1420, 20},
		.peer = {1280, 1300, 20},
		.passes = 1,
	};
	static struct plan_ops ops;
	struct plan *plan;

	assert_int_equal(plan_grid_new(&grid, &plan, NULL), 0);
	grid_ops = plan->ops;
	ops = *grid_ops;
	ops.learn = count_learn;
	plan->ops = &ops;
	learner = w;
	return plan;
}

static int run(struct world *w, const struct sweep_options *options,
	       struct sweep_summary *summary, struct err *err)
{
	struct plan *plan = make_plan(w);
	int ret = sweep_run(plan, options, &fakes, w, summary, err);

	plan_free(plan);
	return ret;
}

static const struct sweep_options usual = {.first_seq = 1};

#define VISIT      "AWUDR"
#define NEVER_HELD "AWCAWCAWCAWCAWCAWCAWCAWCAWCAWCR"

struct expectation {
	const char *name;
	struct answer script[8];
	int code;
	const char *calls;
	int done;
	int failed;
	const char *text; /* text of the failure; NULL: not checked */
};

/* clang-format off */
static const struct expectation table[] = {
	{"all well", {{0}}, 0, VISIT VISIT VISIT VISIT, 4, 0, NULL},
	/* Stopped at each step: the current visit is not recorded. */
	{"apply stopped", {{'A', 2, -EINTR}}, -EINTR, VISIT "A", 1, 0, "fake A"},
	{"wait stopped", {{'W', 2, -EINTR}}, -EINTR, VISIT "AW", 1, 0, "fake W"},
	{"upload stopped", {{'U', 2, -EINTR}}, -EINTR, VISIT "AWU", 1, 0, "fake U"},
	{"download stopped", {{'D', 2, -EINTR}}, -EINTR, VISIT "AWUD", 1, 0, "fake D"},
	{"record stopped", {{'R', 2, -EINTR}}, -EINTR, VISIT VISIT, 1, 0, "fake R"},
	{"stopped at once", {{'A', 1, -EINTR}}, -EINTR, "A", 0, 0, "fake A"},
	{"recover stopped", {{'U', 2, -EAGAIN}, {'C', 1, -EINTR}}, -EINTR,
	 VISIT "AWUC", 1, 0, "fake C"},
	/* Any other failure ends it. */
	{"apply fails", {{'A', 3, -EIO}}, -EIO, VISIT VISIT "A", 2, 0, "fake A"},
	{"record fails", {{'R', 1, -ENOSPC}}, -ENOSPC, VISIT, 0, 0, "fake R"},
	{"upload says host down", {{'U', 1, -EHOSTDOWN}}, -EHOSTDOWN,
	 "AWU", 0, 0, NULL},
	{"recover fails", {{'A', 1, -EAGAIN}, {'C', 1, -ETIMEDOUT}}, -ETIMEDOUT,
	 "AC", 0, 0, "fake C"},
	/* Gone for now: the whole visit is repeated. */
	{"apply again", {{'A', 1, -EAGAIN}}, 0,
	 "AC" VISIT VISIT VISIT VISIT, 4, 0, NULL},
	{"download again", {{'D', 2, -EAGAIN}}, 0,
	 VISIT "AWUDC" VISIT VISIT VISIT, 4, 0, NULL},
	{"the record fails", {{'R', 1, -EAGAIN}}, -EAGAIN, "AWUDR", 0, 0, "fake R"},
	/* After three times the pair may be the cause: record it, and continue with the
	 * next. */
	{"kills the path", {{'U', 1, -EAGAIN}, {'W', 2, -EAGAIN}, {'A', 3, -EAGAIN}}, 0,
	 "AWUCAWCACR" VISIT VISIT VISIT, 4, 1, NULL},
	/* The pair was in force when the path came back: repeat the visit as often as
	 * needed. */
	{"the line fails", {{'U', 1, -EAGAIN}, {'W', 2, -EAGAIN}, {'A', 3, -EAGAIN},
	 {'D', 1, -EAGAIN}, {'C', -1, SWEEP_BLAMELESS}}, 0,
	 "AWUCAWCACAWUDC" VISIT VISIT VISIT VISIT, 4, 0, NULL},
	{"the line never holds", {{'W', -1, -EAGAIN}, {'C', -1, SWEEP_BLAMELESS}}, 0,
	 NEVER_HELD NEVER_HELD NEVER_HELD NEVER_HELD, 4, 4, NULL},
	{"never back", {{'U', -1, -EAGAIN}, {'C', 2, -ETIMEDOUT}}, -ETIMEDOUT,
	 "AWUCAWUC", 0, 0, "fake C"},
	/* Only this pair is out of reach. */
	{"apply: host down", {{'A', 2, -EHOSTDOWN}}, 0,
	 VISIT "AR" VISIT VISIT, 4, 1, NULL},
	{"wait: host down", {{'W', -1, -EHOSTDOWN}}, 0, "AWRAWRAWRAWR", 4, 4, NULL},
};
/* clang-format on */

static void check(const struct expectation *e)
{
	struct world w = {.script = e->script};
	struct sweep_summary summary = {.done = 99, .failed = 99};
	struct err err = ERR_INIT;
	int code = run(&w, &usual, &summary, &err);

	if (code != e->code || strcmp(w.calls, e->calls) != 0)
		fail_msg("%s: %d after %s", e->name, code, w.calls);
	assert_int_equal(summary.done, e->done);
	assert_int_equal(summary.failed, e->failed);
	assert_int_equal(w.row_count, e->done);
	assert_int_equal(w.learned, e->done);
	assert_true((err.text[0] != '\0') == (code < 0));
	if (e->text)
		assert_non_null(strstr(err.text, e->text));
	for (int i = 0; i < w.row_count; i++)
		assert_int_equal(w.rows[i].seq, i + 1);
}

static void test_failures(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		check(&table[i]);
}

static void test_rows(void **state)
{
	static const struct mtu_pair pairs[] = {
		{1400, 1280}, {1400, 1300}, {1420, 1280}, {1420, 1300}};
	struct world w = {0};
	struct sweep_options options = {.first_seq = 7};
	struct sweep_summary summary;

	(void)state;
	assert_int_equal(run(&w, &options, &summary, NULL), 0);
	assert_int_equal(w.row_count, 4);
	for (int i = 0; i < 4; i++) {
		const struct measurement *m = &w.rows[i];

		assert_int_equal(m->seq, 7 + i);
		assert_int_equal(m->pass, 1);
		assert_memory_equal(&m->mtu, &pairs[i], sizeof(pairs[i]));
		for (int dir = 0; dir < DIR_COUNT; dir++)
			assert_int_equal(m->dir[dir].received_bps,
					 pairs[i].server * 10000 + pairs[i].peer);
	}
}

/* After a failed upload the download is still measured; the row is like any other. */
static void test_failed_upload(void **state)
{
	struct world w = {.upload = TEST_BLACKHOLE};
	struct sweep_summary summary;

	(void)state;
	assert_int_equal(run(&w, &usual, &summary, NULL), 0);
	assert_string_equal(w.calls, VISIT VISIT VISIT VISIT);
	assert_int_equal(summary.failed, 4);
	assert_int_equal(w.rows[3].dir[DIR_UPLOAD].status, TEST_BLACKHOLE);
	assert_int_equal(w.rows[3].dir[DIR_DOWNLOAD].status, TEST_OK);
}

static void test_stop_on_failure(void **state)
{
	struct world w = {.upload = TEST_TIMEOUT};
	struct sweep_options options = {.first_seq = 1, .stop_on_failure = true};
	struct sweep_summary summary;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(run(&w, &options, &summary, &err), -ECANCELED);
	assert_string_equal(w.calls, VISIT);
	assert_int_equal(w.row_count, 1);
	assert_int_equal(summary.failed, 1);
	assert_string_equal(
		err.text, "stopped at the first failed test: server MTU 1400, peer MTU "
			  "1280: 'timeout'");
	w = (struct world){.upload = TEST_OK};
	assert_int_equal(run(&w, &options, &summary, &err), 0);
}

static void test_unreachable_rows(void **state)
{
	static const struct answer down[] = {{'A', 1, -EHOSTDOWN}, {0}};
	static const struct answer thrice[] = {
		{'D', 1, -EAGAIN}, {'D', 2, -EAGAIN}, {'D', 3, -EAGAIN}, {0}};
	static const struct answer line[] = {
		{'C', -1, SWEEP_BLAMELESS}, {'D', 1, -EAGAIN},  {'D', 2, -EAGAIN},
		{'D', 3, -EAGAIN},          {'D', 4, -EAGAIN},  {'D', 5, -EAGAIN},
		{'D', 6, -EAGAIN},          {'D', 7, -EAGAIN},  {'D', 8, -EAGAIN},
		{'D', 9, -EAGAIN},          {'D', 10, -EAGAIN}, {0}};
	struct world worlds[] = {
		{.script = down}, {.script = thrice}, {.script = line}};
	const enum test_status statuses[] = {TEST_UNREACHABLE, TEST_UNREACHABLE,
					     TEST_ERROR};
	const char *const texts[] = {"fake A failed", "fake D failed",
				     "not measured after 10 attempts: fake D failed"};
	struct sweep_summary summary;

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct world *w = &worlds[i];

		assert_int_equal(run(w, &usual, &summary, NULL), 0);
		for (int dir = 0; dir < DIR_COUNT; dir++) {
			const struct dir_result *r = &w->rows[0].dir[dir];

			assert_int_equal(r->status, statuses[i]);
			assert_string_equal(r->text, texts[i]);
			assert_int_equal(r->received_bps, NO_FIGURE);
			assert_true(r->started_at_ms > 0);
		}
		assert_int_equal(w->rows[1].dir[DIR_UPLOAD].status, TEST_OK);
	}
}

/* Where the probes show one direction lost and it is, the other is not tested. */
static void test_lost(void **state)
{
	const struct {
		bool lost[DIR_COUNT];
		enum test_status upload;
		enum test_status download;
		const char *calls;
		enum test_status row[DIR_COUNT];
	} rows[] = {
		{{true, false},
		 TEST_BLACKHOLE,
		 TEST_OK,
		 "AWUR",
		 {TEST_BLACKHOLE, TEST_ERROR}},
		{{false, true},
		 TEST_OK,
		 TEST_BLACKHOLE,
		 "AWDR",
		 {TEST_ERROR, TEST_BLACKHOLE}},
		{{true, true},
		 TEST_BLACKHOLE,
		 TEST_BLACKHOLE,
		 VISIT,
		 {TEST_BLACKHOLE, TEST_BLACKHOLE}},
		/* The probes were wrong. */
		{{true, false}, TEST_OK, TEST_OK, VISIT, {TEST_OK, TEST_OK}},
		{{true, false}, TEST_TIMEOUT, TEST_OK, VISIT, {TEST_TIMEOUT, TEST_OK}},
		/* Nothing was predicted. */
		{{false, false},
		 TEST_BLACKHOLE,
		 TEST_OK,
		 VISIT,
		 {TEST_BLACKHOLE, TEST_OK}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world w = {.upload = rows[i].upload,
				  .download = rows[i].download};
		struct one_visit plan = {.plan.ops = &one_visit_ops};
		struct sweep_summary summary;

		memcpy(plan.visit.lost, rows[i].lost, sizeof(rows[i].lost));
		plan.visit.mtu = (struct mtu_pair){1420, 1420};
		assert_int_equal(
			sweep_run(&plan.plan, &usual, &fakes, &w, &summary, NULL), 0);
		assert_string_equal(w.calls, rows[i].calls);
		for (int dir = 0; dir < DIR_COUNT; dir++)
			assert_int_equal(w.rows[0].dir[dir].status, rows[i].row[dir]);
		assert_int_equal(measurement_status(&w.rows[0]) == TEST_OK, i == 3);
		assert_int_not_equal(measurement_status(&w.rows[0]), TEST_ERROR);
	}
}

static void test_progress(void **state)
{
	static const struct answer script[] = {{'U', 2, -EAGAIN}, {0}};
	static const enum sweep_phase phases[] = {
		SWEEP_APPLYING, SWEEP_UPLOAD,   SWEEP_DOWNLOAD,   SWEEP_RECORDED,
		SWEEP_APPLYING, SWEEP_UPLOAD,   SWEEP_RECOVERING, SWEEP_APPLYING,
		SWEEP_UPLOAD,   SWEEP_DOWNLOAD, SWEEP_RECORDED,
	};
	struct world w = {.script = script};
	struct sweep_summary summary;

	(void)state;
	assert_int_equal(run(&w, &usual, &summary, NULL), 0);
	assert_int_equal(w.told_count, 4 * 4 + 3);
	for (int i = 0; i < 11; i++) {
		const struct sweep_progress *told = &w.told[i];

		assert_int_equal(told->phase, phases[i]);
		assert_int_equal(told->total, 4);
		assert_int_equal(told->done, i < 3 ? 0 : i < 10 ? 1 : 2);
		assert_int_equal(told->visit.mtu.peer, i < 4 ? 1280 : 1300);
		assert_true((told->last == NULL) == (i < 3));
		assert_true(i < 3 ? told->left_ms == NO_FIGURE : told->left_ms >= 0);
		assert_true(told->elapsed_ms >= 0);
		assert_string_equal(w.why[i], i == 6 ? "fake U failed" : "");
	}
	assert_int_equal(w.told[18].phase, SWEEP_RECORDED);
	assert_int_equal(w.told[18].done, 4);
	assert_int_equal(w.told[18].left_ms, 0);
}

static int slow_apply(void *ctx, const struct visit *visit, struct err *err)
{
	struct timespec pause = {.tv_nsec = 20000000};

	nanosleep(&pause, NULL);
	return fake_apply(ctx, visit, err);
}

static void test_time_left(void **state)
{
	struct world w = {0};
	struct sweep_ops slow = fakes;
	struct sweep_summary summary;
	struct plan *plan = make_plan(&w);

	(void)state;
	slow.apply = slow_apply;
	assert_int_equal(sweep_run(plan, &usual, &slow, &w, &summary, NULL), 0);
	plan_free(plan);
	/* After each recorded visit of 20 ms three are left, then two, one, none. */
	for (int done = 1; done <= 4; done++) {
		const struct sweep_progress *told = &w.told[4 * done - 1];

		assert_int_equal(told->phase, SWEEP_RECORDED);
		assert_in_range(told->left_ms, 19 * (4 - done), 60 * (4 - done));
	}
}

/* Visits of at least 20 ms each: those that began within the budget are finished. */
static void test_budget(void **state)
{
	static const struct {
		int64_t budget_ms;
		int least, most;
	} cases[] = {
		{0, 4, 4}, {60000, 4, 4}, {15, 1, 1}, {30, 1, 2}, {50, 1, 3},
	};
	struct sweep_ops slow = fakes;

	(void)state;
	slow.apply = slow_apply;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sweep_options options = {
			.first_seq = 1,
			.budget_ms = cases[i].budget_ms,
		};
		struct sweep_summary summary = {.budget_spent = i < 2};
		struct world w = {0};
		struct plan *plan = make_plan(&w);

		assert_int_equal(sweep_run(plan, &options, &slow, &w, &summary, NULL),
				 0);
		plan_free(plan);
		assert_in_range(summary.done, cases[i].least, cases[i].most);
		assert_int_equal(summary.budget_spent, summary.done < 4);
		assert_int_equal(w.row_count, summary.done);
		assert_int_equal(w.learned, summary.done);
		assert_int_equal(strlen(w.calls), 5 * summary.done);
	}
}

/* The last visit may end after the budget: the plan is finished all the same. */
static void test_budget_of_a_plan_done(void **state)
{
	struct world w = {0};
	struct sweep_options options = {.first_seq = 1, .budget_ms = 15};
	struct sweep_ops slow = fakes;
	struct sweep_summary summary;
	struct plan *plan = make_plan(&w);
	struct visit visit;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_true(plan_next(plan, &visit));
	slow.apply = slow_apply;
	assert_int_equal(sweep_run(plan, &options, &slow, &w, &summary, NULL), 0);
	plan_free(plan);
	assert_int_equal(summary.done, 1);
	assert_false(summary.budget_spent);
}

static void test_nobody_watches(void **state)
{
	struct world w = {0};
	struct sweep_ops quiet = fakes;
	struct sweep_summary summary;
	struct plan *plan = make_plan(&w);

	(void)state;
	quiet.progress = NULL;
	assert_int_equal(sweep_run(plan, &usual, &quiet, &w, &summary, NULL), 0);
	plan_free(plan);
	assert_int_equal(w.told_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_failed_upload),
		cmocka_unit_test(test_stop_on_failure),
		cmocka_unit_test(test_unreachable_rows),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_progress),
		cmocka_unit_test(test_time_left),
		cmocka_unit_test(test_budget),
		cmocka_unit_test(test_budget_of_a_plan_done),
		cmocka_unit_test(test_nobody_watches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

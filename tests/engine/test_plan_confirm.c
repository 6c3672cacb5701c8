/* SPDX-License-Identifier: MIT */
/* The plan that confirms one end's MTU, and what its tests say of that MTU. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "engine/plan_confirm.h"
#include "engine/recommend.h"
#include "engine/recommend_evidence.h"

#define HOLE       "1440:whole,65535:lost"
#define NOT_PROBED "1440:whole,65535:unknown"
#define VISITS_MAX 8

/* A test's result: what the test of one direction does. */
enum data { ARRIVES, LOST, NO_TEST };

struct result {
	int mtu;
	enum data data[DIR_COUNT];
	int sent; /* size of the packets that the upload sends; 0: full size */
};

static struct mtu_pair own(int mtu)
{
	return (struct mtu_pair){mtu ? MTU_UNKNOWN : 0, mtu};
}

static void set_path(const char *up, const char *down, struct path *ret)
{
	*ret = (struct path){
		.overhead = {PATH_OVERHEAD_IPV4, PATH_OVERHEAD_IPV4},
	};
	assert_int_equal(path_bands_parse(up, &ret->dir[DIR_UPLOAD], NULL), 0);
	assert_int_equal(path_bands_parse(down, &ret->dir[DIR_DOWNLOAD], NULL), 0);
}

static struct measurement measured(const struct result *result, int i)
{
	static const enum test_status statuses[] = {
		[ARRIVES] = TEST_OK,
		[LOST] = TEST_BLACKHOLE,
		[NO_TEST] = TEST_ERROR,
	};
	struct measurement m = {.seq = (uint32_t)i + 1, .mtu = own(result->mtu)};

	for (int dir = 0; dir < DIR_COUNT; dir++) {
		struct dir_result *r = &m.dir[dir];

		dir_result_init(r, statuses[result->data[dir]], "%s", "");
		r->started_at_ms = 1000 + i * 3000 + dir * 1500;
		if (r->status == TEST_OK)
			r->goodput_bps = 40000000 + i * 1000 + dir * 10000000;
	}
	if (result->sent)
		m.dir[DIR_UPLOAD].packet_bytes = result->sent;
	return m;
}

/* --- the plan --- */

static void visits_expected(void **state)
{
	static const struct {
		int recommended;
		int current;
		const char *up;
		const char *down;
		struct result result[VISITS_MAX]; /* in the order of the visits */
		int count;
	} cases[] = {
		/* As predicted, and nothing else to measure. */
		{1380, 1380, HOLE, HOLE, {{.mtu = 1380}}, 1},
		{1380, 0, HOLE, HOLE, {{.mtu = 1380}}, 1},
		{0, 1420, HOLE, HOLE, {{1420, {LOST, LOST}, 0}}, 1},
		/* The current MTU is lost, as predicted. */
		{1380, 1420, HOLE, HOLE, {{.mtu = 1380}, {1420, {LOST, LOST}, 0}}, 2},
		/* The recommended one is lost by accident, then again. */
		{1380,
		 1420,
		 HOLE,
		 HOLE,
		 {{1380, {LOST, ARRIVES}, 0}, {.mtu = 1380}, {1420, {LOST, LOST}, 0}},
		 3},
		{1380,
		 1280,
		 HOLE,
		 NOT_PROBED,
		 {{1380, {ARRIVES, LOST}, 0},
		  {1380, {ARRIVES, LOST}, 0},
		  {.mtu = 1280}},
		 3},
		/* Data arrives that the probes show lost. */
		{1380,
		 1420,
		 HOLE,
		 HOLE,
		 {{.mtu = 1380}, {.mtu = 1420}, {.mtu = 1420}},
		 3},
		/* Unless the packets were smaller than the MTU. */
		{1380,
		 1420,
		 HOLE,
		 NOT_PROBED,
		 {{.mtu = 1380}, {.mtu = 1420, .sent = 1376}},
		 2},
		/* No test says nothing. */
		{1380,
		 1280,
		 HOLE,
		 HOLE,
		 {{1380, {NO_TEST, NO_TEST}, 0}, {.mtu = 1280}},
		 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct plan_confirm_options options = {
			.recommended = own(cases[i].recommended),
			.current = own(cases[i].current),
		};
		struct err err = ERR_INIT;
		struct plan *plan;
		struct visit visit;
		int count = 0;

		print_message("case %zu\n", i);
		set_path(cases[i].up, cases[i].down, &options.path);
		assert_int_equal(plan_confirm_new(&options, &plan, &err), 0);
		while (count < VISITS_MAX && plan_next(plan, &visit)) {
			struct measurement m = measured(&cases[i].result[count], count);

			assert_int_equal(visit.mtu.server, MTU_UNKNOWN);
			assert_int_equal(visit.mtu.peer, m.mtu.peer);
			assert_int_equal(visit.lost[DIR_UPLOAD], m.mtu.peer > 1380);
			assert_true(count < plan_total(plan));
			plan_learn(plan, &m);
			count++;
		}
		assert_int_equal(count, cases[i].count);
		assert_int_equal(plan_total(plan), count);
		plan_free(plan);
	}
}

static void passes_count(void **state)
{
	struct plan_confirm_options options = {.recommended = own(1380)};
	struct measurement m = measured(&(struct result){1380, {LOST, LOST}, 0}, 0);
	struct plan *plan;
	struct visit visit;

	(void)state;
	set_path(HOLE, HOLE, &options.path);
	assert_int_equal(plan_confirm_new(&options, &plan, NULL), 0);
	for (int pass = 1; pass <= 2; pass++) {
		assert_true(plan_next(plan, &visit));
		assert_int_equal(visit.pass, pass);
		plan_learn(plan, &m);
	}
	assert_false(plan_next(plan, &visit));
	plan_free(plan);
}

static void nothing_is_no_plan(void **state)
{
	struct plan_confirm_options options = {0};
	struct err err = ERR_INIT;
	struct plan *plan;

	(void)state;
	assert_int_equal(plan_confirm_new(&options, &plan, &err), -EINVAL);
	assert_string_equal(err.text, "nothing to measure: no MTU is known");
}

/* --- the status that its tests give --- */

static void status_of_tests(void **state)
{
	static const struct {
		const char *down;
		enum evidence_status status;
		int contradicted; /* the MTU that contradicts the probes; 0: none */
		struct result result[VISITS_MAX];
		int count;
	} cases[] = {
		{HOLE, EVIDENCE_PREDICTED, 0, {{0}}, 0},
		{HOLE, EVIDENCE_CONFIRMED, 0, {{.mtu = 1380}}, 1},
		{HOLE,
		 EVIDENCE_CONFIRMED,
		 0,
		 {{.mtu = 1380}, {1420, {LOST, LOST}, 0}},
		 2},
		/* The probes predict that the upload is whole. */
		{HOLE,
		 EVIDENCE_CONTRADICTED,
		 1380,
		 {{1380, {LOST, ARRIVES}, 0}, {1380, {LOST, ARRIVES}, 0}},
		 2},
		{HOLE, EVIDENCE_PREDICTED, 1380, {{1380, {LOST, ARRIVES}, 0}}, 1},
		/* Data cannot arrive by accident: but how large were its packets? */
		{HOLE,
		 EVIDENCE_CONFIRMED,
		 0,
		 {{.mtu = 1380},
		  {1420, {LOST, ARRIVES}, 0},
		  {1420, {LOST, ARRIVES}, 0}},
		 3},
		/* A larger MTU carries what probes lost: the chosen one is good, too. */
		{HOLE,
		 EVIDENCE_CONFIRMED,
		 1420,
		 {{.mtu = 1380}, {.mtu = 1420}, {.mtu = 1420}},
		 3},
		{HOLE,
		 EVIDENCE_CONTRADICTED,
		 1380,
		 {{1380, {LOST, ARRIVES}, 0},
		  {1380, {LOST, ARRIVES}, 0},
		  {.mtu = 1420},
		  {.mtu = 1420}},
		 4},
		{HOLE,
		 EVIDENCE_CONTRADICTED,
		 1380,
		 {{.mtu = 1420},
		  {.mtu = 1420},
		  {1380, {LOST, ARRIVES}, 0},
		  {1380, {LOST, ARRIVES}, 0}},
		 4},
		/* A smaller one that is lost is not the chosen one, either. */
		{HOLE,
		 EVIDENCE_CONFIRMED,
		 1300,
		 {{1300, {LOST, LOST}, 0}, {1300, {LOST, LOST}, 0}, {.mtu = 1380}},
		 3},
		/* Nothing comes back with any MTU, which is not this end's fault. */
		{"1460:whole,65535:lost",
		 EVIDENCE_PREDICTED,
		 1380,
		 {{1380, {ARRIVES, LOST}, 0},
		  {1380, {ARRIVES, LOST}, 0},
		  {1280, {ARRIVES, LOST}, 0}},
		 3},
		{"1460:whole,65535:lost",
		 EVIDENCE_CONTRADICTED,
		 1380,
		 {{1380, {ARRIVES, LOST}, 0},
		  {1380, {ARRIVES, LOST}, 0},
		  {.mtu = 1280}},
		 3},
		/* No probe was as large: what the other MTU carries has to arrive. */
		{"1400:whole,65535:unknown",
		 EVIDENCE_CONTRADICTED,
		 1380,
		 {{1380, {ARRIVES, LOST}, 0},
		  {1380, {ARRIVES, LOST}, 0},
		  {.mtu = 1280}},
		 3},
		{"1400:whole,65535:unknown",
		 EVIDENCE_PREDICTED,
		 0,
		 {{1380, {ARRIVES, LOST}, 0},
		  {1380, {ARRIVES, LOST}, 0},
		  {1360, {ARRIVES, LOST}, 0}},
		 3},
		/* Lost, as the probes show: the far end's MTU is too large. */
		{"1400:whole,65535:lost",
		 EVIDENCE_PREDICTED,
		 0,
		 {{1380, {ARRIVES, LOST}, 0}, {.mtu = 1280}},
		 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct measurement m[VISITS_MAX];
		struct recommend_input input = {
			.server = MTU_RANGE_UNKNOWN,
			.peer = {1280, 1500, 1},
			.current = own(1420),
			.chosen = own(1380),
			.m = m,
			.count = (size_t)cases[i].count,
			.margin = 0.05,
		};
		struct path_survey survey = {0};
		struct recommendation v;
		struct evidence e;

		print_message("case %zu\n", i);
		set_path(HOLE, cases[i].down, &input.path);
		for (int k = 0; k < cases[i].count; k++)
			m[k] = measured(&cases[i].result[k], k);
		assert_int_equal(recommend_find(&input, &v), 0);
		assert_true(mtu_pair_same(&v.recommended.mtu, &input.chosen));
		assert_int_equal(v.contradicted.peer, cases[i].contradicted);
		recommend_evidence(&v, &survey, &e);
		assert_int_equal(e.status, cases[i].status);
		assert_int_equal(e.reason.visits, cases[i].count);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(visits_expected),
		cmocka_unit_test(passes_count),
		cmocka_unit_test(nothing_is_no_plan),
		cmocka_unit_test(status_of_tests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* A run's recommendation in its map: how far it is proved, and the path it rests on. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../store/fixture.h"
#include "report/heatmap.h"

static struct evidence make_evidence(enum evidence_status status)
{
	struct evidence e;

	evidence_init(&e);
	e.mtu = (struct mtu_pair){1400, 1380};
	e.reason = (struct reason){.kind = REASON_FITS, .margin = 5, .visits = 9};
	e.settled = status == EVIDENCE_CONFIRMED;
	e.status = status;
	return e;
}

static void load(struct fixture *fixture, const char *run, struct heatmap *ret)
{
	struct query *query = fixture_query(fixture);
	struct query_run found;
	struct err err = ERR_INIT;

	assert_int_equal(query_run(query, run, &found, &err), 0);
	if (heatmap_load(query, &found, &(struct heatmap_options){0}, ret, &err) < 0)
		fail_msg("%s", err.text);
	query_close(query);
}

/* Tests of smaller packets than the pair's confirm less. */
static void a_clamped_test_is_said(void **state)
{
	struct evidence e = make_evidence(EVIDENCE_CONFIRMED);
	struct warning w = {.kind = WARNING_CLAMPED, .size_max = 1380};

	(void)state;
	/* TCP's packets are as large as the smaller MTU. */
	evidence_warn(&e, w);
	assert_string_equal(evidence_proof(&e, false), "confirmed by tests");
	w.size_max = 1379;
	evidence_warn(&e, w);
	assert_string_equal(evidence_proof(&e, false),
			    "confirmed by tests of smaller packets");
	e.settled = false;
	assert_string_equal(evidence_proof(&e, false),
			    "confirmed by tests of smaller packets, not settled");
}

/* Only a pair that probes alone show to work is a predicted one. */
static void each_status(void **state)
{
	static const struct {
		enum evidence_status status;
		bool predicted;
		const char *proof;
	} rows[] = {
		{EVIDENCE_PREDICTED, true, "predicted, not confirmed by tests"},
		{EVIDENCE_CONFIRMED, false, "confirmed by tests"},
		{EVIDENCE_CONTRADICTED, false, "tests contradict the probes"},
	};
	struct fixture *fixture = *state;

	for (int i = 0; i < EVIDENCE_STATUS_COUNT; i++) {
		struct evidence e = make_evidence(rows[i].status);
		struct heatmap map;
		struct ruler ruler;
		char answer[HEATMAP_TEXT];
		int64_t run;
		struct store *store = fixture_open(fixture, i + 1, &run);

		assert_int_equal(store_recommend(store, run, &e, NULL), 0);
		fixture_exec(fixture->db, "UPDATE run SET outcome = 'done'");
		fixture_close(store);
		load(fixture, NULL, &map);
		heatmap_ruler(&map, &ruler);
		snprintf(answer, sizeof(answer),
			 "Recommended: server MTU 1400, peer MTU 1380 (%s)",
			 rows[i].proof);
		assert_string_equal(map.answer, answer);
		assert_int_equal(map.predicted, rows[i].predicted);
		assert_int_equal(ruler.predicted, rows[i].predicted);
		assert_int_equal(evidence_is_predicted(&e), rows[i].predicted);
		heatmap_release(&map);
	}
}

/* No tests follow where a run only probes. */
static void tests_follow(void **state)
{
	static const struct {
		const char *strategy;
		const char *proof;
	} rows[] = {
		{"smart", "(predicted, tests follow)"},
		{STRATEGY_PROBE, "(predicted by probes, not measured)"},
	};
	struct fixture *fixture = *state;

	for (int i = 0; i < 2; i++) {
		struct evidence e = make_evidence(EVIDENCE_PREDICTED);
		struct run_info info = fixture_run(i + 1);
		struct store *store;
		struct heatmap map;
		int64_t run;

		e.reason.visits = 0;
		snprintf(info.strategy, sizeof(info.strategy), "%s", rows[i].strategy);
		assert_int_equal(store_open(fixture->db, &store, NULL), 0);
		assert_int_equal(store_begin_record(store, &info, NULL, &run, NULL), 0);
		assert_int_equal(store_recommend(store, run, &e, NULL), 0);
		load(fixture, NULL, &map);
		assert_non_null(strstr(map.answer, rows[i].proof));
		heatmap_release(&map);
		fixture_close(store);
	}
}

/* Probes that measurements contradict are not drawn: throughput tells the upload's path,
 * probes still tell the download's. */
static void contradicted_probes(void **state)
{
	static const struct path_survey survey = {
		.path = {.overhead = {80, 80},
			 .dir = {{2, {{1460, FATE_WHOLE}, {65535, FATE_LOST}}},
				 {2, {{1480, FATE_WHOLE}, {65535, FATE_LOST}}}}},
		.probes = {9, 9}};
	struct evidence e = make_evidence(EVIDENCE_CONTRADICTED);
	struct fixture *fixture = *state;
	struct heatmap map;
	struct ruler ruler;
	int64_t run;
	struct store *store = fixture_open(fixture, 1, &run);

	e.survey = survey;
	e.survey.path.dir[DIR_UPLOAD] =
		(struct path_bands){2, {{1430, FATE_WHOLE}, {65535, FATE_LOST}}};
	e.dir[DIR_UPLOAD].guessed = true;
	assert_int_equal(store_put_path(store, run, &survey, NULL), 0);
	assert_int_equal(store_recommend(store, run, &e, NULL), 0);
	fixture_close(store);
	load(fixture, NULL, &map);
	heatmap_ruler(&map, &ruler);
	assert_int_equal(map.edges, 2);
	assert_int_equal(map.edge[0].size, 1430);
	assert_int_equal(map.edge[0].mtu_sent, 1350);
	assert_true(map.edges_guessed[DIR_UPLOAD]);
	assert_int_equal(ruler.dir[DIR_UPLOAD].band[0].to, 1430);
	assert_true(ruler.dir[DIR_UPLOAD].guessed);
	assert_int_equal(map.edge[1].size, 1480);
	assert_false(map.edges_guessed[DIR_DOWNLOAD]);
	assert_false(ruler.dir[DIR_DOWNLOAD].guessed);
	heatmap_release(&map);
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_status),
		cmocka_unit_test(a_clamped_test_is_said),
		TEST(tests_follow),
		TEST(contradicted_probes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

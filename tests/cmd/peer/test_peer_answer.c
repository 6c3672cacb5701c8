/* SPDX-License-Identifier: MIT */
/* The answer of the probes alone: printed, stored at both ends, as JSON, and as a check. */

#include "cmd/peer/peer_answer.h"

#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../cmdlab.h"

static void test_probe_that_cannot_be(void **state)
{
	struct cmdlab *lab = *state;

	lab->peer_config.strategy = &strategies[STRATEGY_probe];
	cmdlab_start_server(lab);
	assert_int_equal(cmdlab_run(lab), 1);
	cmdlab_assert_said(lab->peer.said, "a fake guard has no probes");
	assert_string_equal(lab->peer.printed, "");
	assert_int_equal(access(lab->peer.options.db, F_OK), -1);
	assert_int_equal(lab->peer.guard.facts.mtu, CMDLAB_MTU);
}

/* The fakes drop nothing. */
static void probe_alone(struct cmdlab *lab)
{
	lab->peer_config.strategy = &strategies[STRATEGY_probe];
	cmdlab_answer_probes(lab);
	cmdlab_start_server(lab);
}

static void test_probe_is_stored_at_both_ends(void **state)
{
	static const char sql[] =
		"SELECT strategy || ' ' || outcome || ' ' || coalesce(duration_ms, '-')"
		" || ' ' || coalesce(pairs_planned, '-') || ' ' || status || ' ' ||"
		" (SELECT count(*) FROM measurement) || ' ' ||"
		" (SELECT count(*) > 1 FROM path_band)"
		" FROM run, recommendation, reason";
	struct cmdlab *lab = *state;
	const struct cmdlab_end *ends[] = {&lab->peer, &lab->server};

	probe_alone(lab);
	assert_int_equal(cmdlab_run(lab), PROGRAM_DONE);
	cmdlab_assert_said(lab->peer.printed, "; predicted by probes, not measured\n");
	cmdlab_assert_said(lab->peer.printed,
			   "\ncurrent pair: server MTU 1412, peer MTU 1412: ");
	cmdlab_assert_said(lab->peer.printed, "\nprobes: ");
	cmdlab_assert_said(lab->peer.printed, "mtusweep explain 1");
	cmdlab_assert_said(lab->peer.printed, "mtusweep heatmap");
	cmdlab_assert_not_said(lab->peer.said, "measurements");
	cmdlab_assert_said(lab->peer.said, "run 1 in '");
	cmdlab_end_server(lab);
	cmdlab_assert_said(lab->server.said, "run 1, a probe of 127.");
	for (int i = 0; i < 2; i++) {
		char *text = fixture_read_text(ends[i]->files, sql);

		assert_string_equal(text, "probe done - - predicted 0 1");
		free(text);
	}
	assert_int_equal(lab->peer.guard.facts.mtu, CMDLAB_MTU);
	assert_int_equal(fakeguard_count(&lab->peer.guard, GUARD_COMMIT), 0);
}

/* The document, and nothing else. */
static void test_probe_as_json(void **state)
{
	struct cmdlab *lab = *state;
	json_error_t error;
	json_t *document;

	lab->peer_config.json = true;
	probe_alone(lab);
	assert_int_equal(cmdlab_run(lab), PROGRAM_DONE);
	document = json_loads(lab->peer.printed, 0, &error);
	assert_non_null(document);
	assert_string_equal(json_string_value(json_object_get(
				    json_object_get(document, "run"), "outcome")),
			    "done");
	assert_string_equal(
		json_string_value(json_object_get(
			json_object_get(document, "recommendation"), "status")),
		"predicted");
	assert_true(json_is_array(
		json_object_get(json_object_get(document, "path"), "upload")));
	json_decref(document);
}

static void test_grid_as_json(void **state)
{
	struct cmdlab *lab = *state;
	json_error_t error;
	json_t *document;

	lab->peer_config.json = true;
	cmdlab_answer_probes(lab);
	cmdlab_start_server(lab);
	assert_int_equal(cmdlab_run(lab), PROGRAM_DONE);
	document = json_loads(lab->peer.printed, 0, &error);
	assert_non_null(document);
	assert_int_equal(json_array_size(json_object_get(document, "results")), 4);
	json_decref(document);
}

/* No folder for the database: the answer is printed all the same, before it is stored. */
static void test_probe_answers_before_it_stores(void **state)
{
	struct cmdlab *lab = *state;

	lab->peer.options.db = "/nowhere/peer.db";
	probe_alone(lab);
	assert_int_equal(cmdlab_run(lab), PROGRAM_FAILED);
	cmdlab_assert_said(lab->peer.printed, "recommended: server MTU ");
	cmdlab_assert_said(lab->peer.said, "'/nowhere'");
	assert_int_equal(lab->peer.guard.facts.mtu, CMDLAB_MTU);
}

static void test_check(void **state)
{
	struct cmdlab *lab = *state;

	lab->peer_config.strategy = &strategies[STRATEGY_probe];
	lab->peer_config.check = true;
	cmdlab_answer_probes(lab);
	cmdlab_start_server(lab);
	assert_int_equal(cmdlab_run(lab), PROGRAM_DONE);
	cmdlab_assert_said(lab->peer.printed,
			   "MTU OK - current pair: server MTU 1412, peer MTU 1412: ");
	assert_ptr_equal(strchr(lab->peer.printed, '\n') + 1,
			 lab->peer.printed + strlen(lab->peer.printed));
	assert_int_equal(access(lab->peer.options.db, F_OK), -1);
	cmdlab_end_server(lab);
	cmdlab_assert_said(lab->server.said, "check of 127.");
	assert_int_equal(
		fixture_read_int(lab->server.files, "SELECT count(*) FROM run"), 0);
}

/* One line on stdout all the same: a monitoring system reads nothing else. */
static void test_check_that_fails(void **state)
{
	struct cmdlab *lab = *state;

	lab->peer_config.strategy = &strategies[STRATEGY_probe];
	lab->peer_config.check = true;
	cmdlab_start_server(lab);
	assert_int_equal(cmdlab_run(lab), PROGRAM_FAILED);
	cmdlab_assert_said(lab->peer.printed, "MTU UNKNOWN - ");
	cmdlab_assert_said(lab->peer.printed, "a fake guard has no probes\n");
	cmdlab_assert_said(lab->peer.said, "a fake guard has no probes");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, cmdlab_setup, cmdlab_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_probe_that_cannot_be),
		TEST(test_probe_is_stored_at_both_ends),
		TEST(test_probe_as_json),
		TEST(test_grid_as_json),
		TEST(test_probe_answers_before_it_stores),
		TEST(test_check),
		TEST(test_check_that_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* A run's findings: its path and its recommendation, stored, replaced, read. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fixture.h"
#include "store/query.h"
#include "store/store.h"

static struct path_survey survey_of(const char *up, const char *down)
{
	struct path_survey survey = {
		.path.overhead = {PATH_OVERHEAD_IPV6, PATH_OVERHEAD_IPV6},
		.probes = {12, 15},
		.probe_ms = 123,
	};

	assert_int_equal(path_bands_parse(up, &survey.path.dir[DIR_UPLOAD], NULL), 0);
	assert_int_equal(path_bands_parse(down, &survey.path.dir[DIR_DOWNLOAD], NULL),
			 0);
	return survey;
}

static void put(struct store *store, int64_t run, const struct path_survey *survey)
{
	struct err err = ERR_INIT;

	assert_int_equal(store_put_path(store, run, survey, &err), 0);
}

static void path_comes_back(void **state)
{
	struct fixture *fixture = *state;
	struct path_survey survey = survey_of(
		"1460:whole,1475:unknown,1500:lost,65535:fragmented", "65535:whole");
	struct path_survey other = survey_of("", "1400:whole,65535:lost");
	struct path_survey read;
	struct query *query;
	int64_t run, second;
	struct store *store = fixture_open(fixture, 1, &run);

	other.path.overhead[DIR_UPLOAD] = PATH_OVERHEAD_IPV4;
	other.path.relayed[DIR_DOWNLOAD] = true;
	other.since_seq = 17;
	put(store, run, &survey);
	fixture_close(store);
	store = fixture_open(fixture, 2, &second);
	put(store, second, &other);
	fixture_close(store);
	query = fixture_query(fixture);
	assert_int_equal(query_path(query, run, &read, NULL), 0);
	assert_memory_equal(&read, &survey, sizeof(survey));
	assert_int_equal(query_path(query, second, &read, NULL), 0);
	assert_memory_equal(&read, &other, sizeof(other));
	query_close(query);
}

static void path_is_replaced_whole(void **state)
{
	struct fixture *fixture = *state;
	struct path_survey survey =
		survey_of("1460:whole,1500:lost,65535:fragmented", "65535:whole");
	struct path_survey other = survey_of("1440:whole,65535:lost", "");
	struct path_survey read;
	struct query *query;
	int64_t run;
	struct store *store = fixture_open(fixture, 1, &run);

	put(store, run, &survey);
	put(store, run, &other);
	fixture_close(store);
	query = fixture_query(fixture);
	assert_int_equal(query_path(query, run, &read, NULL), 0);
	assert_memory_equal(&read, &other, sizeof(other));
	query_close(query);
	assert_int_equal(fixture_read_int(fixture, "SELECT count(*) FROM path_band"),
			 2);
}

static void no_path_is_said(void **state)
{
	struct fixture *fixture = *state;
	struct err err = ERR_INIT;
	struct path_survey read;
	struct query *query;
	int64_t run;

	fixture_close(fixture_open(fixture, 1, &run));
	query = fixture_query(fixture);
	assert_int_equal(query_path(query, run, &read, &err), -ENODATA);
	assert_non_null(strstr(err.text, "nothing is stored of the path of run 1"));
	query_close(query);
}

static void damaged_bands_are_refused(void **state)
{
	struct fixture *fixture = *state;
	struct path_survey survey = survey_of("1460:whole,65535:lost", "");
	struct err err = ERR_INIT;
	struct path_survey read;
	struct query *query;
	int64_t run;
	struct store *store = fixture_open(fixture, 1, &run);
	char many[] = "WITH RECURSIVE s (value) AS"
		      " (SELECT 1 UNION ALL SELECT value + 1 FROM s LIMIT 50)"
		      " INSERT INTO path_band SELECT 1, 'upload', value,"
		      " CASE value % 2 WHEN 0 THEN 'lost' ELSE 'whole' END FROM s";

	put(store, run, &survey);
	fixture_close(store);
	fixture_exec(fixture->db, many);
	query = fixture_query(fixture);
	assert_int_equal(query_path(query, run, &read, &err), -EUCLEAN);
	assert_true(err.text[0]);
	query_close(query);
}

static void recommendation_is_replaced(void **state)
{
	struct path_survey survey = survey_of("", "1400:whole,65535:lost");
	struct evidence first, second;
	struct fixture *fixture = *state;
	struct query_recommendation read;
	struct err err = ERR_INIT;
	struct query *query;
	int64_t run;
	struct store *store = fixture_open(fixture, 1, &run);
	char *text;

	put(store, run, &survey);
	evidence_init(&first);
	first.mtu = (struct mtu_pair){1420, 1420};
	first.current = (struct mtu_pair){fixture_run(1).server.link_mtu,
					  fixture_run(1).peer.link_mtu};
	first.survey = survey;
	first.status = EVIDENCE_CONTRADICTED;
	second = first;
	second.status = EVIDENCE_CONFIRMED;
	second.mtu = (struct mtu_pair){1400, 1440};
	second.settled = true;
	second.reason = (struct reason){REASON_FASTER, 5, 12, {1440, 1440}};
	second.dir[DIR_UPLOAD] = (struct evidence_dir){.bps = 1,
						       .low_bps = 0,
						       .high_bps = 3,
						       .current_bps = 4,
						       .ratio_permille = 5,
						       .ratio_low_permille = 6,
						       .ratio_high_permille = 7,
						       .guessed = true};
	path_bands_parse("1460:whole,65535:unknown",
			 &second.survey.path.dir[DIR_UPLOAD], NULL);
	evidence_warn(&first, (struct warning){.kind = WARNING_NOISY});
	evidence_warn(&second, (struct warning){.kind = WARNING_DRIFT,
						.direction = DIR_DOWNLOAD,
						.rate_percent = 0,
						.detail = ""});
	evidence_warn(&second, (struct warning){.kind = WARNING_ROAM, .detail = ""});
	assert_int_equal(store_recommend(store, run, &first, &err), 0);
	assert_int_equal(store_recommend(store, run, &second, &err), 0);
	assert_int_equal(store_recommend(store, run + 1, &second, &err), -EINVAL);
	fixture_close(store);
	text = fixture_read_text(fixture,
				 "SELECT server_mtu || ',' || peer_mtu || ',' ||"
				 " settled || ',' || text FROM recommendation");
	assert_string_equal(text, "1400,1440,1,");
	free(text);
	query = fixture_query(fixture);
	assert_int_equal(query_recommended(query, run, &read, &err), 0);
	assert_memory_equal(&read.evidence.mtu, &second.mtu, sizeof(second.mtu));
	assert_int_equal(read.evidence.status, EVIDENCE_CONFIRMED);
	assert_memory_equal(&read.evidence.reason, &second.reason,
			    sizeof(second.reason));
	assert_memory_equal(&read.evidence.current, &second.current,
			    sizeof(second.current));
	assert_memory_equal(&read.evidence.survey, &second.survey,
			    sizeof(second.survey));
	assert_memory_equal(read.evidence.dir, second.dir, sizeof(second.dir));
	assert_int_equal(read.evidence.warnings, 2);
	assert_int_equal(read.evidence.warning[0].kind, WARNING_DRIFT);
	assert_int_equal(read.evidence.warning[0].direction, DIR_DOWNLOAD);
	assert_int_equal(read.evidence.warning[1].kind, WARNING_ROAM);
	free(read.text);
	query_close(query);
}

/* A prediction that no measurement bore out: nothing of it stays. */
static void recommendation_is_withdrawn(void **state)
{
	struct path_survey survey = survey_of("1460:whole,65535:lost", "65535:whole");
	struct fixture *fixture = *state;
	struct evidence predicted;
	char *text;
	struct err err = ERR_INIT;
	int64_t run;
	struct store *store = fixture_open(fixture, 1, &run);

	put(store, run, &survey);
	evidence_init(&predicted);
	predicted.mtu = (struct mtu_pair){1420, 1400};
	evidence_warn(&predicted, (struct warning){.kind = WARNING_ROAM});
	assert_int_equal(store_recommend(store, run, &predicted, &err), 0);
	assert_int_equal(fixture_read_int(fixture, "SELECT status = 'predicted' FROM"
						   " recommendation JOIN reason USING"
						   " (run_id)"),
			 1);
	text = fixture_recommendation(fixture);
	assert_non_null(strstr(text, "predicted by probes, not measured"));
	free(text);
	assert_int_equal(store_withdraw(store, run, &err), 0);
	assert_int_equal(store_withdraw(store, run, &err), 0);
	fixture_close(store);
	assert_int_equal(fixture_read_int(fixture,
					  "SELECT (SELECT count(*) FROM recommendation)"
					  " + (SELECT count(*) FROM reason)"
					  " + (SELECT count(*) FROM run_warning)"),
			 0);
	assert_int_equal(fixture_read_int(fixture, "SELECT count(*) FROM path"), 1);
}

/* --- one end alone --- */

/* The sentences made from what is stored are those that the peer printed. */
static void one_end_comes_back(void **state)
{
	struct fixture *fixture = *state;

	for (int fits = 0; fits < 2; fits++) {
		struct evidence e = fixture_one_end(fits);
		int64_t run = fixture_store_one_end(fixture, fits, fits);
		struct query *query = fixture_query(fixture);
		char *printed = NULL;
		struct one_end read;
		char *text;

		assert_int_equal(query_one_end(query, run, &read, NULL), 0);
		assert_memory_equal(&read, &e.one_end, sizeof(read));
		query_close(query);
		assert_int_equal(evidence_text(&e, &printed, NULL), 0);
		text = fixture_recommendation(fixture);
		assert_string_equal(text, printed);
		assert_non_null(strstr(text, fits ? "recommended: peer MTU 1380; "
						  : "no MTU, since none of 1280 or "));
		free(text);
		free(printed);
	}
}

/* All flags and numbers differ from their neighbours. */
static void one_end_keeps_each_fact(void **state)
{
	struct fixture *fixture = *state;
	int64_t run = fixture_store_one_end(fixture, 1, true);
	struct one_end facts = fixture_one_end(true).one_end;
	struct store *store;
	struct query *query;
	struct one_end read;
	int number = 700;
	bool flag = false;

#define SET_FLAG(name) facts.name = flag = !flag;
	ONE_END_FLAGS(SET_FLAG)
#undef SET_FLAG
#define SET_NUMBER(name) facts.name = number++;
	ONE_END_NUMBERS(SET_NUMBER)
#undef SET_NUMBER
	facts.small = ONE_END_SMALL_UDP;
	facts.proof = ONE_END_ARRIVES;
	memset(facts.endpoint, 0, sizeof(facts.endpoint));
	assert_int_equal(store_open(fixture->db, &store, NULL), 0);
	assert_int_equal(store_put_one_end(store, run, &facts, NULL), 0);
	fixture_close(store);
	query = fixture_query(fixture);
	assert_int_equal(query_one_end(query, run, &read, NULL), 0);
	assert_memory_equal(&read, &facts, sizeof(read));
	query_close(query);
	assert_int_equal(fixture_read_int(fixture, "SELECT endpoint IS NULL AND"
						   " mss_ipv6 = 708 FROM one_end"),
			 1);
	fixture_exec(fixture->db, "PRAGMA foreign_keys = ON; DELETE FROM run");
	assert_int_equal(fixture_read_int(fixture, "SELECT count(*) FROM one_end"), 0);
}

/* The facts of somebody else's file. */
static void damaged_one_end_is_refused(void **state)
{
	static const char *const damage[] = {
		"UPDATE one_end SET small = 'smoke'", "UPDATE one_end SET proof = 7",
		"UPDATE one_end SET far_mtu = 70000", "UPDATE one_end SET echoes = 2",
		"UPDATE one_end SET rounds = -1",
	};

	for (size_t i = 0; i < sizeof(damage) / sizeof(damage[0]); i++) {
		struct fixture *fixture = *state;
		struct query_recommendation recommended = {0};
		struct err err = ERR_INIT;
		struct query *query;
		int64_t run;
		char sql[256];

		unlink(fixture->db);
		run = fixture_store_one_end(fixture, 1, true);
		snprintf(sql, sizeof(sql), "PRAGMA ignore_check_constraints = ON; %s",
			 damage[i]);
		fixture_exec(fixture->db, sql);
		query = fixture_query(fixture);
		assert_int_equal(query_recommended(query, run, &recommended, &err),
				 -EUCLEAN);
		assert_non_null(strstr(err.text, "a run of one end that cannot be"));
		query_close(query);
	}
}

/* A name that a shell would not take as it is is in no command. */
static void odd_interface_is_in_no_command(void **state)
{
	struct evidence e = fixture_one_end(true);
	char *text;

	(void)state;
	assert_int_equal(evidence_text(&e, &text, NULL), 0);
	assert_non_null(strstr(text, "-o wg1 -p tcp"));
	free(text);
	strcpy(e.one_end.interface, "a\"; reboot #");
	assert_int_equal(evidence_text(&e, &text, NULL), 0);
	assert_null(strstr(text, "reboot"));
	assert_non_null(
		strstr(text, "clamp the MSS here to 1336 over IPv4 and 1316 over"));
	free(text);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(path_comes_back),
		TEST(path_is_replaced_whole),
		TEST(no_path_is_said),
		TEST(damaged_bands_are_refused),
		TEST(recommendation_is_replaced),
		TEST(recommendation_is_withdrawn),
		TEST(one_end_comes_back),
		TEST(one_end_keeps_each_fact),
		TEST(damaged_one_end_is_refused),
		TEST(odd_interface_is_in_no_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* store/query.c: runs, warnings, measurements, and files that are no database, on real
 * SQLite files. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"
#include "store/query.h"
#include "store/store.h"

/* Ids 1 to 3; the second claims to have begun last, but that does not make it the
 * newest. */
static void make_three_runs(struct fixture *fixture)
{
	static const int numbers[] = {1, 3, 2};
	int64_t run;

	for (int i = 0; i < 3; i++)
		fixture_close(fixture_open(fixture, numbers[i], &run));
}

static void runs_are_found_by_name(void **state)
{
	static const struct {
		const char *name;
		int result;
		int64_t id;
		const char *text;
	} table[] = {
		{NULL, 0, 3, ""},
		{"1", 0, 1, ""},
		{"3", 0, 3, ""},
		{"abcd0002-1111-4222-8333-444444444444", 0, 3, ""},
		{"abcd0001", 0, 1, ""},
		{"ABCD0001", 0, 1, ""},
		{"abcd", -ENOTUNIQ, 0, "more than one run begins with 'abcd'"},
		{"abc", -ENOENT, 0, "no run 'abc'"},
		{"4", -ENOENT, 0, "no run '4'"},
		{"", -ENOENT, 0, "no run ''"},
		{"bcd0001", -ENOENT, 0, "no run"},
		{"abcd%", -ENOENT, 0, "no run"},
		{"99999999999999999999", -ENOENT, 0, "no run"},
	};
	struct fixture *fixture = *state;
	struct query *query;

	make_three_runs(fixture);
	query = fixture_query(fixture);
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct err err = ERR_INIT;
		struct query_run run;

		assert_int_equal(query_run(query, table[i].name, &run, &err),
				 table[i].result);
		assert_non_null(strstr(err.text, table[i].text));
		if (table[i].result == 0)
			assert_int_equal(run.id, table[i].id);
	}
	query_close(query);
}

struct run_ids {
	int count;
	int64_t id[4];
};

static int keep_id(void *ctx, const struct query_run *run)
{
	struct run_ids *ids = ctx;

	ids->id[ids->count++] = run->id;
	return ids->count == 4;
}

static void runs_are_listed_as_they_were_stored(void **state)
{
	static const int64_t expected[] = {1, 2, 3};
	struct fixture *fixture = *state;
	struct run_ids ids = {0};
	struct query *query;

	make_three_runs(fixture);
	query = fixture_query(fixture);
	assert_int_equal(query_runs(query, keep_id, &ids, NULL), 0);
	query_close(query);
	assert_int_equal(ids.count, 3);
	assert_memory_equal(ids.id, expected, sizeof(expected));
}

static void run_comes_back_whole(void **state)
{
	struct fixture *fixture = *state;
	struct run_info info = fixture_run(0);
	struct query_run run;
	struct query *query;
	struct measurement m;
	int64_t id;
	struct store *store = fixture_open(fixture, 0, &id);

	m = fixture_visit(1, (struct mtu_pair){1420, 1400}, 1, 1);
	fixture_record(store, id, &m);
	m = fixture_visit(2, (struct mtu_pair){1420, 1420}, 1, -TEST_BLACKHOLE);
	fixture_record(store, id, &m);
	/* Measured again, with the same result. */
	m = fixture_visit(3, (struct mtu_pair){1420, 1420}, 1, -TEST_BLACKHOLE);
	fixture_record(store, id, &m);
	query = fixture_query(fixture);
	assert_int_equal(query_run(query, NULL, &run, NULL), 0);
	assert_int_equal(run.outcome, RUN_RUNNING);
	assert_string_equal(query_run_state(&run), "running");
	assert_int_equal(run.ended_at_ms, 0);
	assert_int_equal(store_end_run(store, id, RUN_FAILED, "disk full", NULL), 0);
	assert_int_equal(query_run(query, NULL, &run, NULL), 0);
	query_close(query);
	fixture_close(store);
	assert_int_equal(run.outcome, RUN_FAILED);
	assert_string_equal(query_run_state(&run), "failed");
	assert_true(run.ended_at_ms > info.started_at_ms - INT64_C(40000000000));
	assert_string_equal(run.text, "disk full");
	assert_string_equal(run.role, "peer");
	assert_int_equal(run.measured, 2);
	assert_int_equal(run.failed, 1);
	assert_string_equal(run.info.uuid, info.uuid);
	assert_int_equal(run.info.started_at_ms, info.started_at_ms);
	assert_true(run.info.seed == info.seed);
	assert_int_equal(run.info.persist, info.persist);
	assert_string_equal(run.info.server.host, info.server.host);
	assert_string_equal(run.info.peer.versions, info.peer.versions);
	assert_int_equal(run.info.peer.backend, info.peer.backend);
	assert_int_equal(run.info.peer.endpoint_family, 6);
	assert_memory_equal(&run.info.server_range, &info.server_range,
			    sizeof(info.server_range));
	assert_memory_equal(&run.info.peer_range, &info.peer_range,
			    sizeof(info.peer_range));
}

static void check_counts(struct fixture *fixture, int measured, int failed)
{
	struct query *query = fixture_query(fixture);
	struct query_run run;

	assert_int_equal(query_run(query, NULL, &run, NULL), 0);
	query_close(query);
	assert_int_equal(run.measured, measured);
	assert_int_equal(run.failed, failed);
}

static void visits_count_once(void **state)
{
	struct fixture *fixture = *state;
	struct measurement m;
	int64_t id;
	struct store *store = fixture_open(fixture, 0, &id);

	check_counts(fixture, 0, 0);
	for (uint32_t seq = 1; seq <= 3; seq++) {
		m = fixture_visit(seq, (struct mtu_pair){1420, 1400}, -TEST_TIMEOUT, 1);
		fixture_record(store, id, &m);
		check_counts(fixture, 1, 1);
	}
	m = fixture_visit(4, (struct mtu_pair){1420, 1400}, 1, 1);
	fixture_record(store, id, &m);
	check_counts(fixture, 1, 0);
	/* One of the next pass counts separately. */
	m = fixture_visit(5, (struct mtu_pair){1420, 1400}, 1, -TEST_ERROR);
	m.pass = 2;
	fixture_record(store, id, &m);
	check_counts(fixture, 2, 1);
	fixture_close(store);
}

/* One process begins a run and dies, another is unknown. */
static int begin_and_die(struct fixture *fixture)
{
	int64_t id;

	fixture_open(fixture, 0, &id);
	return id == 1 ? 0 : __LINE__;
}

static void crashed_run_is_told_from_one_under_way(void **state)
{
	struct fixture *fixture = *state;
	struct query_run run;
	struct query *query;

	fixture_in_child(begin_and_die, fixture);
	query = fixture_query(fixture);
	assert_int_equal(query_run(query, NULL, &run, NULL), 0);
	assert_int_equal(run.outcome, RUN_RUNNING);
	assert_string_equal(query_run_state(&run), "crashed");
	fixture_exec(fixture->db, "UPDATE run SET process = NULL");
	assert_int_equal(query_run(query, NULL, &run, NULL), 0);
	assert_string_equal(query_run_state(&run), "unfinished");
	query_close(query);
}

static void options_come_back(void **state)
{
	struct fixture *fixture = *state;
	struct run_info info = fixture_run(1);
	struct query *query;
	char *text = NULL;
	int64_t first, id;
	struct store *store = fixture_open(fixture, 0, &first);

	assert_int_equal(store_begin_record(store, &info, "{\"passes\":2}", &id, NULL),
			 0);
	fixture_close(store);
	query = fixture_query(fixture);
	assert_int_equal(query_options(query, first, &text, NULL), 0);
	assert_string_equal(text, "{}");
	free(text);
	assert_int_equal(query_options(query, id, &text, NULL), 0);
	assert_string_equal(text, "{\"passes\":2}");
	free(text);
	assert_int_equal(query_options(query, 99, &text, NULL), -ENOENT);
	query_close(query);
}

static int check_warning(void *ctx, const struct query_warning *w)
{
	static const char *const expected[] = {"zebra", "ant"};
	int *count = ctx;

	assert_true(*count < 2);
	assert_string_equal(w->facts.detail, expected[(*count)++]);
	return 0;
}

static void warnings_come_in_order(void **state)
{
	struct fixture *fixture = *state;
	int count = 0;
	struct query *query;
	int64_t run;
	struct store *store = fixture_open(fixture, 0, &run);

	assert_int_equal(
		store_warn(store, run, &(struct warning){.detail = "zebra"}, NULL), 0);
	assert_int_equal(
		store_warn(store, run, &(struct warning){.detail = "ant"}, NULL), 0);
	fixture_close(store);
	query = fixture_query(fixture);
	assert_int_equal(query_warnings(query, run, "run", check_warning, &count, NULL),
			 0);
	query_close(query);
	assert_int_equal(count, 2);
}

static int stop_at_second(void *ctx, const struct measurement *m)
{
	(void)ctx;
	return m->seq == 2 ? 42 : 0;
}

static void callback_can_end_a_query(void **state)
{
	struct fixture *fixture = *state;
	struct query *query;
	int64_t run;
	struct store *store = fixture_open(fixture, 0, &run);

	for (uint32_t seq = 3; seq >= 1; seq--) {
		struct measurement m =
			fixture_visit(seq, (struct mtu_pair){1420, 1400}, 1, 1);

		fixture_record(store, run, &m);
	}
	fixture_close(store);
	query = fixture_query(fixture);
	assert_int_equal(query_measurements(query, run, stop_at_second, NULL, NULL),
			 42);
	query_close(query);
}

static void strange_files_are_refused(void **state)
{
	static const struct {
		const char *sql; /* NULL: no file */
		int code;
		const char *text;
	} table[] = {
		{NULL, -ENOENT, "no database"},
		{"", -EMEDIUMTYPE, "is empty"},
		{"CREATE TABLE theirs (x)", -EMEDIUMTYPE, "another program's"},
		{"PRAGMA application_id = 1297372499; PRAGMA user_version = 3",
		 -EOVERFLOW, "newer mtusweep"},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct err err = ERR_INIT;
		struct query *query;

		remove(fixture->db);
		if (table[i].sql) {
			fclose(fopen(fixture->db, "w"));
			fixture_exec(fixture->db, table[i].sql);
		}
		assert_int_equal(query_open(fixture->db, &query, &err), table[i].code);
		assert_non_null(strstr(err.text, table[i].text));
		assert_non_null(strstr(err.text, fixture->db));
	}
}

/* A run that only probed has a result, and no measurements. */
static void a_probe_has_a_result(void **state)
{
	struct fixture *f = *state;
	struct path_survey survey = {.path = {.overhead = {60, 60},
					      .dir = {{1, {{1500, FATE_WHOLE}}},
						      {1, {{1500, FATE_WHOLE}}}}}};
	struct measurement m = fixture_visit(1, (struct mtu_pair){1420, 1400}, 10, 20);
	struct run_info info = fixture_run(2);
	struct query *query;
	struct query_run run;
	struct store *store;
	int64_t measured, probed, newest;

	store = fixture_open(f, 1, &measured);
	fixture_record(store, measured, &m);
	assert_int_equal(store_begin_record(store, &info, NULL, &probed, NULL), 0);
	assert_int_equal(store_put_path(store, probed, &survey, NULL), 0);
	fixture_close(store);
	query = fixture_query(f);
	assert_int_equal(query_run_of_result(query, &run, &newest, NULL), 0);
	assert_int_equal(run.id, probed);
	assert_int_equal(newest, probed);
	query_close(query);
}

/* A run of --apply has one pair, of another run. */
static void an_applied_pair_is_no_result(void **state)
{
	struct fixture *f = *state;
	struct measurement m = fixture_visit(1, (struct mtu_pair){1420, 1400}, 10, 20);
	struct run_info info = fixture_run(2);
	struct query *query;
	struct query_run run;
	struct store *store;
	int64_t swept, applied, newest;

	store = fixture_open(f, 1, &swept);
	fixture_record(store, swept, &m);
	snprintf(info.strategy, sizeof(info.strategy), STRATEGY_APPLY);
	assert_int_equal(store_begin_record(store, &info, NULL, &applied, NULL), 0);
	fixture_record(store, applied, &m);
	fixture_close(store);
	query = fixture_query(f);
	assert_int_equal(query_run_of_result(query, &run, &newest, NULL), 0);
	assert_int_equal(run.id, swept);
	assert_int_equal(newest, applied);
	query_close(query);
}

#define HUB "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="
#define ONE "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08="
#define TWO "L+V9o0fNYkMVKNqsX7spBzD/9oSvxM/C7ZCZX1jLO3Q="

static int64_t begin_with_keys(struct fixture *fixture, int number, const char *server,
			       const char *peer)
{
	struct run_info info = fixture_run(number);
	struct store *store = NULL;
	int64_t run = 0;

	strcpy(info.server.key, server);
	strcpy(info.peer.key, peer);
	assert_int_equal(store_open(fixture->db, &store, NULL), 0);
	assert_int_equal(store_begin_record(store, &info, NULL, &run, NULL), 0);
	fixture_close(store);
	return run;
}

/* A run that goes on keeps the keys that it has, and gets those that it lacks. */
static void keys_come_back(void **state)
{
	struct fixture *fixture = *state;
	struct query_run run;
	struct query *query;

	begin_with_keys(fixture, 1, HUB, "");
	assert_int_equal(fixture_read_int(fixture, "SELECT tunnel IS NULL AND peer_key "
						   "IS NULL FROM run_tunnel"),
			 1);
	begin_with_keys(fixture, 1, "", "");
	begin_with_keys(fixture, 1, TWO, ONE);
	begin_with_keys(fixture, 2, "", "");
	query = fixture_query(fixture);
	assert_int_equal(query_run(query, "1", &run, NULL), 0);
	assert_string_equal(run.info.server.key, HUB);
	assert_string_equal(run.info.peer.key, ONE);
	assert_int_equal(query_run(query, "2", &run, NULL), 0);
	assert_string_equal(run.info.server.key, "");
	assert_string_equal(run.info.peer.key, "");
	query_close(query);
	assert_int_equal(fixture_read_int(fixture, "SELECT count(*) FROM run_tunnel"),
			 1);
}

/* The copy of a server has them too. */
static void copies_have_keys(void **state)
{
	struct fixture *fixture = *state;
	struct run_info info = fixture_run(1);
	struct store *store = NULL;
	struct query_run run;
	struct query *query;
	int64_t id;
	bool known;

	strcpy(info.server.key, HUB);
	strcpy(info.peer.key, ONE);
	assert_int_equal(store_open(fixture->db, &store, NULL), 0);
	assert_int_equal(store_begin_copy(store, &info,
					  "0123456789abcdef0123456789abcdef", &id,
					  &known, NULL),
			 0);
	fixture_close(store);
	query = fixture_query(fixture);
	assert_int_equal(query_run(query, NULL, &run, NULL), 0);
	assert_string_equal(run.info.peer.key, ONE);
	query_close(query);
}

static void one_tunnel_is_chosen(void **state)
{
	struct fixture *fixture = *state;
	struct query *query;
	struct query_run run;
	struct err err = ERR_INIT;
	struct run_ids ids = {0};
	int64_t newest = 0;

	begin_with_keys(fixture, 1, HUB, ONE);
	begin_with_keys(fixture, 2, HUB, TWO);
	begin_with_keys(fixture, 3, ONE, HUB);
	begin_with_keys(fixture, 4, HUB, "");
	query = fixture_query(fixture);
	assert_int_equal(query_choose_tunnel(query, HUB, &err), -ENOTUNIQ);
	assert_int_equal(query_choose_tunnel(query, "nope", &err), -ENOENT);
	/* A choice that failed is none. */
	assert_int_equal(query_run(query, NULL, &run, NULL), 0);
	assert_int_equal(run.id, 4);
	assert_int_equal(query_choose_tunnel(query, ONE, &err), 0);
	assert_int_equal(query_run(query, NULL, &run, NULL), 0);
	assert_int_equal(run.id, 3);
	assert_int_equal(query_run_of_result(query, &run, &newest, NULL), 0);
	assert_int_equal(run.id, 3);
	assert_int_equal(newest, 3);
	assert_int_equal(query_run(query, "2", &run, &err), -ENOENT);
	assert_int_equal(query_run(query, "abcd0002", &run, &err), -ENOENT);
	assert_int_equal(query_run(query, "abcd", &run, &err), -ENOTUNIQ);
	assert_int_equal(query_runs(query, keep_id, &ids, NULL), 0);
	assert_int_equal(ids.count, 2);
	assert_int_equal(ids.id[0], 1);
	assert_int_equal(ids.id[1], 3);
	query_close(query);
}

static void empty_database_has_no_newest_run(void **state)
{
	struct fixture *fixture = *state;
	struct store *store = NULL;
	struct err err = ERR_INIT;
	struct query_run run;
	struct query *query;

	assert_int_equal(store_open(fixture->db, &store, NULL), 0);
	fixture_close(store);
	query = fixture_query(fixture);
	assert_int_equal(query_run(query, NULL, &run, &err), -ENOENT);
	assert_non_null(strstr(err.text, "no run is stored"));
	query_close(query);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(runs_are_found_by_name),
		TEST(runs_are_listed_as_they_were_stored),
		TEST(run_comes_back_whole),
		TEST(visits_count_once),
		TEST(crashed_run_is_told_from_one_under_way),
		TEST(options_come_back),
		TEST(warnings_come_in_order),
		TEST(callback_can_end_a_query),
		TEST(strange_files_are_refused),
		TEST(a_probe_has_a_result),
		TEST(an_applied_pair_is_no_result),
		TEST(keys_come_back),
		TEST(copies_have_keys),
		TEST(one_tunnel_is_chosen),
		TEST(empty_database_has_no_newest_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

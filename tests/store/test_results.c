/* SPDX-License-Identifier: MIT */
/* Results computed from measurements by query.h and the views of schema.sql, and
 * query_best(), on real SQLite files. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "fixture.h"
#include "store/query.h"
#include "store/store.h"

#define VISITS_MAX  5
#define RESULTS_MAX 8

/* Failed directions in the table below. */
#define BLACKHOLE (-(double)TEST_BLACKHOLE)
#define TIMEOUT   (-(double)TEST_TIMEOUT)

struct results {
	int count;
	struct query_result at[RESULTS_MAX];
};

static int keep_result(void *ctx, const struct query_result *result)
{
	struct results *results = ctx;

	results->at[results->count++] = *result;
	return results->count == RESULTS_MAX;
}

static struct results read_results(const struct fixture *fixture, int64_t run)
{
	struct query *query = fixture_query(fixture);
	struct results results = {0};

	assert_int_equal(query_results(query, run, keep_result, &results, NULL), 0);
	query_close(query);
	return results;
}

/* A row of query_results(), as figures and words in its columns' order. */
struct median_case {
	const char *name;
	int visits;
	double up[VISITS_MAX]; /* Mbit/s, or minus a status */
	double down[VISITS_MAX];
	const char *row;
};

static const struct median_case median_cases[] = {
	{"one", 1, {36.5}, {55.25}, "36.5|55.25|1|ok|ok|ok|1|1"},
	{"odd", 5, {50, 10, 30, 20, 90}, {1, 1, 3, 2, 2}, "30|2|5|ok|ok|ok|5|5"},
	{"even", 4, {40, 10, 20, 31}, {1, 2, 3, 4}, "25.5|2.5|4|ok|ok|ok|4|4"},
	{"three decimals",
	 2,
	 {9.0001, 9.0002},
	 {2.0016, 2.0016},
	 "9|2.002|2|ok|ok|ok|2|2"},
	{"failed visits do not count",
	 4,
	 {10, BLACKHOLE, 30, 20},
	 {5, 7, TIMEOUT, TIMEOUT},
	 "20|6|4|ok|ok|ok|3|2"},
	{"one direction failed",
	 1,
	 {36.5},
	 {BLACKHOLE},
	 "36.5|none|1|ok|blackhole|blackhole|1|0"},
	{"the first that is not ok",
	 1,
	 {TIMEOUT},
	 {BLACKHOLE},
	 "none|none|1|timeout|blackhole|timeout|0|0"},
	{"the last failure of several",
	 3,
	 {BLACKHOLE, BLACKHOLE, TIMEOUT},
	 {1, 2, 3},
	 "none|2|3|timeout|ok|timeout|0|3"},
};

static void format_rate(int64_t bps, char ret[32])
{
	if (bps == NO_FIGURE)
		text_copy(ret, 32, "none");
	else
		snprintf(ret, 32, "%g", (double)bps / 1e6);
}

static void check_median(struct fixture *fixture, const struct median_case *c)
{
	const struct mtu_pair mtu = {1420, 1400};
	char up[32], down[32], row[128];
	const struct query_result *result;
	struct results results;
	struct measurement m;
	int64_t run;
	struct store *store = fixture_open(fixture, (int)(c - median_cases) + 1, &run);

	for (int i = 0; i < c->visits; i++) {
		m = fixture_visit((uint32_t)i + 1, mtu, c->up[i], c->down[i]);
		fixture_record(store, run, &m);
	}
	fixture_close(store);
	results = read_results(fixture, run);
	assert_int_equal(results.count, 1);
	result = &results.at[0];
	assert_memory_equal(&result->mtu, &mtu, sizeof(mtu));
	format_rate(result->upload_bps, up);
	format_rate(result->download_bps, down);
	snprintf(row, sizeof(row), "%s|%s|%d|%s|%s|%s|%d|%d", up, down, result->visits,
		 test_status_name(result->upload_status),
		 test_status_name(result->download_status),
		 test_status_name(result->status), result->upload_ok,
		 result->download_ok);
	assert_string_equal(row, c->row);
}

static void results_are_medians(void **state)
{
	for (size_t i = 0; i < sizeof(median_cases) / sizeof(*median_cases); i++) {
		print_message("             %s\n", median_cases[i].name);
		check_median(*state, &median_cases[i]);
	}
}

/* The rate is the steady goodput if there is one, else the received rate. */
static void received_rate_stands_in(void **state)
{
	struct fixture *fixture = *state;
	struct measurement m = fixture_visit(1, (struct mtu_pair){1420, 1400}, 10, 20);
	struct results results;
	int64_t run;
	struct store *store = fixture_open(fixture, 0, &run);

	m.dir[DIR_UPLOAD].goodput_bps = NO_FIGURE;
	m.dir[DIR_UPLOAD].received_bps = 7000000;
	m.dir[DIR_DOWNLOAD].goodput_bps = NO_FIGURE;
	m.dir[DIR_DOWNLOAD].received_bps = NO_FIGURE;
	fixture_record(store, run, &m);
	fixture_close(store);
	results = read_results(fixture, run);
	assert_int_equal(results.at[0].upload_bps, 7000000);
	assert_int_equal(results.at[0].download_bps, NO_FIGURE);
}

static void results_are_in_order_and_of_one_run(void **state)
{
	static const struct mtu_pair mtus[] = {
		{1420, 1400}, {1280, 1500}, {1420, 1280}, {1420, 1400}};
	static const struct mtu_pair sorted[] = {
		{1280, 1500}, {1420, 1280}, {1420, 1400}};
	struct fixture *fixture = *state;
	struct results results;
	int64_t run, other;
	struct store *store = fixture_open(fixture, 0, &run);
	struct run_info info = fixture_run(1);

	assert_int_equal(store_begin_record(store, &info, NULL, &other, NULL), 0);
	for (uint32_t i = 0; i < 4; i++) {
		struct measurement m = fixture_visit(i + 1, mtus[i], 1, 1);

		fixture_record(store, run, &m);
		m = fixture_visit(i + 1, mtus[0], 9, 9);
		fixture_record(store, other, &m);
	}
	fixture_close(store);
	results = read_results(fixture, run);
	assert_int_equal(results.count, 3);
	for (int i = 0; i < 3; i++)
		assert_memory_equal(&results.at[i].mtu, &sorted[i], sizeof(*sorted));
	assert_int_equal(results.at[2].visits, 2);
	assert_int_equal(results.at[2].upload_bps, 1000000);
}

/* 2000 measurements of 20 pairs: medians of odd and even counts, halves that are
 * rounded, missing rates, all statuses, passes in any order. */
static void record_all_kinds(struct fixture *fixture)
{
	int64_t run;

	fixture_close(fixture_open(fixture, 0, &run));
	fixture_exec(
		fixture->db,
		"INSERT INTO measurement (run_id, seq, pass, server_mtu, peer_mtu,"
		" upload_status, upload_text, upload_received_bps, upload_goodput_bps,"
		" download_status, download_text, download_received_bps,"
		" download_goodput_bps)"
		" WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
		" WHERE i < 2000),"
		" word(k, status) AS (VALUES (0, 'blackhole'), (1, 'timeout'),"
		" (2, 'unreachable'), (3, 'refused'), (4, 'error'))"
		" SELECT 1, i, 1 + i * 31 % 7, 1280 + 20 * (i * 7 % 5),"
		" 1280 + 20 * (i * 11 % 4),"
		" coalesce((SELECT status FROM word WHERE k = i * i % 13), 'ok'), '',"
		" nullif(i * 7919 % 500 * 100500, 0),"
		" nullif(i * 104729 % 900 * 50500, 0),"
		" coalesce((SELECT status FROM word WHERE k = i * i % 29"
		" OR i % 5 = 3 AND k = i % 4), 'ok'), '', i * 7927 % 500 * 1500,"
		" nullif(i * 104723 % 3 * i * 500, 0) FROM n");
}

static void format_exactly(int64_t bps, char ret[32])
{
	if (bps == NO_FIGURE)
		text_copy(ret, 32, "none");
	else
		snprintf(ret, 32, "%.4f", (double)bps / 1e6);
}

static int format_result(void *ctx, const struct query_result *result)
{
	char up[32], down[32];

	format_exactly(result->upload_bps, up);
	format_exactly(result->download_bps, down);
	return fprintf(ctx, "%d|%d|%s|%s|%d|%s|%s|%s|%d|%d\n", result->mtu.server,
		       result->mtu.peer, up, down, result->visits,
		       test_status_name(result->upload_status),
		       test_status_name(result->download_status),
		       test_status_name(result->status), result->upload_ok,
		       result->download_ok) < 0;
}

/* The same of the view. */
#define RESULTS_OF_VIEW                                                          \
	"SELECT group_concat(line, '') FROM (SELECT format("                     \
	"'%d|%d|%s|%s|%d|%s|%s|%s|%d|%d' || char(10), server_mtu, peer_mtu,"     \
	" iif(upload_mbps IS NULL, 'none', format('%.4f', upload_mbps)),"        \
	" iif(download_mbps IS NULL, 'none', format('%.4f', download_mbps)),"    \
	" visits, upload_status,"                                                \
	" download_status, status, upload_ok, download_ok) AS line FROM results" \
	" WHERE run_id = 1 ORDER BY server_mtu, peer_mtu)"

static char *format_results(struct query *query)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(query_results(query, 1, format_result, out, NULL), 0);
	fclose(out);
	return text;
}

static char *format_one(const struct query_result *result)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	format_result(out, result);
	fclose(out);
	return text;
}

/* query.h sums up the rows for programs, the view for users. */
static void view_and_query_are_equal(void **state)
{
	struct fixture *fixture = *state;
	struct query *query;
	char *text, *view;

	record_all_kinds(fixture);
	query = fixture_query(fixture);
	text = format_results(query);
	query_close(query);
	view = fixture_read_text(fixture, RESULTS_OF_VIEW);
	assert_string_equal(text, view);
	assert_true(strlen(text) > 20 * 30);
	free(text);
	free(view);
}

/* A pair of two paths, one of the later path, and one of the earlier path alone. */
static void record_two_paths(struct fixture *fixture, const char *strategy)
{
	static const struct {
		struct mtu_pair mtu;
		double up, down;
	} rows[] = {
		{{1400, 1400}, 50, 60}, {{1380, 1380}, 30, 40},
		{{1400, 1400}, 52, 62}, {{1400, 1400}, BLACKHOLE, 20},
		{{1360, 1360}, 10, 11}, {{1400, 1400}, BLACKHOLE, 22},
	};
	struct run_info info = fixture_run(1);
	struct path_survey survey = {.since_seq = 3};
	struct store *store;
	int64_t run;

	text_copy(info.strategy, sizeof(info.strategy), strategy);
	assert_int_equal(store_open(fixture->db, &store, NULL), 0);
	assert_int_equal(store_begin_record(store, &info, NULL, &run, NULL), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct measurement m = fixture_visit((uint32_t)i + 1, rows[i].mtu,
						     rows[i].up, rows[i].down);

		fixture_record(store, run, &m);
	}
	assert_int_equal(store_put_path(store, run, &survey, NULL), 0);
	fixture_close(store);
}

static void check_two_paths(struct fixture *fixture, const char *strategy,
			    const char *all, const char *one)
{
	const struct mtu_pair mtu = {1400, 1400};
	struct query_result result;
	struct query *query;
	char *text, *view;

	record_two_paths(fixture, strategy);
	view = fixture_read_text(fixture, RESULTS_OF_VIEW);
	query = fixture_query(fixture);
	text = format_results(query);
	assert_string_equal(text, all);
	assert_string_equal(view, all);
	free(text);
	free(view);
	assert_int_equal(query_result(query, 1, &mtu, &result, NULL), 0);
	text = format_one(&result);
	assert_string_equal(text, one);
	free(text);
	query_close(query);
}

/* Nothing of the path as it was is left in a pair that was measured again. */
static void later_path_counts(void **state)
{
	static const char one[] =
		"1400|1400|none|21.0000|2|blackhole|ok|blackhole|0|2\n";
	char all[256];

	snprintf(all, sizeof(all),
		 "1360|1360|10.0000|11.0000|1|ok|ok|ok|1|1\n"
		 "1380|1380|30.0000|40.0000|1|ok|ok|ok|1|1\n%s",
		 one);
	check_two_paths(*state, "smart", all, one);
}

/* The change was found at the end of the grid: some of its rows are of the later path. */
static void grid_counts_whole(void **state)
{
	static const char one[] = "1400|1400|51.0000|41.0000|4|ok|ok|ok|2|4\n";
	char all[256];

	snprintf(all, sizeof(all),
		 "1360|1360|10.0000|11.0000|1|ok|ok|ok|1|1\n"
		 "1380|1380|30.0000|40.0000|1|ok|ok|ok|1|1\n%s",
		 one);
	check_two_paths(*state, "grid", all, one);
}

/* One end alone knows nothing of the server's MTU; all else is as in any run. */
static void views_have_no_unknown_mtu(void **state)
{
	struct fixture *fixture = *state;
	struct results results;
	int64_t two, one;
	struct store *store = fixture_open(fixture, 1, &two);
	const struct mtu_pair known = {MTU_UNKNOWN - 1, 1400};
	const struct mtu_pair unknown = {MTU_UNKNOWN, 1400};
	struct measurement m = fixture_visit(1, known, 10, 20);

	fixture_record(store, two, &m);
	fixture_close(store);
	one = fixture_store_one_end(fixture, 2, true);
	assert_int_equal(store_open(fixture->db, &store, NULL), 0);
	for (uint32_t i = 1; i <= 3; i++) {
		m = fixture_visit(i, unknown, 10 * i, i == 2 ? BLACKHOLE : 20);
		fixture_record(store, one, &m);
	}
	fixture_close(store);
	assert_int_equal(
		fixture_read_int(fixture,
				 "SELECT count(*) FROM results WHERE run_id = 2"
				 " AND server_mtu IS NULL AND peer_mtu = 1400"
				 " AND upload_mbps = 20 AND visits = 3"
				 " AND download_ok = 2 AND status = 'ok'"),
		1);
	assert_int_equal(
		fixture_read_int(fixture,
				 "SELECT count(*) FROM visit WHERE run_id = 2"
				 " AND server_mtu IS NULL AND peer_mtu = 1400"),
		3);
	assert_int_equal(fixture_read_int(fixture,
					  "SELECT server_mtu FROM results"
					  " WHERE run_id = 1 AND server_mtu = 65534"),
			 MTU_UNKNOWN - 1);
	assert_int_equal(
		fixture_read_int(fixture,
				 "SELECT server_mtu FROM visit WHERE run_id = 1"),
		MTU_UNKNOWN - 1);
	results = read_results(fixture, one);
	assert_int_equal(results.count, 1);
	assert_memory_equal(&results.at[0].mtu, &unknown, sizeof(unknown));
	assert_int_equal(results.at[0].upload_bps, 20000000);
}

/* In whatever way SQL names a run, the other runs' rows are not read. */
static void view_searches_by_run(void **state)
{
	static const char *const queries[] = {
		"SELECT * FROM results WHERE run_id = 1",
		"SELECT * FROM results WHERE run_id = 1 AND status = 'ok'"
		" ORDER BY upload_mbps + download_mbps DESC LIMIT 1",
		"SELECT * FROM results WHERE run_id = (SELECT max(id) FROM run)",
		"SELECT * FROM run JOIN results ON results.run_id = run.id"
		" WHERE uuid = 'x'",
	};
	struct fixture *fixture = *state;
	sqlite3_stmt *stmt;
	sqlite3 *sql;
	int64_t run;

	fixture_close(fixture_open(fixture, 0, &run));
	assert_int_equal(sqlite3_open(fixture->db, &sql), SQLITE_OK);
	for (size_t i = 0; i < sizeof(queries) / sizeof(*queries); i++) {
		char explain[256];
		int searches = 0;

		snprintf(explain, sizeof(explain), "EXPLAIN QUERY PLAN %s", queries[i]);
		assert_int_equal(sqlite3_prepare_v2(sql, explain, -1, &stmt, NULL),
				 SQLITE_OK);
		while (sqlite3_step(stmt) == SQLITE_ROW) {
			const char *step = (const char *)sqlite3_column_text(stmt, 3);

			assert_false(strncmp(step, "SCAN first", 10) == 0);
			assert_false(strncmp(step, "SCAN measurement", 16) == 0);
			assert_false(strncmp(step, "SCAN m", 6) == 0);
			assert_false(strncmp(step, "SCAN later", 10) == 0);
			searches += strncmp(step, "SEARCH first", 12) == 0 &&
				    strstr(step, "run_id=?") != NULL;
		}
		sqlite3_finalize(stmt);
		assert_int_equal(searches, 1);
	}
	sqlite3_close(sql);
}

struct best_row {
	struct mtu_pair mtu;
	double up, down;
};

struct best_case {
	const char *name;
	enum query_by by;
	struct best_row rows[4];
	struct mtu_pair best; /* 0: none */
};

static const struct best_case best_cases[] = {
	{"sum",
	 QUERY_BY_SUM,
	 {{{1280, 1300}, 50, 10}, {{1280, 1400}, 10, 48}, {{1280, 1500}, 35, 35}},
	 {1280, 1500}},
	{"up",
	 QUERY_BY_UP,
	 {{{1280, 1300}, 50, 10}, {{1280, 1400}, 10, 48}, {{1280, 1500}, 35, 35}},
	 {1280, 1300}},
	{"down",
	 QUERY_BY_DOWN,
	 {{{1280, 1300}, 50, 10}, {{1280, 1400}, 10, 48}, {{1280, 1500}, 35, 35}},
	 {1280, 1400}},
	{"equal ones: the larger MTUs together",
	 QUERY_BY_SUM,
	 {{{1280, 1420}, 20, 30}, {{1400, 1380}, 30, 20}, {{1420, 1300}, 30, 20}},
	 {1400, 1380}},
	{"equal ones: then the server's",
	 QUERY_BY_UP,
	 {{{1400, 1420}, 20, 30}, {{1420, 1400}, 20, 20}, {{1410, 1410}, 20, 20}},
	 {1420, 1400}},
	{"equal to three decimals, not to the last bit",
	 QUERY_BY_SUM,
	 {{{1500, 1500}, 0.1, 0.7}, {{1400, 1400}, 0.3, 0.5}, {{1280, 1280}, 0.2, 0.6}},
	 {1500, 1500}},
	{"only pairs that are ok",
	 QUERY_BY_UP,
	 {{{1500, 1500}, 90, BLACKHOLE}, {{1400, 1400}, 10, 10}},
	 {1400, 1400}},
	{"a pair that failed once comes after those that never did",
	 QUERY_BY_SUM,
	 {{{1500, 1500}, 90, 90},
	  {{1500, 1500}, 90, BLACKHOLE},
	  {{1400, 1400}, 10, 10}},
	 {1400, 1400}},
	{"none is ok",
	 QUERY_BY_SUM,
	 {{{1500, 1500}, 90, BLACKHOLE}, {{1400, 1400}, TIMEOUT, 10}},
	 {0, 0}},
	{"nothing was measured", QUERY_BY_DOWN, {{{0, 0}, 0, 0}}, {0, 0}},
};

static void check_best(struct fixture *fixture, const struct best_case *c)
{
	struct query_result best;
	struct err err = ERR_INIT;
	struct query *query;
	int64_t run;
	struct store *store = fixture_open(fixture, (int)(c - best_cases) + 1, &run);
	int r;

	for (uint32_t i = 0; i < 4 && c->rows[i].mtu.server; i++) {
		struct measurement m = fixture_visit(i + 1, c->rows[i].mtu,
						     c->rows[i].up, c->rows[i].down);

		fixture_record(store, run, &m);
	}
	fixture_close(store);
	query = fixture_query(fixture);
	r = query_best(query, run, c->by, &best, &err);
	query_close(query);
	if (c->best.server == 0) {
		assert_int_equal(r, -ENODATA);
		assert_non_null(strstr(err.text, "no pair of MTUs worked"));
		return;
	}
	assert_int_equal(r, 0);
	assert_int_equal(best.mtu.server, c->best.server);
	assert_int_equal(best.mtu.peer, c->best.peer);
}

static void best_is_the_fastest(void **state)
{
	for (size_t i = 0; i < sizeof(best_cases) / sizeof(*best_cases); i++) {
		print_message("             %s\n", best_cases[i].name);
		check_best(*state, &best_cases[i]);
	}
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(results_are_medians),
		TEST(received_rate_stands_in),
		TEST(results_are_in_order_and_of_one_run),
		TEST(view_and_query_are_equal),
		TEST(later_path_counts),
		TEST(grid_counts_whole),
		TEST(views_have_no_unknown_mtu),
		TEST(view_searches_by_run),
		TEST(best_is_the_fastest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Two runs: changes and noise. */

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../store/fixture.h"
#include "report/compare.h"
#include "report/compare_path.h"

/* Approximately normal, deviation 1. */
static double noise(void)
{
	double sum = 0;

	for (int i = 0; i < 12; i++)
		sum += drand48();
	return sum - 6;
}

static void put_visit(FILE *sql, int64_t run, int i, double mbps)
{
	double up = mbps * (1 + 0.05 * noise());
	double down = 2 * mbps * (1 + 0.05 * noise());

	fprintf(sql,
		"INSERT INTO measurement (run_id, seq, pass, server_mtu, peer_mtu,"
		" upload_status, upload_text, upload_goodput_bps,"
		" download_status, download_text, download_goodput_bps)"
		" VALUES (%d, %d, 1, %d, %d, 'ok', '', %.0f, 'ok', '', %.0f);\n",
		(int)run, i + 1, 1280 + i / 19 * 10, 1280 + i % 19 * 10, up * 1e6,
		down * 1e6);
}

/* Add a run of `pairs` pairs with one measurement each, at about this rate; in one
 * transaction, since there are many. */
static int64_t add_run(struct fixture *fixture, int number, int pairs, double mbps)
{
	int64_t run;
	struct store *store = fixture_open(fixture, number, &run);
	char *text = NULL;
	size_t size;
	FILE *sql = open_memstream(&text, &size);

	fixture_close(store);
	assert_non_null(sql);
	fputs("BEGIN;\n", sql);
	for (int i = 0; i < pairs; i++)
		put_visit(sql, run, i, mbps);
	fputs("COMMIT;\n", sql);
	fclose(sql);
	fixture_exec(fixture->db, text);
	free(text);
	return run;
}

static struct comparison compare(struct fixture *fixture, int64_t first, int64_t second)
{
	struct query *query = fixture_query(fixture);
	struct comparison ret;
	struct err err = ERR_INIT;

	if (compare_runs(query, first, second, &ret, &err) < 0)
		fail_msg("%s", err.text);
	query_close(query);
	return ret;
}

/* The same path, thirty times, with 7 to 196 pairs: "beyond noise" permits a rare false
 * alarm. */
static void noise_is_no_change(void **state)
{
	int alarms = 0;
	int shifts = 0;

	srand48(5);
	for (int i = 0; i < 30; i++) {
		int pairs = 7 * (1 + i);
		int64_t first = add_run(*state, 2 * i, pairs, 40);
		int64_t second = add_run(*state, 2 * i + 1, pairs, 40);
		struct comparison all = compare(*state, first, second);

		assert_int_equal(all.in_both, pairs);
		alarms += all.changes;
		shifts += all.dir[DIR_UPLOAD].shifted + all.dir[DIR_DOWNLOAD].shifted;
		compare_release(&all);
	}
	assert_in_range(alarms, 0, 6);
	assert_in_range(shifts, 0, 3);
}

static void changes_stand_out(void **state)
{
	struct fixture *fixture = *state;
	int64_t first;
	int64_t second;
	struct comparison all;

	srand48(6);
	first = add_run(fixture, 1, 60, 40);
	second = add_run(fixture, 2, 57, 50);
	fixture_exec(fixture->db, "UPDATE measurement SET upload_goodput_bps = 20e6"
				  " WHERE run_id = 2 AND seq = 10;"
				  "UPDATE measurement SET download_status = 'blackhole'"
				  " WHERE run_id = 2 AND seq = 20");
	all = compare(fixture, first, second);
	assert_int_equal(all.in_both, 57);
	assert_int_equal(all.only[0], 3);
	assert_int_equal(all.only[1], 0);
	assert_true(all.dir[DIR_UPLOAD].shifted && all.dir[DIR_DOWNLOAD].shifted);
	assert_true(fabs(all.dir[DIR_UPLOAD].shift - 1.25) < 0.05);
	/* Both runs have a noise of 5 %. */
	assert_true(fabs(all.dir[DIR_UPLOAD].noise - 0.07) < 0.03);
	assert_int_equal(all.dir[DIR_DOWNLOAD].compared, 56);
	assert_int_equal(all.changes, 2);
	assert_int_equal(all.change[0].mtu.peer, 1280 + 9 * 10);
	assert_int_equal(all.change[0].dir, DIR_UPLOAD);
	assert_true(all.change[0].ratio < 0.6);
	assert_int_equal(all.change[1].dir, DIR_DOWNLOAD);
	assert_int_equal(all.change[1].side[1].status, TEST_BLACKHOLE);
	assert_int_equal(all.change[1].side[1].ok, 0);
	assert_true(isnan(all.change[1].ratio));
	compare_release(&all);
}

static void too_few_to_tell(void **state)
{
	int64_t first = add_run(*state, 1, 4, 40);
	int64_t second = add_run(*state, 2, 4, 10);
	struct comparison all = compare(*state, first, second);

	assert_int_equal(all.dir[DIR_UPLOAD].compared, 4);
	assert_false(all.dir[DIR_UPLOAD].shifted);
	assert_int_equal(all.changes, 0);
	compare_release(&all);
}

/* A latency that has doubled on all pairs of the upload, and none of the download. */
static void latencies_are_compared(void **state)
{
	struct fixture *fixture = *state;
	const struct compare_latency *up, *down;
	struct comparison all;
	int64_t first;
	int64_t second;

	srand48(7);
	first = add_run(fixture, 1, 9, 40);
	second = add_run(fixture, 2, 9, 40);
	all = compare(fixture, first, second);
	assert_int_equal(all.latency[DIR_UPLOAD].summary.compared, 0);
	assert_int_equal(all.latency[DIR_UPLOAD].us[0], NO_FIGURE);
	compare_release(&all);
	fixture_exec(fixture->db,
		     "INSERT INTO measurement_detail (run_id, seq, upload_latency_us,"
		     " download_latency_us) SELECT run_id, seq,"
		     " run_id * (40000 + seq * 100), 30000 + (seq + run_id) % 3 * 50"
		     " FROM measurement");
	all = compare(fixture, first, second);
	up = &all.latency[DIR_UPLOAD];
	down = &all.latency[DIR_DOWNLOAD];
	assert_int_equal(up->summary.compared, 9);
	assert_true(up->summary.shifted);
	assert_true(fabs(up->summary.shift - 2) < 0.01);
	assert_int_equal(up->us[0], 40500);
	assert_int_equal(up->us[1], 81000);
	assert_false(down->summary.shifted);
	compare_release(&all);
}

static void nothing_in_common(void **state)
{
	int64_t first = add_run(*state, 1, 0, 40);
	int64_t second = add_run(*state, 2, 3, 40);
	struct comparison all = compare(*state, first, second);

	assert_int_equal(all.in_both, 0);
	assert_int_equal(all.only[1], 3);
	assert_true(all.dir[DIR_UPLOAD].shift == 1);
	compare_release(&all);
}

/* --- paths --- */

#define REST ",65535:fragmented"

static struct path_survey survey(const char *up, const char *down)
{
	struct path_survey ret = {.path.overhead = {60, 60}, .probes = {9, 9}};

	assert_int_equal(path_bands_parse(up, &ret.path.dir[DIR_UPLOAD], NULL), 0);
	assert_int_equal(path_bands_parse(down, &ret.path.dir[DIR_DOWNLOAD], NULL), 0);
	return ret;
}

static void edges_that_differ(void **state)
{
	static const struct {
		const char *first;
		const char *second;
		int edges;
		struct compare_edge edge[2];
	} cases[] = {
		{"1500:whole" REST, "1500:whole" REST, 0, {{0}}},
		{"1500:whole" REST,
		 "1460:whole" REST,
		 1,
		 {{DIR_UPLOAD,
		   FATE_WHOLE,
		   FATE_FRAGMENTED,
		   {{1500, 1500}, {1460, 1460}}}}},
		/* Another fate above makes another edge. */
		{"1500:whole" REST,
		 "1500:whole,65535:lost",
		 2,
		 {{DIR_UPLOAD, FATE_WHOLE, FATE_FRAGMENTED, {{1500, 1500}, {0, 0}}},
		  {DIR_UPLOAD, FATE_WHOLE, FATE_LOST, {{0, 0}, {1500, 1500}}}}},
		/* A loss in the middle came; the edge above it is the same. */
		{"1500:whole" REST,
		 "1460:whole,1480:lost,1500:whole" REST,
		 2,
		 {{DIR_UPLOAD, FATE_WHOLE, FATE_LOST, {{0, 0}, {1460, 1460}}},
		  {DIR_UPLOAD, FATE_LOST, FATE_WHOLE, {{0, 0}, {1480, 1480}}}}},
		/* An edge that one run knows to 16 bytes may be that of the other. */
		{"1456:whole,1471:unknown,65535:lost",
		 "1460:whole,65535:lost",
		 0,
		 {{0}}},
		{"1456:whole,1471:unknown,65535:lost",
		 "1472:whole,65535:lost",
		 1,
		 {{DIR_UPLOAD, FATE_WHOLE, FATE_LOST, {{1456, 1471}, {1472, 1472}}}}},
		/* No edge: both sides of the unknown sizes have one fate. */
		{"1456:whole,1471:unknown,65535:whole", "65535:whole", 0, {{0}}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct path_survey first = survey(cases[i].first, "1500:whole" REST);
		struct path_survey second = survey(cases[i].second, "1500:whole" REST);
		struct compare_path found;

		compare_surveys(&first, &second, &found);
		assert_true(found.known[0] && found.known[1]);
		assert_int_equal(found.edges, cases[i].edges);
		for (int e = 0; e < found.edges; e++)
			assert_memory_equal(&found.edge[e], &cases[i].edge[e],
					    sizeof(found.edge[e]));
	}
}

static void unknown_paths_are_not_compared(void **state)
{
	struct path_survey known = survey("1500:whole" REST, "1500:whole" REST);
	struct path_survey half = survey("", "1460:whole" REST);
	struct compare_path found;

	(void)state;
	compare_surveys(&known, NULL, &found);
	assert_true(found.known[0] && !found.known[1]);
	assert_int_equal(found.edges, 0);
	half.probes[DIR_DOWNLOAD] = 0;
	compare_surveys(&known, &half, &found);
	assert_true(found.unknown[DIR_UPLOAD] && !found.unknown[DIR_DOWNLOAD]);
	assert_int_equal(found.edges, 1);
	assert_int_equal(found.edge[0].dir, DIR_DOWNLOAD);
	/* A direction without bands is not one that rates told. */
	assert_false(found.guessed[1][DIR_UPLOAD] || found.guessed[0][DIR_DOWNLOAD]);
	assert_true(found.guessed[1][DIR_DOWNLOAD]);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(noise_is_no_change),
		TEST(changes_stand_out),
		TEST(too_few_to_tell),
		TEST(latencies_are_compared),
		TEST(nothing_in_common),
		cmocka_unit_test(edges_that_differ),
		cmocka_unit_test(unknown_paths_are_not_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

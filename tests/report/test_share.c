/* SPDX-License-Identifier: MIT */
/* The file for a bug report: its size, what it says, and what it does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../store/fixture.h"
#include "report/share.h"
#include "report/svgsmall.h"

#define SIZE_MAX_BYTES 300000

static void put_visit(FILE *sql, int64_t run, int seq, int server, int peer)
{
	/* Each cell has a colour of its own, as on a real line. */
	int up = 40000000 + (int)(drand48() * 8000000);
	int down = 90000000 + (int)(drand48() * 9000000);

	fprintf(sql,
		"INSERT INTO measurement (run_id, seq, pass, server_mtu, peer_mtu,"
		" upload_status, upload_text, upload_goodput_bps,"
		" download_status, download_text, download_goodput_bps)"
		" VALUES (%d, %d, 1, %d, %d, '%s', '', %d, 'ok', '', %d);\n",
		(int)run, seq, server, peer, peer > 1400 ? "blackhole" : "ok",
		peer > 1400 ? 0 : up, down);
}

/* A run with a path, warnings, versions and a recommendation; `side` by `side` pairs by
 * `step`, or pairs of a smart run all over the range for step 1. */
static void make_run(struct fixture *fixture, int side, int step)
{
	static const struct path_survey survey = {
		.path =
			{
				.overhead = {60, 60},
				.dir = {{2, {{1460, FATE_WHOLE}, {65535, FATE_LOST}}},
					{2,
					 {{1490, FATE_WHOLE},
					  {65535, FATE_FRAGMENTED}}}},
			},
		.probes = {12, 12},
		.probe_ms = 200,
	};
	struct evidence e;
	struct store *store;
	char *text = NULL;
	size_t size;
	FILE *sql;
	int64_t run;
	int visits = side * side;

	evidence_init(&e);
	e.mtu = (struct mtu_pair){1420, 1400};
	e.settled = true;
	e.reason = (struct reason){.kind = REASON_FITS, .margin = 5, .visits = 9};
	e.survey = survey;
	e.status = EVIDENCE_CONFIRMED;
	evidence_warn(&e, (struct warning){.kind = WARNING_ROAM});
	store = fixture_open(fixture, 1, &run);
	assert_int_equal(store_put_path(store, run, &survey, NULL), 0);
	assert_int_equal(store_recommend(store, run, &e, NULL), 0);
	assert_int_equal(store_warn(store, run,
				    &(struct warning){.kind = WARNING_ROUTE_MTU,
						      .at_end = WARNING_END_PEER,
						      .mtu = 1300,
						      .detail = "10.9.8.7"},
				    NULL),
			 0);
	assert_int_equal(
		store_warn(store, run,
			   &(struct warning){.kind = WARNING_CHANGED,
					     .detail = "whole to lost at 1480 bytes"},
			   NULL),
		0);
	fixture_close(store);
	sql = open_memstream(&text, &size);
	assert_non_null(sql);
	srand48(7);
	fputs("BEGIN;\n", sql);
	for (int i = 0; i < visits; i++)
		put_visit(sql, run, i + 1, 1280 + i / side * (step > 1 ? step : 44),
			  1280 + i % side * (step > 1 ? step : 44));
	fprintf(sql,
		"UPDATE run SET server_mtu_min = 1280, server_mtu_max = %d,"
		" server_mtu_step = %d, peer_mtu_min = 1280, peer_mtu_max = %d,"
		" peer_mtu_step = %d, server_host = 'secrethub',"
		" server_versions = 'mtusweep 0.1.0, libiperf 3.12, civetweb 1.15, "
		"sqlite 3.40.1', peer_versions = 'mtusweep 0.1.0, secretlap 10.9.8.7,"
		" secrethub';\nCOMMIT;\n",
		step > 1 ? 1280 + (side - 1) * step : 1500, step,
		step > 1 ? 1280 + (side - 1) * step : 1500, step);
	fclose(sql);
	fixture_exec(fixture->db, text);
	free(text);
}

/* All MTUs of a smart run have a prediction, as cmd/read gives them. */
static void predict_all(struct heatmap *map)
{
	for (int i = 0; i < map->server.count; i++) {
		for (int j = 0; j < map->peer.count; j++) {
			if (map->peer.mtu[j] > 1400 && map->server.mtu[i] > 1392)
				heatmap_predict(map, DIR_UPLOAD, i, j, FATE_LOST);
			if (map->server.mtu[i] > 1300)
				heatmap_predict(map, DIR_DOWNLOAD, i, j,
						FATE_FRAGMENTED);
		}
	}
}

/* The page of the newest run; freed by the caller. */
static char *share(struct fixture *fixture)
{
	struct query *query = fixture_query(fixture);
	struct query_run run;
	struct heatmap map;
	struct err err = ERR_INIT;
	char *page = NULL;
	size_t size;
	FILE *out = open_memstream(&page, &size);

	assert_non_null(out);
	assert_int_equal(query_run(query, NULL, &run, &err), 0);
	assert_int_equal(heatmap_load(query, &run,
				      &(struct heatmap_options){.anonymous = true},
				      &map, &err),
			 0);
	predict_all(&map);
	if (share_write(query, &run, &map, out, &err) < 0)
		fail_msg("%s", err.text);
	fclose(out);
	heatmap_release(&map);
	query_close(query);
	return page;
}

/* A grid with a figure in each cell, a large one, and a smart run. */
static void small_enough(void **state)
{
	static const int runs[][2] = {{14, 16}, {32, 6}, {6, 1}};

	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		struct fixture *fixture = *state;
		char *page;

		make_run(fixture, runs[i][0], runs[i][1]);
		page = share(fixture);
		printf("%d by %d: %zu bytes\n", runs[i][0], runs[i][0], strlen(page));
		assert_in_range(strlen(page), 1000, SIZE_MAX_BYTES - 1);
		free(page);
		unlink(fixture->db);
	}
}

/* The ranges are too large for a map, as those of a probe over jumbo frames. */
static void without_a_map(void **state)
{
	struct fixture *fixture = *state;
	struct query *query;
	struct query_run run;
	struct heatmap map;
	struct err err = ERR_INIT;
	char *page = NULL;
	size_t size;
	FILE *out = open_memstream(&page, &size);

	make_run(fixture, 3, 16);
	fixture_exec(fixture->db,
		     "DELETE FROM measurement;"
		     "UPDATE run SET server_mtu_max = 9000, server_mtu_step"
		     " = 1, peer_mtu_max = 9000, peer_mtu_step = 1;");
	query = fixture_query(fixture);
	assert_int_equal(query_run(query, NULL, &run, &err), 0);
	assert_int_equal(heatmap_load(query, &run,
				      &(struct heatmap_options){.anonymous = true},
				      &map, &err),
			 0);
	assert_int_equal(map.panels, 0);
	assert_int_equal(share_write(query, &run, &map, out, &err), 0);
	heatmap_release(&map);
	query_close(query);
	fclose(out);
	assert_non_null(
		strstr(page, "<h1>Recommended: server MTU 1420, peer MTU 1400 "));
	assert_non_null(strstr(page, "<h2>WireGuard MTUs: server - peer</h2>"));
	assert_non_null(strstr(page, "recommended: server MTU 1420, peer MTU 1400"));
	assert_non_null(strstr(page, "<svg"));
	assert_null(strstr(page, "secret"));
	free(page);
}

static void many_pairs_are_cut(void **state)
{
	char *page;
	int rows = 0;

	make_run(*state, 46, 4);
	page = share(*state);
	for (const char *at = page; (at = strstr(at, "<tr><td>")); at++)
		rows++;
	assert_int_equal(rows, 2000);
	assert_non_null(strstr(page, "These are the first 2000 of 2116 pairs;"));
	free(page);
}

static void says_why(void **state)
{
	static const char *const parts[] = {
		"<li>recommended: server MTU 1420, peer MTU 1400; upload ",
		"<li>why: ",
		"<li>path, upload: packets of up to 1460 bytes arrive whole, larger "
		"ones are lost (12 probes)</li>",
		"<li>note: should an endpoint move to IPv6",
		"<li>the peer: the route to [omitted] has an MTU of its own, 1300, ",
		"the fate of outer packets went from whole to lost at 1480 bytes: ",
		"<li>server: mtusweep 0.1.0, libiperf 3.12, civetweb 1.15, "
		"sqlite 3.40.1</li>",
		"<li>peer: mtusweep 0.1.0, [omitted], [omitted]</li>",
		"<li>this page: mtusweep " MTUSWEEP_VERSION "</li>",
	};
	static const char *const secrets[] = {"secret", "10.9.8.7", "wg0"};
	char *page;

	make_run(*state, 4, 40);
	page = share(*state);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (!strstr(page, parts[i]))
			fail_msg("the page lacks '%s'", parts[i]);
	}
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		if (strstr(page, secrets[i]))
			fail_msg("the page has '%s'", secrets[i]);
	}
	free(page);
}

static void coordinates_are_rounded(void **state)
{
	static const char svg[] =
		"<use id=\"a-1.2345\" x=\"12.988281\" y=\"-0.001\" w=\"1.23456\"/>"
		"<path style=\"stroke:none;\" d=\"M 1 2.5 L -3.14159 1480.000000 "
		"-0.001 5 Z\" q=\"0.00208\"/><symbol id=\"glyph0-1\"/><use "
		"href=\"#glyph0-1\" style=\"fill:red;fill-opacity:1;\"/> "
		"d=\"1.999";
	char text[256] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	(void)state;
	assert_non_null(out);
	svgsmall_write(svg, strlen(svg), out);
	fclose(out);
	assert_string_equal(text,
			    "<use id=\"a-1.2345\" x=\"12.99\" y=\"0\" w=\"1.23456\"/>"
			    "<path d=\"M1 2.5L-3.14 1480 0 5Z\" q=\"0.00208\"/><symbol "
			    "id=\"g0-1\"/>"
			    "<use href=\"#g0-1\" style=\"fill:red;\"/> d=\"2");
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(small_enough),
		TEST(without_a_map),
		TEST(many_pairs_are_cut),
		TEST(says_why),
		cmocka_unit_test(coordinates_are_rounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Maps of latency under load. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../store/fixture.h"
#include "report/heatmap_json.h"
#include "report/heatmap_layout.h"
#include "report/heatmap_term.h"

static const struct mtu_pair twice = {1280, 1300};
static const struct mtu_pair once = {1500, 1480};

/* Two tests of a pair, one of another, whose upload fails. */
static void make_run(struct fixture *fixture)
{
	struct measurement m[] = {
		fixture_visit(1, twice, 30, 40),
		fixture_visit(2, once, -TEST_BLACKHOLE, 38),
		fixture_visit(3, twice, 36, 42),
	};
	int64_t run;
	struct store *store = fixture_open(fixture, 1, &run);

	m[0].dir[DIR_UPLOAD].latency_us = 81300;
	m[0].dir[DIR_DOWNLOAD].latency_us = NO_FIGURE;
	m[1].dir[DIR_DOWNLOAD].latency_us = NO_FIGURE;
	m[2].dir[DIR_UPLOAD].latency_us = 84001;
	m[2].dir[DIR_DOWNLOAD].latency_us = 40700;
	for (size_t i = 0; i < sizeof(m) / sizeof(m[0]); i++)
		fixture_record(store, run, &m[i]);
	fixture_close(store);
}

static int load(struct fixture *fixture, const struct heatmap_options *options,
		struct heatmap *ret, struct err *err)
{
	struct query *query = fixture_query(fixture);
	struct query_run run;
	int r = query_run(query, NULL, &run, err);

	if (r == 0)
		r = heatmap_load(query, &run, options, ret, err);
	query_close(query);
	return r;
}

static struct heatmap_cell cell(const struct heatmap *map, int panel,
				const struct mtu_pair *mtu)
{
	int i = 0;
	int j = 0;

	assert_true(heatmap_find(map, mtu, &i, &j));
	return *heatmap_at(map, panel, i, j);
}

static void medians_of_round_trips(void **state)
{
	struct err err = ERR_INIT;
	struct heatmap map;

	make_run(*state);
	assert_int_equal(
		load(*state, &(struct heatmap_options){.latency = true}, &map, &err),
		0);
	assert_int_equal(map.panels, 2);
	assert_string_equal(map.panel[0].title, "Upload, round trip under load");
	/* Not rounded as rates are. */
	assert_int_equal(cell(&map, 0, &twice).value, 82651);
	assert_int_equal(cell(&map, 1, &twice).value, 40700);
	assert_int_equal(cell(&map, 0, &once).kind, HEATMAP_FAILED);
	/* The test was ok, and has no latency: not 0. */
	assert_int_equal(cell(&map, 1, &once).kind, HEATMAP_BLANK);
	/* The fastest pair is still that of the rates. */
	assert_true(mtu_pair_same(&map.mark[HEATMAP_FASTEST].mtu, &twice));
	heatmap_release(&map);
}

static void the_unit_is_milliseconds(void **state)
{
	struct heatmap_tick ticks[HEATMAP_TICKS_MAX];
	struct heatmap_rect scale = {0, 0, 400, 10};
	struct err err = ERR_INIT;
	struct heatmap map;
	char *text = NULL;
	size_t size;
	FILE *out;
	json_t *json;
	int count;

	make_run(*state);
	assert_int_equal(
		load(*state, &(struct heatmap_options){.latency = true}, &map, &err),
		0);
	assert_int_equal(map.panel[0].high, 90000);
	count = heatmap_ticks(&map.panel[0], &scale, ticks);
	assert_string_equal(ticks[count - 1].text, "90 ms");
	out = open_memstream(&text, &size);
	heatmap_print(&map, HEATMAP_LETTERS, false, 80, out);
	fclose(out);
	if (!strstr(text, "9: up to 90 ms\n"))
		fail_msg("no scale in ms:\n%s", text);
	free(text);
	json = heatmap_json(&map, json_null());
	text = json_dumps(json, 0);
	assert_non_null(strstr(text, "\"latency_us\": 82651"));
	assert_non_null(strstr(text, "\"high_us\": 90000"));
	assert_null(strstr(text, "bps"));
	free(text);
	json_decref(json);
	heatmap_release(&map);
}

/* A map without any would be blank. */
static void a_run_without_latencies(void **state)
{
	struct fixture *fixture = *state;
	struct err err = ERR_INIT;
	struct heatmap map;

	make_run(fixture);
	fixture_exec(fixture->db, "DELETE FROM measurement_detail");
	assert_int_equal(
		load(fixture, &(struct heatmap_options){.latency = true}, &map, &err),
		-ENODATA);
	assert_non_null(strstr(err.text, "no latency under load"));
	assert_int_equal(load(fixture, &(struct heatmap_options){0}, &map, &err), 0);
	heatmap_release(&map);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(medians_of_round_trips),
		TEST(the_unit_is_milliseconds),
		TEST(a_run_without_latencies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

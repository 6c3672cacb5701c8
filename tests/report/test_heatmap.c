/* SPDX-License-Identifier: MIT */
/* A run as a map: cells, marks, edges, and the contents of the pictures. */

#include <cairo.h>
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../store/fixture.h"
#include "report/colormap.h"
#include "report/heatmap_cairo.h"
#include "report/heatmap_layout.h"

/* The grid of fixture_run(): server 1280..1500 by 20, peer 1300..1480 by 10. */
#define SERVERS 12
#define PEERS   19

/* Four measurements of three pairs in the grid, one outside it. */
static int64_t make_run(struct fixture *fixture)
{
	const struct measurement m[] = {
		fixture_visit(1, (struct mtu_pair){1280, 1300}, 30, 40),
		fixture_visit(2, (struct mtu_pair){1300, 1310}, -TEST_BLACKHOLE, 38),
		fixture_visit(3, (struct mtu_pair){1280, 1300}, 36, 42),
		fixture_visit(4, (struct mtu_pair){1500, 1480}, 50, 20),
		fixture_visit(5, (struct mtu_pair){1500, 1480}, -TEST_TIMEOUT, 20),
		fixture_visit(6, (struct mtu_pair){1411, 1407}, -TEST_ERROR,
			      -TEST_REFUSED),
	};
	int64_t run;
	struct store *store = fixture_open(fixture, 1, &run);

	for (size_t i = 0; i < sizeof(m) / sizeof(m[0]); i++)
		fixture_record(store, run, &m[i]);
	fixture_close(store);
	return run;
}

static void load(struct fixture *fixture, const struct heatmap_options *options,
		 struct heatmap *ret)
{
	struct query *query = fixture_query(fixture);
	struct query_run run;
	struct err err = ERR_INIT;

	assert_int_equal(query_run(query, NULL, &run, &err), 0);
	if (heatmap_load(query, &run, options, ret, &err) < 0)
		fail_msg("%s", err.text);
	query_close(query);
}

static const struct heatmap_cell *cell(const struct heatmap *map, int panel, int server,
				       int peer)
{
	return heatmap_at(map, panel, heatmap_boundary(&map->server, server) - 1,
			  heatmap_boundary(&map->peer, peer) - 1);
}

static void cells(void **state)
{
	struct heatmap map;

	make_run(*state);
	load(*state, &(struct heatmap_options){0}, &map);
	assert_int_equal(map.panels, 2);
	/* A pair measured outside the grid has its row and column. */
	assert_int_equal(map.server.count, SERVERS + 1);
	assert_int_equal(map.peer.count, PEERS + 1);
	assert_int_equal(cell(&map, 0, 1280, 1300)->kind, HEATMAP_MEASURED);
	assert_int_equal(cell(&map, 0, 1280, 1300)->value, 33000000);
	assert_int_equal(cell(&map, 1, 1280, 1300)->value, 41000000);
	assert_int_equal(cell(&map, 0, 1300, 1310)->kind, HEATMAP_FAILED);
	assert_int_equal(cell(&map, 0, 1300, 1310)->status, TEST_BLACKHOLE);
	assert_int_equal(cell(&map, 1, 1300, 1310)->value, 38000000);
	assert_int_equal(cell(&map, 0, 1500, 1480)->value, 50000000);
	assert_int_equal(cell(&map, 1, 1411, 1407)->status, TEST_REFUSED);
	assert_int_equal(cell(&map, 0, 1280, 1310)->kind, HEATMAP_BLANK);
	heatmap_release(&map);
}

static void sent_and_average(void **state)
{
	struct heatmap map;

	make_run(*state);
	load(*state, &(struct heatmap_options){.all = true}, &map);
	assert_int_equal(map.panels, 4);
	assert_string_equal(map.panel[3].title, "Download, sent");
	assert_int_equal(cell(&map, 2, 1280, 1300)->value, 33001000);
	assert_int_equal(cell(&map, 3, 1280, 1300)->value, 41001000);
	heatmap_release(&map);
	load(*state, &(struct heatmap_options){.average = true}, &map);
	assert_int_equal(map.panels, 1);
	assert_int_equal(cell(&map, 0, 1280, 1300)->value, 37000000);
	assert_int_equal(cell(&map, 0, 1300, 1310)->status, TEST_BLACKHOLE);
	assert_int_equal(cell(&map, 0, 1411, 1407)->status, TEST_ERROR);
	assert_int_equal(cell(&map, 0, 1500, 1480)->value, 35000000);
	heatmap_release(&map);
}

/* The fastest pair is the one that "best" names: 1500/1480 has a failed measurement. */
static void marks(void **state)
{
	struct query_result best;
	struct query *query;
	struct heatmap map;
	int64_t run = make_run(*state);

	load(*state, &(struct heatmap_options){0}, &map);
	query = fixture_query(*state);
	assert_int_equal(query_best(query, run, QUERY_BY_SUM, &best, NULL), 0);
	query_close(query);
	assert_true(map.mark[HEATMAP_FASTEST].set);
	assert_int_equal(map.mark[HEATMAP_FASTEST].mtu.server, 1280);
	assert_int_equal(best.mtu.server, 1280);
	assert_int_equal(map.mark[HEATMAP_CURRENT].mtu.server, 1420);
	assert_int_equal(map.mark[HEATMAP_CURRENT].mtu.peer, 1400);
	assert_false(map.mark[HEATMAP_RECOMMENDED].set);
	heatmap_release(&map);
}

/* The ranks of many random pairs, with ties and failures, agree with query_best(). */
static void fastest_is_the_best(void **state)
{
	struct fixture *fixture = *state;

	srand(7);
	for (int number = 1; number <= 20; number++) {
		struct query_result best;
		struct heatmap map;
		struct query *query;
		int64_t run;
		struct store *store = fixture_open(fixture, number, &run);

		for (uint32_t seq = 1; seq <= 40; seq++) {
			struct measurement m = fixture_visit(
				seq,
				(struct mtu_pair){1280 + 20 * (rand() % 3),
						  1300 + 10 * (rand() % 3)},
				rand() % 8 ? 1 + rand() % 3 : -TEST_TIMEOUT,
				1 + rand() % 3);

			fixture_record(store, run, &m);
		}
		fixture_close(store);
		load(fixture, &(struct heatmap_options){0}, &map);
		query = fixture_query(fixture);
		assert_int_equal(query_best(query, run, QUERY_BY_SUM, &best, NULL), 0);
		query_close(query);
		assert_int_equal(map.mark[HEATMAP_FASTEST].mtu.server, best.mtu.server);
		assert_int_equal(map.mark[HEATMAP_FASTEST].mtu.peer, best.mtu.peer);
		heatmap_release(&map);
	}
}

static void lines(void **state)
{
	struct heatmap map;

	make_run(*state);
	load(*state, &(struct heatmap_options){0}, &map);
	assert_string_equal(map.line[0], "WireGuard MTUs: hub wg0 - laptop wg1");
	assert_non_null(strstr(map.line[1], "2026-11-22 12:21 UTC, run 1 (abcd0001), "
					    "running: 4 of 12 measurements, 3 failed"));
	assert_string_equal(map.line[2], "endpoints: server over IPv4, peer over IPv6, "
					 "WireGuard: server kernel, peer userspace; "
					 "grid, 5 s a test");
	heatmap_release(&map);
	load(*state, &(struct heatmap_options){.anonymous = true}, &map);
	assert_string_equal(map.line[0], "WireGuard MTUs: server - peer");
	assert_null(strstr(map.line[1], "abcd"));
	heatmap_release(&map);
}

static void edges(void **state)
{
	struct path_survey survey = {
		.path.overhead = {PATH_OVERHEAD_IPV4, PATH_OVERHEAD_IPV4}};
	struct fixture *fixture = *state;
	struct heatmap_layout layout;
	struct heatmap map;
	struct store *store;
	int64_t run;

	assert_int_equal(path_bands_parse("1460:whole,1500:lost,65535:fragmented",
					  &survey.path.dir[DIR_UPLOAD], NULL),
			 0);
	store = fixture_open(fixture, 1, &run);
	assert_int_equal(store_put_path(store, run, &survey, NULL), 0);
	fixture_close(store);
	load(fixture, &(struct heatmap_options){0}, &map);
	assert_int_equal(map.edges, 2);
	assert_int_equal(map.edge[0].size, 1460);
	assert_int_equal(map.edge[0].mtu_sent, 1400);
	assert_int_equal(map.edge[1].below, FATE_LOST);
	assert_int_equal(map.edge[1].above, FATE_FRAGMENTED);
	heatmap_layout(&map, &layout);
	assert_string_equal(layout.key[layout.keys - 1].text,
			    "upload path: whole to 1460 bytes, lost to 1500, "
			    "fragmented above (dashed: TCP stays below)");
	heatmap_release(&map);
}

/* --- pictures --- */

static void picture_path(const struct fixture *fixture, const char *name, char ret[128])
{
	snprintf(ret, 128, "%s/%s", fixture->folder, name);
}

typedef int write_fn(const struct heatmap *map, FILE *out, struct err *err);

static void write_picture(const struct heatmap *map, write_fn *write, const char *path)
{
	struct err err = ERR_INIT;
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	if (write(map, out, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(fclose(out), 0);
}

static cairo_surface_t *draw_png(struct fixture *fixture, const struct heatmap *map)
{
	cairo_surface_t *png;
	char path[128];

	picture_path(fixture, "map.png", path);
	write_picture(map, heatmap_write_png, path);
	png = cairo_image_surface_create_from_png(path);
	assert_int_equal(cairo_surface_status(png), CAIRO_STATUS_SUCCESS);
	return png;
}

static uint32_t pixel(cairo_surface_t *png, double x, double y)
{
	const unsigned char *row =
		cairo_image_surface_get_data(png) +
		(int)(y * HEATMAP_PNG_SCALE) * cairo_image_surface_get_stride(png);

	return ((const uint32_t *)(const void *)row)[(int)(x * HEATMAP_PNG_SCALE)] &
	       0xffffff;
}

/* Return the pixel this far right of and below a cell's upper left corner, in cells. */
static uint32_t cell_pixel(cairo_surface_t *png, const struct heatmap *map, int panel,
			   struct mtu_pair mtu, double right, double down)
{
	struct heatmap_layout layout;
	double i = heatmap_position(&map->server, mtu.server);
	double j = heatmap_position(&map->peer, mtu.peer);

	heatmap_layout(map, &layout);
	return pixel(png, layout.map[panel].x + (j + right) * layout.cell,
		     layout.map[panel].y +
			     (map->server.count - 1 - i + down) * layout.cell);
}

static void assert_close(uint32_t got, struct colormap_color wanted)
{
	const double channels[] = {wanted.red, wanted.green, wanted.blue};

	for (int c = 0; c < 3; c++) {
		int value = (int)(got >> (16 - 8 * c) & 0xff);

		if (abs(value - (int)(channels[c] * 255 + 0.5)) > 1)
			fail_msg("pixel %06x, channel %d wanted %g", got, c,
				 channels[c] * 255);
	}
}

static void png_shows_the_cells(void **state)
{
	struct heatmap_options options = {0};
	struct heatmap map;
	cairo_surface_t *png;
	int hatched = 0;

	make_run(*state);
	load(*state, &options, &map);
	png = draw_png(*state, &map);
	for (int p = 0; p < 2; p++) {
		int64_t rate = cell(&map, p, 1500, 1480)->value;

		assert_close(cell_pixel(png, &map, p, (struct mtu_pair){1500, 1480},
					0.2, 0.9),
			     colormap_at(heatmap_fraction(&map.panel[p], rate)));
	}
	assert_int_equal(
		cell_pixel(png, &map, 0, (struct mtu_pair){1320, 1400}, 0.5, 0.5),
		0xffffff);
	/* Light, with dark lines: not the darkest colour, and not blank. */
	for (int s = 0; s < 20; s++) {
		uint32_t dot = cell_pixel(png, &map, 0, (struct mtu_pair){1300, 1310},
					  0.2 + s * 0.03, 0.5);

		assert_int_not_equal(dot, 0xffffff);
		hatched += (dot & 0xff) < 0xa0;
		assert_true((dot & 0xff) > 0x40);
	}
	assert_true(hatched > 2 && hatched < 15);
	cairo_surface_destroy(png);
	heatmap_release(&map);
}

/* A few tests in a fine grid are drawn larger than its cells. */
static void png_shows_scattered_cells(void **state)
{
	struct fixture *fixture = *state;
	struct heatmap map;
	cairo_surface_t *png;
	const struct heatmap_cell *measured;

	make_run(fixture);
	fixture_exec(fixture->db,
		     "UPDATE run SET server_mtu_step = 1, peer_mtu_step = 1");
	load(fixture, &(struct heatmap_options){0}, &map);
	measured = cell(&map, 0, 1500, 1480);
	png = draw_png(fixture, &map);
	/* The cell's neighbour is covered, the next one is not. */
	assert_close(cell_pixel(png, &map, 0, (struct mtu_pair){1500, 1480}, -0.5, 0.5),
		     colormap_at(heatmap_fraction(&map.panel[0], measured->value)));
	assert_int_equal(
		cell_pixel(png, &map, 0, (struct mtu_pair){1500, 1480}, -3.5, 0.5),
		0xffffff);
	cairo_surface_destroy(png);
	heatmap_release(&map);
}

static int differing(cairo_surface_t *a, cairo_surface_t *b)
{
	int width = cairo_image_surface_get_width(a);
	int height = cairo_image_surface_get_height(a);
	int n = 0;

	if (width != cairo_image_surface_get_width(b) ||
	    height != cairo_image_surface_get_height(b))
		return -1;
	for (int y = 0; y < height; y++) {
		for (int x = 0; x < width; x++)
			n += pixel(a, x / 2.0, y / 2.0) != pixel(b, x / 2.0, y / 2.0);
	}
	return n;
}

/* Predictions and recommendations are drawn, and explained below. */
static void png_shows_what_is_added(void **state)
{
	struct heatmap_layout layout;
	struct heatmap map;
	cairo_surface_t *before;
	cairo_surface_t *after;

	make_run(*state);
	load(*state, &(struct heatmap_options){0}, &map);
	before = draw_png(*state, &map);
	heatmap_predict(&map, DIR_UPLOAD, 0, 5, FATE_LOST);
	heatmap_predict(&map, DIR_UPLOAD, 0, 6, FATE_FRAGMENTED);
	assert_int_equal(heatmap_at(&map, 0, 0, 5)->predicted, FATE_LOST);
	assert_int_equal(heatmap_at(&map, 1, 0, 5)->predicted, FATE_UNKNOWN);
	assert_int_equal(heatmap_at(&map, 0, 0, 5)->kind, HEATMAP_BLANK);
	map.mark[HEATMAP_RECOMMENDED] = (struct heatmap_mark){true, {1440, 1440}};
	heatmap_layout(&map, &layout);
	after = draw_png(*state, &map);
	assert_int_not_equal(differing(before, after), 0);
	/* The recommended pair's frame lies on its cell's upper edge. */
	assert_int_equal(
		cell_pixel(after, &map, 1, (struct mtu_pair){1440, 1440}, 0.5, 0), 0);
	assert_int_not_equal(
		cell_pixel(before, &map, 1, (struct mtu_pair){1440, 1440}, 0.5, 0), 0);
	assert_string_equal(layout.key[layout.keys - 1].text, "recommended 1440/1440");
	cairo_surface_destroy(before);
	cairo_surface_destroy(after);
	heatmap_release(&map);
}

static bool bar_has(cairo_surface_t *png, const struct heatmap_layout *l,
		    enum direction dir, int from, int to, enum fate fate)
{
	const struct heatmap_rect *bar = &l->bar[dir];

	for (double x = bar->x + bar->w * ruler_place(&l->ruler, from);
	     x < bar->x + bar->w * ruler_place(&l->ruler, to); x += 0.5) {
		if (pixel(png, x, bar->y + 7) == fate_signs[fate].rgb)
			return true;
	}
	return false;
}

static void png_shows_the_path(void **state)
{
	struct fixture *fixture = *state;
	struct path_bands bands;
	struct heatmap_layout l;
	struct heatmap map;
	cairo_surface_t *png;

	make_run(fixture);
	load(fixture, &(struct heatmap_options){0}, &map);
	heatmap_layout(&map, &l);
	assert_int_equal(l.ruler.to, 0);
	assert_int_equal(
		path_bands_parse("1460:whole,1500:lost,65535:fragmented", &bands, NULL),
		0);
	heatmap_add_edges(&map, DIR_UPLOAD, PATH_OVERHEAD_IPV4, &bands);
	for (int j = 0; j < map.peer.count; j++)
		heatmap_predict(&map, DIR_UPLOAD, 1, j, FATE_WHOLE);
	heatmap_layout(&map, &l);
	png = draw_png(fixture, &map);
	assert_true(bar_has(png, &l, DIR_UPLOAD, 1430, 1455, FATE_WHOLE));
	assert_false(bar_has(png, &l, DIR_UPLOAD, 1430, 1455, FATE_LOST));
	assert_true(bar_has(png, &l, DIR_UPLOAD, 1463, 1495, FATE_LOST));
	assert_true(bar_has(png, &l, DIR_UPLOAD, 1503, 1515, FATE_FRAGMENTED));
	assert_true(bar_has(png, &l, DIR_DOWNLOAD, 1430, 1455, FATE_UNKNOWN));
	/* A cell that was not measured has a faint colour, another one its own. */
	assert_int_equal(
		cell_pixel(png, &map, 0, (struct mtu_pair){1300, 1400}, 0.5, 0.5),
		0xd4e8e7);
	assert_int_equal(
		cell_pixel(png, &map, 0, (struct mtu_pair){1320, 1400}, 0.5, 0.5),
		0xffffff);
	cairo_surface_destroy(png);
	heatmap_release(&map);
}

/* A run that only probed, of ranges with too many MTUs for a map. */
static void the_path_without_a_map(void **state)
{
	struct path_survey survey = {
		.path.overhead = {PATH_OVERHEAD_IPV4, PATH_OVERHEAD_IPV4},
		.path.dir = {{2, {{1460, FATE_WHOLE}, {65535, FATE_LOST}}},
			     {1, {{65535, FATE_WHOLE}}}},
	};
	struct fixture *fixture = *state;
	struct heatmap_layout l;
	struct heatmap map;
	int64_t run;
	struct store *store = fixture_open(fixture, 1, &run);

	assert_int_equal(store_put_path(store, run, &survey, NULL), 0);
	fixture_close(store);
	fixture_exec(fixture->db,
		     "UPDATE run SET peer_mtu_max = 9000, peer_mtu_step = 1");
	load(fixture, &(struct heatmap_options){0}, &map);
	assert_int_equal(map.panels, 0);
	heatmap_layout(&map, &l);
	assert_true(l.height > l.bar[1].y + l.bar[1].h + 60 && l.height < 500);
	cairo_surface_destroy(draw_png(fixture, &map));
	heatmap_release(&map);
}

/* A bare server has no fonts. Run in a process of its own: cairo looks for fonts
 * once. */
static int child_without_fonts(struct fixture *fixture)
{
	cairo_surface_t *png;
	struct heatmap map;
	int dark = 0;

	CHECK(setenv("FONTCONFIG_FILE", "/dev/null", 1) == 0);
	load(fixture, &(struct heatmap_options){0}, &map);
	png = draw_png(fixture, &map);
	for (int x = 0; x < 400; x++)
		dark += (pixel(png, x / 2.0 + HEATMAP_MARGIN,
			       HEATMAP_MARGIN + HEATMAP_FONT_TITLE / 2) &
			 0xff) < 0x80;
	CHECK(dark > 20);
	cairo_surface_destroy(png);
	heatmap_release(&map);
	return 0;
}

static void picture_without_fonts(void **state)
{
	make_run(*state);
	fixture_in_child(child_without_fonts, *state);
}

static void svg_says_what_it_is(void **state)
{
	struct fixture *fixture = *state;
	struct heatmap_layout layout;
	struct heatmap map;
	const char *desc;
	char path[128];
	char text[4096];
	FILE *file;
	size_t n;

	make_run(fixture);
	load(fixture, &(struct heatmap_options){0}, &map);
	strcpy(map.line[0], "a <b> & c");
	picture_path(fixture, "map.svg", path);
	write_picture(&map, heatmap_write_svg, path);
	file = fopen(path, "r");
	assert_non_null(file);
	n = fread(text, 1, sizeof(text) - 1, file);
	text[n] = '\0';
	fclose(file);
	assert_int_equal(strncmp(text, "<?xml", 5), 0);
	assert_non_null(strstr(text, "\n<title>a &#60;b&#62; &#38; c; 2026-11-22 "));
	heatmap_layout(&map, &layout);
	assert_true(layout.keys > 2);
	desc = strstr(text, "\n<desc>");
	assert_non_null(desc);
	for (int k = 0; k < layout.keys; k++)
		assert_non_null(strstr(desc, layout.key[k].text));
	assert_non_null(strstr(desc, "; current (before the run) 1420/1400"));
	heatmap_release(&map);
}

static void recommended_pair_is_marked(void **state)
{
	struct fixture *fixture = *state;
	struct heatmap map;

	make_run(fixture);
	fixture_exec(
		fixture->db,
		"INSERT INTO recommendation SELECT id, 1400, 1380, 1, 'x'"
		" FROM run; INSERT OR REPLACE INTO reason"
		" (run_id, kind, margin, visits) SELECT id, 'fits', 5, 9 FROM run");
	load(fixture, &(struct heatmap_options){0}, &map);
	assert_true(map.mark[HEATMAP_RECOMMENDED].set);
	assert_int_equal(map.mark[HEATMAP_RECOMMENDED].mtu.server, 1400);
	assert_int_equal(map.mark[HEATMAP_RECOMMENDED].mtu.peer, 1380);
	heatmap_release(&map);
}

/* Names come from another host; cairo draws only UTF-8. */
static void odd_names(void **state)
{
	struct fixture *fixture = *state;
	struct heatmap map;

	make_run(fixture);
	fixture_exec(fixture->db, "UPDATE run SET peer_host = CAST(x'61ff62' AS TEXT),"
				  " server_host = CAST(x'c3a9' AS TEXT)");
	load(fixture, &(struct heatmap_options){0}, &map);
	assert_string_equal(map.line[0], "WireGuard MTUs: \xc3\xa9 wg0 - a?b wg1");
	cairo_surface_destroy(draw_png(fixture, &map));
	heatmap_release(&map);
}

static void full_output_is_an_error(void **state)
{
	static write_fn *const writers[] = {heatmap_write_png, heatmap_write_svg};
	struct heatmap map;

	make_run(*state);
	load(*state, &(struct heatmap_options){0}, &map);
	for (int w = 0; w < 2; w++) {
		struct err err = ERR_INIT;
		FILE *out = fopen("/dev/full", "w");

		assert_non_null(out);
		assert_int_equal(writers[w](&map, out, &err), -ENOSPC);
		assert_string_equal(err.text, "cannot write the heatmap: No space left "
					      "on device");
		fclose(out);
	}
	heatmap_release(&map);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(cells),
		TEST(sent_and_average),
		TEST(marks),
		TEST(fastest_is_the_best),
		TEST(lines),
		TEST(edges),
		TEST(png_shows_the_cells),
		TEST(png_shows_scattered_cells),
		TEST(png_shows_what_is_added),
		TEST(png_shows_the_path),
		TEST(the_path_without_a_map),
		TEST(picture_without_fonts),
		TEST(svg_says_what_it_is),
		TEST(recommended_pair_is_marked),
		TEST(odd_names),
		TEST(full_output_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

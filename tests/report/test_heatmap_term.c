/* SPDX-License-Identifier: MIT */
/* A heatmap as text: detected terminals, cells, width, omitted MTUs. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/ruler_term.h"

static void colors(void **state)
{
	static const struct {
		bool terminal;
		const char *no_color;
		const char *term;
		const char *colorterm;
		enum heatmap_colors colors;
	} rows[] = {
		{true, NULL, "xterm-256color", "truecolor", HEATMAP_TRUE},
		{true, "", "xterm", "24bit", HEATMAP_TRUE},
		{true, NULL, "screen-256color", NULL, HEATMAP_256},
		{true, NULL, "xterm-256color", "yes", HEATMAP_256},
		{true, "1", "xterm-256color", "truecolor", HEATMAP_LETTERS},
		{true, NULL, "dumb", "truecolor", HEATMAP_LETTERS},
		{true, NULL, NULL, "truecolor", HEATMAP_LETTERS},
		{true, NULL, "vt100", NULL, HEATMAP_LETTERS},
		{false, NULL, "xterm-256color", "truecolor", HEATMAP_LETTERS},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(heatmap_term_colors(rows[i].terminal, rows[i].no_color,
						     rows[i].term, rows[i].colorterm),
				 rows[i].colors);
}

static void make_axis(struct heatmap_axis *axis, int count)
{
	axis->count = count;
	axis->mtu = calloc((size_t)count, sizeof(int));
	assert_non_null(axis->mtu);
	for (int i = 0; i < count; i++)
		axis->mtu[i] = 1280 + i;
}

/* Make a map of one panel without measurements. */
static struct heatmap make_map(int count)
{
	struct heatmap map = {
		.line = {"hub - laptop", "a run", "a path"},
		.panels = 1,
		.panel[0] = {.title = "Upload", .high = 10000000},
	};

	make_axis(&map.server, count);
	make_axis(&map.peer, count);
	map.panel[0].cells =
		calloc((size_t)count * (size_t)count, sizeof(*map.panel[0].cells));
	assert_non_null(map.panel[0].cells);
	return map;
}

static void set_rate(struct heatmap *map, int i, int j, int64_t rate_bps)
{
	heatmap_at(map, 0, i, j)->kind = HEATMAP_MEASURED;
	heatmap_at(map, 0, i, j)->value = rate_bps;
}

/* Return the printed text, which the caller frees. */
static char *print_as(struct heatmap *map, enum heatmap_colors as, bool glyphs,
		      int columns)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	heatmap_print(map, as, glyphs, columns, out);
	fclose(out);
	return text;
}

static char *print(struct heatmap *map, enum heatmap_colors as, int columns)
{
	return print_as(map, as, false, columns);
}

static void letters(void **state)
{
	struct heatmap map = make_map(3);
	char *text;

	(void)state;
	set_rate(&map, 0, 0, 0);
	set_rate(&map, 0, 1, 3500000);
	set_rate(&map, 2, 2, 10000000);
	heatmap_at(&map, 0, 1, 1)->kind = HEATMAP_FAILED;
	heatmap_at(&map, 0, 1, 1)->status = TEST_TIMEOUT;
	map.mark[HEATMAP_CURRENT] = (struct heatmap_mark){true, {1280, 1281}};
	map.mark[HEATMAP_FASTEST] = (struct heatmap_mark){true, {1282, 1282}};
	map.mark[HEATMAP_RECOMMENDED] = map.mark[HEATMAP_FASTEST];
	text = print(&map, HEATMAP_LETTERS, 80);
	assert_string_equal(
		text,
		"hub - laptop\na run\na path\n\nUpload\n"
		" 1282 . . 9*\n"
		" 1281 . T . \n"
		" 1280 0 3c. \n"
		"      1 1 1\n      2 2 2\n      8 8 8\n peer 0 1 2\n"
		"      0: from 0, 9: up to 10 Mbit/s\n\n"
		"T timeout\n. not measured\nc current (before the run) 1280/1281\n"
		"f fastest measured 1282/1282\n"
		"r recommended 1282/1282\n"
		"* more than one of c, f, r\n");
	free(text);
	map.mark[HEATMAP_RECOMMENDED].mtu.peer = 1280;
	text = print(&map, HEATMAP_LETTERS, 80);
	assert_null(strchr(text, '*'));
	free(text);
	text = print_as(&map, HEATMAP_LETTERS, true, 80);
	assert_non_null(strstr(text, "\n 1282 .\u25a1. 9\u25c7\n"));
	assert_non_null(strstr(text, "\n 1280 0 3\u25cb. \n"));
	assert_non_null(strstr(text, "\n\u25cb current (before the run) 1280/1281\n"
				     "\u25c7 fastest measured 1282/1282\n"
				     "\u25a1 recommended 1282/1280\n"));
	free(text);
	heatmap_release(&map);
}

static void escapes(void **state)
{
	struct heatmap map = make_map(1);
	char *text;

	(void)state;
	set_rate(&map, 0, 0, 10000000);
	text = print(&map, HEATMAP_TRUE, 80);
	assert_non_null(strstr(text, "1280 \033[30;48;2;2"));
	free(text);
	text = print(&map, HEATMAP_256, 80);
	assert_non_null(strstr(text, "1280 \033[30;48;5;22"));
	free(text);
	heatmap_release(&map);
}

static void glyphs_need_utf8(void **state)
{
	(void)state;
	assert_true(heatmap_term_glyphs(NULL, NULL, "de_DE.UTF-8"));
	assert_true(heatmap_term_glyphs("", "C.utf8", "C"));
	assert_false(heatmap_term_glyphs("C", "de_DE.UTF-8", "de_DE.UTF-8"));
	assert_false(heatmap_term_glyphs(NULL, NULL, NULL));
}

static int longest_line(const char *text)
{
	int longest = 0;

	while (*text) {
		int n = (int)strcspn(text, "\n");

		longest = n > longest ? n : longest;
		text += n + (text[n] == '\n');
	}
	return longest;
}

static void fits_the_window(void **state)
{
	struct heatmap map = make_map(221);

	(void)state;
	memset(map.line[1], 'x', HEATMAP_TEXT - 1);
	map.mark[HEATMAP_FASTEST] = (struct heatmap_mark){true, {9000, 9000}};
	for (int columns = 40; columns < 500; columns += 23) {
		char *text = print(&map, HEATMAP_LETTERS, columns);
		bool thinned = strstr(text, "Shown: ");

		assert_true(longest_line(text) <= columns);
		assert_int_equal(thinned, columns < 6 + 2 * 221);
		free(text);
	}
	heatmap_release(&map);
}

/* A few tests in a fine grid: all are shown. */
static void measured_ones_stay(void **state)
{
	struct heatmap map = make_map(221);
	char *text;

	(void)state;
	set_rate(&map, 220, 7, 10000000);
	set_rate(&map, 3, 101, 5000000);
	text = print(&map, HEATMAP_LETTERS, 80);
	assert_non_null(strstr(text, "\n 1500 9 . \n 1283 . 5 \n"));
	assert_non_null(strstr(text, "Shown: 2 of 221 server MTUs,\n2 of 221 peer"));
	free(text);
	heatmap_release(&map);
}

static void set_path(struct heatmap *map)
{
	struct path_bands bands;

	assert_int_equal(
		path_bands_parse("1460:whole,1462:unknown,65535:lost", &bands, NULL),
		0);
	heatmap_add_edges(map, DIR_UPLOAD, PATH_OVERHEAD_IPV4, &bands);
	strcpy(map->answer, "Recommended: server MTU 1430, peer MTU 1400");
	strcpy(map->reason, "The largest pair.");
	map->mark[HEATMAP_CURRENT] = (struct heatmap_mark){true, {1430, 1420}};
	map->mark[HEATMAP_RECOMMENDED] = (struct heatmap_mark){true, {1430, 1400}};
	map->predicted = true;
}

/* The recommendation first, then a ruler for each direction, then the map. */
static void the_ruler_comes_first(void **state)
{
	struct heatmap map = make_map(1);
	char *text;

	(void)state;
	set_path(&map);
	text = print(&map, HEATMAP_LETTERS, 60);
	*strstr(text, "\nUpload\n") = '\0';
	assert_string_equal(
		text, "Recommended: server MTU 1430, peer MTU 1400\n"
		      "The largest pair.\n"
		      "\n"
		      "Upload, peer to server\n"
		      "outer size  1400             [1460] [1462]      1520\n"
		      "              ==================?xxxxxxxxxxxxxxxxxxxxxxxx\n"
		      "                                r     c\n"
		      "peer MTU    1340             [1400] [1402]      1460\n"
		      "\n"
		      "Download, server to peer (not known)\n"
		      "outer size  1400        1440        1480        1520\n"
		      "              ???????????????????????????????????????????\n"
		      "                                         *\n"
		      "server MTU  1340        1380        1420        1460\n"
		      "\n"
		      "= arrives whole, x lost, ? not known, c current (before the\n"
		      "run), r recommended (predicted), * more than one of these\n"
		      "\n"
		      "hub - laptop\na run\na path\n");
	free(text);
	heatmap_release(&map);
}

/* The legend explains the sign of shared columns where there is one. */
static void marks_apart_need_no_more(void **state)
{
	struct heatmap map = make_map(1);
	char *text;

	(void)state;
	set_path(&map);
	map.mark[HEATMAP_CURRENT].mtu.server = 1400;
	text = print(&map, HEATMAP_LETTERS, 60);
	assert_null(strchr(text, '*'));
	assert_null(strstr(text, "more than one"));
	free(text);
	heatmap_release(&map);
}

static void the_ruler_fits_the_window(void **state)
{
	struct heatmap map = make_map(1);

	(void)state;
	set_path(&map);
	for (int columns = 40; columns < 2000; columns += 13) {
		char *text = print(&map, HEATMAP_LETTERS, columns);

		assert_true(longest_line(text) <= columns);
		assert_non_null(strstr(text, " [1462]"));
		free(text);
	}
	heatmap_release(&map);
}

/* It has the width of the narrowest window. */
static void the_ruler_is_not_too_narrow(void **state)
{
	struct heatmap map = make_map(1);
	struct ruler ruler;
	char *text = NULL;
	size_t size;

	(void)state;
	set_path(&map);
	heatmap_ruler(&map, &ruler);
	for (int columns = -1; columns < HEATMAP_COLUMNS_MIN; columns += 7) {
		FILE *out = open_memstream(&text, &size);

		assert_non_null(out);
		ruler_print(&ruler, HEATMAP_LETTERS, false, columns, out);
		fclose(out);
		assert_in_range(longest_line(text), HEATMAP_COLUMNS_MIN - 3,
				HEATMAP_COLUMNS_MIN);
		free(text);
	}
	heatmap_release(&map);
}

static void the_ruler_in_colours(void **state)
{
	struct heatmap map = make_map(1);
	char *text;

	(void)state;
	set_path(&map);
	text = print_as(&map, HEATMAP_256, true, 40);
	assert_non_null(strstr(text, "\033[30;48;5;73m\u2501\u2501"));
	assert_non_null(
		strstr(text, "\u2501\033[30;48;5;252m?\033[30;48;5;131m\u00d7"));
	assert_non_null(strstr(text, "\u00d7\033[0m\n"));
	free(text);
	heatmap_release(&map);
}

/* Predictions in a fine grid: round MTUs show them. */
static void round_ones_show_predictions(void **state)
{
	struct heatmap map = make_map(221);
	char *text;

	(void)state;
	map.panel[0].shows[DIR_UPLOAD] = true;
	for (int i = 0; i < 221; i++) {
		for (int j = 121; j < 221; j++)
			heatmap_predict(&map, DIR_UPLOAD, i, j,
					j < 150 ? FATE_FRAGMENTED : FATE_LOST);
	}
	set_rate(&map, 3, 101, 5000000);
	text = print(&map, HEATMAP_LETTERS, 80);
	assert_non_null(strstr(text, "\n 1500 . . . . . . . . - x x x x \n"));
	assert_non_null(strstr(text, "\n 1283 . . . . . . 5 . - x x x x \n"));
	assert_non_null(strstr(text, "Shown: 13 of 221 server MTUs,\n13 of 221 peer"));
	assert_non_null(strstr(text, "\n- predicted: fragmented\nx predicted: lost\n"));
	free(text);
	heatmap_release(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(colors),
		cmocka_unit_test(letters),
		cmocka_unit_test(escapes),
		cmocka_unit_test(glyphs_need_utf8),
		cmocka_unit_test(fits_the_window),
		cmocka_unit_test(measured_ones_stay),
		cmocka_unit_test(the_ruler_comes_first),
		cmocka_unit_test(marks_apart_need_no_more),
		cmocka_unit_test(the_ruler_fits_the_window),
		cmocka_unit_test(the_ruler_is_not_too_narrow),
		cmocka_unit_test(the_ruler_in_colours),
		cmocka_unit_test(round_ones_show_predictions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

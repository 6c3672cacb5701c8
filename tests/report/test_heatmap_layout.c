/* SPDX-License-Identifier: MIT */
/* A map without a run: scale, positions, colours, layout. */

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/colormap.h"
#include "report/heatmap_layout.h"

static void scale(void **state)
{
	/* Lowest and highest rate, and the scale's ends, in Mbit/s. */
	static const double rows[][4] = {
		{3, 50, 0, 50},        {49, 52, 20, 60}, {0.01, 0.011, 0.004, 0.012},
		{940, 998, 400, 1000}, {7, 7, 3, 7},     {0, 0, 0, 1},
	};
	struct heatmap_cell pair[2];
	struct heatmap map = {
		.server.count = 1,
		.peer.count = 2,
		.panel[0].cells = pair,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t low;
		int64_t high;

		for (int c = 0; c < 2; c++)
			pair[c] = (struct heatmap_cell){
				.kind = HEATMAP_MEASURED,
				.value = (int64_t)(rows[i][c] * 1e6),
			};
		heatmap_scale(&map, 0, &low, &high);
		assert_int_equal(low, (int64_t)(rows[i][2] * 1e6));
		assert_int_equal(high, (int64_t)(rows[i][3] * 1e6));
	}
}

static void positions(void **state)
{
	int mtus[] = {1280, 1300, 1400};
	const struct heatmap_axis axis = {3, mtus};

	(void)state;
	assert_true(isnan(heatmap_position(&axis, 1279)));
	assert_true(isnan(heatmap_position(&axis, 1401)));
	assert_true(heatmap_position(&axis, 1280) == 0);
	assert_true(heatmap_position(&axis, 1290) == 0.5);
	assert_true(heatmap_position(&axis, 1325) == 1.25);
	assert_true(heatmap_position(&axis, 1400) == 2);
	assert_int_equal(heatmap_boundary(&axis, 1279), 0);
	assert_int_equal(heatmap_boundary(&axis, 1300), 2);
	assert_int_equal(heatmap_boundary(&axis, 9000), 3);
}

/* --- colours --- */

static double linear(double c)
{
	return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

/* CIE lightness, which remains of a colour in grey. */
static double lightness(struct colormap_color c)
{
	double y = 0.2126 * linear(c.red) + 0.7152 * linear(c.green) +
		   0.0722 * linear(c.blue);

	return 116 * cbrt(y) - 16;
}

static void colours_read_in_grey(void **state)
{
	double before = lightness(colormap_at(0));

	(void)state;
	/* Neither black, nor the white of a cell without a measurement. */
	assert_true(before > 8 && lightness(colormap_at(1)) < 94);
	for (int i = 1; i <= 20; i++) {
		double now = lightness(colormap_at(i / 20.0));

		/* A twentieth of the scale is a visible step everywhere. */
		if (now - before < 2.5 || now - before > 6)
			fail_msg("step %d of 20: %g", i, now - before);
		before = now;
	}
	assert_true(colormap_at(-1).blue == colormap_at(0).blue);
	assert_true(colormap_at(2).red == colormap_at(1).red);
}

/* In grey, the colours of fates differ, and all but one have a pattern, too. */
static void fates_read_in_grey(void **state)
{
	(void)state;
	for (int a = 0; a < FATE_COUNT; a++) {
		for (int b = 0; b < a; b++) {
			double difference = 0;

			for (int f = 0; f < 2; f++) {
				unsigned rgb = fate_signs[f ? a : b].rgb;
				struct colormap_color c = {(rgb >> 16) / 255.0,
							   (rgb >> 8 & 0xff) / 255.0,
							   (rgb & 0xff) / 255.0};

				difference += (f ? 1 : -1) * lightness(c);
			}
			assert_true(fabs(difference) > 5);
		}
	}
}

/* --- layout --- */

static void make_axis(struct heatmap_axis *axis, int count)
{
	axis->count = count;
	axis->mtu = calloc((size_t)count, sizeof(int));
	assert_non_null(axis->mtu);
	for (int i = 0; i < count; i++)
		axis->mtu[i] = 1280 + i;
}

static void assert_apart(const struct heatmap_axis_labels *labels, double cell,
			 double room)
{
	assert_true(labels->count > 0);
	for (int l = 1; l < labels->count; l++)
		assert_true((labels->index[l] - labels->index[l - 1]) * cell >= room);
}

/* A ruler's parts do not touch, and its sizes are within the picture. */
static void assert_rulers(const struct heatmap_layout *l)
{
	for (int d = 0; d < DIR_COUNT; d++) {
		assert_true(l->bar[d].x > HEATMAP_MARGIN + 60 && l->bar[d].w > 400);
		assert_true(l->bar[d].x + l->bar[d].w + 20 < l->width);
	}
	assert_true(l->bar[1].y - l->bar[0].y > l->bar[0].h + 46);
	assert_true(l->ruler_keys > 0);
	for (int k = 0; k < l->ruler_keys; k++) {
		assert_true(l->key[k].y > l->bar[1].y + l->bar[1].h + 16);
		assert_true(l->key[k].y + 10 < l->header);
	}
	assert_true(l->header + 50 < l->map[0].y - 30);
}

/* In any grid, labels do not touch, and everything is within the picture. */
static void layouts(void **state)
{
	static const int sizes[][2] = {{1, 1},    {3, 3},      {1, 23},    {23, 23},
				       {23, 1},   {12, 19},    {221, 221}, {1, 1024},
				       {1024, 2}, {1024, 1024}};
	struct path_bands bands;

	(void)state;
	assert_int_equal(path_bands_parse("1460:whole,65535:lost", &bands, NULL), 0);
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		struct heatmap map = {.panels = 4, .answer = "Recommended: no pair"};
		struct heatmap_layout l;

		make_axis(&map.server, sizes[s][0]);
		make_axis(&map.peer, sizes[s][1]);
		heatmap_add_edges(&map, DIR_UPLOAD, PATH_OVERHEAD_IPV4, &bands);
		for (int p = 0; p < 4; p++)
			map.panel[p].cells = calloc((size_t)map.server.count *
							    (size_t)map.peer.count,
						    sizeof(struct heatmap_cell));
		heatmap_layout(&map, &l);
		assert_true(l.cell >= 1);
		assert_apart(&l.rows, l.cell, 12);
		assert_apart(&l.columns, l.cell, 30);
		assert_rulers(&l);
		for (int p = 0; p < 4; p++) {
			assert_true(l.map[p].x + l.map[p].w < l.width);
			assert_true(l.scale[p].x + l.scale[p].w < l.width);
			assert_true(l.scale[p].y + 24 < l.height);
		}
		assert_true(l.map[0].x + l.map[0].w + 36 < l.map[1].x - 50);
		assert_true(l.scale[0].x + l.scale[0].w < l.map[1].x);
		assert_true(l.scale[0].y + 30 < l.map[2].y - 36);
		assert_true(l.width * 2 < 32767 && l.height * 2 < 32767);
		heatmap_release(&map);
	}
}

/* "1280 1300 ..." */
static void assert_axis(const struct heatmap_axis *axis, double cell,
			const char *expected)
{
	struct heatmap_axis_labels labels;
	char text[400] = "";

	heatmap_axis_labels(axis, cell, 31, &labels);
	for (int l = 0; l < labels.count; l++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%d",
			 l ? " " : "", axis->mtu[labels.index[l]]);
	assert_string_equal(text, expected);
}

/* Where not all MTUs have room, round ones are labelled, whatever the axis begins with. */
static void axis_marks_are_round(void **state)
{
	int mtus[221];
	struct heatmap_axis axis = {221, mtus};

	(void)state;
	for (int i = 0; i < 221; i++)
		mtus[i] = 1283 + i;
	assert_axis(&axis, 3, "1300 1320 1340 1360 1380 1400 1420 1440 1460 1480 1500");
	assert_axis(&axis, 1, "1300 1350 1400 1450 1500");
	/* An MTU far from the others does not make the labels coarser. */
	mtus[220] = 9000;
	assert_axis(&axis, 3, "1300 1320 1340 1360 1380 1400 1420 1440 1460 1480 1500");
	axis.count = 4;
	assert_axis(&axis, 40, "1283 1284 1285 1286");
	/* None is round. */
	for (int i = 0; i < 4; i++)
		mtus[i] = 1281 + 10 * i;
	assert_axis(&axis, 16, "1281 1301");
}

/* However narrow the scale, its labels do not meet, and the last one is there. */
static void scale_labels(void **state)
{
	static const int64_t ranges_mbps[][2] = {{0, 400}, {100, 400},    {940, 950},
						 {0, 1},   {9400, 10000}, {1200, 1250}};

	(void)state;
	for (size_t i = 0; i < sizeof(ranges_mbps) / sizeof(ranges_mbps[0]); i++) {
		struct heatmap_panel panel = {.low = ranges_mbps[i][0] * 1000000,
					      .high = ranges_mbps[i][1] * 1000000};
		struct heatmap_rect scale = {.x = 82, .w = 200};
		struct heatmap_tick ticks[HEATMAP_TICKS_MAX];
		int count = heatmap_ticks(&panel, &scale, ticks);
		double taken = 0;

		assert_in_range(count, 3, HEATMAP_TICKS_MAX - 1);
		assert_non_null(strstr(ticks[count - 1].text, " Mbit/s"));
		for (int t = 0; t < count; t++) {
			if (!ticks[t].text[0])
				continue;
			assert_true(ticks[t].left > taken);
			taken = ticks[t].right;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scale),
		cmocka_unit_test(positions),
		cmocka_unit_test(colours_read_in_grey),
		cmocka_unit_test(fates_read_in_grey),
		cmocka_unit_test(layouts),
		cmocka_unit_test(axis_marks_are_round),
		cmocka_unit_test(scale_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

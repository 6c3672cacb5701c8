/* SPDX-License-Identifier: MIT */
#include "report/heatmap_layout.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define MAP_SIDE    480 /* the larger side of a map, if cells permit */
#define CELL_MAX    96
#define CELL_VALUES 34 /* cells of this size have room for a figure */
#define LEFT        62 /* left of a map: the axis' name and labels */
#define RIGHT       44 /* the sizes of edges */
#define ABOVE       44 /* the panel's title and the sizes of edges */
#define BELOW       92 /* labels, the axis' name, the scale and its ticks */
#define SCALE_MIN   200
#define SCALE_Y     44 /* below a map */
#define SCALE_H     12
#define OVERHANG    6 /* room for the last label of a scale */
#define LABEL_GAP   4
#define LINE        17
#define WIDTH_MIN   560

double heatmap_text_width(const char *text, double size)
{
	size_t letters = 0;

	/* Bytes that begin a character in UTF-8. */
	for (; *text; text++)
		letters += (*text & 0xc0) != 0x80;
	return 0.62 * size * (double)letters;
}

/* Return the first of 1, 2, 5, 10, 20, ... at which labels of this width do not
 * touch. */
static int label_step(double cell, double room)
{
	int step = 1;

	while (step * cell < room) {
		int power = (int)pow(10, floor(log10(step)));

		step = step == 2 * power ? 5 * power : 2 * step;
	}
	return step;
}

static double cell_side(const struct heatmap *map)
{
	int most = map->server.count > map->peer.count ? map->server.count
						       : map->peer.count;

	if (most > MAP_SIDE)
		return most > 2 * MAP_SIDE ? 1 : 2;
	return fmin(fmax(floor((double)MAP_SIDE / most), 3), CELL_MAX);
}

static struct heatmap_key *add_key(struct heatmap_layout *layout,
				   enum heatmap_key_kind kind, int which,
				   const char *text)
{
	struct heatmap_key *key = &layout->key[layout->keys++];

	*key = (struct heatmap_key){.kind = kind, .which = which};
	text_copy(key->text, sizeof(key->text), text);
	return key;
}

/* Add keys for the signs in the cells. */
static void add_cell_keys(const struct heatmap *map, struct heatmap_layout *layout)
{
	bool failed[TEST_STATUS_COUNT] = {false};
	bool predicted[FATE_COUNT] = {false};
	bool blank = false;
	int count = map->server.count * map->peer.count;

	for (int p = 0; p < map->panels; p++) {
		for (int i = 0; i < count; i++) {
			const struct heatmap_cell *cell = &map->panel[p].cells[i];

			predicted[cell->predicted] = true;
			blank |= cell->kind == HEATMAP_BLANK;
			if (cell->kind == HEATMAP_FAILED)
				failed[cell->status] = true;
		}
	}
	for (int s = TEST_OK + 1; s < TEST_STATUS_COUNT; s++) {
		if (failed[s])
			add_key(layout, HEATMAP_KEY_FAILED, s,
				test_status_name((enum test_status)s));
	}
	if (blank)
		add_key(layout, HEATMAP_KEY_BLANK, 0, "not measured");
	if (predicted[FATE_FRAGMENTED])
		add_key(layout, HEATMAP_KEY_PREDICTED, FATE_FRAGMENTED,
			"predicted: fragmented");
	if (predicted[FATE_LOST])
		add_key(layout, HEATMAP_KEY_PREDICTED, FATE_LOST, "predicted: lost");
}

static bool outside(const struct heatmap *map, const struct mtu_pair *mtu)
{
	return isnan(heatmap_position(&map->server, mtu->server)) ||
	       isnan(heatmap_position(&map->peer, mtu->peer));
}

static void add_mark_keys(const struct heatmap *map, struct heatmap_layout *layout)
{
	for (int m = 0; m < HEATMAP_MARKS; m++) {
		const struct heatmap_mark *mark = &map->mark[m];
		struct heatmap_key *key;

		if (!mark->set)
			continue;
		key = add_key(layout, HEATMAP_KEY_MARK, m, "");
		snprintf(key->text, sizeof(key->text), "%s %d/%d%s", signs[m].label,
			 mark->mtu.server, mark->mtu.peer,
			 outside(map, &mark->mtu) ? " (outside the map)" : "");
	}
}

#define DOUBT_TEXT 72

/* How sure the edges of a direction are. */
static void edges_doubt(const struct heatmap *map, enum direction dir,
			char ret[DOUBT_TEXT])
{
	int confidence = 0;

	ret[0] = '\0';
	for (int e = 0; e < map->edges; e++) {
		if (map->edge[e].dir == dir && !confidence)
			confidence = heatmap_edge_confidence(map, &map->edge[e]);
	}
	if (confidence)
		snprintf(ret, DOUBT_TEXT,
			 " (by throughput alone, fragments with %d %% confidence)",
			 confidence);
	else if (map->edges_guessed[dir])
		snprintf(ret, DOUBT_TEXT, " (by throughput alone)");
}

/* Rates show that data arrives, not that it arrives whole. */
static const char *edge_word(enum fate fate, bool guessed)
{
	return guessed && fate == FATE_WHOLE ? "arrives" : fate_name(fate);
}

/* "upload path: whole to 1460 bytes, lost to 1500, fragmented above ..." */
static void add_edge_keys(const struct heatmap *map, struct heatmap_layout *layout)
{
	for (int d = 0; d < DIR_COUNT; d++) {
		struct heatmap_key *key = NULL;
		enum fate last = FATE_UNKNOWN;
		char doubt[DOUBT_TEXT];
		size_t used = 0;

		edges_doubt(map, (enum direction)d, doubt);
		for (int e = 0; e < map->edges; e++) {
			const struct heatmap_edge *edge = &map->edge[e];

			if ((int)edge->dir != d)
				continue;
			if (!key) {
				key = add_key(layout, HEATMAP_KEY_EDGES, d, "");
				used = (size_t)snprintf(
					key->text, sizeof(key->text),
					"%s path%s:", direction_name(edge->dir), doubt);
			}
			last = edge->above;
			if (used < sizeof(key->text))
				used += (size_t)snprintf(
					key->text + used, sizeof(key->text) - used,
					" %s to %d%s,",
					edge_word(edge->below, map->edges_guessed[d]),
					edge->size,
					strchr(key->text, ',') ? "" : " bytes");
		}
		if (key && used < sizeof(key->text))
			snprintf(key->text + used, sizeof(key->text) - used,
				 " %s above (dashed: TCP stays below)",
				 edge_word(last, map->edges_guessed[d]));
	}
}

/* Place the keys side by side, as many as fit into a line. Return the bottom of the
 * last line. */
static double place_keys(struct heatmap_layout *layout, double y)
{
	double x = HEATMAP_MARGIN;

	for (int k = 0; k < layout->keys; k++) {
		struct heatmap_key *key = &layout->key[k];
		double w = HEATMAP_SIGN + 14 +
			   heatmap_text_width(key->text, HEATMAP_FONT_TEXT);

		if (x > HEATMAP_MARGIN && x + w > layout->width - HEATMAP_MARGIN) {
			x = HEATMAP_MARGIN;
			y += LINE;
		}
		key->x = x;
		key->y = y + LINE / 2.0;
		x += w;
	}
	return y + LINE;
}

static void place_panels(const struct heatmap *map, struct heatmap_layout *layout,
			 double top)
{
	double w = layout->cell * map->peer.count;
	double h = layout->cell * map->server.count;
	double panel_w = LEFT + fmax(w, SCALE_MIN) + RIGHT;
	int columns = map->panels > 1 ? 2 : 1;

	/* Panels of averages stand side by side too. */
	for (int p = 0; p < map->panels; p++) {
		int column = p % columns;
		int row = p / columns;
		double x = HEATMAP_MARGIN + column * panel_w + LEFT;
		double y = top + row * (ABOVE + h + BELOW) + ABOVE;

		layout->map[p] = (struct heatmap_rect){x, y, w, h};
		layout->scale[p] = (struct heatmap_rect){x, y + h + SCALE_Y,
							 fmax(w, SCALE_MIN), SCALE_H};
	}
	layout->width = fmax(2 * HEATMAP_MARGIN + columns * panel_w, WIDTH_MIN);
}

void heatmap_layout(const struct heatmap *map, struct heatmap_layout *ret)
{
	double top =
		HEATMAP_MARGIN + HEATMAP_FONT_TITLE + 8 + (HEATMAP_LINES - 1) * LINE;
	const struct heatmap_rect *last = &ret->map[map->panels - 1];

	*ret = (struct heatmap_layout){.cell = cell_side(map)};
	ret->row_step = label_step(ret->cell, HEATMAP_FONT_LABEL * 1.3);
	ret->column_step =
		label_step(ret->cell, heatmap_text_width("65535", HEATMAP_FONT_LABEL));
	ret->values = ret->cell >= CELL_VALUES;
	place_panels(map, ret, top);
	add_cell_keys(map, ret);
	add_mark_keys(map, ret);
	add_edge_keys(map, ret);
	ret->height = place_keys(ret, last->y + last->h + BELOW) + HEATMAP_MARGIN;
}

static void place_label(struct heatmap_tick *tick, double bps, double right,
			const char *unit)
{
	double w;

	snprintf(tick->text, sizeof(tick->text), "%.6g%s", bps / 1e6, unit);
	w = heatmap_text_width(tick->text, HEATMAP_FONT_LABEL);
	tick->right = right > 0 ? right : tick->x + w / 2;
	tick->left = tick->right - w;
}

/* The last label comes first: it has the unit. */
static void drop_labels(struct heatmap_tick *ticks, int count)
{
	double taken = -INFINITY;

	for (int i = 0; i < count - 1; i++) {
		if (ticks[i].left < taken + LABEL_GAP ||
		    ticks[i].right + LABEL_GAP > ticks[count - 1].left)
			ticks[i].text[0] = '\0';
		else
			taken = ticks[i].right;
	}
}

int heatmap_ticks(const struct heatmap_panel *panel, const struct heatmap_rect *scale,
		  struct heatmap_tick ret[HEATMAP_TICKS_MAX])
{
	double step = heatmap_round_step((double)(panel->high_bps - panel->low_bps));
	int64_t first = (int64_t)ceil((double)panel->low_bps / step - 1e-9);
	int64_t last = (int64_t)floor((double)panel->high_bps / step + 1e-9);
	int count = 0;

	for (int64_t i = first; i <= last && count < HEATMAP_TICKS_MAX; i++) {
		double bps = (double)i * step;
		struct heatmap_tick *tick = &ret[count++];

		tick->x = scale->x +
			  scale->w * heatmap_fraction(panel, (int64_t)(bps + 0.5));
		place_label(tick, bps, i == last ? scale->x + scale->w + OVERHANG : 0,
			    i == last ? " Mbit/s" : "");
	}
	drop_labels(ret, count);
	return count;
}

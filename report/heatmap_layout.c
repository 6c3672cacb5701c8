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
/* The recommendation in its large letters fits, in any usual font. */
#define WIDTH_ANSWER 900

/* Round labels do not stand as close as those of all MTUs. */
#define ROUND_APART 24

/* The parts of a ruler, from its title to the next one's. */
#define RULER_LEFT  86 /* the names of its lines */
#define RULER_RIGHT 30 /* half a label */
#define RULER_ABOVE 36 /* its title and sizes */
#define RULER_BAR   24
#define RULER_BELOW 26 /* its MTUs */
#define ANSWER      30 /* the line of the recommendation */

const int heatmap_round_steps[HEATMAP_ROUND_STEPS] = {
	1, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000};

double heatmap_text_width(const char *text, double size)
{
	size_t letters = 0;

	/* Bytes that begin a character in UTF-8. */
	for (; *text; text++)
		letters += (*text & 0xc0) != 0x80;
	return 0.62 * size * (double)letters;
}

/* Choose the multiples of the step, in order, that do not touch the one before. Return the
 * number of those without room. */
static int choose_labels(const struct heatmap_axis *axis, int step, double cell,
			 double room, struct heatmap_axis_labels *ret)
{
	int omitted = 0;

	ret->count = 0;
	for (int i = 0; i < axis->count; i++) {
		if (axis->mtu[i] % step)
			continue;
		if (ret->count == HEATMAP_LABELS_MAX ||
		    (ret->count && (i - ret->index[ret->count - 1]) * cell < room))
			omitted++;
		else
			ret->index[ret->count++] = i;
	}
	return omitted;
}

void heatmap_axis_labels(const struct heatmap_axis *axis, double cell, double room,
			 struct heatmap_axis_labels *ret)
{
	/* An MTU far from the others may lack room, most must have it. */
	for (int i = 0; i < HEATMAP_ROUND_STEPS; i++) {
		int step = heatmap_round_steps[i];
		double apart = step > 1 ? fmax(room, ROUND_APART) : room;
		int omitted = choose_labels(axis, step, cell, apart, ret);

		if (ret->count > 1 && omitted * 4 <= ret->count)
			return;
	}
	choose_labels(axis, 1, cell, room, ret);
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

			/* Measured cells do not show that packets arrive whole. */
			if (cell->predicted != FATE_WHOLE ||
			    cell->kind == HEATMAP_BLANK)
				predicted[cell->predicted] = true;
			blank |= cell->kind == HEATMAP_BLANK;
			if (cell->kind == HEATMAP_FAILED)
				failed[cell->status] = true;
		}
	}
	for (int s = TEST_OK + 1; s < TEST_STATUS_COUNT; s++) {
		if (failed[s])
			add_key(layout, HEATMAP_KEY_FAILED, s,
				test_status_words((enum test_status)s));
	}
	if (blank)
		add_key(layout, HEATMAP_KEY_BLANK, 0, "not measured");
	if (predicted[FATE_WHOLE])
		add_key(layout, HEATMAP_KEY_PREDICTED, FATE_WHOLE, "predicted: whole");
	if (predicted[FATE_FRAGMENTED])
		add_key(layout, HEATMAP_KEY_PREDICTED, FATE_FRAGMENTED,
			"predicted: fragmented");
	if (predicted[FATE_LOST])
		add_key(layout, HEATMAP_KEY_PREDICTED, FATE_LOST, "predicted: lost");
}

static bool outside(const struct heatmap *map, const struct mtu_pair *mtu)
{
	if (!map->panels)
		return false;
	return isnan(heatmap_position(&map->server, mtu->server)) ||
	       isnan(heatmap_position(&map->peer, mtu->peer));
}

static void add_mark_keys(const struct heatmap *map, struct heatmap_layout *layout)
{
	for (int m = 0; m < HEATMAP_MARKS; m++) {
		const struct heatmap_mark *mark = &map->mark[m];
		char pair[PAIR_TEXT_SIZE];
		struct heatmap_key *key;

		if (!mark->set)
			continue;
		key = add_key(layout, HEATMAP_KEY_MARK, m, "");
		snprintf(key->text, sizeof(key->text), "%s %s%s%s", signs[m].label,
			 mtu_pair_text(&mark->mtu, pair),
			 map->predicted && m == HEATMAP_RECOMMENDED ? " (predicted)"
								    : "",
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

/* Add keys for the fates of the ruler's bands. */
static void add_ruler_keys(struct heatmap_layout *layout)
{
	for (int f = 0; f < FATE_COUNT; f++) {
		enum fate fate = fate_legend[f];

		if (ruler_has_fate(&layout->ruler, fate))
			add_key(layout, HEATMAP_KEY_FATE, (int)fate,
				fate_signs[fate].label);
	}
}

/* Place keys side by side, as many as fit into a line. Return the bottom of the last
 * line. */
static double place_keys(struct heatmap_layout *layout, int from, int to, double y)
{
	double x = HEATMAP_MARGIN;

	for (int k = from; k < to; k++) {
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

/* Place the rulers with their keys. Return their bottom. */
static double place_rulers(struct heatmap_layout *layout, double top)
{
	for (int d = 0; d < DIR_COUNT; d++) {
		layout->bar[d] = (struct heatmap_rect){
			HEATMAP_MARGIN + RULER_LEFT, top + RULER_ABOVE,
			layout->width - 2 * HEATMAP_MARGIN - RULER_LEFT - RULER_RIGHT,
			RULER_BAR};
		top += RULER_ABOVE + RULER_BAR + RULER_BELOW;
	}
	return place_keys(layout, 0, layout->ruler_keys, top) + LINE;
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
}

static double width_of(const struct heatmap *map, double cell)
{
	double panel_w = LEFT + fmax(cell * map->peer.count, SCALE_MIN) + RIGHT;

	return fmax(2 * HEATMAP_MARGIN + (map->panels > 1 ? 2 : 1) * panel_w,
		    map->answer[0] ? WIDTH_ANSWER : WIDTH_MIN);
}

/* The signs of marks are explained at the first picture that shows them. */
static void add_keys(const struct heatmap *map, struct heatmap_layout *layout)
{
	if (layout->ruler.to) {
		add_ruler_keys(layout);
		add_mark_keys(map, layout);
		layout->ruler_keys = layout->keys;
	}
	add_cell_keys(map, layout);
	if (!layout->ruler.to)
		add_mark_keys(map, layout);
	add_edge_keys(map, layout);
}

void heatmap_layout(const struct heatmap *map, struct heatmap_layout *ret)
{
	const struct heatmap_rect *last;
	double top = HEATMAP_MARGIN;

	*ret = (struct heatmap_layout){.cell = cell_side(map)};
	heatmap_ruler(map, &ret->ruler);
	ret->width = width_of(map, ret->cell);
	heatmap_axis_labels(&map->server, ret->cell, HEATMAP_FONT_LABEL * 1.3,
			    &ret->rows);
	heatmap_axis_labels(&map->peer, ret->cell,
			    heatmap_text_width("65535", HEATMAP_FONT_LABEL),
			    &ret->columns);
	ret->values = ret->cell >= CELL_VALUES;
	add_keys(map, ret);
	if (map->answer[0])
		top += ANSWER + LINE;
	if (ret->ruler.to)
		top = place_rulers(ret, top);
	ret->header = top + HEATMAP_FONT_TITLE / 2;
	top += HEATMAP_FONT_TITLE + 8 + (HEATMAP_LINES - 1) * LINE;
	place_panels(map, ret, top);
	last = map->panels ? &ret->map[map->panels - 1] : NULL;
	ret->height = place_keys(ret, ret->ruler_keys, ret->keys,
				 last ? last->y + last->h + BELOW : top) +
		      HEATMAP_MARGIN;
}

/* `unit`: "", or behind the figure */
static void place_label(struct heatmap_tick *tick, double figure, double right,
			const char *unit)
{
	double w;

	snprintf(tick->text, sizeof(tick->text), "%.6g%s%s", figure, *unit ? " " : "",
		 unit);
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
	double step = heatmap_round_step((double)(panel->high - panel->low));
	int64_t first = (int64_t)ceil((double)panel->low / step - 1e-9);
	int64_t last = (int64_t)floor((double)panel->high / step + 1e-9);
	const struct heatmap_unit unit = heatmap_unit(panel);
	int count = 0;

	for (int64_t i = first; i <= last && count < HEATMAP_TICKS_MAX; i++) {
		double value = (double)i * step;
		struct heatmap_tick *tick = &ret[count++];

		tick->x = scale->x +
			  scale->w * heatmap_fraction(panel, (int64_t)(value + 0.5));
		place_label(tick, value / unit.size,
			    i == last ? scale->x + scale->w + OVERHANG : 0,
			    i == last ? unit.name : "");
	}
	drop_labels(ret, count);
	return count;
}

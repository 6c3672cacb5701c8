/* SPDX-License-Identifier: MIT */
/* The path's rulers in a picture. */
#include <math.h>
#include <stdio.h>

#include "report/heatmap_draw.h"

#define TITLE_Y   -24 /* of texts, from the top of the bar */
#define SIZE_Y    -8
#define MTU_Y     9 /* from its bottom */
#define NAME_X    -36
#define LABEL_GAP 8
#define EDGE_OVER 3 /* an edge's line reaches beyond the bar */
#define MARK_HALF 8
/* Bands that are not proved are paler, and their bar is dashed. */
#define PREDICTED_OPACITY 0.45

static double x_of(const struct heatmap_drawing *d, const struct heatmap_rect *bar,
		   double size)
{
	return bar->x + bar->w * ruler_place(&d->layout->ruler, size);
}

static void draw_bands(const struct heatmap_drawing *d, const struct ruler_dir *dir,
		       const struct heatmap_rect *bar)
{
	static const double dashes[] = {5, 4};
	double opacity = dir->guessed || dir->doubted ? PREDICTED_OPACITY : 1;

	if (dir->bands == 0)
		heatmap_draw_fate(d->cr, bar, FATE_UNKNOWN, opacity);
	for (int b = 0; b < dir->bands; b++) {
		double left = x_of(d, bar, dir->band[b].from - 0.5);
		double right = x_of(d, bar, dir->band[b].to + 0.5);
		struct heatmap_rect at = {left, bar->y, right - left, bar->h};

		heatmap_draw_fate(d->cr, &at, dir->band[b].fate, opacity);
	}
	cairo_set_source_rgb(d->cr, 0, 0, 0);
	cairo_set_line_width(d->cr, 1);
	if (opacity < 1)
		cairo_set_dash(d->cr, dashes, 2, 0);
	cairo_rectangle(d->cr, bar->x, bar->y, bar->w, bar->h);
	cairo_stroke(d->cr);
	cairo_set_dash(d->cr, NULL, 0, 0);
}

/* Lines at the edges, with leaders to labels that were moved, and ticks. */
static void draw_ticks(const struct heatmap_drawing *d, const struct ruler_dir *dir,
		       const struct heatmap_rect *bar)
{
	const struct ruler *ruler = &d->layout->ruler;

	cairo_set_source_rgb(d->cr, 0, 0, 0);
	cairo_set_line_width(d->cr, 1.6);
	for (int b = 0; b + 1 < dir->bands; b++) {
		double x = x_of(d, bar, dir->band[b].to + 0.5);

		cairo_move_to(d->cr, x, bar->y - EDGE_OVER);
		cairo_line_to(d->cr, x, bar->y + bar->h + EDGE_OVER);
	}
	cairo_stroke(d->cr);
	cairo_set_line_width(d->cr, 0.8);
	for (int size = ruler->from; size <= ruler->to; size += ruler->step) {
		double x = x_of(d, bar, size);

		cairo_move_to(d->cr, x, bar->y);
		cairo_line_to(d->cr, x, bar->y + 4);
		cairo_move_to(d->cr, x, bar->y + bar->h - 4);
		cairo_line_to(d->cr, x, bar->y + bar->h);
	}
	cairo_stroke(d->cr);
}

static void draw_name(const struct heatmap_drawing *d, const struct heatmap_rect *bar,
		      double y, const char *name)
{
	heatmap_set_font(d->cr, HEATMAP_FONT_LABEL, false);
	heatmap_draw_text(d->cr, name, HEATMAP_MARGIN, y, HEATMAP_LEFT,
			  bar->x + NAME_X + 12 - HEATMAP_MARGIN);
}

static void draw_labels(const struct heatmap_drawing *d, enum direction direction,
			const struct heatmap_rect *bar)
{
	const struct ruler_dir *dir = &d->layout->ruler.dir[direction];
	struct ruler_label labels[RULER_LABELS_MAX];
	double room = heatmap_text_width("1500", HEATMAP_FONT_LABEL) + LABEL_GAP;
	int count = ruler_labels(&d->layout->ruler, direction, bar->w, room, labels);
	char name[16];

	for (int l = 0; l < count; l++) {
		double x = bar->x + labels[l].at;
		char text[16];

		heatmap_set_font(d->cr, HEATMAP_FONT_LABEL, labels[l].edge);
		snprintf(text, sizeof(text), "%d", labels[l].size);
		heatmap_draw_text(d->cr, text, x, bar->y + SIZE_Y, HEATMAP_CENTER,
				  room - 2);
		snprintf(text, sizeof(text), "%d", labels[l].size - dir->overhead);
		if (labels[l].size >= dir->overhead)
			heatmap_draw_text(d->cr, text, x, bar->y + bar->h + MTU_Y,
					  HEATMAP_CENTER, room - 2);
	}
	draw_name(d, bar, bar->y + SIZE_Y, "outer size");
	snprintf(name, sizeof(name), "%s MTU", direction_sender(direction));
	draw_name(d, bar, bar->y + bar->h + MTU_Y, name);
}

static void draw_marks(const struct heatmap_drawing *d, const struct ruler_dir *dir,
		       const struct heatmap_rect *bar)
{
	for (int m = HEATMAP_MARKS - 1; m >= 0; m--) {
		if (dir->mark[m])
			heatmap_draw_mark(d->cr, signs[m].shape,
					  m == HEATMAP_RECOMMENDED &&
						  d->layout->ruler.predicted,
					  x_of(d, bar, dir->mark[m]),
					  bar->y + bar->h / 2, MARK_HALF);
	}
}

void heatmap_draw_rulers(const struct heatmap_drawing *d)
{
	for (int i = 0; i < DIR_COUNT; i++) {
		enum direction direction = (enum direction)i;
		const struct ruler_dir *dir = &d->layout->ruler.dir[i];
		const struct heatmap_rect *bar = &d->layout->bar[i];
		char title[120];

		snprintf(title, sizeof(title), "%s%s", ruler_title(direction),
			 ruler_doubt(dir));
		heatmap_set_font(d->cr, HEATMAP_FONT_TEXT + 2, true);
		heatmap_draw_text(d->cr, title, HEATMAP_MARGIN, bar->y + TITLE_Y,
				  HEATMAP_LEFT, bar->w);
		draw_bands(d, dir, bar);
		draw_ticks(d, dir, bar);
		draw_labels(d, direction, bar);
		draw_marks(d, dir, bar);
	}
}

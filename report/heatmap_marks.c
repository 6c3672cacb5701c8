/* SPDX-License-Identifier: MIT */
/* The layer above a heatmap's cells: marked pairs and the path's edges. */
#include <math.h>
#include <stdio.h>

#include "report/heatmap_draw.h"

#define LABEL_GAP   30 /* least distance between the sizes of two edges above a map */
#define LABELS_MAX  HEATMAP_EDGES_MAX
#define MARK_SMALL  6
#define MARK_CORNER 4.5
/* in cells of this size marks leave the middle free for the figure */
#define CELL_CORNER 34

/* Stroke light around dark, which is visible on any colour. */
static void stroke_twice(cairo_t *cr, double width)
{
	cairo_set_source_rgb(cr, 1, 1, 1);
	cairo_set_line_width(cr, width + 2);
	cairo_stroke_preserve(cr);
	cairo_set_source_rgb(cr, 0, 0, 0);
	cairo_set_line_width(cr, width);
	cairo_stroke(cr);
}

void heatmap_draw_mark(cairo_t *cr, enum sign_shape shape, bool dashed, double x,
		       double y, double half)
{
	static const double dashes[] = {4, 3};

	cairo_new_path(cr);
	if (dashed)
		cairo_set_dash(cr, dashes, 2, 0);
	switch (shape) {
	case SIGN_RING:
		cairo_arc(cr, x, y, half * 0.5, 0, 2 * M_PI);
		cairo_set_source_rgb(cr, 1, 1, 1);
		cairo_fill_preserve(cr);
		stroke_twice(cr, 1.4);
		break;
	case SIGN_DIAMOND:
		cairo_move_to(cr, x, y - half);
		cairo_line_to(cr, x + half, y);
		cairo_line_to(cr, x, y + half);
		cairo_line_to(cr, x - half, y);
		cairo_close_path(cr);
		stroke_twice(cr, 1.4);
		break;
	case SIGN_FRAME:
		cairo_rectangle(cr, x - half, y - half, 2 * half, 2 * half);
		stroke_twice(cr, 2);
		break;
	}
	cairo_set_dash(cr, NULL, 0, 0);
}

void heatmap_draw_marks(const struct heatmap_drawing *d, int panel)
{
	const struct heatmap_rect *at = &d->layout->map[panel];
	double cell = d->layout->cell;
	double corner = cell / 2 - MARK_CORNER - 3;

	for (int m = HEATMAP_MARKS - 1; m >= 0; m--) {
		const struct heatmap_mark *mark = &d->map->mark[m];
		enum sign_shape shape = signs[m].shape;
		bool dashed = m == HEATMAP_RECOMMENDED && d->map->predicted;
		double i = heatmap_position(&d->map->server, mark->mtu.server);
		double j = heatmap_position(&d->map->peer, mark->mtu.peer);
		double x = at->x + (j + 0.5) * cell;
		double y = at->y + at->h - (i + 0.5) * cell;

		if (!mark->set || isnan(i) || isnan(j))
			continue;
		if (shape == SIGN_FRAME)
			heatmap_draw_mark(d->cr, shape, dashed, x, y,
					  fmax(cell / 2, MARK_SMALL + 2));
		else if (cell < CELL_CORNER)
			heatmap_draw_mark(d->cr, shape, dashed, x, y,
					  fmin(fmax(cell * 0.45, MARK_SMALL), 9));
		else
			heatmap_draw_mark(
				d->cr, shape, dashed,
				x + (shape == SIGN_DIAMOND ? corner : -corner),
				y - corner, MARK_CORNER);
	}
}

/* A label beside its line, moved if the label before it is too close. */
struct label {
	double at;
	int size;
};

static void draw_labels(const struct heatmap_drawing *d, int panel,
			const struct label *labels, int count, bool above)
{
	const struct heatmap_rect *at = &d->layout->map[panel];
	double gap = above ? LABEL_GAP : HEATMAP_FONT_LABEL + 2;
	double free_from = -INFINITY;

	cairo_set_source_rgb(d->cr, 0, 0, 0);
	cairo_set_font_size(d->cr, HEATMAP_FONT_LABEL);
	for (int l = 0; l < count; l++) {
		double place = fmax(labels[l].at, free_from);
		char text[16];

		/* No room is left: omit the label, because the key below the maps lists
		 * all sizes. */
		if (place > labels[l].at + 3 * gap)
			break;
		free_from = place + gap;
		snprintf(text, sizeof(text), "%d", labels[l].size);
		if (above)
			heatmap_draw_text(d->cr, text, at->x + place, at->y - 9,
					  HEATMAP_CENTER, 0);
		else
			heatmap_draw_text(d->cr, text, at->x + at->w + 6,
					  at->y + at->h - place, HEATMAP_LEFT, 0);
	}
}

static void edge_line(const struct heatmap_drawing *d, double x1, double y1, double x2,
		      double y2, bool dashed)
{
	static const double dashes[] = {4, 3};

	if (dashed)
		cairo_set_dash(d->cr, dashes, 2, 0);
	cairo_set_line_cap(d->cr, CAIRO_LINE_CAP_BUTT);
	cairo_move_to(d->cr, x1, y1);
	cairo_line_to(d->cr, x2, y2);
	stroke_twice(d->cr, 1.2);
	cairo_set_dash(d->cr, NULL, 0, 0);
}

/* Return the number of the receiver's MTUs that keep the sender's TCP segments below
 * the edge. WireGuard pads packets that the receiver's MTU limits to a multiple of
 * 16. */
static int padded_boundary(const struct heatmap_axis *axis, int mtu_sent)
{
	return heatmap_boundary(axis, mtu_sent / 16 * 16);
}

/* Draw a line across the sender's axis at the largest MTU below the edge: full-size
 * packets of larger MTUs are above the edge. The line is dashed where the receiver's
 * MTU keeps TCP segments below it. */
static void draw_edge(const struct heatmap_drawing *d, const struct heatmap_rect *at,
		      const struct heatmap_edge *edge)
{
	const struct heatmap *map = d->map;
	double cell = d->layout->cell;
	double bottom = at->y + at->h;

	if (edge->dir == DIR_UPLOAD) {
		double x = at->x + heatmap_boundary(&map->peer, edge->mtu_sent) * cell;
		double y =
			bottom - padded_boundary(&map->server, edge->mtu_sent) * cell;

		edge_line(d, x, bottom, x, y, true);
		edge_line(d, x, y, x, at->y, false);
		edge_line(d, x, y, at->x + at->w, y, false);
	} else {
		double y =
			bottom - heatmap_boundary(&map->server, edge->mtu_sent) * cell;
		double x = at->x + padded_boundary(&map->peer, edge->mtu_sent) * cell;

		edge_line(d, at->x, y, x, y, true);
		edge_line(d, x, y, at->x + at->w, y, false);
		edge_line(d, x, y, x, at->y, false);
	}
}

void heatmap_draw_edges(const struct heatmap_drawing *d, int panel)
{
	const struct heatmap *map = d->map;
	const struct heatmap_panel *p = &map->panel[panel];

	for (int dir = 0; dir < DIR_COUNT; dir++) {
		const struct heatmap_axis *axis = dir == DIR_UPLOAD ? &map->peer
								    : &map->server;
		struct label labels[LABELS_MAX];
		int count = 0;

		for (int e = 0; e < map->edges && p->shows[dir]; e++) {
			const struct heatmap_edge *edge = &map->edge[e];
			int boundary = heatmap_boundary(axis, edge->mtu_sent);

			/* The whole map is on one side of the edge. */
			if ((int)edge->dir != dir || boundary == 0 ||
			    boundary == axis->count)
				continue;
			draw_edge(d, &d->layout->map[panel], edge);
			labels[count++] = (struct label){
				boundary * d->layout->cell,
				edge->size,
			};
		}
		draw_labels(d, panel, labels, count, dir == DIR_UPLOAD);
	}
}

void heatmap_draw_sign(const struct heatmap_drawing *d, const struct heatmap_key *key,
		       double x, double y)
{
	switch (key->kind) {
	case HEATMAP_KEY_MARK:
		heatmap_draw_mark(d->cr, signs[key->which].shape,
				  key->which == HEATMAP_RECOMMENDED &&
					  d->map->predicted,
				  x, y, 5);
		break;
	case HEATMAP_KEY_EDGES:
		edge_line(d, x - 7, y, x + 7, y, false);
		break;
	case HEATMAP_KEY_FAILED:
	case HEATMAP_KEY_BLANK:
	case HEATMAP_KEY_PREDICTED:
	case HEATMAP_KEY_FATE:
		heatmap_draw_swatch(d->cr, key, x, y);
		break;
	}
}

/* SPDX-License-Identifier: MIT */
#ifndef REPORT_HEATMAP_DRAW_H
#define REPORT_HEATMAP_DRAW_H

#include <cairo.h>

#include "report/heatmap_layout.h"

/* Declarations that the files which draw a heatmap share, and nobody else. */

struct heatmap_drawing {
	cairo_t *cr;
	const struct heatmap *map;
	const struct heatmap_layout *layout;
};

/* Draw the rulers, without their keys. */
void heatmap_draw_rulers(const struct heatmap_drawing *d);

/* Draw everything within a panel's map. */
void heatmap_draw_cells(const struct heatmap_drawing *d, int panel);
void heatmap_draw_edges(const struct heatmap_drawing *d, int panel);
void heatmap_draw_marks(const struct heatmap_drawing *d, int panel);

/* Draw a key's sign in a square of 12 units around (x, y). */
void heatmap_draw_sign(const struct heatmap_drawing *d, const struct heatmap_key *key,
		       double x, double y);

/* The part of heatmap_draw_sign() that draws a sample of a cell. */
void heatmap_draw_swatch(cairo_t *cr, const struct heatmap_key *key, double x,
			 double y);

/* Fill a rectangle with a fate's colour, of that opacity, and its pattern. */
void heatmap_draw_fate(cairo_t *cr, const struct heatmap_rect *at, enum fate fate,
		       double opacity);

/* Draw a mark's sign around a point; dashed if it is not proved. */
void heatmap_draw_mark(cairo_t *cr, enum sign_shape shape, bool dashed, double x,
		       double y, double half);

/* Set the font, and the colour of ink, for later drawing. */
void heatmap_set_font(cairo_t *cr, double size, bool bold);

enum heatmap_align {
	HEATMAP_LEFT,
	HEATMAP_CENTER,
	HEATMAP_RIGHT,
};

/* Draw a text whose line is centred at y, smaller if it is wider than `width` (0: no
 * limit). */
void heatmap_draw_text(cairo_t *cr, const char *text, double x, double y,
		       enum heatmap_align align, double width);

#endif

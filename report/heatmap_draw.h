#ifndef REPORT_HEATMAP_DRAW_H
#define REPORT_HEATMAP_DRAW_H

#include <cairo.h>

#include "report/heatmap_layout.h"

/* What the files that draw a heatmap share: nobody else needs it. */

struct heatmap_drawing {
	cairo_t *cr;
	const struct heatmap *map;
	const struct heatmap_layout *layout;
};

/* Everything within a panel's map. */
void heatmap_draw_cells(const struct heatmap_drawing *d, int panel);
void heatmap_draw_edges(const struct heatmap_drawing *d, int panel);
void heatmap_draw_marks(const struct heatmap_drawing *d, int panel);

/* A key's sign, in a square of 12 whose middle is (x, y). */
void heatmap_draw_sign(const struct heatmap_drawing *d, const struct heatmap_key *key,
		       double x, double y);

/* The part of it that shows what cells look like. */
void heatmap_draw_swatch(cairo_t *cr, const struct heatmap_key *key, double x,
			 double y);

/* For what is drawn from here on, in the colour of ink. */
void heatmap_set_font(cairo_t *cr, double size, bool bold);

enum heatmap_align {
	HEATMAP_LEFT,
	HEATMAP_CENTER,
	HEATMAP_RIGHT,
};

/* At the middle of its line; smaller where it is wider than `width` (0: no matter). */
void heatmap_draw_text(cairo_t *cr, const char *text, double x, double y,
		       enum heatmap_align align, double width);

#endif

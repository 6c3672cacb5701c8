/* SPDX-License-Identifier: MIT */
/* Text in the pictures, in the fonts that the host has. */
#include <cairo.h>
#include <stdbool.h>

#include "report/heatmap_draw.h"

#define FONT "sans-serif"
/* cairo's built-in font, which needs no file. */
#define FONT_WITHOUT_FILES "@cairo:"
#define INK                0.13

void heatmap_set_font(cairo_t *cr, double size, bool bold)
{
	cairo_font_weight_t weight = bold ? CAIRO_FONT_WEIGHT_BOLD
					  : CAIRO_FONT_WEIGHT_NORMAL;
	cairo_text_extents_t extents;

	cairo_set_font_size(cr, size);
	cairo_select_font_face(cr, FONT, CAIRO_FONT_SLANT_NORMAL, weight);
	cairo_text_extents(cr, "0", &extents);
	/* A missing font makes all later drawing fail. */
	if (cairo_scaled_font_status(cairo_get_scaled_font(cr)) !=
		    CAIRO_STATUS_SUCCESS ||
	    extents.width <= 0)
		cairo_select_font_face(cr, FONT_WITHOUT_FILES, CAIRO_FONT_SLANT_NORMAL,
				       weight);
	cairo_set_source_rgb(cr, INK, INK, INK);
}

void heatmap_draw_text(cairo_t *cr, const char *text, double x, double y,
		       enum heatmap_align align, double width)
{
	cairo_text_extents_t extents;
	cairo_font_extents_t font;
	double shrink = 1;

	cairo_text_extents(cr, text, &extents);
	cairo_font_extents(cr, &font);
	if (width > 0 && extents.x_advance > width)
		shrink = width / extents.x_advance;
	cairo_save(cr);
	cairo_translate(cr, x, y);
	cairo_scale(cr, shrink, shrink);
	cairo_move_to(cr, -extents.x_advance * align / 2,
		      (font.ascent - font.descent) / 2);
	cairo_show_text(cr, text);
	cairo_restore(cr);
}

#ifndef REPORT_HEATMAP_CAIRO_H
#define REPORT_HEATMAP_CAIRO_H

#include <stdio.h>

#include "report/heatmap.h"

/*
 * A heatmap as a picture on white, drawn with cairo; see heatmap_layout.h for where
 * things are. Where the host has no font it is drawn with cairo's own letters.
 */

/* Pixels of a PNG to a unit of the layout. */
#define HEATMAP_PNG_SCALE 2

/* -ENOMEM, -ENOSPC and others of writing; `out` may then hold a part of it. */
int heatmap_write_png(const struct heatmap *map, FILE *out, struct err *err);

/* The same; it has the map's lines as its title, for those who cannot see it. */
int heatmap_write_svg(const struct heatmap *map, FILE *out, struct err *err);

#endif

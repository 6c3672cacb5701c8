/* SPDX-License-Identifier: MIT */
#ifndef REPORT_HEATMAP_CAIRO_H
#define REPORT_HEATMAP_CAIRO_H

#include <stdio.h>

#include "report/heatmap.h"

/*
 * A heatmap as a picture on white, drawn with cairo; heatmap_layout.h computes the
 * positions. On a host without fonts cairo's built-in letters are used.
 */

/* Pixels of a PNG for each unit of the layout. */
#define HEATMAP_PNG_SCALE 2

const char *heatmap_cairo_version(void);

/* -ENOMEM, -ENOSPC and other errors of writing; `out` may then hold a part of the
 * picture. */
int heatmap_write_png(const struct heatmap *map, FILE *out, struct err *err);

/* The same as SVG. Its title holds the map's lines, for readers who cannot see the
 * picture. */
int heatmap_write_svg(const struct heatmap *map, FILE *out, struct err *err);

#endif

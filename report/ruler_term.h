/* SPDX-License-Identifier: MIT */
#ifndef REPORT_RULER_TERM_H
#define REPORT_RULER_TERM_H

#include "report/heatmap_term.h"

/* Print the ruler as text with a legend, in lines of at most `columns` columns,
 * HEATMAP_COLUMNS_MIN at least; nothing if there is no ruler. Each size has the letter or
 * the glyph of its fate, with colours also a ground; an edge's size is in brackets. */
void ruler_print(const struct ruler *ruler, enum heatmap_colors colors, bool glyphs,
		 int columns, FILE *out);

#endif

#ifndef REPORT_HEATMAP_TERM_H
#define REPORT_HEATMAP_TERM_H

#include <stdio.h>

#include "report/heatmap.h"

/* A heatmap as text: two columns a pair, in colours or, without, in digits. */

enum heatmap_colors {
	HEATMAP_LETTERS, /* none: a digit is the tenth of the scale a rate lies in */
	HEATMAP_256,     /* the 6x6x6 cube and the greys of xterm's 256 colours */
	HEATMAP_TRUE,    /* 24 bits */
};

/* What a terminal can show, from the values of NO_COLOR, TERM and COLORTERM (each NULL
 * where it is not set): none where NO_COLOR has one (no-color.org). */
enum heatmap_colors heatmap_term_colors(bool is_terminal, const char *no_color,
					const char *term, const char *colorterm);

/* No line is longer than `columns`, down to 40. Where a panel has more MTUs than fit,
 * those without a measurement go first, then evenly; it is said. Errors of `out` are
 * left for the caller to find with ferror(). */
void heatmap_print(const struct heatmap *map, enum heatmap_colors colors, int columns,
		   FILE *out);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef REPORT_HEATMAP_TERM_H
#define REPORT_HEATMAP_TERM_H

#include <stdio.h>

#include "report/heatmap.h"

/* A heatmap as text: two columns a pair, in colours or, without, in digits. */

enum heatmap_colors {
	/* without colours: a digit is the tenth of the scale that a rate belongs to */
	HEATMAP_LETTERS,
	HEATMAP_256,  /* the 6x6x6 cube and the greys of xterm's 256 colours */
	HEATMAP_TRUE, /* 24 bits */
};

/* Determine the terminal's colours from the values of NO_COLOR, TERM and COLORTERM
 * (each NULL if unset): none if NO_COLOR has a value (no-color.org). */
enum heatmap_colors heatmap_term_colors(bool is_terminal, const char *no_color,
					const char *term, const char *colorterm);

/* True if a terminal with these values of LC_ALL, LC_CTYPE and LANG (each NULL if unset)
 * prints UTF-8: then signs are glyphs, else letters. */
bool heatmap_term_glyphs(const char *lc_all, const char *lc_ctype, const char *lang);

/* The sign where more than one mark is. */
#define MARK_SHARED "*"

/* Narrower output is as if it had so many columns. */
#define HEATMAP_COLUMNS_MIN 40

/* Break a long line at spaces. */
void heatmap_print_wrapped(const char *text, int columns, FILE *out);

/* Print with lines of at most `columns` columns, down to HEATMAP_COLUMNS_MIN: the
 * recommendation, the ruler of the path, the maps. If a panel has more MTUs than fit, those
 * without a measurement are omitted first, then others at equal distances; a note says so.
 * For errors of `out`, check ferror(). */
void heatmap_print(const struct heatmap *map, enum heatmap_colors colors, bool glyphs,
		   int columns, FILE *out);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef REPORT_SVGSMALL_H
#define REPORT_SVGSMALL_H

#include <stdio.h>

/* Write a part of cairo's SVG with its coordinates (the attributes d, x and y) rounded to a
 * hundredth of a unit and without needless spaces, without defaults and with shorter names:
 * cairo's own text is half of a picture with many letters.
 * Errors of `out` are left for the caller to find with ferror(). */
void svgsmall_write(const char *svg, size_t size, FILE *out);

#endif

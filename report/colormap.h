/* SPDX-License-Identifier: MIT */
#ifndef REPORT_COLORMAP_H
#define REPORT_COLORMAP_H

/*
 * The colours of a heatmap: from dark blue over green to light yellow. Equal steps of
 * the figure look equally large, in colour and in lightness. Lightness grows from one
 * end to the other, so the scale also works in grey and for readers who cannot
 * distinguish red from green.
 *
 * The steps are taken in OKLab, a space whose distances match perception (B. Ottosson,
 * "A perceptual color space for image processing", 2020).
 */

struct colormap_color {
	double red; /* sRGB, 0 to 1 */
	double green;
	double blue;
};

/* Return the colour at t, from 0 (least) to 1; a value outside becomes the nearest
 * end. */
struct colormap_color colormap_at(double t);

#endif

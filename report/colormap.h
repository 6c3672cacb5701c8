#ifndef REPORT_COLORMAP_H
#define REPORT_COLORMAP_H

/*
 * The colours of a heatmap: from dark blue over green to light yellow. Equal steps of
 * the figure are equal steps for the eye, in colour and in lightness, which grows from
 * one end to the other: it reads in grey and by those who do not tell red from green.
 *
 * The steps are taken in OKLab, a space in which distances are what eyes see
 * (B. Ottosson, "A perceptual color space for image processing", 2020).
 */

struct colormap_color {
	double red; /* sRGB, 0 to 1 */
	double green;
	double blue;
};

/* t from 0 (least) to 1; what is outside is taken for the end. */
struct colormap_color colormap_at(double t);

#endif

/* SPDX-License-Identifier: MIT */
#include "report/colormap.h"

#include <math.h>

#define POINTS 6

struct lab {
	double l;
	double a;
	double b;
};

/* Lightness, chroma and hue (degrees) of the points that the scale runs through. sRGB
 * contains all of them, and the straight lines between them. */
static const struct {
	double lightness;
	double chroma;
	double hue;
} points[POINTS] = {
	{0.26, 0.110, 285}, {0.39, 0.120, 262}, {0.52, 0.092, 232},
	{0.65, 0.100, 180}, {0.79, 0.155, 140}, {0.93, 0.165, 106},
};

static struct lab point_lab(int i)
{
	double angle = points[i].hue * M_PI / 180;

	return (struct lab){points[i].lightness, points[i].chroma * cos(angle),
			    points[i].chroma * sin(angle)};
}

static double distance(const struct lab *x, const struct lab *y)
{
	return sqrt((x->l - y->l) * (x->l - y->l) + (x->a - y->a) * (x->a - y->a) +
		    (x->b - y->b) * (x->b - y->b));
}

/* Return the colour at fraction `t` of the way through the points. */
static struct lab lab_at(double t)
{
	struct lab lab[POINTS];
	double step[POINTS] = {0};
	double way = 0;
	int i;

	for (i = 0; i < POINTS; i++) {
		lab[i] = point_lab(i);
		if (i > 0)
			step[i] = distance(&lab[i - 1], &lab[i]);
		way += step[i];
	}
	way *= t;
	for (i = 1; i < POINTS - 1 && way > step[i]; i++)
		way -= step[i];
	t = fmin(way / step[i], 1);
	return (struct lab){lab[i - 1].l + t * (lab[i].l - lab[i - 1].l),
			    lab[i - 1].a + t * (lab[i].a - lab[i - 1].a),
			    lab[i - 1].b + t * (lab[i].b - lab[i - 1].b)};
}

/* The curve of IEC 61966-2-1; values outside its range become the nearest end. */
static double srgb(double linear)
{
	linear = fmin(fmax(linear, 0), 1);
	return linear <= 0.0031308 ? 12.92 * linear
				   : 1.055 * pow(linear, 1 / 2.4) - 0.055;
}

/* The matrices are Ottosson's. */
static struct colormap_color from_lab(const struct lab *lab)
{
	double l = pow(lab->l + 0.3963377774 * lab->a + 0.2158037573 * lab->b, 3);
	double m = pow(lab->l - 0.1055613458 * lab->a - 0.0638541728 * lab->b, 3);
	double s = pow(lab->l - 0.0894841775 * lab->a - 1.2914855480 * lab->b, 3);

	return (struct colormap_color){
		srgb(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
		srgb(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
		srgb(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s),
	};
}

struct colormap_color colormap_at(double t)
{
	struct lab lab = lab_at(fmin(fmax(t, 0), 1));

	return from_lab(&lab);
}

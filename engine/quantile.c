/* SPDX-License-Identifier: MIT */
/* Approximations of quantiles. */
#include "engine/quantile.h"

#include <math.h>

double quantile_normal(double probability)
{
	double t = sqrt(-2 * log(probability));
	double above = 2.515517 + t * (0.802853 + t * 0.010328);
	double below = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308));

	return t - above / below;
}

double quantile_student(double z, double freedom)
{
	double z3 = z * z * z;
	double z5 = z3 * z * z;
	double z7 = z5 * z * z;

	return z + (z3 + z) / (4 * freedom) +
	       (5 * z5 + 16 * z3 + 3 * z) / (96 * freedom * freedom) +
	       (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) /
		       (384 * freedom * freedom * freedom);
}

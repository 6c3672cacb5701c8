/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_QUANTILE_H
#define ENGINE_QUANTILE_H

/* Quantiles for intervals and tests. Pure. */

/* The value that a normal distribution exceeds with this probability, up to 0.5: 1.96 for
 * 0.025. Off by 0.00045 at most (Abramowitz and Stegun 26.2.23). */
double quantile_normal(double probability);

/* Student's t with so many degrees of freedom, from the normal quantile `z` (Abramowitz and
 * Stegun 26.7.5). Too small by a few percent below 5 degrees and beyond z = 3. */
double quantile_student(double z, double freedom);

#endif

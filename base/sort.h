/* SPDX-License-Identifier: MIT */
#ifndef BASE_SORT_H
#define BASE_SORT_H

#include <stddef.h>

/* Sort in ascending order. No value may be NaN. */
void sort_doubles(double *values, size_t count);

#endif

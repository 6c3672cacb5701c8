/* SPDX-License-Identifier: MIT */
/* Sorting numbers. */
#include "base/sort.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	const double *x = a;
	const double *y = b;

	return (*x > *y) - (*x < *y);
}

void sort_doubles(double *values, size_t count)
{
	qsort(values, count, sizeof(values[0]), compare);
}

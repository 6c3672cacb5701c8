/* SPDX-License-Identifier: MIT */
#include "base/array.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Elements there is room for after the first call. */
#define FIRST_ROOM 16

int array_append(void *list, size_t *count, const void *element, size_t size)
{
	size_t n = *count;
	char *array;

	memcpy(&array, list, sizeof(array));
	/* Room doubles at each power of two. */
	if (n == 0 || (n >= FIRST_ROOM && (n & (n - 1)) == 0)) {
		array = reallocarray(array, n ? 2 * n : FIRST_ROOM, size);
		if (!array)
			return -ENOMEM;
		memcpy(list, &array, sizeof(array));
	}
	memcpy(array + n * size, element, size);
	*count = n + 1;
	return 0;
}

static int compare_doubles(const void *a, const void *b)
{
	const double *x = a;
	const double *y = b;

	return (*x > *y) - (*x < *y);
}

void array_sort_doubles(double *values, size_t count)
{
	qsort(values, count, sizeof(values[0]), compare_doubles);
}

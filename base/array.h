/* SPDX-License-Identifier: MIT */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include <stddef.h>

/* Arrays in memory of malloc(). */

/* Append a copy of an element of `size` bytes. `list` is the address of the pointer to
 * the array, which moves as it grows; before the first call the pointer is NULL and
 * *count 0. *count may be set back to 0. Only this function may have allocated the array.
 * -ENOMEM: nothing changed. */
int array_append(void *list, size_t *count, const void *element, size_t size);

/* Sort in ascending order. No value may be NaN. */
void array_sort_doubles(double *values, size_t count);

#endif

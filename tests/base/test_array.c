/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"

#define ELEMENTS 100

static void append_keeps_what_there_is(void **state)
{
	uint64_t *list = NULL;
	size_t count = 0;

	(void)state;
	/* The second round begins with an array that has room already. */
	for (int round = 0; round < 2; round++) {
		count = 0;
		for (uint64_t i = 0; i < ELEMENTS; i++) {
			uint64_t element = i * i;

			assert_int_equal(
				array_append(&list, &count, &element, sizeof(element)),
				0);
		}
		assert_int_equal(count, ELEMENTS);
		for (uint64_t i = 0; i < ELEMENTS; i++)
			assert_int_equal(list[i], i * i);
	}
	free(list);
}

/* With the address sanitizer too, what cannot be allocated is NULL. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static void append_without_memory_changes_nothing(void **state)
{
	uint64_t *list = NULL;
	uint64_t element = 1;
	size_t count = 0;

	(void)state;
	assert_int_equal(array_append(&list, &count, &element, SIZE_MAX / 8), -ENOMEM);
	assert_null(list);
	assert_int_equal(count, 0);
}

static void doubles_ascend(void **state)
{
	double values[] = {3, -1, 2.5, 0};

	(void)state;
	array_sort_doubles(values, 4);
	for (int i = 0; i < 3; i++)
		assert_true(values[i] < values[i + 1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(append_keeps_what_there_is),
		cmocka_unit_test(append_without_memory_changes_nothing),
		cmocka_unit_test(doubles_ascend),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

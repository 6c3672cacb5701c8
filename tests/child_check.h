/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CHILD_CHECK_H
#define TESTS_CHILD_CHECK_H

#include <stdio.h>

/* In a forked child of a test, where cmocka's asserts would go on with the other tests:
 * print the condition that does not hold, and return 1. */
#define CHILD_CHECK(condition)                                             \
	do {                                                               \
		if (!(condition)) {                                        \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, \
				#condition);                               \
			return 1;                                          \
		}                                                          \
	} while (0)

#endif

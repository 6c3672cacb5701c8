/* SPDX-License-Identifier: MIT */
#ifndef BASE_ONE_END_TESTS_H
#define BASE_ONE_END_TESTS_H

#include <stdio.h>

#include "base/evidence.h"

/*
 * The sentences about the MTU that one end alone recommends, which must be known: how far
 * it is proved, and what throughput tests with it and with the current MTU have shown.
 */

/* True if tests contradict the probes: the MTU must not be set. */
bool one_end_is_contradicted(const struct evidence *e);

/* The line with the MTU and its proof. `tests_follow`: they are not done yet. */
void one_end_tests_print_first(const struct evidence *e, bool tests_follow, FILE *out);

/* All of it. */
void one_end_tests_print(const struct evidence *e, bool tests_follow, FILE *out);

/* The same as text, after the tests. The caller frees it. -ENOMEM. */
int one_end_tests_text(const struct evidence *e, char **ret, struct err *err);

#endif

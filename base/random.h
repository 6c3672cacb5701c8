/* SPDX-License-Identifier: MIT */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stdint.h>

/* Numbers that a seed determines: for orders that can be repeated, not for secrets. */

/* splitmix64 (Steele, Lea, Flood 2014): any seed is a good one. */
uint64_t random_next(uint64_t *state);

/* 0 <= result < bound, all equally likely. */
uint64_t random_below(uint64_t *state, uint64_t bound);

#endif

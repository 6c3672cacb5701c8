/* SPDX-License-Identifier: MIT */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/types.h"

/* 64 random bits. */
uint64_t random_u64(void);

/* Numbers that a seed determines: for orders that can be repeated, not for secrets.
 * splitmix64 (Steele, Lea, Flood 2014): any seed is a good one. */
uint64_t random_next(uint64_t *state);
/* 0 <= result < bound, all equally likely. */
uint64_t random_below(uint64_t *state, uint64_t bound);

/* A random UUID (RFC 9562, version 4) in lower case. */
void uuid_make(char ret[UUID_SIZE]);
bool uuid_valid(const char *text);

/* A secret that only its owner knows: 128 random bits in hex, lower case. */
#define TOKEN_SIZE 33
void token_make(char ret[TOKEN_SIZE]);
bool token_valid(const char *text);
/* Compare in constant time, so that the duration of an answer does not reveal how much
 * of a guess is right. False if either is not a valid token. */
bool token_same(const char *a, const char *b);

#endif

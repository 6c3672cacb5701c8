/* SPDX-License-Identifier: MIT */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/types.h"

/* A random UUID (RFC 9562, version 4) in lower case. */
void uuid_make(char ret[UUID_SIZE]);
bool uuid_valid(const char *text);

/* 64 random bits. */
uint64_t random_u64(void);

/* A secret that only its owner knows: 128 random bits in hex, lower case. */
#define TOKEN_SIZE 33
void token_make(char ret[TOKEN_SIZE]);
bool token_valid(const char *text);
/* Compare in constant time, so that the duration of an answer does not reveal how much
 * of a guess is right. False if either is not a valid token. */
bool token_same(const char *a, const char *b);

#endif

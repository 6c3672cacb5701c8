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

#endif

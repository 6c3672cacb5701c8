/* SPDX-License-Identifier: MIT */
#ifndef TESTS_FUZZ_LIVE_STATE_H
#define TESTS_FUZZ_LIVE_STATE_H

#include <stddef.h>
#include <stdint.h>

/* The state file of a campaign, in memory that its processes share: the next start goes on
 * with it. Begin a struct of the campaign's with this one. */
struct state {
	uint64_t magic;
	uint64_t seed;
};

/* Zeros behind the head where the file is new. Ends the program on errors, with status 2 if
 * the file is another seed's. */
void *state_open(const char *path, size_t size, uint64_t seed);

#endif

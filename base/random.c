/* SPDX-License-Identifier: MIT */
#include "base/random.h"

uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

uint64_t random_below(uint64_t *state, uint64_t bound)
{
	/* Draw again where the lower results would be likelier than the others. */
	uint64_t rest = -bound % bound;
	uint64_t drawn;

	do {
		drawn = random_next(state);
	} while (drawn < rest);
	return drawn % bound;
}

/* SPDX-License-Identifier: MIT */
#include "base/random.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static void random_bytes(void *buffer, size_t size)
{
	/* getrandom(2) gives up to 256 bytes completely; it waits until the pool is
	 * ready. */
	if (getrandom(buffer, size, 0) != (ssize_t)size)
		abort();
}

uint64_t random_u64(void)
{
	uint64_t value;

	random_bytes(&value, sizeof(value));
	return value;
}

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

void uuid_make(char ret[UUID_SIZE])
{
	unsigned char b[16];

	random_bytes(b, sizeof(b));
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	snprintf(ret, UUID_SIZE,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10],
		 b[11], b[12], b[13], b[14], b[15]);
}

bool uuid_valid(const char *text)
{
	if (strlen(text) != UUID_SIZE - 1)
		return false;
	for (int i = 0; i < UUID_SIZE - 1; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-'
			 : !isdigit((unsigned char)text[i]) &&
				    (text[i] < 'a' || text[i] > 'f'))
			return false;
	}
	return true;
}

void token_make(char ret[TOKEN_SIZE])
{
	snprintf(ret, TOKEN_SIZE, "%016" PRIx64 "%016" PRIx64, random_u64(),
		 random_u64());
}

bool token_valid(const char *text)
{
	return strnlen(text, TOKEN_SIZE) == TOKEN_SIZE - 1 &&
	       strspn(text, "0123456789abcdef") == TOKEN_SIZE - 1;
}

bool token_same(const char *a, const char *b)
{
	unsigned char differ = 0;

	if (!token_valid(a) || !token_valid(b))
		return false;
	for (int i = 0; i < TOKEN_SIZE - 1; i++)
		differ |= (unsigned char)(a[i] ^ b[i]);
	return differ == 0;
}

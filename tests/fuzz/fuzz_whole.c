/* SPDX-License-Identifier: MIT */
/* The first bytes of a connection, any bytes: what is a whole request stays one, whatever
 * follows it. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sync/whole.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In memory of exactly the size that whole_judge() may use. */
static enum whole judge(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	enum whole whole;

	if (!text)
		return WHOLE_NOT;
	memcpy(text, data, size);
	text[size] = 'x';
	whole = whole_judge(text, size);
	free(text);
	return whole;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum whole all;

	if (size > WHOLE_HEAD_MAX)
		size = WHOLE_HEAD_MAX;
	all = judge(data, size);
	if (all != WHOLE_NOT && all != WHOLE_HEAD && all != WHOLE_ALL)
		abort();
	for (size_t part = 0; part < size; part += 1 + size / 16)
		if (judge(data, part) > all)
			abort();
	return 0;
}

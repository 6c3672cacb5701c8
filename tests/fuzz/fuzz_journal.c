/* SPDX-License-Identifier: MIT */
/* The text of a journal, any bytes, through the parser of netctl/journal.c, which is part
 * of this file: one that is accepted is written and read again as the same. */

#include "netctl/journal.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* False: it is refused. In memory of exactly its size. */
static bool parse_copy(const char *text, size_t size, struct journal *ret)
{
	char *copy = malloc(size + 1);
	bool ok = false;

	memset(ret, 0, sizeof(*ret));
	if (!copy)
		return false;
	memcpy(copy, text, size);
	copy[size] = '\0';
	ok = strlen(copy) == size && parse_journal(copy, ret);
	free(copy);
	return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct journal first;
	struct journal second;
	char *text = NULL;
	char *again = NULL;
	size_t text_size;
	size_t again_size;

	/* As read_file() limits it. */
	if (size > 8192 || !parse_copy((const char *)data, size, &first))
		return 0;
	if (format_journal(&first, &text, &text_size) < 0)
		abort();
	if (!parse_copy(text, text_size, &second) ||
	    format_journal(&second, &again, &again_size) < 0 ||
	    strcmp(text, again) != 0)
		abort();
	outlives_its_place(&first.changes);
	free(text);
	free(again);
	return 0;
}

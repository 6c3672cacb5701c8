/* SPDX-License-Identifier: MIT */
/* The query string of a page's request, any bytes. */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sync/page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The text is used as a run's name, and in SQL as a value. */
static void check_text(const char *text, size_t size)
{
	if (strnlen(text, size) == size ||
	    text[strspn(text, "0123456789abcdefABCDEF-")] != '\0')
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *query = calloc(1, size + 1);
	struct page_ask ask;
	struct err err = ERR_INIT;
	int r;

	if (!query)
		return 0;
	if (size)
		memcpy(query, data, size);
	r = page_ask_parse(query, &ask, &err);
	free(query);
	if (r == -EINVAL)
		return 0;
	if (r != 0 || ask.pair.server < 0 || ask.pair.server > MTU_MAX ||
	    ask.pair.peer < 0 || ask.pair.peer > MTU_MAX)
		abort();
	check_text(ask.run, sizeof(ask.run));
	check_text(ask.have, sizeof(ask.have));
	check_text(ask.revision, sizeof(ask.revision));
	return 0;
}

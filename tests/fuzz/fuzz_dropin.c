/* SPDX-License-Identifier: MIT */
/* A drop-in of any bytes, through the parser of netctl/hostdropin.c, which is part of this
 * file: only what the program itself writes is its own. */

#include <stdint.h>
#include <stdlib.h>

#include "netctl/hostdropin.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* As conffile's reader gives it: with a NUL behind it. */
	char *text = malloc(size + 1);
	char again[TEXT_SIZE];
	struct dropin dropin;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (parse(text, size, &dropin) &&
	    (dropin.mtu < MTU_MIN || dropin.mtu > MTU_MAX ||
	     format(&dropin, again) != size || memcmp(again, data, size) != 0))
		abort();
	free(text);
	return 0;
}

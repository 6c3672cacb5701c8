/* SPDX-License-Identifier: MIT */
/* Stored text as JSON strings. */
#include "base/jsontext.h"

#include <stdlib.h>
#include <string.h>

#include "base/io.h"

json_t *jsontext_new(const char *text)
{
	json_t *value = json_string(text);
	cleanup_free char *copy = value ? NULL : strdup(text);

	if (!copy)
		return value;
	for (char *c = copy; *c; c++) {
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	}
	return json_string(copy);
}

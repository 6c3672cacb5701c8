/* SPDX-License-Identifier: MIT */
#ifndef BASE_JSONTEXT_H
#define BASE_JSONTEXT_H

#include <jansson.h>

/* Make a JSON string of any stored text. If it is not UTF-8, every byte that is not
 * ASCII becomes '?'. Return a new object, freed with json_decref(), or NULL without
 * memory. */
json_t *jsontext_new(const char *text);

#endif

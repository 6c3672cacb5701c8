#ifndef BASE_JSONTEXT_H
#define BASE_JSONTEXT_H

#include <jansson.h>

/* A JSON string of any stored text: where it is not UTF-8, its bytes that are not ASCII become
 * '?'. A new object, freed with json_decref(); NULL: out of memory. */
json_t *jsontext_new(const char *text);

#endif

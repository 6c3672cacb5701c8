#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Small work on strings. */

/* Copy as much as fits; always ends in NUL; false when it was cut. */
bool text_copy(char *dst, size_t size, const char *src);

/* A whole decimal number within [min, max], nothing else on either side. 0 or -EINVAL,
 * -ERANGE. */
int text_to_int(const char *text, int64_t min, int64_t max, int64_t *ret);

/* Seconds with up to three decimals ("5", "0.3") into milliseconds, within
 * [min_ms, max_ms]. 0, -EINVAL or -ERANGE. */
int text_to_ms(const char *text, int64_t min_ms, int64_t max_ms, int64_t *ret);

/* Replace what could move a terminal's cursor (bytes below 0x20, 0x7f) by '?'. */
void text_printable(char *text);

#endif

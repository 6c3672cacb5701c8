/* SPDX-License-Identifier: MIT */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Functions on strings. */

/* Copy as much as fits; always ends in NUL; false when it was cut. */
bool text_copy(char *dst, size_t size, const char *src);

/* A whole decimal number within [min, max], nothing else on either side. 0 or -EINVAL,
 * -ERANGE. */
int text_to_int(const char *text, int64_t min, int64_t max, int64_t *ret);

/* Seconds with up to three decimals ("5", "0.3") into milliseconds, within
 * [min_ms, max_ms]. 0, -EINVAL or -ERANGE. */
int text_to_ms(const char *text, int64_t min_ms, int64_t max_ms, int64_t *ret);

/* Return the length of the control character that `text` begins with, if a terminal may
 * act on it: below 0x20, 0x7f, in UTF-8 U+0080 to U+009F, and those that change the order
 * in which a text is shown. 0: none. */
size_t text_control(const char *text);

/* Make the text fit for a terminal: replace each byte of such a control character, and
 * each byte that is no part of a UTF-8 character, by '?'. */
void text_printable(char *text);

/* True if shells and configuration files take the name as it is: letters, digits and
 * "_.=-", of which the first is a letter or digit. */
bool text_is_plain_name(const char *name);

/* The index of a word in a list, or -EINVAL. */
int text_find(const char *const *words, int count, const char *word);

/* Define NAME_name() and NAME_parse() of `enum type`, by the list of its words. The parser
 * returns 0, or text_find()'s error with *ret untouched. */
#define TEXT_DEFINE_WORDS(name, type, words, count)        \
	const char *name##_name(enum type value)           \
	{                                                  \
		return words[value];                       \
	}                                                  \
                                                           \
	int name##_parse(const char *word, enum type *ret) \
	{                                                  \
		int i = text_find(words, count, word);     \
                                                           \
		if (i < 0)                                 \
			return i;                          \
		*ret = (enum type)i;                       \
		return 0;                                  \
	}

/* The ending of a noun after this count: "" or "s". Static. */
const char *text_plural(int64_t count);

/* Write the text escaped, so that HTML and XML show it as it is. */
void text_put_markup(FILE *out, const char *text);

#endif

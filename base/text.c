/* SPDX-License-Identifier: MIT */
/* Functions on strings. */
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool text_copy(char *dst, size_t size, const char *src)
{
	size_t length = strlen(src);
	bool whole = length < size;

	if (!whole)
		length = size - 1;
	memcpy(dst, src, length);
	dst[length] = '\0';
	return whole;
}

int text_to_int(const char *text, int64_t min, int64_t max, int64_t *ret)
{
	long long value;
	char *end;

	if (!isdigit((unsigned char)text[text[0] == '-']))
		return -EINVAL;
	errno = 0;
	value = strtoll(text, &end, 10);
	if (*end)
		return -EINVAL;
	if (errno || value < min || value > max)
		return -ERANGE;
	*ret = value;
	return 0;
}

int text_to_ms(const char *text, int64_t min_ms, int64_t max_ms, int64_t *ret)
{
	int64_t ms = 0;
	int decimals = 0;

	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	for (; isdigit((unsigned char)*text); text++) {
		if (ms > INT64_MAX / 20000)
			return -ERANGE;
		ms = ms * 10 + (*text - '0');
	}
	if (*text == '.') {
		for (text++; isdigit((unsigned char)*text) && decimals < 3; text++) {
			ms = ms * 10 + (*text - '0');
			decimals++;
		}
		if (decimals == 0)
			return -EINVAL;
	}
	if (*text)
		return -EINVAL;
	for (; decimals < 3; decimals++)
		ms *= 10;
	if (ms < min_ms || ms > max_ms)
		return -ERANGE;
	*ret = ms;
	return 0;
}

/* U+202A to U+202E and U+2066 to U+2069, by which a text changes the order in which it is
 * shown (Unicode's UAX #9). */
static bool turns_text(const char *text)
{
	unsigned char last;

	if (strncmp(text, "\xe2\x80", 2) != 0 && strncmp(text, "\xe2\x81", 2) != 0)
		return false;
	last = (unsigned char)text[2];
	return (unsigned char)text[1] == 0x80 ? last >= 0xaa && last <= 0xae
					      : last >= 0xa6 && last <= 0xa9;
}

size_t text_control(const char *text)
{
	unsigned char first = (unsigned char)text[0];
	unsigned char second = first ? (unsigned char)text[1] : 0;

	if (turns_text(text))
		return 3;
	if (first == 0xc2 && second >= 0x80 && second <= 0x9f)
		return 2;
	return (first && first < 0x20) || first == 0x7f;
}

/* Return the number of bytes of the UTF-8 character at `text`, which is not the end
 * of the text; 0: it is none. RFC 3629: the shortest form, no surrogates, up to
 * U+10FFFF. */
static size_t character_size(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t size = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
	unsigned char low = at[0] == 0xe0 ? 0xa0 : at[0] == 0xf0 ? 0x90 : 0x80;
	unsigned char high = at[0] == 0xed ? 0x9f : at[0] == 0xf4 ? 0x8f : 0xbf;

	if (at[0] < 0x80)
		return 1;
	if (at[0] < 0xc2 || at[0] > 0xf4 || at[1] < low || at[1] > high)
		return 0;
	for (size_t i = 2; i < size; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	}
	return size;
}

void text_printable(char *text)
{
	while (*text) {
		size_t control = text_control(text);
		size_t size = control ? control : character_size(text);

		if (control || size == 0)
			memset(text, '?', size ? size : 1);
		text += size ? size : 1;
	}
}

int text_find(const char *const *words, int count, const char *word)
{
	for (int i = 0; i < count; i++) {
		if (strcmp(words[i], word) == 0)
			return i;
	}
	return -EINVAL;
}

bool text_is_plain_name(const char *name)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.=-";

	return *name && !strchr("_.=-", *name) && !name[strspn(name, plain)];
}

const char *text_plural(int64_t count)
{
	return count == 1 ? "" : "s";
}

void text_put_markup(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (strchr("<>&\"'", *text))
			fprintf(out, "&#%d;", *text);
		else
			fputc(*text, out);
	}
}

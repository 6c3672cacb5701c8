/* SPDX-License-Identifier: MIT */
#include "report/svgsmall.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_SIZE 32

/* The length of the attribute's beginning at this place, up to its first quote; 0: it is
 * none that has coordinates. */
static size_t attribute_at(const char *at, const char *end)
{
	static const char *const attributes[] = {" d=\"", " x=\"", " y=\""};

	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		size_t length = strlen(attributes[i]);

		if ((size_t)(end - at) > length &&
		    memcmp(at, attributes[i], length) == 0)
			return length;
	}
	return 0;
}

static bool is_numeric(char c)
{
	return (c >= '0' && c <= '9') || c == '.' || c == '-';
}

/* "12.5" for "12.500000", "0" for "-0.001". */
static void put_rounded(const char *number, size_t length, FILE *out)
{
	char text[NUMBER_SIZE];
	char *last;

	if (length >= sizeof(text) || !memchr(number, '.', length)) {
		fwrite(number, 1, length, out);
		return;
	}
	memcpy(text, number, length);
	text[length] = '\0';
	snprintf(text, sizeof(text), "%.2f", strtod(text, NULL));
	last = text + strlen(text) - 1;
	while (*last == '0')
		*last-- = '\0';
	if (*last == '.')
		*last = '\0';
	fputs(strcmp(text, "-0") == 0 ? "0" : text, out);
}

/* Return the end of the attribute's value. */
static const char *put_value(const char *at, const char *end, FILE *out)
{
	while (at < end && *at != '"') {
		size_t length = 0;

		while (at + length < end && is_numeric(at[length]))
			length++;
		if (length)
			put_rounded(at, length, out);
		else
			fputc(*at, out);
		at += length ? length : 1;
	}
	return at;
}

void svgsmall_write(const char *svg, size_t size, FILE *out)
{
	const char *end = svg + size;
	const char *copied = svg;

	for (const char *at = svg; at < end;) {
		size_t length = *at == ' ' ? attribute_at(at, end) : 0;

		if (!length) {
			at++;
			continue;
		}
		fwrite(copied, 1, (size_t)(at + length - copied), out);
		at = copied = put_value(at + length, end, out);
	}
	fwrite(copied, 1, (size_t)(end - copied), out);
}

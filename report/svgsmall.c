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

/* Defaults, and the long names of letters' shapes. */
static const struct shorter {
	const char *text;
	const char *instead;
} shorter[] = {
	{" style=\"stroke:none;\"", ""},
	{"fill-opacity:1;", ""},
	{"\"glyph", "\"g"},
	{"\"#glyph", "\"#g"},
};

/* NULL: the text at this place stays. */
static const struct shorter *shorter_at(const char *at, const char *end)
{
	for (size_t i = 0; i < sizeof(shorter) / sizeof(shorter[0]); i++) {
		size_t length = strlen(shorter[i].text);

		if ((size_t)(end - at) >= length &&
		    memcmp(at, shorter[i].text, length) == 0)
			return &shorter[i];
	}
	return NULL;
}

static bool is_numeric(char c)
{
	return (c >= '0' && c <= '9') || c == '.' || c == '-';
}

/* "12.5" for "12.500000", "0" for "-0.001". */
static void round_number(const char *number, size_t length, char ret[NUMBER_SIZE])
{
	char *last;

	memcpy(ret, number, length);
	ret[length] = '\0';
	if (!strchr(ret, '.'))
		return;
	snprintf(ret, NUMBER_SIZE, "%.2f", strtod(ret, NULL));
	last = ret + strlen(ret) - 1;
	while (*last == '0')
		*last-- = '\0';
	if (*last == '.')
		*last = '\0';
	if (strcmp(ret, "-0") == 0)
		strcpy(ret, "0");
}

/* Write the attribute's value; return its end. Letters and minus signs separate numbers,
 * too: spaces are written between other numbers only. */
static const char *put_value(const char *at, const char *end, FILE *out)
{
	bool after_number = false;

	while (at < end && *at != '"') {
		char text[NUMBER_SIZE];
		size_t length = 0;

		while (at + length < end && is_numeric(at[length]) &&
		       length < NUMBER_SIZE - 1)
			length++;
		if (length) {
			round_number(at, length, text);
			fprintf(out, "%s%s", after_number && *text != '-' ? " " : "",
				text);
		} else if (*at != ' ') {
			fputc(*at, out);
		}
		after_number = length || (after_number && *at == ' ');
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
		const struct shorter *replace = length ? NULL : shorter_at(at, end);

		if (!length && !replace) {
			at++;
			continue;
		}
		fwrite(copied, 1, (size_t)(at + length - copied), out);
		if (replace) {
			fputs(replace->instead, out);
			at += strlen(replace->text);
		} else {
			at = put_value(at + length, end, out);
		}
		copied = at;
	}
	fwrite(copied, 1, (size_t)(end - copied), out);
}

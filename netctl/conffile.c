/* SPDX-License-Identifier: MIT */
/*
 * wg-quick's conf file as text: finding and setting "MTU = N". Read as wg-quick reads
 * it: a line up to its "#", the key up to the first "=", both trimmed, case ignored;
 * each
 * "[Interface]" counts, and the last MTU of them all.
 */
#include "netctl/conffile.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

struct span {
	size_t begin;
	size_t end;
};

struct line {
	struct span eol;
	struct span key;
	struct span value; /* both empty without an "=" */
	bool assigns;
};

struct reader {
	const char *data;
	size_t size;
	size_t at;
	bool in_interface;
};

/* Where things are; offsets into the file. */
struct layout {
	bool interface;     /* there is an [Interface] */
	bool mtu;           /* there is an MTU line in one */
	struct span value;  /* the last MTU line's */
	size_t insert_at;   /* behind the last [Interface]'s last line with content */
	struct span eol;    /* that section's line end; empty: it has none */
	bool insert_breaks; /* the line before insert_at has no line end */
	bool save_config;
};

/* --- lines --- */

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct span trim(const char *data, struct span span)
{
	while (span.begin < span.end && is_space(data[span.begin]))
		span.begin++;
	while (span.end > span.begin && is_space(data[span.end - 1]))
		span.end--;
	return span;
}

static bool span_is(const char *data, struct span span, const char *word)
{
	return span.end - span.begin == strlen(word) &&
	       strncasecmp(data + span.begin, word, span.end - span.begin) == 0;
}

static size_t find(const char *data, struct span span, char c)
{
	const char *at = memchr(data + span.begin, c, span.end - span.begin);

	return at ? (size_t)(at - data) : span.end;
}

/* Keep one blank of "MTU = # comment" in front of the number that will stand there. */
static struct span trim_value(const char *data, struct span span)
{
	struct span value = trim(data, span);

	if (value.begin < value.end)
		return value;
	value.begin = span.begin;
	if (value.begin < span.end &&
	    (data[value.begin] == ' ' || data[value.begin] == '\t'))
		value.begin++;
	value.end = value.begin;
	return value;
}

static bool next_line(struct reader *reader, struct line *line)
{
	const char *data = reader->data;
	struct span whole = {reader->at, reader->size};
	struct span stripped;
	size_t equals;

	if (reader->at >= reader->size)
		return false;
	whole.end = find(data, whole, '\n');
	reader->at = whole.end < reader->size ? whole.end + 1 : whole.end;
	line->eol = (struct span){whole.end, reader->at};
	if (line->eol.end > line->eol.begin && whole.end > whole.begin &&
	    data[whole.end - 1] == '\r')
		line->eol.begin = --whole.end;
	stripped = (struct span){whole.begin, find(data, whole, '#')};
	equals = find(data, stripped, '=');
	line->assigns = equals < stripped.end;
	line->key = trim(data, (struct span){stripped.begin, equals});
	line->value = (struct span){equals, equals};
	if (line->assigns)
		line->value = trim_value(data, (struct span){equals + 1, stripped.end});
	if (line->key.begin < line->key.end && data[line->key.begin] == '[')
		reader->in_interface = span_is(data, line->key, "[Interface]");
	return true;
}

/* --- the file --- */

static void note_line(struct layout *layout, const char *data, const struct line *line)
{
	layout->interface = true;
	if (line->key.begin == line->key.end && !line->assigns)
		return; /* blank, or a comment */
	if (line->eol.end > line->eol.begin)
		layout->eol = line->eol;
	layout->insert_at = line->eol.end;
	layout->insert_breaks = line->eol.end == line->eol.begin;
	if (line->assigns && span_is(data, line->key, "MTU")) {
		layout->mtu = true;
		layout->value = line->value;
	}
	if (line->assigns && span_is(data, line->key, "SaveConfig"))
		layout->save_config = span_is(data, line->value, "true");
}

static int find_layout(const char *data, size_t size, struct layout *layout,
		       struct err *err)
{
	struct reader reader = {.data = data, .size = size};
	struct line line;

	*layout = (struct layout){0};
	if (memchr(data, '\0', size))
		return err_set(
			err, -EINVAL,
			"not a conf file: it has a NUL byte (in UTF-16 or binary?)");
	if (size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
		reader.at = 3;
	while (next_line(&reader, &line)) {
		if (reader.in_interface)
			note_line(layout, data, &line);
	}
	if (!layout->interface)
		return err_set(err, -ENOENT, "not a conf file: it has no [Interface]");
	return 0;
}

/* data[0, cut.begin), the three pieces, data[cut.end, size). */
static int splice(const char *data, size_t size, struct span cut, const char *pieces[3],
		  char **ret, size_t *ret_size)
{
	size_t room = size - (cut.end - cut.begin) + 1;
	char *at;

	for (int i = 0; i < 3; i++)
		room += strlen(pieces[i]);
	*ret = malloc(room);
	if (!*ret)
		return -ENOMEM;
	at = mempcpy(*ret, data, cut.begin);
	for (int i = 0; i < 3; i++)
		at = mempcpy(at, pieces[i], strlen(pieces[i]));
	at = mempcpy(at, data + cut.end, size - cut.end);
	*at = '\0';
	*ret_size = room - 1;
	return 0;
}

int conffile_edit(const char *data, size_t size, int mtu, char **ret, size_t *ret_size,
		  struct err *err)
{
	struct layout layout;
	struct span cut;
	char number[32];
	const char *eol;
	const char *pieces[3] = {"", number, ""};
	int rc = find_layout(data, size, &layout, err);

	if (rc < 0)
		return rc;
	snprintf(number, sizeof(number), layout.mtu ? "%d" : "MTU = %d", mtu);
	cut = layout.value;
	if (!layout.mtu) {
		eol = layout.eol.end - layout.eol.begin == 2 ? "\r\n" : "\n";
		pieces[layout.insert_breaks ? 0 : 2] = eol;
		cut = (struct span){layout.insert_at, layout.insert_at};
	}
	rc = splice(data, size, cut, pieces, ret, ret_size);
	return rc < 0 ? err_sys(err, -rc, "cannot edit the conf file") : 0;
}

static int parse_mtu(const char *data, struct span value)
{
	char text[32];
	int64_t mtu;
	size_t size = value.end - value.begin;

	if (size >= sizeof(text))
		return -1;
	memcpy(text, data + value.begin, size);
	text[size] = '\0';
	return text_to_int(text, 1, INT_MAX, &mtu) < 0 ? -1 : (int)mtu;
}

int conffile_facts(const char *data, size_t size, struct conffile_facts *ret,
		   struct err *err)
{
	struct layout layout;
	int rc = find_layout(data, size, &layout, err);

	if (rc < 0)
		return rc;
	*ret = (struct conffile_facts){.save_config = layout.save_config};
	if (layout.mtu)
		ret->mtu = parse_mtu(data, layout.value);
	return 0;
}

void conffile_wipe(char *data, size_t size)
{
	if (data)
		explicit_bzero(data, size);
	free(data);
}

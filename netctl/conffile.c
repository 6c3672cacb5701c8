/* SPDX-License-Identifier: MIT */
/*
 * A conf file as text: finding and setting its MTU. wg-quick reads a line up to its "#",
 * the key up to the first "=", both trimmed, case ignored; each "[Interface]" counts, and
 * the last MTU of them all. GLib's key files differ as struct syntax says.
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
#include "netctl/rtmtu.h"

static bool ends_with(const char *text, size_t length, const char *end)
{
	return length > strlen(end) &&
	       memcmp(text + length - strlen(end), end, strlen(end)) == 0;
}

enum conffile_form conffile_form(const char *path)
{
	const char *name = strrchr(path, '/');

	if (ends_with(path, strlen(path), ".nmconnection"))
		return CONFFILE_KEYFILE;
	if (name && ends_with(name, strlen(name), ".conf") &&
	    ends_with(path, (size_t)(name - path), ".network.d"))
		return CONFFILE_DROPIN;
	return CONFFILE_WG_QUICK;
}

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

/* The differences between the formats. */
struct syntax {
	const char *section;
	const char *key;
	const char *added; /* a new line, in front of the number */
	bool has_case;     /* names are matched with their case */
	bool has_tails;    /* a comment may follow a value */
};

static const struct syntax syntaxes[] = {
	[CONFFILE_WG_QUICK] = {.section = "[Interface]",
			       .key = "MTU",
			       .added = "MTU = ",
			       .has_tails = true},
	[CONFFILE_KEYFILE] = {.section = "[wireguard]",
			      .key = "mtu",
			      .added = "mtu=",
			      .has_case = true},
	[CONFFILE_DROPIN] = {.section = "[Link]",
			     .key = "MTUBytes",
			     .added = "MTUBytes=",
			     .has_case = true},
};

static const struct syntax *const wg_quick = &syntaxes[CONFFILE_WG_QUICK];

struct reader {
	const struct syntax *syntax;
	const char *data;
	size_t size;
	size_t at;
	bool in_interface; /* in the section of the syntax */
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

static struct span trim_span(const char *data, struct span span)
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

static bool name_is(const struct syntax *syntax, const char *data, struct span span,
		    const char *name)
{
	return span_is(data, span, name) &&
	       (!syntax->has_case ||
		memcmp(data + span.begin, name, span.end - span.begin) == 0);
}

static size_t find_char(const char *data, struct span span, char c)
{
	const char *at = memchr(data + span.begin, c, span.end - span.begin);

	return at ? (size_t)(at - data) : span.end;
}

/* Keep one blank of "MTU = # comment" in front of the number that will stand there. */
static struct span trim_value(const char *data, struct span span)
{
	struct span value = trim_span(data, span);

	if (value.begin < value.end)
		return value;
	value.begin = span.begin;
	if (value.begin < span.end &&
	    (data[value.begin] == ' ' || data[value.begin] == '\t'))
		value.begin++;
	value.end = value.begin;
	return value;
}

/* The line up to its comment. */
static struct span strip_comment(const struct syntax *syntax, const char *data,
				 struct span line)
{
	struct span trimmed = trim_span(data, line);

	if (syntax->has_tails)
		line.end = find_char(data, line, '#');
	else if (trimmed.begin < trimmed.end && data[trimmed.begin] == '#')
		line.end = line.begin;
	return line;
}

static bool next_line(struct reader *reader, struct line *line)
{
	const char *data = reader->data;
	struct span whole = {reader->at, reader->size};
	struct span stripped;
	size_t equals;

	if (reader->at >= reader->size)
		return false;
	whole.end = find_char(data, whole, '\n');
	reader->at = whole.end < reader->size ? whole.end + 1 : whole.end;
	line->eol = (struct span){whole.end, reader->at};
	if (line->eol.end > line->eol.begin && whole.end > whole.begin &&
	    data[whole.end - 1] == '\r')
		line->eol.begin = --whole.end;
	stripped = strip_comment(reader->syntax, data, whole);
	equals = find_char(data, stripped, '=');
	line->assigns = equals < stripped.end;
	line->key = trim_span(data, (struct span){stripped.begin, equals});
	line->value = (struct span){equals, equals};
	if (line->assigns)
		line->value = trim_value(data, (struct span){equals + 1, stripped.end});
	if (line->key.begin < line->key.end && data[line->key.begin] == '[')
		reader->in_interface = name_is(reader->syntax, data, line->key,
					       reader->syntax->section);
	return true;
}

/* --- the file --- */

static void note_line(struct layout *layout, const struct reader *reader,
		      const struct line *line)
{
	const char *data = reader->data;

	layout->interface = true;
	if (line->key.begin == line->key.end && !line->assigns)
		return; /* blank, or a comment */
	if (line->eol.end > line->eol.begin)
		layout->eol = line->eol;
	layout->insert_at = line->eol.end;
	layout->insert_breaks = line->eol.end == line->eol.begin;
	if (line->assigns &&
	    name_is(reader->syntax, data, line->key, reader->syntax->key)) {
		layout->mtu = true;
		layout->value = line->value;
	}
	if (line->assigns && span_is(data, line->key, "SaveConfig"))
		layout->save_config = span_is(data, line->value, "true");
}

/* Begin behind the byte order mark, where there is one. */
static struct reader read_lines(const struct syntax *syntax, const char *data,
				size_t size)
{
	bool marked = size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0;

	return (struct reader){
		.syntax = syntax, .data = data, .size = size, .at = marked ? 3 : 0};
}

static int find_layout(const struct syntax *syntax, const char *data, size_t size,
		       struct layout *layout, struct err *err)
{
	struct reader reader = read_lines(syntax, data, size);
	struct line line;

	*layout = (struct layout){0};
	if (memchr(data, '\0', size))
		return err_set(
			err, -EINVAL,
			"not a conf file: it contains a NUL byte (UTF-16 or binary?)");
	while (next_line(&reader, &line)) {
		if (reader.in_interface)
			note_line(layout, &reader, &line);
	}
	if (!layout->interface)
		return err_set(err, -ENOENT, "not a conf file: it has no %s",
			       syntax->section);
	return 0;
}

/* data[0, cut.begin), the three pieces, data[cut.end, size). */
static int splice_text(const char *data, size_t size, struct span cut,
		       const char *pieces[3], char **ret, size_t *ret_size)
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

int conffile_edit(enum conffile_form form, const char *data, size_t size, int mtu,
		  char **ret, size_t *ret_size, struct err *err)
{
	const struct syntax *syntax = &syntaxes[form];
	struct layout layout;
	struct span cut;
	char number[32];
	const char *eol;
	const char *pieces[3] = {"", number, ""};
	int r = find_layout(syntax, data, size, &layout, err);

	if (r < 0)
		return r;
	snprintf(number, sizeof(number), "%s%d", layout.mtu ? "" : syntax->added, mtu);
	cut = layout.value;
	if (!layout.mtu) {
		eol = layout.eol.end - layout.eol.begin == 2 ? "\r\n" : "\n";
		pieces[layout.insert_breaks ? 0 : 2] = eol;
		cut = (struct span){layout.insert_at, layout.insert_at};
	}
	r = splice_text(data, size, cut, pieces, ret, ret_size);
	return r < 0 ? err_sys(err, -r, "cannot edit the conf file") : 0;
}

/* --- routes --- */

struct routes {
	const char *peer;
	const struct conffile_route *list;
	int count;
};

/* Up to where a line for the prefix is the same, whatever its MTU. */
static void format_prefix(const struct conffile_route *route, char *ret, size_t size)
{
	snprintf(ret, size, "ip -%c route replace %s/%d dev %%i proto %d ",
		 strchr(route->address, ':') ? '6' : '4', route->address, route->length,
		 RTMTU_PROTOCOL);
}

static bool begins_with(const char *data, struct span span, const char *text)
{
	return span.end - span.begin >= strlen(text) &&
	       memcmp(data + span.begin, text, strlen(text)) == 0;
}

/* The comment, without "#" and blanks. */
static struct span comment_of(const char *data, const struct line *line)
{
	struct span whole = {line->value.end, line->eol.begin};
	struct span comment = {find_char(data, whole, '#'), whole.end};

	if (comment.begin < comment.end)
		comment.begin++;
	return trim_span(data, comment);
}

static bool is_route_line(const char *data, const struct line *line,
			  const struct routes *routes)
{
	char text[160];

	if (!line->assigns || !span_is(data, line->key, "PostUp") ||
	    (!begins_with(data, line->value, "ip -4 route replace ") &&
	     !begins_with(data, line->value, "ip -6 route replace ")))
		return false;
	snprintf(text, sizeof(text), "mtusweep %s", routes->peer);
	if (span_is(data, comment_of(data, line), text))
		return true;
	for (int i = 0; i < routes->count; i++) {
		format_prefix(&routes->list[i], text, sizeof(text));
		if (begins_with(data, line->value, text))
			return true;
	}
	return false;
}

/* Without the lines that are to be replaced. */
static int remove_routes(const char *data, size_t size, const struct routes *routes,
			 char **ret, size_t *ret_size)
{
	struct reader reader = read_lines(wg_quick, data, size);
	struct line line;
	size_t begin = 0;
	char *at;

	*ret = malloc(size + 1);
	if (!*ret)
		return -ENOMEM;
	at = *ret;
	while (next_line(&reader, &line)) {
		if (!reader.in_interface || !is_route_line(data, &line, routes))
			at = mempcpy(at, data + begin, reader.at - begin);
		begin = reader.at;
	}
	*at = '\0';
	*ret_size = (size_t)(at - *ret);
	return 0;
}

static void format_route(FILE *out, const struct routes *routes,
			 const struct conffile_route *route)
{
	char prefix[160];

	format_prefix(route, prefix, sizeof(prefix));
	fprintf(out, "PostUp = %s", prefix);
	if (route->table)
		fprintf(out, "table %u ", (unsigned)route->table);
	if (route->source[0])
		fprintf(out, "src %s ", route->source);
	fprintf(out, "mtu %d # mtusweep %s", route->mtu, routes->peer);
}

/* The lines, with a line end before or after each. */
static int format_routes(const struct routes *routes, const struct layout *layout,
			 char **ret)
{
	const char *eol = layout->eol.end - layout->eol.begin == 2 ? "\r\n" : "\n";
	size_t size;
	FILE *out = open_memstream(ret, &size);

	if (!out)
		return -ENOMEM;
	for (int i = 0; i < routes->count; i++) {
		fputs(layout->insert_breaks ? eol : "", out);
		format_route(out, routes, &routes->list[i]);
		fputs(layout->insert_breaks ? "" : eol, out);
	}
	return fclose(out) == 0 ? 0 : -ENOMEM;
}

int conffile_edit_routes(const char *data, size_t size, const char *peer,
			 const struct conffile_route *list, int count, char **ret,
			 size_t *ret_size, struct err *err)
{
	struct routes routes = {peer, list, count};
	struct layout layout;
	char *kept = NULL;
	size_t kept_size = 0;
	char *lines = NULL;
	int rc = find_layout(wg_quick, data, size, &layout, err);

	if (rc < 0)
		return rc;
	rc = remove_routes(data, size, &routes, &kept, &kept_size);
	if (rc == 0)
		rc = find_layout(wg_quick, kept, kept_size, &layout, err);
	if (rc == 0)
		rc = format_routes(&routes, &layout, &lines);
	if (rc == 0) {
		struct span cut = {layout.insert_at, layout.insert_at};
		const char *pieces[3] = {lines, "", ""};

		rc = splice_text(kept, kept_size, cut, pieces, ret, ret_size);
	}
	free(lines);
	conffile_wipe(kept, kept_size);
	return rc < 0 ? err_sys(err, -rc, "cannot edit the conf file") : 0;
}

/* --- facts --- */

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

int conffile_facts(enum conffile_form form, const char *data, size_t size,
		   struct conffile_facts *ret, struct err *err)
{
	struct layout layout;
	int r = find_layout(&syntaxes[form], data, size, &layout, err);

	if (r < 0)
		return r;
	*ret = (struct conffile_facts){
		.save_config = form == CONFFILE_WG_QUICK && layout.save_config,
	};
	if (layout.mtu)
		ret->mtu = parse_mtu(data, layout.value);
	return 0;
}

int conffile_mtu(enum conffile_form form, const char *data, size_t size)
{
	struct conffile_facts facts;

	return conffile_facts(form, data, size, &facts, NULL) < 0 ? 0 : facts.mtu;
}

/* --- commands that set the MTU --- */

#define COMMAND_WORDS 64

/* One command of a hook, cut into words; those that do not fit are left out. */
struct command {
	char text[512];
	char *words[COMMAND_WORDS];
	int count;
};

static void split(const char *data, struct span span, struct command *ret)
{
	size_t size = span.end - span.begin;
	char *rest = ret->text;
	char *word;

	if (size >= sizeof(ret->text))
		size = sizeof(ret->text) - 1;
	memcpy(ret->text, data + span.begin, size);
	ret->text[size] = '\0';
	ret->count = 0;
	while (ret->count < COMMAND_WORDS && (word = strsep(&rest, " \t\"'>"))) {
		if (*word)
			ret->words[ret->count++] = word;
	}
}

/* "%i" or the name itself, as a word of its own or in a path of sysfs. */
static bool names(const char *word, const char *interface)
{
	static const char sysfs[] = "/sys/class/net/";

	if (strncmp(word, sysfs, sizeof(sysfs) - 1) == 0)
		word += sizeof(sysfs) - 1;
	if (strncmp(word, "%i", 2) == 0)
		word += 2;
	else if (strncmp(word, interface, strlen(interface)) == 0)
		word += strlen(interface);
	else
		return false;
	return !*word || strcmp(word, "/mtu") == 0;
}

/* The MTU; 0: not a number; -1: the command sets none of this interface. */
static int set_by(const struct command *command, const char *interface)
{
	const char *value = NULL;
	bool named = false;
	int64_t mtu;

	for (int i = 0; i < command->count; i++) {
		const char *word = command->words[i];
		const char *next = i + 1 < command->count ? command->words[i + 1] : "";

		if (strcmp(word, "route") == 0 || strcmp(word, "ro") == 0 ||
		    strcmp(word, "r") == 0)
			return -1;
		if (strcmp(word, "mtu") == 0 && next[0] &&
		    strchr("$`0123456789", next[0]))
			value = next;
		if (names(word, interface)) {
			named = true;
			if (strchr(word, '/'))
				value = i > 0 ? command->words[i - 1] : "";
		}
	}
	if (!value || !named)
		return -1;
	return text_to_int(value, 1, INT_MAX, &mtu) < 0 ? 0 : (int)mtu;
}

static void look_at_commands(const char *data, const struct line *line, const char *key,
			     int number, const char *interface,
			     struct conffile_hook *ret)
{
	struct span rest = line->value;

	while (rest.begin < rest.end) {
		struct span one = rest;
		struct command command;
		int mtu;

		while (rest.begin < rest.end && !strchr(";&|", data[rest.begin]))
			rest.begin++;
		one.end = rest.begin++;
		split(data, one, &command);
		mtu = set_by(&command, interface);
		if (mtu < 0)
			continue;
		*ret = (struct conffile_hook){.line = number, .mtu = mtu};
		text_copy(ret->key, sizeof(ret->key), key);
	}
}

struct conffile_hook conffile_find_hook(const char *data, size_t size,
					const char *interface)
{
	static const char *const keys[] = {"PreUp", "PostUp"};
	struct reader reader = read_lines(wg_quick, data, size);
	struct conffile_hook hook = {0};
	struct line line;

	for (int number = 1; next_line(&reader, &line); number++) {
		for (size_t i = 0;
		     reader.in_interface && i < sizeof(keys) / sizeof(keys[0]); i++) {
			if (line.assigns && span_is(data, line.key, keys[i]))
				look_at_commands(data, &line, keys[i], number,
						 interface, &hook);
		}
	}
	return hook;
}

void conffile_wipe(char *data, size_t size)
{
	if (data)
		explicit_bzero(data, size);
	free(data);
}

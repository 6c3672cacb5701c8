/* SPDX-License-Identifier: MIT */
#include "base/warning.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static const char *const names[] = {
#define WARNING_NAME(kind, name, sentence) [WARNING_##kind] = name,
	WARNING_KINDS(WARNING_NAME)
#undef WARNING_NAME
};

static const char *const sentences[] = {
#define WARNING_SENTENCE(kind, name, sentence) [WARNING_##kind] = sentence,
	WARNING_KINDS(WARNING_SENTENCE)
#undef WARNING_SENTENCE
};

const struct warning_number warning_numbers[WARNING_NUMBER_COUNT] = {
#define WARNING_NUMBER_ENTRY(name, min, max) {#name, min, max},
	WARNING_NUMBERS(WARNING_NUMBER_ENTRY)
#undef WARNING_NUMBER_ENTRY
};

int64_t *warning_number(struct warning *w, int index)
{
	static const size_t offsets[] = {
#define WARNING_OFFSET(name, ...) offsetof(struct warning, name),
		WARNING_NUMBERS(WARNING_OFFSET)
#undef WARNING_OFFSET
	};

	return (int64_t *)(void *)((char *)w + offsets[index]);
}

TEXT_DEFINE_WORDS(warning, warning_kind, names, WARNING_COUNT)

static const char *const end_names[WARNING_END_COUNT] = {"", "server", "peer"};

const char *warning_end_name(enum warning_end end)
{
	return end_names[end];
}

int warning_end_parse(const char *name, enum warning_end *ret)
{
	int i = text_find(end_names, WARNING_END_COUNT, name);

	if (i <= WARNING_END_NONE)
		return -EINVAL;
	*ret = (enum warning_end)i;
	return 0;
}

const char *warning_label(enum warning_kind kind)
{
	return kind == WARNING_ROAM || kind == WARNING_ROAM_PERHAPS ||
			       kind == WARNING_HUB_ROUTES || kind == WARNING_LATENCY
		       ? "note"
		       : "warning";
}

/* True if the placeholder, behind its brace, is of this column. */
static bool names_column(const char *placeholder, const char *column)
{
	size_t length = strlen(column);

	return strncmp(placeholder, column, length) == 0 &&
	       (placeholder[length] == '}' || placeholder[length] == ':');
}

enum warning_use warning_use(enum warning_kind kind, const char *column)
{
	bool optional = false;

	for (const char *c = sentences[kind]; *c; c++) {
		if (*c == '[' || *c == ']')
			optional = *c == '[';
		if (*c == '{' && names_column(c + 1, column))
			return optional ? WARNING_OPTIONAL : WARNING_NEEDED;
	}
	return WARNING_UNUSED;
}

/* --- the sentence --- */

/* "above 1392 bytes", "of 1381 to 1392 bytes" */
static void print_sizes(const struct warning *w, FILE *out)
{
	int64_t tx_mtu = w->direction == DIR_UPLOAD ? w->peer_mtu : w->server_mtu;

	if (w->size_max == tx_mtu)
		fprintf(out, "above %" PRId64 " bytes", w->size_min - 1);
	else if (w->size_min == w->size_max)
		fprintf(out, "of %" PRId64 " bytes", w->size_min);
	else
		fprintf(out, "of %" PRId64 " to %" PRId64 " bytes", w->size_min,
			w->size_max);
}

/* "1380 (IPv4) and 1360 (IPv6)"; an MTU below 1280 carries no IPv6. */
static void print_clamp(int64_t mtu, FILE *out)
{
	fprintf(out, "%" PRId64 " (IPv4)", mtu - IPV4_TCP);
	if (mtu >= MTU_MIN_IPV6)
		fprintf(out, " and %" PRId64 " (IPv6)", mtu - IPV6_TCP);
}

static void print_number(const struct warning *w, int64_t number, const char *format,
			 FILE *out)
{
	if (names_column(format, "seconds"))
		fprintf(out, "%.1f", (double)number / 1000);
	else if (names_column(format, "change"))
		fprintf(out, "%+" PRId64, number - 100);
	else if (names_column(format, "mss_ipv4"))
		fprintf(out, "%" PRId64, number - IPV4_TCP);
	else if (names_column(format, "mss_ipv6"))
		fprintf(out, "%" PRId64, number - IPV6_TCP);
	else if (names_column(format, "clamp"))
		print_clamp(number, out);
	else if (names_column(format, "sizes"))
		print_sizes(w, out);
	else if (names_column(format, "every"))
		fputs(number ? "" : ", not of every size", out);
	else if (!names_column(format, "silent"))
		fprintf(out, "%" PRId64, number);
}

/* True if the number is the MTU of an end that one end alone does not know. */
static bool is_unknown(const char *placeholder, int64_t number)
{
	return number == MTU_UNKNOWN && (names_column(placeholder, "server_mtu") ||
					 names_column(placeholder, "peer_mtu"));
}

/* `placeholder`: behind its brace. */
static void print_value(const struct warning *w, const char *placeholder, FILE *out)
{
	const char *format = placeholder + strcspn(placeholder, ":}");
	struct warning copy = *w;

	format += *format == ':';
	for (int i = 0; i < WARNING_NUMBER_COUNT; i++) {
		int64_t number = *warning_number(&copy, i);

		if (!names_column(placeholder, warning_numbers[i].name))
			continue;
		if (is_unknown(placeholder, number))
			fputc('-', out);
		else
			print_number(w, number, format, out);
	}
	if (names_column(placeholder, "at_end"))
		fprintf(out, "the %s", warning_end_name(w->at_end));
	else if (names_column(placeholder, "detail"))
		fputs(w->detail, out);
	else if (names_column(placeholder, "direction:receiver"))
		fputs(direction_receiver(w->direction), out);
	else if (names_column(placeholder, "direction"))
		fputs(direction_name(w->direction), out);
}

/* True if a value in the brackets that begin here is not known. */
static bool lacks_value(const struct warning *w, const char *part)
{
	struct warning copy = *w;

	for (const char *c = part; *c != ']'; c++) {
		for (int i = 0; *c == '{' && i < WARNING_NUMBER_COUNT; i++) {
			if (names_column(c + 1, warning_numbers[i].name) &&
			    !*warning_number(&copy, i))
				return true;
		}
	}
	return false;
}

void warning_print(const struct warning *w, FILE *out)
{
	for (const char *c = sentences[w->kind]; *c; c++) {
		if (*c == '[' && lacks_value(w, c))
			c = strchr(c, ']');
		if (*c == '{') {
			print_value(w, c + 1, out);
			c = strchr(c, '}');
		} else if (*c != '[' && *c != ']') {
			fputc(*c, out);
		}
	}
}

char *warning_sentence(const struct warning *w)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	warning_print(w, out);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

/* SPDX-License-Identifier: MIT */
#include "base/options.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "base/types.h"

#define HELP_COLUMN     28
#define VALUE_NAME_SIZE 128

/* The value's name in help and errors: "a|b|c" for a choice, "" for a flag. */
static const char *value_name(const struct option_spec *spec, char *buffer, size_t size)
{
	size_t used = 0;

	if (spec->kind != OPTION_CHOICE)
		return spec->value ? spec->value : "";
	buffer[0] = '\0';
	for (int i = 0; spec->choices[i] && used < size; i++)
		used += (size_t)snprintf(buffer + used, size - used, "%s%s",
					 i ? "|" : "", spec->choices[i]);
	return buffer;
}

static int refuse_value(const struct option_spec *spec, const char *given,
			struct err *err)
{
	char name[VALUE_NAME_SIZE];

	switch (spec->kind) {
	case OPTION_INT:
		return err_set(err, -EINVAL,
			       "invalid value '%s' for --%s: expected a whole number "
			       "from %" PRId64 " to %" PRId64,
			       given, spec->name, spec->min, spec->max);
	case OPTION_SECONDS:
		return err_set(
			err, -EINVAL,
			"invalid value '%s' for --%s: expected seconds from %g to %g",
			given, spec->name, (double)spec->min / 1000,
			(double)spec->max / 1000);
	case OPTION_U64:
		return err_set(err, -EINVAL,
			       "invalid value '%s' for --%s: expected a whole number "
			       "from 0 to %" PRIu64,
			       given, spec->name, UINT64_MAX);
	case OPTION_BOOL:
		return err_set(err, -EINVAL,
			       "invalid value '%s' for --%s: expected True or False",
			       given, spec->name);
	case OPTION_PAIR:
		return err_set(
			err, -EINVAL,
			"invalid value '%s' for --%s: expected two MTUs from %d to "
			"%d, the server's and the peer's, as in 1420/1400",
			given, spec->name, MTU_MIN, MTU_MAX);
	case OPTION_PAIR_OPEN:
		return err_set(
			err, -EINVAL,
			"invalid value '%s' for --%s: expected two MTUs from %d "
			"to %d, the server's and the peer's, as in 1420/1400, or "
			"'-' for an end that is not known",
			given, spec->name, MTU_MIN, MTU_MAX);
	case OPTION_CHOICE:
	case OPTION_FLAG:
	case OPTION_STRING:
	case OPTION_OPTIONAL:
	case OPTION_LIST:
		break;
	}
	return err_set(err, -EINVAL, "invalid value '%s' for --%s: expected %s", given,
		       spec->name, value_name(spec, name, sizeof(name)));
}

static int set_bool(const struct option_spec *spec, const char *value, struct err *err)
{
	static const char *const yes[] = {"true", "yes", "1", NULL};
	static const char *const no[] = {"false", "no", "0", NULL};

	for (int i = 0; yes[i]; i++) {
		if (strcasecmp(value, yes[i]) == 0 || strcasecmp(value, no[i]) == 0) {
			*(bool *)spec->into = strcasecmp(value, yes[i]) == 0;
			return 0;
		}
	}
	return refuse_value(spec, value, err);
}

static int set_choice(const struct option_spec *spec, const char *value,
		      struct err *err)
{
	for (int i = 0; spec->choices[i]; i++) {
		if (strcmp(value, spec->choices[i]) == 0) {
			*(int *)spec->into = i;
			return 0;
		}
	}
	return refuse_value(spec, value, err);
}

static int set_u64(const struct option_spec *spec, const char *value, struct err *err)
{
	unsigned long long number;
	char *end;

	errno = 0;
	number = strtoull(value, &end, 10);
	if (!isdigit((unsigned char)value[0]) || *end || errno)
		return refuse_value(spec, value, err);
	*(uint64_t *)spec->into = number;
	return 0;
}

static int add_word(const struct option_spec *spec, const char *value, struct err *err)
{
	struct option_list *list = spec->into;

	if (list->count == OPTION_LIST_MAX)
		return err_set(err, -EINVAL, "--%s may be given %d times", spec->name,
			       OPTION_LIST_MAX);
	list->words[list->count++] = value;
	return 0;
}

static int set_value(const struct option_spec *spec, const char *value, struct err *err)
{
	int64_t number;

	switch (spec->kind) {
	case OPTION_FLAG:
		*(bool *)spec->into = true;
		return 0;
	case OPTION_STRING:
	case OPTION_OPTIONAL:
		*(const char **)spec->into = value;
		return 0;
	case OPTION_INT:
		if (text_to_int(value, spec->min, spec->max, &number) < 0)
			return refuse_value(spec, value, err);
		*(int *)spec->into = (int)number;
		return 0;
	case OPTION_SECONDS:
		if (text_to_ms(value, spec->min, spec->max, &number) < 0)
			return refuse_value(spec, value, err);
		*(int64_t *)spec->into = number;
		return 0;
	case OPTION_U64:
		return set_u64(spec, value, err);
	case OPTION_BOOL:
		return set_bool(spec, value, err);
	case OPTION_PAIR:
		return mtu_pair_parse(value, spec->into) < 0
			       ? refuse_value(spec, value, err)
			       : 0;
	case OPTION_PAIR_OPEN:
		return mtu_pair_parse_open(value, spec->into) < 0
			       ? refuse_value(spec, value, err)
			       : 0;
	case OPTION_CHOICE:
		return set_choice(spec, value, err);
	case OPTION_LIST:
		return add_word(spec, value, err);
	}
	return -EINVAL;
}

/* Return the first row from `row` on that is an option, through all tables; NULL at the
 * end. */
static const struct option_spec *skip_ends(const struct option_spec *row)
{
	while (row && !row->name)
		row = row->more;
	return row;
}

static const struct option_spec *find_option(const struct option_spec *table,
					     const char *name, size_t length)
{
	const struct option_spec *row;

	for (row = skip_ends(table); row; row = skip_ends(row + 1)) {
		if (strlen(row->name) == length &&
		    strncmp(row->name, name, length) == 0)
			return row;
	}
	return NULL;
}

static const struct option_spec *find_letter(const struct option_spec *table,
					     char letter)
{
	const struct option_spec *row;

	for (row = skip_ends(table); row; row = skip_ends(row + 1)) {
		if (row->letter && row->letter == letter)
			return row;
	}
	return NULL;
}

/* Find the option that a word beginning with a dash names, or NULL. *ret_value is the
 * value inside the word, or NULL. */
static const struct option_spec *find_named(const struct option_spec *table,
					    const char *word, const char **ret_value)
{
	const char *equals;

	if (word[1] != '-') {
		*ret_value = word[2] ? word + 2 : NULL;
		return find_letter(table, word[1]);
	}
	equals = strchr(word, '=');
	*ret_value = equals ? equals + 1 : NULL;
	return find_option(table, word + 2,
			   equals ? (size_t)(equals - word - 2) : strlen(word + 2));
}

/* Parse the option at argv[*i]; move *i past its value. */
static int parse_one(const struct option_spec *table, int argc, char **argv, int *i,
		     struct err *err)
{
	const char *value;
	const struct option_spec *spec = find_named(table, argv[*i], &value);

	if (!spec)
		return err_set(err, -EINVAL,
			       "unknown option '%s'; --help lists the options",
			       argv[*i]);
	if (spec->kind == OPTION_FLAG && value)
		return err_set(err, -EINVAL, "--%s takes no value, but '%s' was given",
			       spec->name, value);
	if (spec->seen)
		*spec->seen = true;
	if (spec->kind == OPTION_OPTIONAL && !value &&
	    (*i + 1 >= argc || argv[*i + 1][0] == '-'))
		return 0;
	if (spec->kind != OPTION_FLAG && !value) {
		char name[VALUE_NAME_SIZE];

		if (*i + 1 >= argc)
			return err_set(err, -EINVAL, "--%s needs a value: %s",
				       spec->name,
				       value_name(spec, name, sizeof(name)));
		value = argv[++*i];
	}
	return set_value(spec, value, err);
}

int options_parse(const struct option_spec *table, int argc, char **argv,
		  int *ret_positional, struct err *err)
{
	int positional = 0;
	bool ended = false;

	for (int i = 1; i < argc; i++) {
		if (ended || argv[i][0] != '-' || argv[i][1] == '\0') {
			argv[1 + positional++] = argv[i];
		} else if (strcmp(argv[i], "--") == 0) {
			ended = true;
		} else {
			int r = parse_one(table, argc, argv, &i, err);

			if (r < 0)
				return r;
		}
	}
	*ret_positional = positional;
	return 0;
}

static void help_row(const struct option_spec *row, FILE *out)
{
	const char *line = row->help;
	const char letter[] = {'-', row->letter, ',', ' ', '\0'};
	char buffer[VALUE_NAME_SIZE];
	const char *value = value_name(row, buffer, sizeof(buffer));
	int width = fprintf(out, "  %s--%s%s%s", row->letter ? letter : "", row->name,
			    *value ? " " : "", value);

	if (width >= HELP_COLUMN) {
		fputc('\n', out);
		width = 0;
	}
	while (line) {
		const char *end = strchr(line, '\n');
		int length = end ? (int)(end - line) : (int)strlen(line);

		fprintf(out, "%*s%.*s\n", HELP_COLUMN - width, "", length, line);
		width = 0;
		line = end ? end + 1 : NULL;
	}
}

void options_help(const struct option_spec *table, FILE *out)
{
	const struct option_spec *row;

	for (row = skip_ends(table); row; row = skip_ends(row + 1))
		help_row(row, out);
}

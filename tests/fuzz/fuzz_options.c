/* SPDX-License-Identifier: MIT */
/* A command line of any words, separated by NUL bytes, for a table with every kind of
 * option. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/options.h"

#define WORDS_MAX 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct values {
	bool flag;
	bool seen;
	const char *string;
	int number;
	uint64_t seed;
	int64_t seconds;
	bool yes;
	int choice;
	const char *optional;
	bool optional_seen;
} values;

static const char *const choices[] = {"none", "each", "best", NULL};

static const struct option_spec more[] = {
	{.name = "seconds",
	 .value = "SECONDS",
	 .kind = OPTION_SECONDS,
	 .into = &values.seconds,
	 .min = 300,
	 .max = 3600000},
	{.name = "optional",
	 .value = "[TEXT]",
	 .kind = OPTION_OPTIONAL,
	 .into = &values.optional,
	 .seen = &values.optional_seen},
	{.name = "yes", .value = "BOOL", .kind = OPTION_BOOL, .into = &values.yes},
	{.name = "choice",
	 .value = "none|each|best",
	 .kind = OPTION_CHOICE,
	 .into = &values.choice,
	 .choices = choices},
	{.name = NULL},
};

static const struct option_spec table[] = {
	{.name = "flag", .kind = OPTION_FLAG, .into = &values.flag},
	{.name = "string",
	 .letter = 's',
	 .value = "TEXT",
	 .kind = OPTION_STRING,
	 .into = &values.string,
	 .seen = &values.seen},
	{.name = "number",
	 .value = "N",
	 .kind = OPTION_INT,
	 .into = &values.number,
	 .min = -5,
	 .max = 1500},
	{.name = "seed", .value = "N", .kind = OPTION_U64, .into = &values.seed},
	{.name = NULL, .more = more},
};

/* An accepted value is within its range; a refusal has a sentence. */
static void parse(int argc, char **argv)
{
	struct err err = ERR_INIT;
	int positional = -1;
	int rc;

	values = (struct values){.seconds = 300};
	rc = options_parse(table, argc, argv, &positional, &err);
	if (values.number < -5 || values.number > 1500 || values.seconds < 300 ||
	    values.seconds > 3600000 || values.choice < 0 || values.choice > 2)
		abort();
	if ((values.string && !values.seen) ||
	    (values.optional && !values.optional_seen) ||
	    (rc == 0 && values.seen && !values.string))
		abort();
	if (rc < 0 ? !err.text[0] : positional < 0 || positional >= argc)
		abort();
	for (int i = 1; rc == 0 && i <= positional; i++)
		if (!argv[i])
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	char *argv[WORDS_MAX + 2] = {"program"};
	int argc = 1;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	for (char *word = text; word < text + size && argc <= WORDS_MAX;
	     word += strlen(word) + 1)
		argv[argc++] = word;
	parse(argc, argv);
	free(text);
	return 0;
}

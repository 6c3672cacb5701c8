/* SPDX-License-Identifier: MIT */
/* Option tables: values accepted, values refused and the messages, help. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/options.h"
#include "base/types.h"

struct values {
	bool flag;
	const char *string;
	int number;
	uint64_t seed;
	int64_t ms;
	bool yes;
	int choice;
	bool number_seen;
	struct mtu_pair pair;
	const char *optional;
	bool optional_seen;
};

static const char *const choices[] = {"none", "each", "best", NULL};

static struct option_spec *make_table(struct values *v)
{
	static struct option_spec table[10];
	const struct option_spec rows[] = {
		{.name = "flag",
		 .kind = OPTION_FLAG,
		 .into = &v->flag,
		 .help = "a flag"},
		{.name = "string",
		 .letter = 's',
		 .value = "TEXT",
		 .kind = OPTION_STRING,
		 .into = &v->string,
		 .help = "a string"},
		{.name = "number",
		 .value = "N",
		 .kind = OPTION_INT,
		 .into = &v->number,
		 .seen = &v->number_seen,
		 .min = -5,
		 .max = 1500,
		 .help = "a number\nin two lines"},
		{.name = "seed",
		 .value = "N",
		 .kind = OPTION_U64,
		 .into = &v->seed,
		 .help = "a seed"},
		{.name = "seconds",
		 .value = "SECONDS",
		 .kind = OPTION_SECONDS,
		 .into = &v->ms,
		 .min = 100,
		 .max = 60000,
		 .help = "a time"},
		{.name = "yes",
		 .value = "True|False",
		 .kind = OPTION_BOOL,
		 .into = &v->yes,
		 .help = "a boolean"},
		{.name = "pair",
		 .value = "S,P",
		 .kind = OPTION_PAIR,
		 .into = &v->pair,
		 .help = "a pair"},
		{.name = "choice",
		 .kind = OPTION_CHOICE,
		 .into = &v->choice,
		 .choices = choices,
		 .help = "a choice"},
		{.name = "optional",
		 .value = "[TEXT]",
		 .kind = OPTION_OPTIONAL,
		 .into = &v->optional,
		 .seen = &v->optional_seen,
		 .help = "a string or none"},
		{.name = NULL},
	};

	memcpy(table, rows, sizeof(rows));
	return table;
}

static int parse(struct values *v, char *line, int *ret_positional, char **argv,
		 struct err *err)
{
	int argc = 0;

	argv[argc++] = (char *)"program";
	for (char *word = strtok(line, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	return options_parse(make_table(v), argc, argv, ret_positional, err);
}

static void test_accepts(void **state)
{
	char line[] =
		"first --flag --string=a=b --number -3 --seed 18446744073709551615 "
		"--seconds 0.3 --yes FALSE --pair 576/65535 --choice best second -- "
		"--third";
	struct values v = {.yes = true};
	struct err err = ERR_INIT;
	char *argv[32];
	int positional;

	(void)state;
	assert_int_equal(parse(&v, line, &positional, argv, &err), 0);
	assert_true(v.flag);
	assert_string_equal(v.string, "a=b");
	assert_int_equal(v.number, -3);
	assert_true(v.number_seen);
	assert_true(v.seed == UINT64_MAX);
	assert_int_equal(v.ms, 300);
	assert_false(v.yes);
	assert_int_equal(v.pair.server, 576);
	assert_int_equal(v.pair.peer, 65535);
	assert_int_equal(v.choice, 2);
	assert_int_equal(positional, 3);
	assert_string_equal(argv[1], "first");
	assert_string_equal(argv[2], "second");
	assert_string_equal(argv[3], "--third");
}

static void test_letter(void **state)
{
	static const struct {
		const char *line;
		const char *value;
		int positional;
	} rows[] = {
		{"-s a.png", "a.png", 0}, {"-sa.png", "a.png", 0}, {"-s=a", "=a", 0},
		{"-s -flag", "-flag", 0}, {"-s a b", "a", 1},      {"- -s a", "a", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct values v = {0};
		char line[128];
		char *argv[32];
		int positional;

		snprintf(line, sizeof(line), "%s", rows[i].line);
		assert_int_equal(parse(&v, line, &positional, argv, NULL), 0);
		assert_int_equal(positional, rows[i].positional);
		assert_string_equal(v.string, rows[i].value);
	}
}

static void test_optional(void **state)
{
	static const struct {
		const char *line;
		const char *value; /* NULL: unchanged */
		int positional;
	} rows[] = {
		{"--optional", NULL, 0},      {"--optional 7", "7", 0},
		{"--optional=7", "7", 0},     {"--optional=", "", 0},
		{"--optional 7 8", "7", 1},   {"--optional --flag", NULL, 0},
		{"--optional -- 7", NULL, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct values v = {0};
		char line[128];
		char *argv[32];
		int positional;

		snprintf(line, sizeof(line), "%s", rows[i].line);
		assert_int_equal(parse(&v, line, &positional, argv, NULL), 0);
		assert_true(v.optional_seen);
		assert_int_equal(positional, rows[i].positional);
		if (rows[i].value)
			assert_string_equal(v.optional, rows[i].value);
		else
			assert_null(v.optional);
	}
}

static void test_refuses(void **state)
{
	static const struct {
		const char *line;
		const char *text;
	} rows[] = {
		{"--nope", "unknown option '--nope'; --help lists the options"},
		{"-f", "unknown option '-f'; --help lists the options"},
		{"--fla", "unknown option '--fla'; --help lists the options"},
		{"--flag=1", "--flag takes no value, but '1' was given"},
		{"-S a", "unknown option '-S'; --help lists the options"},
		{"-s", "--string needs a value: TEXT"},
		{"--s a", "unknown option '--s'; --help lists the options"},
		{"--string", "--string needs a value: TEXT"},
		{"--choice", "--choice needs a value: none|each|best"},
		{"--number 1501", "invalid value '1501' for --number: expected a whole "
				  "number from -5 to 1500"},
		{"--number 12x", "invalid value '12x' for --number: expected a whole "
				 "number from -5 to 1500"},
		{"--pair 1420", "invalid value '1420' for --pair: expected two MTUs "
				"from 576 to 65535, the "
				"server's and the peer's, as in 1420/1400"},
		{"--pair 575,1400", "invalid value '575,1400' for --pair: expected two "
				    "MTUs from 576 to 65535, the "
				    "server's and the peer's, as in 1420/1400"},
		{"--pair 1420,1400,1", "invalid value '1420,1400,1' for --pair: "
				       "expected two MTUs from 576 to 65535, the "
				       "server's and the peer's, as in 1420/1400"},
		{"--pair 123456789,1400", "invalid value '123456789,1400' for --pair: "
					  "expected two MTUs from 576 to 65535, the "
					  "server's and the peer's, as in 1420/1400"},
		{"--number=",
		 "invalid value '' for --number: expected a whole number from "
		 "-5 to 1500"},
		{"--number 99999999999999999999",
		 "invalid value '99999999999999999999' for --number: expected a whole "
		 "number from -5 to 1500"},
		{"--seed -1",
		 "invalid value '-1' for --seed: expected a whole number from "
		 "0 to 18446744073709551615"},
		{"--seconds 0.05",
		 "invalid value '0.05' for --seconds: expected seconds "
		 "from 0.1 to 60"},
		{"--seconds 1e1", "invalid value '1e1' for --seconds: expected seconds "
				  "from 0.1 to 60"},
		{"--yes maybe",
		 "invalid value 'maybe' for --yes: expected True or False"},
		{"--choice bes",
		 "invalid value 'bes' for --choice: expected none|each|best"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct values v = {0};
		struct err err = ERR_INIT;
		char line[128];
		char *argv[32];
		int positional;

		snprintf(line, sizeof(line), "%s", rows[i].line);
		assert_int_equal(parse(&v, line, &positional, argv, &err), -EINVAL);
		assert_string_equal(err.text, rows[i].text);
	}
}

static void test_help(void **state)
{
	struct values v;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	options_help(make_table(&v), out);
	fclose(out);
	assert_non_null(strstr(text, "  --flag                    a flag\n"));
	assert_non_null(strstr(text, "  --number N                a number\n"
				     "                            in two lines\n"));
	assert_non_null(strstr(text, "  -s, --string TEXT         a string\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepts),  cmocka_unit_test(test_letter),
		cmocka_unit_test(test_optional), cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* mtusweep's choice of a command, and its usage errors, with commands of the test's own. */

#include "cmd/read/read.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"

static int runs;
static bool check_fails;
static bool run_fails;

static int check(struct err *err)
{
	return check_fails ? err_set(err, -EINVAL, "--x and --y exclude") : 0;
}

static int run_alone(struct err *err)
{
	runs++;
	printf("%s %s\n", read_given.argument[0] ? read_given.argument[0] : "-",
	       read_given.argument[1] ? read_given.argument[1] : "-");
	return run_fails ? err_set(err, -EIO, "it did not work") : 0;
}

static int run_query(struct query *query, struct err *err)
{
	(void)query;
	(void)err;
	runs++;
	return 0;
}

static const struct read_command none = {
	.name = "none",
	.help = "takes nothing",
	.options = read_db_options,
	.check = check,
	.run_alone = run_alone,
};
static const struct read_command two = {
	.name = "two",
	.help = "takes two",
	.options = read_db_options,
	.arguments = "RUN RUN",
	.argument_count = 2,
	.run_alone = run_alone,
};
static const struct read_command reads = {
	.name = "reads",
	.help = "reads a database",
	.options = read_run_options,
	.run = run_query,
};
static const struct read_command *const commands[] = {&none, &two, &reads, NULL};
static const struct option_spec options[] = {
	{.name = "help", .kind = OPTION_FLAG, .into = &read_given.help, .help = "help"},
	{.name = "version",
	 .kind = OPTION_FLAG,
	 .into = &read_given.version,
	 .help = "version"},
	{.name = NULL},
};

/* Output of the last call. */
static char printed[8192];
static char said[8192];

static int setup(void **state)
{
	(void)state;
	read_given = (struct read_settings){.db = "/nonexistent/mtusweep.db"};
	runs = 0;
	check_fails = run_fails = false;
	return 0;
}

/* --- stdout and stderr as files --- */

static int redirect(FILE *file, FILE *stream)
{
	int fd = fileno(stream);
	int kept;

	fflush(stream);
	kept = dup(fd);
	assert_true(kept >= 0);
	assert_true(dup2(fileno(file), fd) >= 0);
	return kept;
}

static void read_back(FILE *file, FILE *stream, int kept, char *ret, size_t size)
{
	size_t n;

	fflush(stream);
	assert_true(dup2(kept, fileno(stream)) >= 0);
	close(kept);
	rewind(file);
	n = fread(ret, 1, size - 1, file);
	ret[n] = '\0';
}

static int call(char **argv)
{
	const struct read_program program = {.options = options, .commands = commands};
	cleanup_file FILE *out = tmpfile();
	cleanup_file FILE *err = tmpfile();
	int argc = 0;
	int kept_out;
	int kept_err;
	int status;

	assert_non_null(out);
	assert_non_null(err);
	while (argv[argc])
		argc++;
	kept_out = redirect(out, stdout);
	kept_err = redirect(err, stderr);
	status = read_main(&program, argc, argv);
	read_back(out, stdout, kept_out, printed, sizeof(printed));
	read_back(err, stderr, kept_err, said, sizeof(said));
	return status;
}

#define CALL(...) call((char *[]){"mtusweep", ##__VA_ARGS__, NULL})

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in '%s'", part, text);
}

static void test_help(void **state)
{
	(void)state;
	assert_int_equal(CALL("--help"), 0);
	assert_has(printed, "usage: mtusweep COMMAND");
	assert_has(printed, "two      takes two");
	assert_int_equal(CALL("help"), 0);
	assert_has(printed, "usage: mtusweep COMMAND");
	assert_int_equal(CALL("help", "two"), 0);
	assert_has(printed, "usage: mtusweep two RUN RUN [options]");
	assert_int_equal(CALL("help", "three"), 2);
	assert_int_equal(CALL("help", "two", "none"), 2);
	setup(state);
	assert_int_equal(CALL("two", "--help"), 0);
	assert_has(printed, "usage: mtusweep two RUN RUN [options]");
	assert_int_equal(runs, 0);
}

static void test_version(void **state)
{
	(void)state;
	assert_int_equal(CALL("--version"), 0);
	assert_has(printed, "mtusweep " MTUSWEEP_VERSION " (SQLite ");
}

static void test_usage_errors(void **state)
{
	(void)state;
	/* Without a command the help is no data. */
	assert_int_equal(CALL(), 2);
	assert_string_equal(printed, "");
	assert_has(said, "usage: mtusweep COMMAND");
	assert_int_equal(CALL("three"), 2);
	assert_has(said, "unknown command 'three'");
	assert_int_equal(CALL("--no-such"), 2);
	assert_has(said, "--no-such");
	assert_int_equal(CALL("none", "--no-such"), 2);
	assert_has(said, "mtusweep none: ");
	assert_int_equal(CALL("none", "one"), 2);
	assert_has(said, "unexpected argument 'one'");
	assert_int_equal(CALL("two", "one"), 2);
	assert_has(said, "expected 2 arguments, RUN RUN, but 1 was given");
	check_fails = true;
	assert_int_equal(CALL("none"), 2);
	assert_has(said, "--x and --y exclude");
	assert_int_equal(runs, 0);
}

static void test_commands_run(void **state)
{
	(void)state;
	assert_int_equal(CALL("two", "a", "b"), 0);
	assert_string_equal(printed, "a b\n");
	assert_int_equal(runs, 1);
	run_fails = true;
	assert_int_equal(CALL("none"), 1);
	assert_has(said, "mtusweep: it did not work\n");
	/* A database that is not there. */
	assert_int_equal(CALL("reads"), 1);
	assert_has(said, "/nonexistent/mtusweep.db");
	assert_int_equal(runs, 2);
}

/* Output that does not reach its file is a failure. */
static void test_output_that_fails(void **state)
{
	FILE *full = fopen("/dev/full", "we");
	char *argv[] = {"mtusweep", "two", "a", "b", NULL};
	const struct read_program program = {.options = options, .commands = commands};
	int kept;
	int status;

	(void)state;
	assert_non_null(full);
	kept = redirect(full, stdout);
	status = read_main(&program, 4, argv);
	clearerr(stdout);
	assert_true(dup2(kept, STDOUT_FILENO) >= 0);
	close(kept);
	fclose(full);
	assert_int_equal(status, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(test_help),
		TEST(test_version),
		TEST(test_usage_errors),
		TEST(test_commands_run),
		TEST(test_output_that_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

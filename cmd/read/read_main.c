/* SPDX-License-Identifier: MIT */
#include "cmd/read/read.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/io.h"
#include "report/heatmap_cairo.h"
#include "store/store.h"
#include "sync/endpoint.h"

static void print_help(const struct read_program *program, FILE *out)
{
	fputs("usage: mtusweep COMMAND [options]\n"
	      "       mtusweep help COMMAND\n\n"
	      "Reads what mtusweep-peer and mtusweep-server stored.\n\n"
	      "commands:\n",
	      out);
	for (int i = 0; program->commands[i]; i++)
		fprintf(out, "  %-8s %s\n", program->commands[i]->name,
			program->commands[i]->help);
	fputs("\noptions:\n", out);
	options_help(program->options, out);
}

static void print_command_help(const struct read_command *command, FILE *out)
{
	const char *arguments = command->takes_run ? "[RUN]" : command->arguments;

	fprintf(out, "usage: mtusweep %s%s%s [options]\n\n%s\n\noptions:\n",
		command->name, arguments ? " " : "", arguments ? arguments : "",
		command->help);
	options_help(command->options, out);
}

static const struct read_command *find_command(const struct read_program *program,
					       const char *name)
{
	for (int i = 0; program->commands[i]; i++) {
		if (strcmp(program->commands[i]->name, name) == 0)
			return program->commands[i];
	}
	return NULL;
}

static int fail_usage(const char *command, const char *text)
{
	fprintf(stderr, "mtusweep %s: %s\n", command, text);
	return PROGRAM_USAGE;
}

static int fail_unknown(const char *name)
{
	struct err err = ERR_INIT;

	err_set(&err, -EINVAL,
		"unknown command '%s'; 'mtusweep --help' lists the commands", name);
	fprintf(stderr, "mtusweep: %s\n", err.text);
	return PROGRAM_USAGE;
}

static int finish_output(int status)
{
	struct err err = ERR_INIT;

	if (io_finish_output(&err) == 0)
		return status;
	/* An export has reported it already. */
	if (status == PROGRAM_DONE)
		fprintf(stderr, "mtusweep: %s\n", err.text);
	return PROGRAM_FAILED;
}

static int run_on_database(const struct read_command *command, struct err *err)
{
	cleanup_query struct query *query = NULL;
	int r = query_open(read_given.db, &query, err);

	if (r == 0 && read_given.tunnel)
		r = query_choose_tunnel(query, read_given.tunnel, err);
	return r < 0 ? r : command->run(query, err);
}

static int run_command(const struct read_command *command)
{
	struct err err = ERR_INIT;
	int r;

	if (command->run_alone)
		r = command->run_alone(&err);
	else
		r = run_on_database(command, &err);
	if (r < 0)
		fprintf(stderr, "mtusweep: %s\n", err.text);
	return finish_output(r < 0 ? PROGRAM_FAILED : PROGRAM_DONE);
}

/* argv[0] is the command's name. */
static int start_command(const struct read_command *command, int argc, char **argv)
{
	struct err err = ERR_INIT;
	int positional;

	if (options_parse(command->options, argc, argv, &positional, &err) < 0)
		return fail_usage(command->name, err.text);
	if (read_given.help) {
		print_command_help(command, stdout);
		return finish_output(PROGRAM_DONE);
	}
	if (command->takes_run && positional == 1) {
		if (read_given.run)
			return fail_usage(command->name,
					  "the run is named twice, by itself and with "
					  "--run: give one of them");
		read_given.run = argv[1];
		positional = 0;
	}
	if (command->arguments && positional != command->argument_count &&
	    (positional || !command->takes_tunnel || !read_given.tunnel)) {
		err_set(&err, -EINVAL, "expected %d argument%s, %s, but %d %s given",
			command->argument_count,
			command->argument_count == 1 ? "" : "s", command->arguments,
			positional, positional == 1 ? "was" : "were");
		return fail_usage(command->name, err.text);
	}
	if (positional > command->argument_count) {
		err_set(&err, -EINVAL,
			"unexpected argument '%s'; name a database with --db",
			argv[1 + command->takes_run]);
		return fail_usage(command->name, err.text);
	}
	for (int i = 0; i < positional; i++)
		read_given.argument[i] = argv[1 + i];
	if (command->check && command->check(&err) < 0)
		return fail_usage(command->name, err.text);
	return run_command(command);
}

static int start_help(const struct read_program *program, int argc, char **argv)
{
	const struct read_command *command;
	struct err err = ERR_INIT;
	int positional;

	if (options_parse(program->options, argc, argv, &positional, &err) < 0)
		return fail_usage("help", err.text);
	if (positional > 1) {
		err_set(&err, -EINVAL,
			"unexpected argument '%s': expected the name of one command",
			argv[2]);
		return fail_usage("help", err.text);
	}
	if (positional == 0 || strcmp(argv[1], "help") == 0) {
		print_help(program, stdout);
		return finish_output(PROGRAM_DONE);
	}
	command = find_command(program, argv[1]);
	if (!command)
		return fail_unknown(argv[1]);
	print_command_help(command, stdout);
	return finish_output(PROGRAM_DONE);
}

/* Without a command there are only --help and --version. */
static int start_alone(const struct read_program *program, int argc, char **argv)
{
	struct err err = ERR_INIT;
	int positional;

	if (options_parse(program->options, argc, argv, &positional, &err) < 0) {
		fprintf(stderr,
			"mtusweep: %s; a command's options come after its name\n",
			err.text);
		return PROGRAM_USAGE;
	}
	if (read_given.version) {
		printf("mtusweep %s (SQLite %s, civetweb %s, cairo %s)\n",
		       MTUSWEEP_VERSION, store_library_version(),
		       endpoint_library_version(), heatmap_cairo_version());
		return finish_output(PROGRAM_DONE);
	}
	if (read_given.help) {
		print_help(program, stdout);
		return finish_output(PROGRAM_DONE);
	}
	print_help(program, stderr);
	return PROGRAM_USAGE;
}

int read_main(const struct read_program *program, int argc, char **argv)
{
	const struct read_command *command;

	io_survive_file_limit();
	if (argc < 2 || argv[1][0] == '-')
		return start_alone(program, argc, argv);
	if (strcmp(argv[1], "help") == 0)
		return start_help(program, argc - 1, argv + 1);
	command = find_command(program, argv[1]);
	if (!command)
		return fail_unknown(argv[1]);
	return start_command(command, argc - 1, argv + 1);
}

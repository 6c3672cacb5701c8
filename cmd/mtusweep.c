/*
 * mtusweep reads what sweeps stored. It needs neither root nor the network. Data goes
 * to stdout, what went wrong to stderr; exit status 0 done, 1 failed, 2 usage.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/options.h"
#include "cmd/table.h"
#include "store/csv.h"
#include "store/query.h"
#include "store/store.h"

enum {
	EXIT_DONE,
	EXIT_FAILED,
	EXIT_USAGE,
};

struct settings {
	const char *db;
	const char *run;
	int by;
	int format;
	bool help;
	bool version;
};

static struct settings given = {.db = "mtusweep.db"};

/* In the order of enum query_by. */
static const char *const by_names[] = {"sum", "up", "down", NULL};
static const char *const format_names[] = {"csv", NULL};

#define OPTION_DB                                                     \
	{                                                             \
		.name = "db", .value = "FILE", .kind = OPTION_STRING, \
		.into = &given.db,                                    \
		.help = "the database to read (default mtusweep.db)"  \
	}
#define OPTION_RUN                                                    \
	{                                                             \
		.name = "run", .value = "RUN", .kind = OPTION_STRING, \
		.into = &given.run,                                   \
		.help = "a run's id, UUID, or the UUID's beginning\n" \
			"(default: the newest run)"                   \
	}
#define OPTION_HELP                                                       \
	{                                                                 \
		.name = "help", .kind = OPTION_FLAG, .into = &given.help, \
		.help = "print this help and exit"                        \
	}
#define OPTION_END           \
	{                    \
		.name = NULL \
	}

static const struct option_spec main_options[] = {
	OPTION_HELP,
	{.name = "version",
	 .kind = OPTION_FLAG,
	 .into = &given.version,
	 .help = "print the version and exit"},
	OPTION_END,
};

static const struct option_spec runs_options[] = {OPTION_DB, OPTION_HELP, OPTION_END};

static const struct option_spec show_options[] = {OPTION_DB, OPTION_RUN, OPTION_HELP,
						  OPTION_END};

static const struct option_spec best_options[] = {
	OPTION_DB,
	OPTION_RUN,
	{.name = "by",
	 .value = "up|down|sum",
	 .kind = OPTION_CHOICE,
	 .into = &given.by,
	 .choices = by_names,
	 .help = "what counts: upload, download, or both\ntogether (default sum)"},
	OPTION_HELP,
	OPTION_END,
};

static const struct option_spec export_options[] = {
	OPTION_DB,
	OPTION_RUN,
	{.name = "format",
	 .value = "csv",
	 .kind = OPTION_CHOICE,
	 .into = &given.format,
	 .choices = format_names,
	 .help = "how to write it (default csv, which is\n"
		 "nr-wg-mtu-finder's log)"},
	OPTION_HELP,
	OPTION_END,
};

static int print_run_line(void *ctx, const struct query_run *run)
{
	table_run_line(ctx, run);
	return 0;
}

static int print_warning(void *ctx, const char *text)
{
	table_warning(ctx, text);
	return 0;
}

static int print_result_line(void *ctx, const struct query_result *result)
{
	table_result_line(ctx, result);
	return 0;
}

static int do_runs(struct query *query, struct err *err)
{
	table_runs_heading(stdout);
	return query_runs(query, print_run_line, stdout, err);
}

static int do_show(struct query *query, struct err *err)
{
	struct query_run run;
	int r = query_run(query, given.run, &run, err);

	if (r < 0)
		return r;
	table_run(stdout, &run);
	r = query_warnings(query, run.id, print_warning, stdout, err);
	if (r < 0)
		return r;
	table_results_heading(stdout);
	return query_results(query, run.id, print_result_line, stdout, err);
}

static int do_best(struct query *query, struct err *err)
{
	struct query_result result;
	struct query_run run;
	int r = query_run(query, given.run, &run, err);

	if (r == 0)
		r = query_best(query, run.id, (enum query_by)given.by, &result, err);
	if (r < 0)
		return r;
	table_best(stdout, &result);
	return 0;
}

static int do_export(struct query *query, struct err *err)
{
	struct query_run run;
	int r = query_run(query, given.run, &run, err);

	return r < 0 ? r : csv_export(query, run.id, stdout, err);
}

struct command {
	const char *name;
	const struct option_spec *options;
	int (*run)(struct query *query, struct err *err);
	const char *help;
};

static const struct command commands[] = {
	{"runs", runs_options, do_runs, "list the runs of a database, oldest first"},
	{"show", show_options, do_show,
	 "show a run and what it measured, a line a pair"},
	{"best", best_options, do_best,
	 "print the fastest measured pair of MTUs of a run"},
	{"export", export_options, do_export,
	 "write every visit of a run in another program's format"},
	{NULL, NULL, NULL, NULL},
};

static void print_help(FILE *out)
{
	fputs("usage: mtusweep COMMAND [options]\n"
	      "       mtusweep help COMMAND\n\n"
	      "Reads what mtusweep-peer and mtusweep-server stored.\n\n"
	      "commands:\n",
	      out);
	for (const struct command *c = commands; c->name; c++)
		fprintf(out, "  %-8s %s\n", c->name, c->help);
	fputs("\noptions:\n", out);
	options_help(main_options, out);
}

static void print_command_help(const struct command *command, FILE *out)
{
	fprintf(out, "usage: mtusweep %s [options]\n\n%s\n\noptions:\n", command->name,
		command->help);
	options_help(command->options, out);
}

static const struct command *find_command(const char *name)
{
	for (const struct command *c = commands; c->name; c++) {
		if (strcmp(c->name, name) == 0)
			return c;
	}
	return NULL;
}

static int fail_usage(const char *command, const char *text)
{
	fprintf(stderr, "mtusweep %s: %s\n", command, text);
	return EXIT_USAGE;
}

static int fail_unknown(const char *name)
{
	fprintf(stderr,
		"mtusweep: unknown command '%s'; 'mtusweep --help' lists the "
		"commands\n",
		name);
	return EXIT_USAGE;
}

/* Nothing counts as printed before it has reached the file behind stdout. */
static int finish_output(int status)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	/* An export has said so already. */
	if (status == EXIT_DONE)
		fprintf(stderr, "mtusweep: cannot write the output: %s\n",
			strerror(errno ? errno : EIO));
	return EXIT_FAILED;
}

static int run_command(const struct command *command)
{
	struct err err = ERR_INIT;
	struct query *query;
	int r = query_open(given.db, &query, &err);

	if (r == 0) {
		r = command->run(query, &err);
		query_close(query);
	}
	if (r < 0)
		fprintf(stderr, "mtusweep: %s\n", err.text);
	return finish_output(r < 0 ? EXIT_FAILED : EXIT_DONE);
}

/* argv[0] is the command's name. */
static int start_command(const struct command *command, int argc, char **argv)
{
	struct err err = ERR_INIT;
	int positional;

	if (options_parse(command->options, argc, argv, &positional, &err) < 0)
		return fail_usage(command->name, err.text);
	if (given.help) {
		print_command_help(command, stdout);
		return finish_output(EXIT_DONE);
	}
	if (positional > 0) {
		err_set(&err, -EINVAL,
			"'%s' is one argument too many; a run is named with --run, a "
			"database with --db",
			argv[1]);
		return fail_usage(command->name, err.text);
	}
	return run_command(command);
}

static int start_help(int argc, char **argv)
{
	const struct command *command;

	if (argc > 2)
		return fail_usage("help", "it takes one command's name");
	if (argc < 2) {
		print_help(stdout);
		return finish_output(EXIT_DONE);
	}
	command = find_command(argv[1]);
	if (!command)
		return fail_unknown(argv[1]);
	print_command_help(command, stdout);
	return finish_output(EXIT_DONE);
}

/* Without a command there are only --help and --version. */
static int start_alone(int argc, char **argv)
{
	struct err err = ERR_INIT;
	int positional;

	if (options_parse(main_options, argc, argv, &positional, &err) < 0) {
		fprintf(stderr,
			"mtusweep: %s; a command's options come after its name\n",
			err.text);
		return EXIT_USAGE;
	}
	if (given.version) {
		printf("mtusweep %s (SQLite %s)\n", MTUSWEEP_VERSION,
		       store_library_version());
		return finish_output(EXIT_DONE);
	}
	if (given.help) {
		print_help(stdout);
		return finish_output(EXIT_DONE);
	}
	print_help(stderr);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2 || argv[1][0] == '-')
		return start_alone(argc, argv);
	if (strcmp(argv[1], "help") == 0)
		return start_help(argc - 1, argv + 1);
	command = find_command(argv[1]);
	if (!command)
		return fail_unknown(argv[1]);
	return start_command(command, argc - 1, argv + 1);
}

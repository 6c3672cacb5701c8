/* SPDX-License-Identifier: MIT */
#ifndef CMD_READ_READ_H
#define CMD_READ_READ_H

#include <jansson.h>
#include <stdbool.h>

#include "base/options.h"
#include "store/query.h"

/*
 * The commands of mtusweep, the program that reads what was stored: each is a struct in
 * a file of its own, read_<name>.c, and cmd/mtusweep.c lists them. A command's table of
 * options is parsed, printed by --help, and ends in one of the shared tables below.
 * Data goes to stdout; read_main.c prints errors, once.
 */

#define READ_ARGUMENTS_MAX 2

struct read_command {
	const char *name;
	const char *help; /* one line, for the list of commands too */
	const struct option_spec *options;
	const char *arguments; /* their names in the usage; NULL: none */
	int argument_count;
	bool takes_tunnel; /* --tunnel alone stands for the arguments */
	bool takes_run;    /* one optional argument, which means the same as --run */
	/* Checks of the options beyond the table; NULL: none. */
	int (*check)(struct err *err);
	/* Run the command on the open database. The caller finds errors of stdout with
	 * ferror(), unless the command reports them itself. */
	int (*run)(struct query *query, struct err *err);
	/* The same for a command that reads no database or opens it itself. Then `run`
	 * is NULL. */
	int (*run_alone)(struct err *err);
};

extern const struct read_command read_runs;
extern const struct read_command read_show;
extern const struct read_command read_best;
extern const struct read_command read_explain;
extern const struct read_command read_heatmap;
extern const struct read_command read_history;
extern const struct read_command read_compare;
extern const struct read_command read_export;
extern const struct read_command read_import;
extern const struct read_command read_share;
extern const struct read_command read_view;

/* The whole of mtusweep: find the command, parse its options, open its database, run it,
 * and print errors to stderr (cmd/read/read_main.c). */
struct read_program {
	const struct option_spec *options; /* without a command: --help and --version */
	const struct read_command *const *commands; /* the last is NULL */
};

/* Returns the exit status: 0 done; 1 failed; 2 usage. */
int read_main(const struct read_program *program, int argc, char **argv);

/* The values of the shared options. */
struct read_settings {
	const char *db;
	const char *run;    /* NULL: the newest */
	const char *tunnel; /* NULL: all */
	const char *argument[READ_ARGUMENTS_MAX];
	bool json;
	bool help;
	bool version;
};

extern struct read_settings read_given;

/* --db and --help. */
extern const struct option_spec read_db_options[];
/* --run, --tunnel, and those; "result" where the command calls read_find_result(). */
extern const struct option_spec read_run_options[];
extern const struct option_spec read_result_options[];
/* --json, and one of these, or --tunnel without --run. */
extern const struct option_spec read_json_tunnel_options[];
extern const struct option_spec read_json_run_options[];
extern const struct option_spec read_json_result_options[];

/* Print the object, which is freed, or say that there was no memory for it (NULL). */
int read_print_json(json_t *object, struct err *err);

/* The run that --run names; without it the newest. */
int read_find_run(struct query *query, struct query_run *ret, struct err *err);

/* The same, but without --run the newest that has a result of its own, which one that
 * applied a pair has not; stderr is told if that is not the newest of all. */
int read_find_result(struct query *query, struct query_run *ret, struct err *err);

#endif

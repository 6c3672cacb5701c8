/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/text.h"
#include "cmd/read/read.h"
#include "report/runjson_import.h"
#include "store/import.h"

/* If printing fails, report the run id, so that the file is not imported twice. */
static int print_result(const struct import_result *result, struct err *err)
{
	errno = 0;
	printf("run %" PRId64 ": %d measurement%s, %d failed\n", result->run,
	       result->visits, text_plural(result->visits), result->failed);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	return err_sys(
		err, errno ? errno : EIO,
		"run %" PRId64
		" is stored in '%s'; only the output that reports it cannot be written",
		result->run, read_given.db);
}

static int import_log(const char *file, struct err *err)
{
	struct import_result result = {0};
	struct err cut = ERR_INIT;
	int r = import_csv(file, read_given.db, &result, err);
	int printed;

	if (!result.run)
		return r;
	printed = print_result(&result, r == 0 ? err : NULL);
	if (result.cut_line) {
		err_set(&cut, 0,
			"line %d, the last one of '%s', is incomplete and was omitted",
			result.cut_line, file);
		fprintf(stderr, "mtusweep: %s\n", cut.text);
	}
	return r < 0 ? r : printed;
}

/* A second import changes nothing, so nobody has to be told if this is not printed. */
static int print_runs(int r, const struct import_runs *done)
{
	if (done->run)
		printf("%d run%s stored, %d replaced, %d already there\n", done->stored,
		       text_plural(done->stored), done->replaced, done->known);
	return r;
}

static int run_import(struct err *err)
{
	const char *file = read_given.argument[0];
	struct import_runs done = {0};
	enum import_kind kind;
	int r = import_kind(file, &kind, err);

	if (r < 0)
		return r;
	switch (kind) {
	case IMPORT_DATABASE:
		return print_runs(import_database(file, read_given.db, &done, err),
				  &done);
	case IMPORT_JSON:
		return print_runs(runjson_import(file, read_given.db, &done, err),
				  &done);
	case IMPORT_LOG:
		break;
	}
	return import_log(file, err);
}

static const struct option_spec options[] = {
	{.name = "db",
	 .value = "FILE",
	 .kind = OPTION_STRING,
	 .into = &read_given.db,
	 .help = "the database to write to, created if it\n"
		 "does not exist (default mtusweep.db)"},
	{.name = "help",
	 .letter = 'h',
	 .kind = OPTION_FLAG,
	 .into = &read_given.help,
	 .help = "print this help and exit"},
	{.name = NULL},
};

const struct read_command read_import = {
	.name = "import",
	.help = "store the runs of a database, a JSON export or a log (CSV)",
	.options = options,
	.arguments = "FILE",
	.argument_count = 1,
	.run_alone = run_import,
};

/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>

#include "cmd/read/read.h"
#include "cmd/read/read_output.h"
#include "cmd/run/runmetrics.h"
#include "report/csv.h"
#include "report/postgres.h"
#include "report/runjson.h"

static const char *output;
static int format;
static bool all;

typedef int export_fn(struct query *query, FILE *out, struct err *err);

static int export_csv(struct query *query, FILE *out, struct err *err)
{
	struct query_run run;
	int r = read_find_run(query, &run, err);

	return r < 0 ? r : csv_export(query, run.id, out, err);
}

static int export_json(struct query *query, FILE *out, struct err *err)
{
	struct query_run run;
	int r = read_find_run(query, &run, err);

	return r < 0 ? r : runjson_export(query, &run, out, err);
}

/* Without a run, that of each tunnel: a monitor wants them all. */
static int export_prometheus(struct query *query, FILE *out, struct err *err)
{
	struct runmetrics runs = {.pair_rows = INT_MAX};
	struct query_run run;
	int r;

	if (read_given.run) {
		r = read_find_run(query, &run, err);
		if (r == 0)
			r = runmetrics_add(&runs, query, &run, err);
	} else {
		r = runmetrics_collect(&runs, query, err);
	}
	if (r == 0)
		r = prometheus_export(query, runs.run, runs.count, out, err);
	runmetrics_release(&runs);
	return r;
}

static int export_postgres(struct query *query, FILE *out, struct err *err)
{
	struct query_run run;
	int r;

	if (all)
		return postgres_export_all(query, out, err);
	r = read_find_run(query, &run, err);
	return r < 0 ? r : postgres_export(query, &run, out, err);
}

/* In the same order. */
static const char *const format_names[] = {"csv", "json", "prometheus", "postgres",
					   NULL};
static export_fn *const exports[] = {export_csv, export_json, export_prometheus,
				     export_postgres};

static const struct option_spec options[] = {
	{.name = "format",
	 .kind = OPTION_CHOICE,
	 .into = &format,
	 .choices = format_names,
	 .help = "format of the output; csv is the log of\n"
		 "nr-wg-mtu-finder, prometheus has the newest\n"
		 "result of each tunnel unless a run is named,\n"
		 "postgres is a script for psql (default csv)"},
	{.name = "all",
	 .kind = OPTION_FLAG,
	 .into = &all,
	 .help = "all runs, as postgres only"},
	{.name = "output",
	 .letter = 'o',
	 .value = "FILE",
	 .kind = OPTION_STRING,
	 .into = &output,
	 .help = "write to FILE, completely or not at all\n"
		 "(default: to standard output)"},
	{.name = NULL, .more = read_run_options},
};

static int check_export(struct err *err)
{
	if (all && exports[format] != export_postgres)
		return err_set(err, -EINVAL,
			       "--all needs --format postgres: a file of format %s has "
			       "one run",
			       format_names[format]);
	if (all && read_given.run)
		return err_set(
			err, -EINVAL,
			"--all and run '%s' exclude each other: give one of them",
			read_given.run);
	return 0;
}

static int run_export(struct query *query, struct err *err)
{
	cleanup_outfile struct outfile out = OUTFILE_INIT;
	int r;

	if (!output)
		return exports[format](query, stdout, err);
	r = read_output_open(&out, output, err);
	if (r == 0)
		r = exports[format](query, out.stream, err);
	return read_output_end(&out, r, err);
}

const struct read_command read_export = {
	.name = "export",
	.help = "write a run in another program's format, or all of it as JSON",
	.options = options,
	.takes_run = true,
	.check = check_export,
	.run = run_export,
};

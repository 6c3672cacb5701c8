/* SPDX-License-Identifier: MIT */
#include "cmd/read/read.h"
#include "cmd/read/read_output.h"
#include "report/csv.h"
#include "report/prometheus.h"
#include "report/runjson.h"

static const char *output;
static int format;

typedef int export_fn(struct query *query, const struct query_run *run, FILE *out,
		      struct err *err);

static int export_csv(struct query *query, const struct query_run *run, FILE *out,
		      struct err *err)
{
	return csv_export(query, run->id, out, err);
}

/* In the same order. */
static const char *const format_names[] = {"csv", "json", "prometheus", NULL};
static export_fn *const exports[] = {export_csv, runjson_export, prometheus_export};

static const struct option_spec options[] = {
	{.name = "format",
	 .kind = OPTION_CHOICE,
	 .into = &format,
	 .choices = format_names,
	 .help = "format of the output; csv is the log of\n"
		 "nr-wg-mtu-finder (default csv)"},
	{.name = "output",
	 .letter = 'o',
	 .value = "FILE",
	 .kind = OPTION_STRING,
	 .into = &output,
	 .help = "write to FILE, completely or not at all\n"
		 "(default: to standard output)"},
	{.name = NULL, .more = read_run_options},
};

static int run_export(struct query *query, struct err *err)
{
	cleanup_outfile struct outfile out = OUTFILE_INIT;
	struct query_run run;
	int r = read_find_run(query, &run, err);

	if (r < 0)
		return r;
	if (!output)
		return exports[format](query, &run, stdout, err);
	r = read_output_open(&out, output, err);
	if (r == 0)
		r = exports[format](query, &run, out.stream, err);
	return read_output_end(&out, r, err);
}

const struct read_command read_export = {
	.name = "export",
	.help = "write a run in another program's format, or all of it as JSON",
	.options = options,
	.takes_run = true,
	.run = run_export,
};

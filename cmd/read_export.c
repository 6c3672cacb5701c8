#include "cmd/read.h"
#include "store/csv.h"

static int format;

static const char *const format_names[] = {"csv", NULL};

static const struct option_spec options[] = {
	{.name = "format",
	 .value = "csv",
	 .kind = OPTION_CHOICE,
	 .into = &format,
	 .choices = format_names,
	 .help = "how to write it (default csv, which is\n"
		 "nr-wg-mtu-finder's log)"},
	{.name = NULL, .more = read_run_options},
};

static int run_export(struct query *query, struct err *err)
{
	struct query_run run;
	int r = read_find_run(query, &run, err);

	return r < 0 ? r : csv_export(query, run.id, stdout, err);
}

const struct read_command read_export = {
	.name = "export",
	.help = "write every visit of a run in another program's format",
	.options = options,
	.run = run_export,
};

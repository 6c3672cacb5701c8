#include "cmd/read.h"
#include "cmd/table.h"

static int print_line(void *ctx, const struct query_run *run)
{
	table_run_line(ctx, run);
	return 0;
}

static int run_runs(struct query *query, struct err *err)
{
	table_runs_heading(stdout);
	return query_runs(query, print_line, stdout, err);
}

const struct read_command read_runs = {
	.name = "runs",
	.help = "list the runs of a database, oldest first",
	.options = read_db_options,
	.run = run_runs,
};

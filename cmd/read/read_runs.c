/* SPDX-License-Identifier: MIT */
#include "cmd/read/read.h"
#include "cmd/read/table.h"
#include "report/runjson.h"

static int print_line(void *ctx, const struct query_run *run)
{
	table_run_line(ctx, run);
	return 0;
}

static int print_json(struct query *query, struct err *err)
{
	struct runjson_list list = {.out = stdout};
	int r;

	fputs("[", stdout);
	r = query_runs(query, runjson_put_run, &list, err);
	fputs("]\n", stdout);
	return r;
}

static int run_runs(struct query *query, struct err *err)
{
	if (read_given.json)
		return print_json(query, err);
	table_runs_heading(stdout);
	return query_runs(query, print_line, stdout, err);
}

const struct read_command read_runs = {
	.name = "runs",
	.help = "list the runs of a database, in the order they were stored",
	.options = read_json_tunnel_options,
	.run = run_runs,
};

/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "cmd/read/read.h"
#include "cmd/read/table.h"
#include "report/runjson.h"

static int print_warning(void *ctx, const struct query_warning *w)
{
	table_warning(ctx, &w->facts);
	return 0;
}

static int print_result_line(void *ctx, const struct query_result *result)
{
	table_result_line(ctx, result);
	return 0;
}

static int print_recommended(struct query *query, int64_t run, struct err *err)
{
	struct query_recommendation recommended;
	int r = query_recommended(query, run, &recommended, err);

	if (r < 0)
		return r == -ENODATA ? 0 : r;
	table_recommended(stdout, &recommended);
	free(recommended.text);
	return 0;
}

static int run_show(struct query *query, struct err *err)
{
	struct query_run run;
	int r = read_find_run(query, &run, err);

	if (r < 0)
		return r;
	if (read_given.json)
		return runjson_show(query, &run, stdout, err);
	table_run(stdout, &run);
	r = query_warnings(query, run.id, "run", print_warning, stdout, err);
	if (r == 0)
		r = print_recommended(query, run.id, err);
	if (r < 0)
		return r;
	table_results_heading(stdout);
	return query_results(query, run.id, print_result_line, stdout, err);
}

const struct read_command read_show = {
	.name = "show",
	.help = "show a run and its measurements, one line for each pair",
	.options = read_json_run_options,
	.takes_run = true,
	.run = run_show,
};

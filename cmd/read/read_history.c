/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cmd/read/read.h"
#include "cmd/read/table.h"
#include "report/history.h"
#include "report/runjson.h"

static bool every_probe;

static const struct option_spec options[] = {
	{.name = "all",
	 .kind = OPTION_FLAG,
	 .into = &every_probe,
	 .help = "a line for each probe (default: one for probes in a row that\n"
		 "say the same)"},
	{.name = "json",
	 .kind = OPTION_FLAG,
	 .into = &read_given.json,
	 .help = "print each probe as JSON, for programs"},
	{.name = "run",
	 .value = "RUN",
	 .kind = OPTION_STRING,
	 .into = &read_given.run,
	 .help = "a run's id, UUID, or the UUID's beginning\n"
		 "(default: the newest watch)"},
	{.name = NULL, .more = read_db_options},
};

static int print_stretch(void *ctx, const struct history_stretch *stretch)
{
	table_stretch(ctx, stretch);
	return 0;
}

static int print_json(struct query *query, const struct query_run *run, struct err *err)
{
	struct runjson_list probes = {.out = stdout};
	json_t *object = runjson_run(run);
	int r;

	fputs("{\"run\":", stdout);
	runjson_dumpf(object, stdout, JSON_COMPACT);
	json_decref(object);
	fputs(",\n\"probes\":[", stdout);
	r = query_probes(query, run->id, runjson_put_probe, &probes, err);
	fputs("]}\n", stdout);
	return r;
}

static int run_history(struct query *query, struct err *err)
{
	struct query_run run;
	int r = read_given.run ? read_find_run(query, &run, err)
			       : query_last_watch(query, &run, err);

	if (r < 0)
		return r;
	if (read_given.json)
		return print_json(query, &run, err);
	table_history_heading(stdout, &run);
	return history_read(query, run.id, every_probe, print_stretch, stdout, err);
}

const struct read_command read_history = {
	.name = "history",
	.help = "show what a watch (mtusweep-peer --watch) has seen over time",
	.options = options,
	.takes_run = true,
	.run = run_history,
};

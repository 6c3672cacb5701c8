/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "cmd/read/read.h"
#include "cmd/read/read_ready.h"
#include "cmd/read/table.h"
#include "report/runjson.h"

static int by;

/* In the order of enum query_by. */
static const char *const by_names[] = {"sum", "up", "down", NULL};

static const struct option_spec options[] = {
	{.name = "by",
	 .kind = OPTION_CHOICE,
	 .into = &by,
	 .choices = by_names,
	 .help = "rank the fastest pair by upload, download, or\n"
		 "the sum of both; the recommended pair stays the\n"
		 "same (default sum)"},
	{.name = NULL, .more = read_ready_options},
};

/* { "run": ..., "by": ..., "recommended": ... or null, "fastest": ... or null } */
static int print_json(const struct query_run *run,
		      const struct query_recommendation *recommended,
		      const struct query_result *fastest, struct err *err)
{
	json_t *pair = recommended->evidence.mtu.peer ? runjson_recommended(recommended)
						      : json_null();
	json_t *fast = fastest->visits ? runjson_result(fastest) : json_null();
	json_t *object = json_pack("{so ss so so}", "run", runjson_run(run), "by",
				   by_names[by], "recommended", pair, "fastest", fast);

	return read_print_json(object, err);
}

static int print_best(const struct query_run *run,
		      const struct query_recommendation *recommended,
		      const struct query_result *fastest, struct err *err)
{
	if (read_given.json)
		return print_json(run, recommended, fastest, err);
	if (recommended->text)
		table_lines(stdout, recommended->text);
	else
		puts("this run recommends no pair");
	fputs("\n"
	      "fastest measured: ",
	      stdout);
	if (fastest->visits)
		table_best(stdout, fastest);
	else
		puts("none");
	return 0;
}

/* A run that only probed has a recommendation, and no fastest pair. */
static int run_best(struct query *query, struct err *err)
{
	struct query_recommendation recommended = {0};
	struct query_result fastest = {0};
	struct query_run run;
	struct err none = ERR_INIT;
	int measured;
	int r = read_find_result(query, &run, err);

	if (r < 0)
		return r;
	if (read_ready_asked())
		return read_ready_print(query, &run, err);
	measured = query_best(query, run.id, (enum query_by)by, &fastest, &none);
	if (measured < 0 && measured != -ENODATA)
		return err_set(err, measured, "%s", none.text);
	r = query_recommended(query, run.id, &recommended, err);
	if (r == -ENODATA && measured < 0)
		return err_set(err, measured, "%s", none.text);
	if (r == 0 || r == -ENODATA)
		r = print_best(&run, &recommended, &fastest, err);
	free(recommended.text);
	return r;
}

const struct read_command read_best = {
	.name = "best",
	.help = "print the pair of MTUs that a run recommends, and its fastest pair",
	.options = options,
	.check = read_ready_check,
	.takes_run = true,
	.run = run_best,
};

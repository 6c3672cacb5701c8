#include <errno.h>

#include "cmd/read.h"
#include "cmd/table.h"
#include "store/runjson.h"

static int by;

/* In the order of enum query_by. */
static const char *const by_names[] = {"sum", "up", "down", NULL};

static const struct option_spec options[] = {
	{.name = "by",
	 .value = "up|down|sum",
	 .kind = OPTION_CHOICE,
	 .into = &by,
	 .choices = by_names,
	 .help = "what counts: upload, download, or both\ntogether (default sum)"},
	{.name = NULL, .more = read_json_run_options},
};

/* { "run": ..., "by": ..., "fastest": ... } */
static int print_json(const struct query_run *run, const struct query_result *result,
		      struct err *err)
{
	json_t *object = json_pack("{so ss so}", "run", runjson_run(run), "by",
				   by_names[by], "fastest", runjson_result(result));

	if (!object)
		return err_set(err, -ENOMEM, "out of memory");
	json_dumpf(object, stdout, JSON_INDENT(2));
	fputc('\n', stdout);
	json_decref(object);
	return 0;
}

static int run_best(struct query *query, struct err *err)
{
	struct query_result result;
	struct query_run run;
	int r = read_find_run(query, &run, err);

	if (r == 0)
		r = query_best(query, run.id, (enum query_by)by, &result, err);
	if (r < 0)
		return r;
	if (read_given.json)
		return print_json(&run, &result, err);
	table_best(stdout, &result);
	return 0;
}

const struct read_command read_best = {
	.name = "best",
	.help = "print the fastest measured pair of MTUs of a run",
	.options = options,
	.run = run_best,
};

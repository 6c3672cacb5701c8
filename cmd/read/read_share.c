/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "cmd/read/read.h"
#include "cmd/read/read_map.h"
#include "cmd/read/read_output.h"
#include "report/share.h"

static const char *output;

static const struct option_spec options[] = {
	{.name = "output",
	 .letter = 'o',
	 .value = "FILE",
	 .kind = OPTION_STRING,
	 .into = &output,
	 .help = "the HTML file to write"},
	{.name = NULL, .more = read_db_options},
};

static int check(struct err *err)
{
	return output ? 0 : err_set(err, -EINVAL, "it needs --output FILE");
}

static int run_share(struct query *query, struct err *err)
{
	const struct heatmap_options anonymous = {.anonymous = true};
	cleanup_outfile struct outfile out = OUTFILE_INIT;
	struct query_run run;
	struct heatmap map;
	int r = query_run(query, read_given.argument[0], &run, err);

	if (r == 0)
		r = read_output_open(&out, output, err);
	if (r == 0)
		r = read_map_load(query, &run, &anonymous, &map, err);
	if (r < 0)
		return r;
	r = share_write(query, run.id, &map, out.stream, err);
	heatmap_release(&map);
	return read_output_end(&out, r, err);
}

const struct read_command read_share = {
	.name = "share",
	.help = "write a run as an HTML file that names no host",
	.options = options,
	.arguments = "RUN",
	.argument_count = 1,
	.check = check,
	.run = run_share,
};

/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "cmd/read/read.h"
#include "cmd/read/read_output.h"
#include "cmd/run/runmap.h"
#include "report/share.h"

static const char *output;

static const struct option_spec options[] = {
	{.name = "output",
	 .letter = 'o',
	 .value = "FILE",
	 .kind = OPTION_STRING,
	 .into = &output,
	 .help = "the HTML file to write (default:\n"
		 "mtusweep-run-N.html of run N)"},
	{.name = NULL, .more = read_result_options},
};

/* Without a path and measurements a recommendation is worth a page, too. */
static int load_map(struct query *query, const struct query_run *run,
		    struct heatmap *ret, struct err *err)
{
	const struct heatmap_options anonymous = {.anonymous = true};
	int r = runmap_load(query, run, &anonymous, ret, err);

	if (r != -ENODATA || !run->recommended.server)
		return r;
	heatmap_describe(run, true, ret);
	return 0;
}

static int run_share(struct query *query, struct err *err)
{
	cleanup_outfile struct outfile out = OUTFILE_INIT;
	struct query_run run;
	struct heatmap map;
	char name[48];
	int r = read_find_result(query, &run, err);

	if (r < 0)
		return r;
	snprintf(name, sizeof(name), "mtusweep-run-%lld.html", (long long)run.id);
	r = read_output_open(&out, output ? output : name, err);
	if (r == 0)
		r = load_map(query, &run, &map, err);
	if (r < 0)
		return r;
	r = share_write(query, &run, &map, out.stream, err);
	heatmap_release(&map);
	r = read_output_end(&out, r, err);
	if (r == 0 && !output)
		puts(name);
	return r;
}

const struct read_command read_share = {
	.name = "share",
	.help = "write a run as an HTML file that names no host",
	.options = options,
	.takes_run = true,
	.run = run_share,
};

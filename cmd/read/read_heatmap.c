/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/read/read.h"
#include "cmd/read/read_output.h"
#include "cmd/run/runmap.h"
#include "report/heatmap_cairo.h"
#include "report/heatmap_json.h"
#include "report/runjson.h"

static const char *output;
static struct heatmap_options wanted;
static int figure;

enum { FIGURE_RATE, FIGURE_LATENCY };

static const char *const figure_names[] = {"rate", "latency", NULL};

static const struct option_spec options[] = {
	{.name = "output",
	 .letter = 'o',
	 .value = "FILE",
	 .kind = OPTION_STRING,
	 .into = &output,
	 .help = "draw to FILE, whose name ends in .png or\n"
		 ".svg (default: on the terminal)"},
	{.name = "figure",
	 .kind = OPTION_CHOICE,
	 .into = &figure,
	 .choices = figure_names,
	 .help = "draw rates, or latency: the round trip while\n"
		 "the test fills the path (default rate)"},
	{.name = "all",
	 .kind = OPTION_FLAG,
	 .into = &wanted.all,
	 .help = "also draw what the sender sent, besides what\n"
		 "arrived"},
	{.name = "average",
	 .kind = OPTION_FLAG,
	 .into = &wanted.average,
	 .help = "draw one map of the mean of upload and\n"
		 "download"},
	{.name = NULL, .more = read_json_result_options},
};

typedef int write_fn(const struct heatmap *map, FILE *out, struct err *err);

/* NULL: not a kind of file that can be drawn. */
static write_fn *writer_of(const char *path)
{
	const char *dot = strrchr(path, '.');

	if (dot && strcmp(dot, ".png") == 0)
		return heatmap_write_png;
	if (dot && strcmp(dot, ".svg") == 0)
		return heatmap_write_svg;
	return NULL;
}

static int check_options(struct err *err)
{
	wanted.latency = figure == FIGURE_LATENCY;
	if (wanted.latency && wanted.all)
		return err_set(err, -EINVAL,
			       "--all adds maps of rates: give it without --figure "
			       "latency");
	if (output && read_given.json)
		return err_set(err, -EINVAL,
			       "--json prints the map, --output draws it: give one of "
			       "them");
	if (!output || writer_of(output))
		return 0;
	return err_set(
		err, -EINVAL,
		"'%s' ends neither in .png nor in .svg, the formats that can be drawn",
		output);
}

static int draw_file(const struct heatmap *map, struct err *err)
{
	cleanup_outfile struct outfile out = OUTFILE_INIT;
	int r = read_output_open(&out, output, err);

	if (r == 0)
		r = writer_of(output)(map, out.stream, err);
	return read_output_end(&out, r, err);
}

static int run_heatmap(struct query *query, struct err *err)
{
	struct query_run run;
	struct heatmap map;
	int r = read_find_result(query, &run, err);

	if (r == 0)
		r = runmap_load(query, &run, &wanted, &map, err);
	if (r < 0)
		return r;
	if (output)
		r = draw_file(&map, err);
	else if (read_given.json)
		r = read_print_json(heatmap_json(&map, runjson_run(&run)), err);
	else
		runmap_print(&map, STDOUT_FILENO, stdout);
	heatmap_release(&map);
	return r;
}

const struct read_command read_heatmap = {
	.name = "heatmap",
	.help = "draw a run's path, and a map of its rates or latency",
	.options = options,
	.check = check_options,
	.takes_run = true,
	.run = run_heatmap,
};

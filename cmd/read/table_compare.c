/* SPDX-License-Identifier: MIT */
/* The part of cmd/read/table.h that is about two runs. */
#include <math.h>

#include "base/text.h"
#include "cmd/read/table.h"

#define SIDE_SIZE 24

static void print_summary(FILE *out, enum direction dir,
			  const struct compare_summary *summary)
{
	double percent = 100 * (summary->shift - 1);

	fprintf(out, "%-9s ", direction_name(dir));
	if (summary->compared < COMPARE_MIN) {
		fprintf(out, "%d pair%s worked in both: too few to tell noise\n",
			summary->compared, text_plural(summary->compared));
		return;
	}
	fprintf(out, "%d pairs worked in both: ", summary->compared);
	if (summary->shifted)
		fprintf(out, "%.1f %% %s by and large", fabs(percent),
			percent > 0 ? "faster" : "slower");
	else
		fprintf(out, "as fast by and large (%+.1f %%)", percent);
	fprintf(out, ", noise %.1f %% a pair\n", 100 * summary->noise);
}

static void format_side(const struct compare_side *side, char ret[SIDE_SIZE])
{
	if (side->status != TEST_OK)
		text_copy(ret, SIDE_SIZE, test_status_name(side->status));
	else if (side->rate_bps == NO_FIGURE)
		text_copy(ret, SIDE_SIZE, "?");
	else
		snprintf(ret, SIDE_SIZE, "%.3f", (double)side->rate_bps / 1e6);
}

static void print_change(FILE *out, const struct compare_change *change)
{
	char sides[2][SIDE_SIZE];
	char percent[16] = "";

	for (int i = 0; i < 2; i++)
		format_side(&change->side[i], sides[i]);
	if (!isnan(change->ratio))
		snprintf(percent, sizeof(percent), "%+.1f %%",
			 100 * (change->ratio - 1));
	fprintf(out, "%10d  %8d  %-9s  %12s  %12s  %9s  %d of %d, %d of %d\n",
		change->mtu.server, change->mtu.peer, direction_name(change->dir),
		sides[0], sides[1], percent, change->side[0].ok, change->side[0].visits,
		change->side[1].ok, change->side[1].visits);
}

void table_comparison(FILE *out, const struct query_run runs[2],
		      const struct comparison *comparison)
{
	table_runs_heading(out);
	for (int i = 0; i < 2; i++)
		table_run_line(out, &runs[i]);
	fprintf(out,
		"\npairs     %d in both, %d only in the first, %d only in the second\n",
		comparison->in_both, comparison->only[0], comparison->only[1]);
	for (int d = 0; d < DIR_COUNT; d++)
		print_summary(out, (enum direction)d, &comparison->dir[d]);
	if (comparison->changes == 0) {
		fputs("No pair changed beyond noise.\n", out);
		return;
	}
	fprintf(out, "\n%10s  %8s  %-9s  %12s  %12s  %9s  %s\n", "server MTU",
		"peer MTU", "direction", "first Mbit/s", "second", "change",
		"visits that worked");
	for (int i = 0; i < comparison->changes; i++)
		print_change(out, &comparison->change[i]);
}

/* SPDX-License-Identifier: MIT */
/* The part of cmd/read/table.h that compares two runs. */
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "base/tunnel.h"
#include "cmd/read/table.h"

static void print_summary(FILE *out, enum direction dir,
			  const struct compare_summary *summary)
{
	double percent = 100 * (summary->shift - 1);

	fprintf(out, "%-9s ", direction_name(dir));
	if (summary->compared < COMPARE_MIN) {
		fprintf(out, "%d pair%s worked in both: too few to estimate noise\n",
			summary->compared, text_plural(summary->compared));
		return;
	}
	fprintf(out, "%d pairs worked in both: ", summary->compared);
	if (summary->shifted)
		fprintf(out, "%.1f %% %s overall", fabs(percent),
			percent > 0 ? "faster" : "slower");
	else
		fprintf(out, "as fast overall (%+.1f %%)", percent);
	fprintf(out, ", noise %.1f %% per pair\n", 100 * summary->noise);
}

/* Nothing is printed of runs without latencies. */
static void print_latency(FILE *out, enum direction dir,
			  const struct compare_latency *latency)
{
	const struct compare_summary *summary = &latency->summary;
	double percent = 100 * (summary->shift - 1);

	if (summary->compared < COMPARE_MIN)
		return;
	fprintf(out, "%-9s round trip under load %.1f ms, then %.1f ms: ",
		direction_name(dir), (double)latency->us[0] / 1000,
		(double)latency->us[1] / 1000);
	if (summary->shifted)
		fprintf(out, "%.1f %% %s overall", fabs(percent),
			percent > 0 ? "longer" : "shorter");
	else
		fprintf(out, "as long overall (%+.1f %%)", percent);
	fprintf(out, ", noise %.1f %% per pair\n", 100 * summary->noise);
}

static void print_change(FILE *out, const struct compare_change *change)
{
	char sides[2][RATE_TEXT_SIZE];
	char server[MTU_TEXT_SIZE];
	char peer[MTU_TEXT_SIZE];
	char percent[16] = "";

	for (int i = 0; i < 2; i++)
		rate_text(change->side[i].status, change->side[i].rate_bps, 3,
			  sides[i]);
	if (!isnan(change->ratio))
		snprintf(percent, sizeof(percent), "%+.1f %%",
			 100 * (change->ratio - 1));
	fprintf(out, "%10s  %8s  %-9s  %12s  %12s  %9s  %d of %d, %d of %d\n",
		mtu_text(change->mtu.server, server), mtu_text(change->mtu.peer, peer),
		direction_name(change->dir), sides[0], sides[1], percent,
		change->side[0].ok, change->side[0].visits, change->side[1].ok,
		change->side[1].visits);
}

/* --- the answer: the pair and the path --- */

static const char *const run_words[2] = {"first", "second"};

static void print_pair(FILE *out, const struct mtu_pair *mtu)
{
	char pair[PAIR_TEXT_SIZE];

	if (mtu->server)
		fputs(mtu_pair_text(mtu, pair), out);
	else
		fputs("none", out);
}

static void print_recommended(FILE *out, const struct query_run runs[2])
{
	const struct mtu_pair *first = &runs[0].recommended;
	const struct mtu_pair *second = &runs[1].recommended;

	fputs("\npair      recommended: ", out);
	print_pair(out, first);
	if (mtu_pair_same(first, second)) {
		fputs(first->server ? ", the same in both\n" : " in either\n", out);
		return;
	}
	fputs(" in the first, ", out);
	print_pair(out, second);
	fputs(" in the second\n", out);
}

static void print_tunnels(FILE *out, const struct query_run runs[2])
{
	struct tunnel tunnel[2];
	char id[2][TUNNEL_ID_SIZE];

	if (!tunnel_of_run(&runs[0].info, &tunnel[0]) ||
	    !tunnel_of_run(&runs[1].info, &tunnel[1]))
		return;
	if (!tunnel_same(&tunnel[0], &tunnel[1]))
		fprintf(out, "tunnel    two different ones: %s and %s\n",
			tunnel_id(&tunnel[0], id[0]), tunnel_id(&tunnel[1], id[1]));
	else if (strcmp(runs[0].info.server.key, runs[1].info.server.key) != 0)
		fputs("tunnel    the same in both, but server and peer have exchanged "
		      "their roles: so have MTUs and directions\n",
		      out);
}

static void format_size(const struct compare_size *size, char ret[16])
{
	if (!size->low)
		snprintf(ret, 16, "-");
	else if (size->low == size->high)
		snprintf(ret, 16, "%d", size->low);
	else
		snprintf(ret, 16, "%d to %d", size->low, size->high);
}

static void print_edges(FILE *out, const struct compare_path *path)
{
	if (path->edges)
		fprintf(out, "\n%-9s  %-29s  %12s  %12s\n", "direction",
			"edge of outer packets, bytes", "first", "second");
	for (int i = 0; i < path->edges; i++) {
		const struct compare_edge *edge = &path->edge[i];
		char fates[32];
		char sizes[2][16];

		snprintf(fates, sizeof(fates), "%s, then %s", fate_name(edge->below),
			 fate_name(edge->above));
		for (int run = 0; run < 2; run++)
			format_size(&edge->size[run], sizes[run]);
		fprintf(out, "%-9s  %-29s  %12s  %12s\n", direction_name(edge->dir),
			fates, sizes[0], sizes[1]);
	}
}

/* Causes by which edges differ though the path is the same. */
static void print_doubts(FILE *out, const struct compare_path *path)
{
	for (int run = 0; run < 2; run++) {
		for (int dir = 0; dir < DIR_COUNT; dir++) {
			if (path->guessed[run][dir])
				fprintf(out,
					"doubt     %s: the edges of the %s run are "
					"told "
					"from throughput\n",
					direction_name((enum direction)dir),
					run_words[run]);
		}
	}
	if (path->doubt_differs)
		fputs("doubt     in one of the runs fragments could not be told from "
		      "whole packets\n",
		      out);
}

static void print_overhead(FILE *out, const struct compare_path *path)
{
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		if (path->overhead[0][dir] != path->overhead[1][dir])
			fprintf(out,
				"overhead  %s: %d bytes in the first, %d in the "
				"second\n",
				direction_name((enum direction)dir),
				path->overhead[0][dir], path->overhead[1][dir]);
	}
}

static void print_path(FILE *out, const struct compare_path *path)
{
	bool compared = false;

	if (!path->known[0] || !path->known[1]) {
		fprintf(out, "edges     not compared: %s\n",
			!path->known[0] && !path->known[1]
				? "neither run probed the path"
			: path->known[0] ? "the second run did not probe the path"
					 : "the first run did not probe the path");
		return;
	}
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		compared |= !path->unknown[dir];
		if (path->unknown[dir])
			fprintf(out,
				"edges     %s: not compared, since they are unknown in "
				"one of the runs\n",
				direction_name((enum direction)dir));
	}
	if (compared)
		fprintf(out, "edges     %s\n",
			path->edges ? "changed, see below" : "the same in both");
	print_overhead(out, path);
	print_doubts(out, path);
}

/* --- the whole --- */

/* Rates of too few pairs are not compared, so nothing is known of their changes. */
static void print_unchanged(FILE *out, const struct comparison *comparison)
{
	bool known[DIR_COUNT];

	for (int dir = 0; dir < DIR_COUNT; dir++)
		known[dir] = comparison->dir[dir].compared >= COMPARE_MIN;
	if (known[DIR_UPLOAD] && known[DIR_DOWNLOAD])
		fputs("No pair changed beyond noise.\n", out);
	else if (!known[DIR_UPLOAD] && !known[DIR_DOWNLOAD])
		fputs("Rates were not compared.\n", out);
	else
		fprintf(out,
			"No pair changed beyond noise in %s; rates of %s were not "
			"compared.\n",
			direction_name(known[DIR_UPLOAD] ? DIR_UPLOAD : DIR_DOWNLOAD),
			direction_name(known[DIR_UPLOAD] ? DIR_DOWNLOAD : DIR_UPLOAD));
}

void table_comparison(FILE *out, const struct query_run runs[2],
		      const struct comparison *comparison,
		      const struct compare_path *path)
{
	table_runs_heading(out);
	for (int i = 0; i < 2; i++)
		table_run_line(out, &runs[i]);
	print_recommended(out, runs);
	print_tunnels(out, runs);
	print_path(out, path);
	fprintf(out,
		"pairs     %d in both, %d only in the first, %d only in the second\n",
		comparison->in_both, comparison->only[0], comparison->only[1]);
	for (int d = 0; d < DIR_COUNT; d++)
		print_summary(out, (enum direction)d, &comparison->dir[d]);
	for (int d = 0; d < DIR_COUNT; d++)
		print_latency(out, (enum direction)d, &comparison->latency[d]);
	print_edges(out, path);
	if (comparison->changes == 0) {
		if (path->edges)
			fputc('\n', out);
		print_unchanged(out, comparison);
		return;
	}
	fprintf(out, "\n%10s  %8s  %-9s  %12s  %12s  %9s  %s\n", "server MTU",
		"peer MTU", "direction", "first Mbit/s", "second", "change",
		"measurements ok");
	for (int i = 0; i < comparison->changes; i++)
		print_change(out, &comparison->change[i]);
}

/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/tunnel.h"
#include "cmd/read/read.h"
#include "cmd/read/table.h"
#include "report/compare.h"
#include "report/runjson.h"

static json_t *side_object(const struct compare_side *side)
{
	return json_pack("{ss so si si}", "status", test_status_name(side->status),
			 "rate_bps",
			 side->rate_bps == NO_FIGURE ? json_null()
						     : json_integer(side->rate_bps),
			 "ok", side->ok, "visits", side->visits);
}

static json_t *change_object(const struct compare_change *change)
{
	return json_pack("{so si ss so so so}", "server_mtu",
			 runjson_mtu(change->mtu.server), "peer_mtu", change->mtu.peer,
			 "direction", direction_name(change->dir), "first",
			 side_object(&change->side[0]), "second",
			 side_object(&change->side[1]), "ratio",
			 isnan(change->ratio) ? json_null() : json_real(change->ratio));
}

static json_t *summary_object(const struct compare_summary *summary)
{
	return json_pack("{si sf sf sb}", "compared", summary->compared, "ratio",
			 summary->shift, "noise", summary->noise, "beyond_noise",
			 summary->shifted);
}

static json_t *time_or_null(int64_t us)
{
	return us == NO_FIGURE ? json_null() : json_integer(us);
}

static json_t *latency_object(const struct compare_latency *latency)
{
	json_t *object = summary_object(&latency->summary);

	json_object_set_new(object, "first_us", time_or_null(latency->us[0]));
	json_object_set_new(object, "second_us", time_or_null(latency->us[1]));
	return object;
}

static json_t *latencies_object(const struct comparison *all)
{
	return json_pack("{so so}", "upload", latency_object(&all->latency[DIR_UPLOAD]),
			 "download", latency_object(&all->latency[DIR_DOWNLOAD]));
}

static json_t *recommended_object(const struct query_run runs[2])
{
	return json_pack("{so so sb}", "first", runjson_pair(&runs[0].recommended),
			 "second", runjson_pair(&runs[1].recommended), "changed",
			 !mtu_pair_same(&runs[0].recommended, &runs[1].recommended));
}

/* null: the tunnel of a run is not known. */
static json_t *same_tunnel(const struct query_run runs[2])
{
	struct tunnel tunnel[2];

	if (!tunnel_of_run(&runs[0].info, &tunnel[0]) ||
	    !tunnel_of_run(&runs[1].info, &tunnel[1]))
		return json_null();
	return json_boolean(tunnel_same(&tunnel[0], &tunnel[1]));
}

static json_t *size_object(const struct compare_size *size)
{
	if (!size->low)
		return json_null();
	return json_pack("{si si}", "low", size->low, "high", size->high);
}

/* null where a run has no path: nothing is compared. */
static json_t *edges_array(const struct compare_path *path)
{
	json_t *array;

	if (!path->known[0] || !path->known[1])
		return json_null();
	array = json_array();
	for (int i = 0; i < path->edges; i++) {
		const struct compare_edge *edge = &path->edge[i];

		json_array_append_new(array,
				      json_pack("{ss ss ss so so}", "direction",
						direction_name(edge->dir), "below",
						fate_name(edge->below), "above",
						fate_name(edge->above), "first",
						size_object(&edge->size[0]), "second",
						size_object(&edge->size[1])));
	}
	return array;
}

static int print_json(const struct query_run runs[2], const struct comparison *all,
		      const struct compare_path *path, struct err *err)
{
	json_t *changes = json_array();
	json_t *object;

	for (int i = 0; i < all->changes; i++)
		json_array_append_new(changes, change_object(&all->change[i]));
	object = json_pack("{so so so so so si si si so so so so}", "first",
			   runjson_run(&runs[0]), "second", runjson_run(&runs[1]),
			   "same_tunnel", same_tunnel(runs), "recommended",
			   recommended_object(runs), "edges", edges_array(path),
			   "pairs_in_both", all->in_both, "pairs_only_in_first",
			   all->only[0], "pairs_only_in_second", all->only[1], "upload",
			   summary_object(&all->dir[DIR_UPLOAD]), "download",
			   summary_object(&all->dir[DIR_DOWNLOAD]), "latency",
			   latencies_object(all), "changes", changes);
	return read_print_json(object, err);
}

/* The last two runs with something to compare. The run of an --apply repeats one pair. */
static int keep_two(void *ctx, const struct query_run *run)
{
	struct query_run *runs = ctx;

	if (strcmp(run->info.strategy, STRATEGY_APPLY) == 0 ||
	    (run->measured == run->failed && !run->recommended.peer))
		return 0;
	runs[0] = runs[1];
	runs[1] = *run;
	return 0;
}

static int find_two(struct query *query, struct query_run runs[2], struct err *err)
{
	int r = 0;

	for (int i = 0; i < 2 && r == 0 && read_given.argument[0]; i++)
		r = query_run(query, read_given.argument[i], &runs[i], err);
	if (!read_given.argument[0])
		r = query_runs(query, keep_two, runs, err);
	if (r == 0 && !runs[0].id)
		r = err_set(err, -ENOENT,
			    "tunnel '%s' does not have two runs with a result in "
			    "database '%s'",
			    read_given.tunnel, read_given.db);
	return r;
}

static int run_compare(struct query *query, struct err *err)
{
	struct comparison comparison = {0};
	struct compare_path path;
	struct query_run runs[2] = {0};
	int r = find_two(query, runs, err);

	if (r == 0)
		r = compare_paths(query, runs[0].id, runs[1].id, &path, err);
	if (r == 0)
		r = compare_runs(query, runs[0].id, runs[1].id, &comparison, err);
	if (r < 0)
		return r;
	if (read_given.json)
		r = print_json(runs, &comparison, &path, err);
	else
		table_comparison(stdout, runs, &comparison, &path);
	compare_release(&comparison);
	return r;
}

const struct read_command read_compare = {
	.name = "compare",
	.help = "show what changed between two runs: pair, edges, rates",
	.options = read_json_tunnel_options,
	.arguments = "RUN RUN",
	.argument_count = 2,
	.takes_tunnel = true,
	.run = run_compare,
};

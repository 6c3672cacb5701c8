/* SPDX-License-Identifier: MIT */
#include "report/live_facts.h"

#include <errno.h>
#include <stdio.h>

#include "report/colormap.h"
#include "report/history.h"
#include "report/runjson.h"

/* Colours from the lowest rate to the highest; readers interpolate between them. */
#define COLORS 17
/* The newest changes of a watched path: 270 bytes each. */
#define CHANGES_MAX 20

static json_t *grid_json(const struct mtu_range *range)
{
	if (mtu_range_count(range) > HEATMAP_AXIS_MAX || range->min == MTU_UNKNOWN)
		return json_null();
	return json_pack("[iii]", range->min, range->max, range->step);
}

static json_t *colors_json(void)
{
	json_t *array = json_array();

	for (int i = 0; i < COLORS; i++) {
		struct colormap_color c = colormap_at((double)i / (COLORS - 1));
		char text[8];

		snprintf(text, sizeof(text), "#%02x%02x%02x",
			 (unsigned)(c.red * 255 + .5), (unsigned)(c.green * 255 + .5),
			 (unsigned)(c.blue * 255 + .5));
		json_array_append_new(array, json_string(text));
	}
	return array;
}

static json_t *signs_json(void)
{
	json_t *array = json_array();

	for (int m = 0; m < HEATMAP_MARKS; m++)
		json_array_append_new(array,
				      json_pack("{ss ss ss}", "name", signs[m].name,
						"label", signs[m].label, "shape",
						sign_shape_name(signs[m].shape)));
	return array;
}

static json_t *edges_json(const struct heatmap *map)
{
	json_t *array = json_array();

	for (int i = 0; i < map->edges; i++) {
		const struct heatmap_edge *edge = &map->edge[i];

		json_array_append_new(array,
				      json_pack("{ss si si ss ss}", "direction",
						direction_name(edge->dir), "size",
						edge->size, "mtu", edge->mtu_sent,
						"below", fate_name(edge->below),
						"above", fate_name(edge->above)));
	}
	return array;
}

static int add_warning(void *ctx, const struct query_warning *w)
{
	return json_array_append_new(ctx, runjson_warning(&w->facts)) < 0 ? -ENOMEM : 0;
}

/* The facts that do not change with each row. */
static json_t *run_facts(const struct query_run *run)
{
	static const char *const changing[] = {"state",    "outcome", "outcome_text",
					       "ended_at", "visits",  "visits_failed"};
	json_t *object = runjson_run(run);

	for (size_t i = 0; i < sizeof(changing) / sizeof(changing[0]); i++)
		json_object_del(object, changing[i]);
	json_object_set_new(object, "started_at_ms",
			    json_integer(run->info.started_at_ms));
	return object;
}

/* --- the path --- */

static json_t *fates_json(void)
{
	json_t *array = json_array();

	for (int f = 0; f < FATE_COUNT; f++) {
		enum fate fate = fate_legend[f];
		char color[8];

		snprintf(color, sizeof(color), "#%06x", fate_signs[fate].rgb);
		json_array_append_new(
			array, json_pack("{ss ss ss}", "name", fate_name(fate), "label",
					 fate_signs[fate].label, "color", color));
	}
	return array;
}

static json_t *ruler_dir_json(const struct ruler *ruler, enum direction dir)
{
	const struct ruler_dir *d = &ruler->dir[dir];
	json_t *bands = json_array();

	for (int b = 0; b < d->bands; b++)
		json_array_append_new(bands, json_pack("[is]", d->band[b].to,
						       fate_name(d->band[b].fate)));
	return json_pack("{ss+ si sb sb so}", "title", ruler_title(dir), ruler_doubt(d),
			 "overhead", d->overhead, "proved",
			 d->bands > 0 && !d->guessed && !d->doubted, "guessed",
			 d->guessed, "bands", bands);
}

static json_t *ruler_json(const struct ruler_facts *facts)
{
	struct ruler ruler;

	ruler_make(facts, &ruler);
	if (!ruler.to)
		return json_null();
	return json_pack("{si si si so so}", "from", ruler.from, "to", ruler.to, "step",
			 ruler.step, "upload", ruler_dir_json(&ruler, DIR_UPLOAD),
			 "download", ruler_dir_json(&ruler, DIR_DOWNLOAD));
}

/* Also of a run whose map cannot be drawn. */
static int read_ruler(struct query *query, const struct query_run *run,
		      const struct evidence *evidence, json_t **ret, struct err *err)
{
	struct path_survey survey = {0};
	struct ruler_facts facts = {0};
	int r = query_path(query, run->id, &survey, err);

	if (r < 0 && r != -ENODATA)
		return r;
	facts.path = survey.path;
	for (int d = 0; d < DIR_COUNT; d++)
		facts.guessed[d] = evidence_correct_bands(evidence, (enum direction)d,
							  &facts.path.dir[d]);
	facts.mark[HEATMAP_CURRENT] = run_info_current(&run->info);
	facts.mark[HEATMAP_RECOMMENDED] = evidence_pair(evidence);
	*ret = ruler_json(&facts);
	return 0;
}

/* --- the recommendation --- */

/* The recommended pair as an export has it, and how far it is proved, in words and as a
 * fact; null if there is none. */
static int read_recommended(struct query *query, const struct query_run *run,
			    struct evidence *ret_evidence, json_t **ret,
			    struct err *err)
{
	struct query_recommendation found = {0};
	int r = query_recommended(query, run->id, &found, err);

	*ret_evidence = found.evidence;
	if (r == -ENODATA) {
		*ret = json_null();
		return 0;
	}
	if (r < 0)
		return r;
	*ret = runjson_recommended(&found);
	json_object_set_new(*ret, "proof",
			    json_string(heatmap_proof(run, &found.evidence)));
	json_object_set_new(*ret, "predicted",
			    json_boolean(evidence_is_predicted(&found.evidence)));
	free(found.text);
	return *ret ? 0 : err_set(err, -ENOMEM, "out of memory");
}

/* --- a watch --- */

static int add_change(void *ctx, const struct path_probe *probe)
{
	json_t *list = ctx;

	if (json_array_append_new(list, history_change_json(probe)) < 0)
		return -ENOMEM;
	return json_array_size(list) == CHANGES_MAX;
}

/* Null: the run is no watch. */
static int read_changes(struct query *query, const struct query_run *run, json_t **ret,
			struct err *err)
{
	json_t *list = json_array();
	int r = query_changes(query, run->id, add_change, list, err);

	if (r >= 0 && json_array_size(list)) {
		*ret = list;
		return 0;
	}
	json_decref(list);
	if (r == 0)
		*ret = json_null();
	return r == -ENOMEM ? err_set(err, r, "out of memory") : r;
}

int live_facts(struct query *query, const struct query_run *run,
	       const struct heatmap *map, json_t **ret, struct err *err)
{
	const struct run_info *info = &run->info;
	json_t *warnings = json_array();
	json_t *recommended = NULL;
	json_t *ruler = NULL;
	json_t *changes = NULL;
	struct evidence evidence;
	struct query_warning left_out = {
		.facts = {.kind = WARNING_LEFT_OUT, .value = QUERY_ROWS_SERVED}};
	int r = query_warnings(query, run->id, "run", add_warning, warnings, err);

	/* The run is too large to send its rows. */
	if (r == 0 && !run->counted)
		r = add_warning(warnings, &left_out);
	if (r == 0)
		r = read_recommended(query, run, &evidence, &recommended, err);
	if (r == 0)
		r = read_ruler(query, run, &evidence, &ruler, err);
	if (r == 0)
		r = read_changes(query, run, &changes, err);
	*ret = json_pack("{so s[oo] so so so so so so so so}", "run", run_facts(run),
			 "grid", grid_json(&info->server_range),
			 grid_json(&info->peer_range), "recommended", recommended,
			 "ruler", ruler, "fates", fates_json(), "edges",
			 edges_json(map), "warnings", warnings, "colors", colors_json(),
			 "signs", signs_json(), "changes", changes);
	if (r == 0 && !*ret)
		r = err_set(err, -ENOMEM, "out of memory");
	return r;
}

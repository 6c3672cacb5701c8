#include "cmd/read_map.h"

#include <errno.h>

#include "cmd/read_path.h"
#include "engine/pathmodel.h"

/* Some 50 ms. */
#define GUESS_VISITS_MAX 4000

static void predict(struct heatmap *map, const struct path *path, enum direction dir)
{
	if (path->dir[dir].count == 0)
		return;
	for (int i = 0; i < map->server.count; i++) {
		for (int j = 0; j < map->peer.count; j++) {
			struct mtu_pair mtu = {map->server.mtu[i], map->peer.mtu[j]};

			heatmap_predict(map, dir, i, j,
					pathmodel_predict(path, &mtu, dir).tcp);
		}
	}
}

static int add_guessed(struct query *query, const struct query_run *run,
		       struct heatmap *map, struct err *err)
{
	struct read_path known;
	int r = read_path(query, run, &known, err);

	if (r < 0)
		return r == -ENODATA ? 0 : r;
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		if (!known.guessed[dir])
			continue;
		heatmap_add_edges(map, (enum direction)dir, known.path.overhead,
				  &known.path.dir[dir]);
		map->edges_guessed[dir] = true;
	}
	return 0;
}

static int add_known(struct query *query, const struct query_run *run,
		     struct heatmap *map, struct err *err)
{
	struct path_survey survey = {0};
	int r = query_path(query, run->id, &survey, err);

	if (r < 0 && r != -ENODATA)
		return r;
	for (int dir = 0; dir < DIR_COUNT; dir++)
		predict(map, &survey.path, (enum direction)dir);
	if ((survey.path.dir[DIR_UPLOAD].count &&
	     survey.path.dir[DIR_DOWNLOAD].count) ||
	    run->measured > GUESS_VISITS_MAX)
		return 0;
	return add_guessed(query, run, map, err);
}

int read_map_load(struct query *query, const struct query_run *run,
		  const struct heatmap_options *options, struct heatmap *ret,
		  struct err *err)
{
	int r = heatmap_load(query, run, options, ret, err);

	if (r < 0)
		return r;
	r = add_known(query, run, ret, err);
	if (r < 0)
		heatmap_release(ret);
	return r;
}

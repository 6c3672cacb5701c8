/* SPDX-License-Identifier: MIT */
#include "cmd/read/read_map.h"

#include <errno.h>

#include "cmd/run/runpath.h"
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

/* A direction known from rates alone has edges but no predictions. */
static int add_known(struct query *query, const struct query_run *run,
		     struct heatmap *map, struct err *err)
{
	struct runpath known;
	int r = runpath_read(query, run, GUESS_VISITS_MAX, &known, err);

	if (r < 0)
		return r == -ENODATA ? 0 : r;
	for (int i = 0; i < DIR_COUNT; i++) {
		enum direction dir = (enum direction)i;

		if (!known.guessed[dir]) {
			predict(map, &known.path, dir);
			continue;
		}
		heatmap_add_edges(map, dir, known.path.overhead, &known.path.dir[dir]);
		map->edges_guessed[dir] = true;
	}
	return 0;
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

#include "cmd/read_map.h"

#include <errno.h>

#include "engine/pathmodel.h"

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

int read_map_load(struct query *query, const struct query_run *run,
		  const struct heatmap_options *options, struct heatmap *ret,
		  struct err *err)
{
	struct path_survey survey = {0};
	int r = query_path(query, run->id, &survey, err);

	if (r < 0 && r != -ENODATA)
		return r;
	r = heatmap_load(query, run, options, ret, err);
	for (int dir = 0; r == 0 && dir < DIR_COUNT; dir++)
		predict(ret, &survey.path, (enum direction)dir);
	return r;
}

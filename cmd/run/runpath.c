/* SPDX-License-Identifier: MIT */
#include "cmd/run/runpath.h"

#include <errno.h>
#include <stdlib.h>

#include "base/io.h"
#include "engine/recommend.h"

/* The pause between the measurements of a log, which has no times: only their order
 * counts. */
#define VISIT_MS 1000
#define MARGIN   0.05

static void number_visits(struct measurement *m, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (int dir = 0; dir < DIR_COUNT; dir++) {
			if (!m[i].dir[dir].started_at_ms)
				m[i].dir[dir].started_at_ms =
					(int64_t)m[i].seq * VISIT_MS;
		}
	}
}

/* Fill in what was not probed. */
static int guess_path(struct query *query, const struct query_run *run,
		      uint32_t since_seq, struct runpath *path, struct err *err)
{
	cleanup_free struct measurement *m = NULL;
	struct recommend_input input = {
		.path = path->path,
		.server = run->info.server_range,
		.peer = run->info.peer_range,
		.margin = MARGIN,
	};
	struct recommendation recommendation;
	size_t skipped = 0;
	int r = query_load_measurements(query, run->id, &m, &input.count, err);

	if (r < 0 || !input.count)
		return r;
	while (skipped < input.count && m[skipped].seq <= since_seq)
		skipped++;
	input.count -= skipped;
	number_visits(m + skipped, input.count);
	input.m = m + skipped;
	if (recommend_find(&input, &recommendation) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		if (path->path.dir[dir].count)
			continue;
		path->path.dir[dir] = recommendation.path.dir[dir];
		path->guessed[dir] = path->path.dir[dir].count > 0;
	}
	return 0;
}

void runpath_assume_overhead(const struct run_info *info, int ret[DIR_COUNT])
{
	int peer = info->peer.endpoint_family;
	int server = info->server.endpoint_family;

	ret[DIR_UPLOAD] = path_overhead(peer ? peer : server);
	ret[DIR_DOWNLOAD] = path_overhead(server ? server : peer);
}

int runpath_read(struct query *query, const struct query_run *run, int guess_max,
		 struct runpath *ret, struct err *err)
{
	struct path_survey survey = {0};
	struct runpath path = {0};
	int stored = query_path(query, run->id, &survey, err);
	int r = 0;

	if (stored < 0 && stored != -ENODATA)
		return stored;
	path.path = survey.path;
	if (stored < 0) {
		runpath_assume_overhead(&run->info, path.path.overhead);
		path.family_assumed = !run->info.peer.endpoint_family &&
				      !run->info.server.endpoint_family;
	}
	if (run->counted && run->measured <= guess_max &&
	    (!path.path.dir[DIR_UPLOAD].count || !path.path.dir[DIR_DOWNLOAD].count))
		r = guess_path(query, run, survey.since_seq, &path, err);
	if (r < 0)
		return r;
	if (stored < 0 && !path.guessed[DIR_UPLOAD] && !path.guessed[DIR_DOWNLOAD])
		return err_set(err, -ENODATA,
			       "the path of run %lld is unknown: it was not probed, "
			       "and nothing was measured",
			       (long long)run->id);
	*ret = path;
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "cmd/run/runpath.h"

#include <errno.h>
#include <stdlib.h>

#include "base/io.h"
#include "engine/verdict.h"

/* Between the visits of a log, which has no times: what counts is their order. */
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
static int guess(struct query *query, const struct query_run *run, struct runpath *path,
		 struct err *err)
{
	cleanup_free struct measurement *m = NULL;
	struct verdict_input input = {
		.path = path->path,
		.server = run->info.server_range,
		.peer = run->info.peer_range,
		.margin = MARGIN,
	};
	struct verdict verdict;
	int r = query_load_measurements(query, run->id, &m, &input.count, err);

	if (r < 0 || !input.count)
		return r;
	number_visits(m, input.count);
	input.m = m;
	if (verdict_find(&input, &verdict) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		if (path->path.dir[dir].count)
			continue;
		path->path.dir[dir] = verdict.path.dir[dir];
		path->guessed[dir] = path->path.dir[dir].count > 0;
	}
	return 0;
}

static void assume_overhead(const struct run_info *info, struct runpath *path)
{
	int family = info->peer.endpoint_family ? info->peer.endpoint_family
						: info->server.endpoint_family;

	path->family_assumed = !family;
	path->path.overhead = family == 6 ? PATH_OVERHEAD_IPV6 : PATH_OVERHEAD_IPV4;
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
	if (stored < 0)
		assume_overhead(&run->info, &path);
	if (run->counted && run->measured <= guess_max &&
	    (!path.path.dir[DIR_UPLOAD].count || !path.path.dir[DIR_DOWNLOAD].count))
		r = guess(query, run, &path, err);
	if (r < 0)
		return r;
	if (stored < 0 && !path.guessed[DIR_UPLOAD] && !path.guessed[DIR_DOWNLOAD])
		return err_set(err, -ENODATA,
			       "nothing is known of the path of run %lld: it was not "
			       "probed, and nothing was measured",
			       (long long)run->id);
	*ret = path;
	return 0;
}

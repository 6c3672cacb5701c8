/* SPDX-License-Identifier: MIT */
/* The recommendation of a stored run. */
#include "cmd/run/conclude.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/recommend_evidence.h"
#include "store/query.h"

/* A run as read from the database. */
struct stored {
	struct query_run run;
	struct path_survey survey;
	struct measurement *rows; /* freed by the caller */
	size_t count;
};

static int load_run(struct query *query, int64_t run, int rows_max, struct stored *ret,
		    struct err *err)
{
	int r;

	if (rows_max)
		query_bound(query, rows_max);
	r = query_run_numbered(query, run, &ret->run, err);
	if (r == 0 && !ret->run.counted)
		r = err_set(err, -ERANGE, "the run has more than %d rows", rows_max);
	if (r == 0)
		r = query_path(query, run, &ret->survey, err);
	if (r == 0)
		r = query_load_measurements(query, run, &ret->rows, &ret->count, err);
	return r;
}

/* Measurements of an earlier path say nothing about this one. */
static void drop_other_paths(struct stored *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->count; i++) {
		if (s->rows[i].seq > s->survey.since_seq)
			s->rows[kept++] = s->rows[i];
	}
	s->count = kept;
}

static int judge_run(const struct run_info *run, const struct path_survey *survey,
		     const struct measurement *rows, size_t count, int margin,
		     struct evidence *ret, struct err *err)
{
	const struct recommend_input input = {
		.path = survey->path,
		.server = run->server_range,
		.peer = run->peer_range,
		.current = {run->server.link_mtu, run->peer.link_mtu},
		.m = rows,
		.count = count,
		.margin = margin / 100.0,
	};
	struct recommendation found;
	int r = recommend_find(&input, &found);

	if (r < 0)
		return err_set(err, r, "out of memory for the run's rows");
	recommend_evidence(&found, survey, ret);
	return 0;
}

int conclude_path(const struct run_info *run, const struct path_survey *survey,
		  int margin, struct evidence *ret, struct err *err)
{
	return judge_run(run, survey, NULL, 0, margin, ret, err);
}

int conclude_run(const char *db, int64_t run, int margin, int rows_max,
		 struct evidence *ret, struct err *err)
{
	struct stored stored = {0};
	struct query *query;
	int r = query_open(db, &query, err);

	if (r < 0)
		return r;
	r = load_run(query, run, rows_max, &stored, err);
	query_close(query);
	if (r == 0)
		drop_other_paths(&stored);
	if (r == 0)
		r = judge_run(&stored.run.info, &stored.survey, stored.rows,
			      stored.count, margin, ret, err);
	free(stored.rows);
	return r;
}

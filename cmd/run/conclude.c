/* SPDX-License-Identifier: MIT */
/* The recommendation of a stored run. */
#include "cmd/run/conclude.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/verdict_text.h"
#include "store/query.h"

/* A run as read from the database. */
struct stored {
	struct query_run run;
	struct path_survey survey;
	struct measurement *rows; /* freed by the caller */
	size_t count;
};

static int load(struct query *query, int64_t run, struct stored *ret, struct err *err)
{
	char id[24];
	int r;

	snprintf(id, sizeof(id), "%" PRId64, run);
	/* At the server, the peer waits for this. */
	query_bound(query, CONCLUDE_ROWS_MAX);
	r = query_run(query, id, &ret->run, err);
	if (r == 0 && !ret->run.counted)
		r = err_set(err, -ERANGE, "the run has more than %d rows",
			    CONCLUDE_ROWS_MAX);
	if (r == 0)
		r = query_path(query, run, &ret->survey, err);
	if (r == 0)
		r = query_load_measurements(query, run, &ret->rows, &ret->count, err);
	return r;
}

static int judge(const struct stored *s, int margin, struct conclusion *ret,
		 struct err *err)
{
	const struct run_info *run = &s->run.info;
	const struct verdict_input input = {
		.path = s->survey.path,
		.server = run->server_range,
		.peer = run->peer_range,
		.current = {run->server.link_mtu, run->peer.link_mtu},
		.m = s->rows,
		.count = s->count,
		.margin = margin / 100.0,
	};
	struct verdict verdict;
	int r = verdict_find(&input, &verdict);

	if (r < 0)
		return err_set(err, r, "out of memory for the run's rows");
	r = verdict_text(&verdict, &s->survey, &ret->text, err);
	if (r < 0)
		return r;
	ret->verdict = verdict;
	ret->reason = (struct reason){
		.kind = verdict.why,
		.margin = margin,
		.visits = verdict.visits,
		.rival = verdict.rival,
	};
	return 0;
}

int conclude_run(const char *db, int64_t run, int margin, struct conclusion *ret,
		 struct err *err)
{
	struct stored stored = {0};
	struct query *query;
	int r = query_open(db, &query, err);

	if (r < 0)
		return r;
	r = load(query, run, &stored, err);
	query_close(query);
	if (r == 0)
		r = judge(&stored, margin, ret, err);
	free(stored.rows);
	return r;
}

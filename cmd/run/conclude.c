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

static struct recommend_input input_of(const struct run_info *run,
				       const struct path_survey *survey,
				       const struct measurement *rows, size_t count,
				       int margin)
{
	return (struct recommend_input){
		.path = survey->path,
		.server = run->server_range,
		.peer = run->peer_range,
		.current = run_info_current(run),
		.m = rows,
		.count = count,
		.margin = margin / 100.0,
	};
}

static int judge(const struct recommend_input *input, const struct path_survey *survey,
		 struct evidence *ret, struct err *err)
{
	struct recommendation found;
	int r = recommend_find(input, &found);

	if (r < 0)
		return err_set(err, r, "out of memory for the run's rows");
	recommend_evidence(&found, survey, ret);
	return 0;
}

int conclude_path(const struct run_info *run, const struct path_survey *survey,
		  int margin, struct evidence *ret, struct err *err)
{
	struct recommend_input input = input_of(run, survey, NULL, 0, margin);

	return judge(&input, survey, ret, err);
}

/* The caller frees ret->rows, also on failure. */
static int load(const char *db, int64_t run, int rows_max, struct stored *ret,
		struct err *err)
{
	struct query *query;
	int r = query_open(db, &query, err);

	if (r < 0)
		return r;
	r = load_run(query, run, rows_max, ret, err);
	query_close(query);
	if (r == 0)
		drop_other_paths(ret);
	return r;
}

int conclude_run(const char *db, int64_t run, int margin, int rows_max,
		 struct evidence *ret, struct err *err)
{
	struct stored stored = {0};
	int r = load(db, run, rows_max, &stored, err);

	if (r == 0) {
		struct recommend_input input = input_of(&stored.run.info,
							&stored.survey, stored.rows,
							stored.count, margin);

		r = judge(&input, &stored.survey, ret, err);
	}
	free(stored.rows);
	return r;
}

/* --- one end alone --- */

/* The warnings of tests that mean the same with one end. */
static bool is_of_one_end(const struct warning *w, const struct mtu_pair *mtu)
{
	switch ((int)w->kind) {
	case WARNING_CONTRADICTED:
	case WARNING_CONTRADICTED_ONCE:
	case WARNING_UNREACHED:
	case WARNING_DRIFT:
	case WARNING_LATENCY:
		return true;
	case WARNING_CLAMPED:
		return mtu_pair_sender(mtu, w->direction) != MTU_UNKNOWN;
	}
	return false;
}

/* The pair, its reason and the path are the probes'. */
static void take_tests(const struct evidence *tests, struct evidence *e)
{
	e->status = tests->status;
	e->settled = tests->settled;
	e->reason.margin = tests->reason.margin;
	e->reason.visits = tests->reason.visits;
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		e->dir[dir] = tests->dir[dir];
		e->dir[dir].guessed = false;
	}
	for (int i = 0; i < tests->warnings; i++) {
		if (is_of_one_end(&tests->warning[i], &e->mtu))
			evidence_warn(e, tests->warning[i]);
	}
}

int conclude_one_end(const char *db, int64_t run, int margin, struct evidence *e,
		     struct err *err)
{
	struct stored stored = {0};
	struct evidence tests;
	int r = load(db, run, 0, &stored, err);

	if (r == 0) {
		struct recommend_input input = input_of(&stored.run.info,
							&stored.survey, stored.rows,
							stored.count, margin);

		input.chosen = e->mtu;
		r = judge(&input, &stored.survey, &tests, err);
	}
	if (r == 0)
		take_tests(&tests, e);
	free(stored.rows);
	return r;
}

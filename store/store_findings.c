/* SPDX-License-Identifier: MIT */
/* Writing a run's findings: its warnings, its path and its recommendation. */

#include "base/clock.h"
#include "store/store_db.h"

static int put_warning(struct db *db, int64_t run, const char *about,
		       const struct warning *w, struct err *err)
{
	static const char sql[] =
		"INSERT INTO run_warning"
		" (run_id, about, warned_at, " ROW_WARNING_COLUMNS ")"
		" SELECT ?, ?, ?, " ROW_WARNING_VALUES
		" WHERE NOT EXISTS (SELECT 1 FROM run_warning WHERE run_id = ?"
		" AND about = ? AND (" ROW_WARNING_COLUMNS ") IS (" ROW_WARNING_VALUES
		"))";
	struct row row = {.column = 1};
	int r = db_prepare(db, sql, &row.stmt, err);

	if (r < 0)
		return r;
	row_bind_int(&row, run);
	row_bind_text(&row, about);
	row_bind_time(&row, clock_wall_ms());
	row_bind_warning(&row, w);
	row_bind_int(&row, run);
	row_bind_text(&row, about);
	row_bind_warning(&row, w);
	return store_finish_row(db, &row, err);
}

int store_warn(struct store *store, int64_t run, const struct warning *w,
	       struct err *err)
{
	int r = store_may_write(store, run, err);

	return r <= 0 ? r : put_warning(&store->db, run, "run", w, err);
}

#define PATH_BAND   "INSERT INTO path_band VALUES (?, ?, ?, ?)"
#define REASON_BAND "INSERT INTO reason_band VALUES (?, ?, ?, ?)"

static int put_bands(struct db *db, const char *sql, int64_t run, enum direction dir,
		     const struct path_bands *bands, struct err *err)
{
	for (int i = 0; i < bands->count; i++) {
		struct row row = {.column = 1};
		int r = db_prepare(db, sql, &row.stmt, err);

		if (r < 0)
			return r;
		row_bind_int(&row, run);
		row_bind_text(&row, direction_name(dir));
		row_bind_int(&row, bands->band[i].max);
		row_bind_text(&row, fate_name(bands->band[i].fate));
		r = store_finish_row(db, &row, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int put_numbers(struct db *db, const char *sql, const int64_t *value, int count,
		       struct err *err)
{
	struct row row = {.column = 1};
	int r = db_prepare(db, sql, &row.stmt, err);

	if (r < 0)
		return r;
	for (int i = 0; i < count; i++)
		row_bind_int(&row, value[i]);
	return store_finish_row(db, &row, err);
}

struct new_path {
	int64_t run;
	const struct path_survey *survey;
};

static int replace_path(struct db *db, void *ctx, struct err *err)
{
	const struct new_path *new = ctx;
	const struct path_survey *s = new->survey;
	const struct path *path = &s->path;
	const int *added = path->overhead;
	const bool *relayed = path->relayed;
	const bool *unseen = path->unseen;
	const int64_t detail[] = {new->run,   added[0],  added[1],  relayed[0],
				  relayed[1], unseen[0], unseen[1], s->since_seq};
	const int64_t row[] = {new->run, added[0], s->probes[0], s->probes[1],
			       s->probe_ms};
	/* The details and bands of an earlier path go with its row. */
	int r = put_numbers(db, "INSERT OR REPLACE INTO path VALUES (?, ?, ?, ?, ?)",
			    row, 5, err);

	if (r == 0)
		r = put_numbers(db,
				"INSERT INTO path_detail VALUES"
				" (?, ?, ?, ?, ?, ?, ?, ?)",
				detail, 8, err);
	for (int dir = 0; r == 0 && dir < DIR_COUNT; dir++)
		r = put_bands(db, PATH_BAND, new->run, (enum direction)dir,
			      &path->dir[dir], err);
	return r;
}

int store_put_path(struct store *store, int64_t run, const struct path_survey *survey,
		   struct err *err)
{
	struct new_path path = {run, survey};
	int r = store_may_write(store, run, err);

	return r <= 0 ? r : db_transact(&store->db, replace_path, &path, err);
}

struct new_recommendation {
	int64_t run;
	const struct evidence *evidence;
};

#define FIGURE_VALUE(...) "?, "
#define DIR_VALUES        EVIDENCE_FIGURES(FIGURE_VALUE) "?"

static void bind_dir(struct row *row, const struct evidence_dir *dir)
{
#define BIND_FIGURE(name, ...) row_bind_int_unless(row, dir->name, NO_FIGURE);
	EVIDENCE_FIGURES(BIND_FIGURE)
#undef BIND_FIGURE
	row_bind_int(row, dir->guessed);
}

static int put_reason(struct db *db, int64_t run, const struct evidence *e,
		      struct err *err)
{
	static const char sql[] =
		"INSERT INTO reason VALUES (?, ?, ?, ?, ?, ?, ?, " DIR_VALUES
		", " DIR_VALUES ")";
	const struct reason *reason = &e->reason;
	struct row row = {.column = 1};
	int r = db_prepare(db, sql, &row.stmt, err);

	if (r < 0)
		return r;
	row_bind_int(&row, run);
	row_bind_text(&row, reason_name(reason->kind));
	row_bind_text(&row, evidence_status_name(e->status));
	row_bind_int(&row, reason->margin);
	row_bind_int(&row, reason->visits);
	row_bind_int_unless(&row, reason->rival.server, 0);
	row_bind_int_unless(&row, reason->rival.peer, 0);
	bind_dir(&row, &e->dir[DIR_UPLOAD]);
	bind_dir(&row, &e->dir[DIR_DOWNLOAD]);
	return store_finish_row(db, &row, err);
}

static int put_evidence(struct db *db, int64_t run, const struct evidence *e,
			struct err *err)
{
	int r = put_reason(db, run, e, err);

	for (int dir = 0; r == 0 && dir < DIR_COUNT; dir++) {
		if (e->dir[dir].guessed)
			r = put_bands(db, REASON_BAND, run, (enum direction)dir,
				      &e->survey.path.dir[dir], err);
	}
	for (int i = 0; r == 0 && i < e->warnings; i++)
		r = put_warning(db, run, "recommendation", &e->warning[i], err);
	return r;
}

/* The reason of before goes with the row of recommendation, its warnings do not. */
static int remove_warnings(struct db *db, int64_t run, struct err *err)
{
	static const char sql[] = "DELETE FROM run_warning WHERE run_id = ?"
				  " AND about = 'recommendation'";
	struct row row = {.column = 1};
	int r = db_prepare(db, sql, &row.stmt, err);

	if (r < 0)
		return r;
	row_bind_int(&row, run);
	return store_finish_row(db, &row, err);
}

static int replace_recommendation(struct db *db, void *ctx, struct err *err)
{
	static const char sql[] =
		"INSERT OR REPLACE INTO recommendation VALUES (?, ?, ?, ?, '')";
	const struct new_recommendation *new = ctx;
	struct row row = {.column = 1};
	int r = remove_warnings(db, new->run, err);

	if (r == 0)
		r = db_prepare(db, sql, &row.stmt, err);
	if (r < 0)
		return r;
	row_bind_int(&row, new->run);
	row_bind_int(&row, new->evidence->mtu.server);
	row_bind_int(&row, new->evidence->mtu.peer);
	row_bind_int(&row, new->evidence->settled);
	r = store_finish_row(db, &row, err);
	return r < 0 ? r : put_evidence(db, new->run, new->evidence, err);
}

int store_recommend(struct store *store, int64_t run, const struct evidence *evidence,
		    struct err *err)
{
	struct new_recommendation new = {run, evidence};
	int r = store_may_write(store, run, err);

	return r <= 0 ? r : db_transact(&store->db, replace_recommendation, &new, err);
}

static int remove_recommendation(struct db *db, void *ctx, struct err *err)
{
	static const char sql[] = "DELETE FROM recommendation WHERE run_id = ?";
	const int64_t *run = ctx;
	struct row row = {.column = 1};
	int r = remove_warnings(db, *run, err);

	if (r == 0)
		r = db_prepare(db, sql, &row.stmt, err);
	if (r < 0)
		return r;
	row_bind_int(&row, *run);
	return store_finish_row(db, &row, err);
}

int store_withdraw(struct store *store, int64_t run, struct err *err)
{
	int r = store_may_write(store, run, err);

	return r <= 0 ? r : db_transact(&store->db, remove_recommendation, &run, err);
}

int store_put_one_end(struct store *store, int64_t run, const struct one_end *facts,
		      struct err *err)
{
	static const char sql[] =
		"INSERT OR REPLACE INTO one_end (run_id, " ROW_ONE_END_COLUMNS
		") VALUES (?, " ROW_ONE_END_VALUES ")";
	struct row row = {.column = 1};
	int r = store_may_write(store, run, err);

	if (r > 0)
		r = db_prepare(&store->db, sql, &row.stmt, err);
	if (r < 0 || !row.stmt)
		return r;
	row_bind_int(&row, run);
	row_bind_one_end(&row, facts);
	return store_finish_row(&store->db, &row, err);
}

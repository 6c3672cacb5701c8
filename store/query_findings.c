/* SPDX-License-Identifier: MIT */
/* Reading a run's findings: its warnings, its path and its recommendation. */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/query_db.h"
#include "store/row.h"
#include "store/schema.h"

static int fail_bands(const struct query *query, int64_t run, struct err *err)
{
	return err_set(err, -EUCLEAN,
		       "run %lld in database '%s' has bands of its path that cannot be",
		       (long long)run, query->db.path);
}

static int read_bands(struct query *query, const char *table, int64_t run,
		      struct path *ret, struct err *err)
{
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	char sql[128];
	int r;

	snprintf(sql, sizeof(sql),
		 "SELECT direction, size_max, fate FROM %s WHERE run_id = ?"
		 " ORDER BY direction, size_max",
		 table);
	r = query_prepare(query, sql, run, &stmt, err);
	while (r == 0 && (r = db_step(&query->db, stmt, err)) > 0) {
		struct row row = {.stmt = stmt};
		enum direction dir = row_read_direction(&row);
		int max = row_read_small(&row, 1, OUTER_SIZE_MAX);
		enum fate fate = row_read_fate(&row);

		r = row_check(&row, &query->db, "a band of a path", err);
		if (r < 0)
			return r;
		if (path_bands_add(&ret->dir[dir], max, fate) < 0)
			return fail_bands(query, run, err);
	}
	for (int dir = 0; r == 0 && dir < DIR_COUNT; dir++) {
		const struct path_bands *bands = &ret->dir[dir];

		if (bands->count && bands->band[bands->count - 1].max != OUTER_SIZE_MAX)
			return fail_bands(query, run, err);
	}
	return r;
}

/* Far above what there is. */
#define OVERHEAD_MAX 1000
#define PROBES_MAX   1000000
#define PROBE_MAX_MS 1000000000

int query_path(struct query *query, int64_t run, struct path_survey *ret,
	       struct err *err)
{
	static const char *const sql[SCHEMA_VERSION] = {
		"SELECT overhead, overhead, 0, 0, 0, 0, 0, upload_probes, "
		"download_probes,"
		" probe_ms FROM path WHERE run_id = ?",
		"SELECT upload_overhead, download_overhead, upload_relayed,"
		" download_relayed, upload_unseen, download_unseen, since_seq,"
		" upload_probes, download_probes, probe_ms"
		" FROM path LEFT JOIN path_detail USING (run_id) WHERE run_id = ?",
	};
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	struct path_survey survey = {0};
	struct row row = {.column = 0};
	int r = query_fetch(query, sql[query->db.version - 1], run, &stmt, err);

	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, -ENODATA,
			       "nothing is stored of the path of run %lld",
			       (long long)run);
	row.stmt = stmt;
	survey.path.overhead[DIR_UPLOAD] = row_read_small(&row, 0, OVERHEAD_MAX);
	survey.path.overhead[DIR_DOWNLOAD] = row_read_small(&row, 0, OVERHEAD_MAX);
	survey.path.relayed[DIR_UPLOAD] = row_read_small(&row, 0, 1);
	survey.path.relayed[DIR_DOWNLOAD] = row_read_small(&row, 0, 1);
	survey.path.unseen[DIR_UPLOAD] = row_read_small(&row, 0, 1);
	survey.path.unseen[DIR_DOWNLOAD] = row_read_small(&row, 0, 1);
	survey.since_seq = (uint32_t)row_read_int(&row, 0, UINT32_MAX);
	survey.probes[DIR_UPLOAD] = row_read_small(&row, 0, PROBES_MAX);
	survey.probes[DIR_DOWNLOAD] = row_read_small(&row, 0, PROBES_MAX);
	survey.probe_ms = row_read_int(&row, 0, PROBE_MAX_MS);
	r = row_check(&row, &query->db, "a path", err);
	if (r == 0)
		r = read_bands(query, "path_band", run, &survey.path, err);
	if (r == 0)
		*ret = survey;
	return r;
}

#define NO_NUMBER(...) "NULL, "

int query_warnings(struct query *query, int64_t run, const char *about,
		   int (*row)(void *ctx, const struct query_warning *w), void *ctx,
		   struct err *err)
{
	/* The last column of version 1 is the detail. */
	static const char *const sql[SCHEMA_VERSION] = {
		"SELECT warned_at, 'text', NULL, NULL, " WARNING_NUMBERS(
			NO_NUMBER) "text FROM warning"
				   " WHERE run_id = ? AND ? = 'run' ORDER BY id",
		"SELECT warned_at, " ROW_WARNING_COLUMNS " FROM run_warning"
		" WHERE run_id = ? AND about = ? ORDER BY id",
	};
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	struct row in = {.column = 2};
	int r = query_prepare(query, sql[query->db.version - 1], run, &stmt, err);

	if (r < 0)
		return r;
	in.stmt = stmt;
	row_bind_text(&in, about);
	r = row_bound(&in, &query->db, err);
	while (r == 0 && (r = db_step(&query->db, stmt, err)) > 0) {
		struct row from = {.stmt = stmt};
		struct query_warning w;

		w.warned_at_ms = row_read_time(&from);
		row_read_warning(&from, &w.facts);
		r = row_check(&from, &query->db, "a warning", err);
		if (r == 0)
			r = row(ctx, &w);
	}
	return r;
}

#define READ_UPLOAD(name, ...)   "upload_" #name ", "
#define READ_DOWNLOAD(name, ...) "download_" #name ", "
#define READ_NULL(...)           "NULL, "

/* Version 1 kept the sentences alone. */
/* clang-format off */
static const char *const recommendation_sql[SCHEMA_VERSION] = {
	"SELECT server_mtu, peer_mtu, settled, text, 'text' AS kind,"
	" 'confirmed' AS status, 0, 0, NULL, NULL, "
	EVIDENCE_FIGURES(READ_NULL) "0, "
	EVIDENCE_FIGURES(READ_NULL) "0 FROM recommendation WHERE run_id = ?",
	"SELECT server_mtu, peer_mtu, settled, text, kind,"
	" coalesce(status, 'confirmed') AS status, margin, visits,"
	" rival_server_mtu, rival_peer_mtu, "
	EVIDENCE_FIGURES(READ_UPLOAD) "upload_guessed, "
	EVIDENCE_FIGURES(READ_DOWNLOAD) "download_guessed"
	" FROM recommendation LEFT JOIN reason USING (run_id) WHERE run_id = ?",
};
/* clang-format on */

static void read_dir(struct row *row, struct evidence_dir *ret)
{
#define READ_FIGURE(name, max) ret->name = row_read_int_or(row, NO_FIGURE, 0, max);
	EVIDENCE_FIGURES(READ_FIGURE)
#undef READ_FIGURE
	ret->guessed = row_read_small(row, 0, 1) != 0;
}

/* *ret_text is borrowed. */
static void read_recommendation(struct row *row, struct evidence *ret,
				const char **ret_text)
{
	struct reason *reason = &ret->reason;

	ret->mtu.server = row_read_small(row, MTU_MIN, MTU_MAX);
	ret->mtu.peer = row_read_small(row, MTU_MIN, MTU_MAX);
	ret->settled = row_read_small(row, 0, 1) != 0;
	*ret_text = row_read_words(row);
	reason->kind = row_read_reason(row);
	ret->status = row_read_evidence_status(row);
	reason->margin = row_read_small(row, 0, 100);
	reason->visits = row_read_small(row, 0, INT_MAX);
	reason->rival.server = (int)row_read_int_or(row, 0, MTU_MIN, MTU_MAX);
	reason->rival.peer = (int)row_read_int_or(row, 0, MTU_MIN, MTU_MAX);
	read_dir(row, &ret->dir[DIR_UPLOAD]);
	read_dir(row, &ret->dir[DIR_DOWNLOAD]);
}

int query_one_end(struct query *query, int64_t run, struct one_end *ret,
		  struct err *err)
{
	static const char sql[] =
		"SELECT " ROW_ONE_END_COLUMNS
		", coalesce(CASE sends WHEN 'upload' THEN peer_interface"
		" ELSE server_interface END, '') AS interface"
		" FROM one_end JOIN run ON run.id = run_id WHERE run_id = ?";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	struct row row = {.column = 0};
	struct one_end facts;
	int r = query->db.version < 2 ? 0 : query_fetch(query, sql, run, &stmt, err);

	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, -ENODATA, "run %lld has two ends", (long long)run);
	row.stmt = stmt;
	row_read_one_end(&row, &facts);
	row_read_text(&row, facts.interface, sizeof(facts.interface));
	r = row_check(&row, &query->db, "a run of one end", err);
	if (r == 0)
		*ret = facts;
	return r;
}

static int read_current(struct query *query, int64_t run, struct evidence *ret,
			struct err *err)
{
	static const char sql[] =
		"SELECT server_link_mtu, peer_link_mtu FROM run WHERE id = ?";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	struct row row = {.column = 0};
	int r = query_fetch(query, sql, run, &stmt, err);

	if (r <= 0)
		return r;
	row.stmt = stmt;
	ret->current.server = (int)row_read_int_or(&row, 0, 1, MTU_MAX);
	ret->current.peer = (int)row_read_int_or(&row, 0, 1, MTU_MAX);
	return row_check(&row, &query->db, "a run", err);
}

/* The bands that throughput tells take the place of what probes say. */
static int read_guessed(struct query *query, int64_t run, struct evidence *ret,
			struct err *err)
{
	struct path guessed = {0};
	int r = read_bands(query, "reason_band", run, &guessed, err);

	for (int dir = 0; r == 0 && dir < DIR_COUNT; dir++) {
		if (ret->dir[dir].guessed)
			ret->survey.path.dir[dir] = guessed.dir[dir];
	}
	return r;
}

static int add_warning(void *ctx, const struct query_warning *w)
{
	struct evidence *e = ctx;

	if (e->warnings == EVIDENCE_WARNINGS_MAX)
		return -E2BIG;
	evidence_warn(e, w->facts);
	/* It is the statement's. */
	e->warning[e->warnings - 1].detail = "";
	return 0;
}

static int read_evidence(struct query *query, int64_t run, struct evidence *ret,
			 struct err *err)
{
	int r = query_path(query, run, &ret->survey, err);

	if (r == 0 || r == -ENODATA)
		r = read_current(query, run, ret, err);
	if (r == 0)
		r = query_one_end(query, run, &ret->one_end, err);
	ret->one_ended = r == 0;
	if (r == -ENODATA)
		r = 0;
	if (r == 0)
		r = read_guessed(query, run, ret, err);
	if (r == 0)
		r = query_warnings(query, run, "recommendation", add_warning, ret, err);
	if (r == -E2BIG)
		return err_set(err, -EUCLEAN,
			       "run %lld in database '%s' has more warnings of its "
			       "recommendation than can be",
			       (long long)run, query->db.path);
	return r;
}

static int make_text(struct query *query, int64_t run, const char *stored,
		     struct query_recommendation *ret, struct err *err)
{
	int r;

	if (ret->evidence.reason.kind == REASON_TEXT) {
		ret->text = strdup(stored);
		return ret->text ? 0 : err_set(err, -ENOMEM, "out of memory");
	}
	r = read_evidence(query, run, &ret->evidence, err);
	return r < 0 ? r : evidence_text(&ret->evidence, &ret->text, err);
}

/* One end alone says what it found also where it knows no MTU. */
static int read_without_pair(struct query *query, int64_t run,
			     struct query_recommendation *ret, struct err *err)
{
	int r = query_one_end(query, run, &ret->evidence.one_end, err);

	if (r == -ENODATA)
		return err_set(err, r, "run %lld recommends no pair", (long long)run);
	evidence_init(&ret->evidence);
	ret->evidence.reason.kind = REASON_OWN_NONE;
	return r < 0 ? r : make_text(query, run, "", ret, err);
}

int query_recommended(struct query *query, int64_t run,
		      struct query_recommendation *ret, struct err *err)
{
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	struct query_recommendation found = {0};
	struct row row = {.column = 0};
	const char *text;
	int r = query_fetch(query, recommendation_sql[query->db.version - 1], run,
			    &stmt, err);

	if (r == 0) {
		r = read_without_pair(query, run, &found, err);
	} else if (r > 0) {
		row.stmt = stmt;
		read_recommendation(&row, &found.evidence, &text);
		r = row_check(&row, &query->db, "a recommendation", err);
		if (r == 0)
			r = make_text(query, run, text, &found, err);
	}
	if (r == 0)
		*ret = found;
	return r;
}

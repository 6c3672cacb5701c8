/* SPDX-License-Identifier: MIT */
#include "store/query.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "store/query_db.h"

/* Shorter beginnings of a UUID are rather a typing mistake than a name. */
#define PREFIX_MIN 4

int query_open(const char *path, struct query **ret, struct err *err)
{
	struct query *query = malloc(sizeof(*query));
	int version = 0;
	int r;

	if (!query)
		return err_set(err, -ENOMEM, "out of memory");
	query->rows_max = 0;
	query->one_tunnel = false;
	db_init(&query->db);
	r = db_open(&query->db, path, DB_READ, err);
	if (r == 0)
		r = db_check(&query->db, &version, err);
	if (r == 0 && version == 0)
		r = err_set(err, -EMEDIUMTYPE,
			    "database '%s' is empty: no run was stored in it", path);
	if (r < 0) {
		query_close(query);
		return r;
	}
	*ret = query;
	return 0;
}

void query_close(struct query *query)
{
	if (!query)
		return;
	db_release(&query->db);
	free(query);
}

void query_closep(struct query **query)
{
	query_close(*query);
}

int query_prepare(struct query *query, const char *sql, int64_t run, sqlite3_stmt **ret,
		  struct err *err)
{
	struct row row = {.column = 1};
	int r = db_prepare(&query->db, sql, ret, err);

	if (r < 0)
		return r;
	row.stmt = *ret;
	row_bind_int(&row, run);
	return row_bound(&row, &query->db, err);
}

int query_fetch(struct query *query, const char *sql, int64_t run, sqlite3_stmt **ret,
		struct err *err)
{
	int r = query_prepare(query, sql, run, ret, err);

	return r < 0 ? r : db_step(&query->db, *ret, err);
}

void query_bound(struct query *query, int rows)
{
	query->rows_max = rows;
}

/* How many rows a run has, `max` at most. */
static int count_rows(struct query *query, int64_t run, int max, int *ret,
		      struct err *err)
{
	static const char sql[] =
		"SELECT count(*) FROM (SELECT 1 FROM measurement WHERE run_id = ?1"
		" LIMIT ?2)";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	struct row row = {.column = 2};
	int r = query_prepare(query, sql, run, &stmt, err);

	if (r < 0)
		return r;
	row.stmt = stmt;
	row_bind_int(&row, max);
	r = row_step(&row, &query->db, err);
	if (r < 0)
		return r;
	*ret = sqlite3_column_int(stmt, 0);
	return 0;
}

/* -E2BIG: the run has more rows than query_bound() allows to be read. */
static int check_bound(struct query *query, int64_t run, struct err *err)
{
	int rows;
	int r;

	if (!query->rows_max)
		return 0;
	r = count_rows(query, run, query->rows_max + 1, &rows, err);
	if (r == 0 && rows > query->rows_max)
		return err_set(err, -E2BIG,
			       "run %lld has more than %d rows: they are not read here",
			       (long long)run, query->rows_max);
	return r;
}

int query_prepare_rows(struct query *query, const char *sql, int64_t run,
		       sqlite3_stmt **ret, struct err *err)
{
	int r = check_bound(query, run, err);

	return r < 0 ? r : query_prepare(query, sql, run, ret, err);
}

int query_fail_order(const struct query *query, uint32_t seq, struct err *err)
{
	return err_set(
		err, -EUCLEAN,
		"database '%s' has a measurement that cannot be: number %u comes "
		"twice, or not in its place; the file is damaged",
		query->db.path, seq);
}

int query_prepare_pair(struct query *query, const char *sql, int64_t run,
		       const struct mtu_pair *mtu, sqlite3_stmt **ret, struct err *err)
{
	struct row row = {.column = 2};
	int r = query_prepare_rows(query, sql, run, ret, err);

	if (r < 0)
		return r;
	row.stmt = *ret;
	row_bind_int(&row, mtu->server);
	row_bind_int(&row, mtu->peer);
	return row_bound(&row, &query->db, err);
}

/* --- runs --- */

/* Unless there are too many to be read. */
static int count_visits(struct query *query, struct query_run *run, struct err *err)
{
	int r = query_count(query, run->id, &run->measured, &run->failed, err);

	run->counted = r == 0;
	return r == -E2BIG ? 0 : r;
}

/* One that cannot be is nobody's: who reads the recommendation says so. */
#define RECOMMENDED_MTU(end)                                            \
	"(SELECT " end "_mtu FROM recommendation WHERE run_id = run.id" \
	" AND typeof(" end "_mtu) = 'integer' AND " end "_mtu BETWEEN 576 AND 65535)"

/* The caller appends the condition that selects a run. */
#define RUN_SELECT                                                                     \
	"SELECT id, role, outcome, process, ended_at, outcome_text, " RECOMMENDED_MTU( \
		"server") ", " RECOMMENDED_MTU("peer") ", " ROW_RUN_COLUMNS            \
						       " FROM run"

static void read_run(struct row *row, struct query_run *ret)
{
	char process[PROCESS_ID_SIZE];

	memset(ret, 0, sizeof(*ret));
	ret->id = row_read_int(row, 1, ROW_ID_MAX);
	row_read_role(row, ret->role, sizeof(ret->role));
	ret->outcome = row_read_outcome(row);
	row_read_text_or_none(row, process, sizeof(process));
	ret->life = process_life(process);
	ret->ended_at_ms = row_read_time(row);
	row_read_sentence(row, ret->text, sizeof(ret->text));
	ret->recommended.server = (int)row_read_int_or(row, 0, MTU_MIN, MTU_MAX);
	ret->recommended.peer = (int)row_read_int_or(row, 0, MTU_MIN, MTU_MAX);
	row_read_run(row, &ret->info);
}

const char *query_run_state(const struct query_run *run)
{
	if (run->outcome != RUN_RUNNING)
		return run_outcome_name(run->outcome);
	switch (run->life) {
	case PROCESS_LIVES:
		return "running";
	case PROCESS_GONE:
		return "crashed";
	case PROCESS_UNKNOWN:
		break;
	}
	return "unfinished";
}

/* With one end alone, tests that contradict the probes put no other pair in the place of
 * theirs. */
static int drop_contradicted(struct query *query, struct query_run *run,
			     struct err *err)
{
	static const char sql[] = "SELECT 1 FROM reason WHERE run_id = ?"
				  " AND status = 'contradicted'";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	int r;

	if (!run->recommended.server || !run_info_is_one_ended(&run->info) ||
	    query->db.version < 2)
		return 0;
	r = query_fetch(query, sql, run->id, &stmt, err);
	if (r > 0)
		run->recommended = (struct mtu_pair){0};
	return r < 0 ? r : 0;
}

/* The next run of a statement, without its counts: 1, 0 at the end. */
static int step_run(struct query *query, sqlite3_stmt *stmt, struct query_run *ret,
		    struct err *err)
{
	struct row row = {.stmt = stmt};
	int r = db_step(&query->db, stmt, err);

	if (r <= 0)
		return r;
	read_run(&row, ret);
	r = row_check(&row, &query->db, "a run", err);
	if (r == 0)
		r = query_read_tunnel(query, ret, err);
	if (r == 0)
		r = drop_contradicted(query, ret, err);
	return r < 0 ? r : 1;
}

/* The same, without runs of tunnels that are not chosen. */
static int step_chosen(struct query *query, sqlite3_stmt *stmt, struct query_run *ret,
		       struct err *err)
{
	int r = step_run(query, stmt, ret, err);

	while (r > 0 && !query_is_chosen(query, ret))
		r = step_run(query, stmt, ret, err);
	return r;
}

/* Return 1 and subtract the rows of this run if they fit into *left, else 0. */
static int take_share(struct query *query, int64_t run, int *left, struct err *err)
{
	int rows;
	int r;

	if (!query->rows_max)
		return 1;
	r = count_rows(query, run, *left + 1, &rows, err);
	if (r < 0)
		return r;
	if (rows > *left)
		return 0;
	*left -= rows;
	return 1;
}

static int fail_run_order(const struct query *query, int64_t id, struct err *err)
{
	return err_set(
		err, -EUCLEAN,
		"database '%s' has a run that cannot be: its id %lld comes twice, "
		"or not in its place; the file is damaged",
		query->db.path, (long long)id);
}

int query_runs(struct query *query, int (*row)(void *ctx, const struct query_run *run),
	       void *ctx, struct err *err)
{
	static const char sql[] = RUN_SELECT " ORDER BY id";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	struct query_run run = {0};
	int left = query->rows_max;
	int r = db_prepare(&query->db, sql, &stmt, err);

	while (r == 0) {
		int64_t before = run.id;

		r = step_chosen(query, stmt, &run, err);
		if (r <= 0)
			return r;
		if (run.id <= before)
			return fail_run_order(query, run.id, err);
		r = take_share(query, run.id, &left, err);
		if (r > 0)
			r = count_visits(query, &run, err);
		if (r == 0)
			r = row(ctx, &run);
	}
	return r;
}

/* -ENOENT without a sentence. */
static int fetch_run(struct query *query, sqlite3_stmt *stmt, struct query_run *ret,
		     struct err *err)
{
	int r = step_chosen(query, stmt, ret, err);

	if (r == 0)
		return -ENOENT;
	return r < 0 ? r : count_visits(query, ret, err);
}

static int find_newest(struct query *query, struct query_run *ret, struct err *err)
{
	static const char sql[] = RUN_SELECT " ORDER BY id DESC";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	int r = db_prepare(&query->db, sql, &stmt, err);

	if (r < 0)
		return r;
	r = fetch_run(query, stmt, ret, err);
	if (r == -ENOENT)
		err_set(err, r, "no run is stored in database '%s' yet",
			query->db.path);
	return r;
}

int query_run_of_result(struct query *query, struct query_run *ret, int64_t *ret_newest,
			struct err *err)
{
	static const char sql[] = RUN_SELECT " WHERE " QUERY_HAS_RESULT
					     " ORDER BY strategy = '" STRATEGY_APPLY
					     "', id DESC";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	struct query_run newest;
	int r = find_newest(query, &newest, err);

	if (r == 0)
		r = db_prepare(&query->db, sql, &stmt, err);
	if (r < 0)
		return r;
	*ret_newest = newest.id;
	r = fetch_run(query, stmt, ret, err);
	if (r != -ENOENT)
		return r;
	*ret = newest;
	return 0;
}

/* -ENOENT without a sentence. */
static int find_by_id(struct query *query, const char *name, struct query_run *ret,
		      struct err *err)
{
	static const char sql[] = RUN_SELECT " WHERE id = ?";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	char *end;
	int64_t id = strtoll(name, &end, 10);
	int r;

	if (!isdigit((unsigned char)name[0]) || *end)
		return -ENOENT;
	r = query_prepare(query, sql, id, &stmt, err);
	return r < 0 ? r : fetch_run(query, stmt, ret, err);
}

/* -ENOENT without a sentence. */
static int find_by_uuid(struct query *query, const char *name, struct query_run *ret,
			struct err *err)
{
	static const char sql[] = RUN_SELECT
		" WHERE substr(uuid, 1, length(?1)) = lower(?1) LIMIT 2";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	struct row row = {.column = 1};
	struct query_run other;
	int r;

	if (strlen(name) < PREFIX_MIN)
		return -ENOENT;
	r = db_prepare(&query->db, sql, &stmt, err);
	if (r < 0)
		return r;
	row.stmt = stmt;
	row_bind_text(&row, name);
	r = row_bound(&row, &query->db, err);
	if (r == 0)
		r = fetch_run(query, stmt, ret, err);
	if (r < 0)
		return r;
	r = step_run(query, stmt, &other, err);
	if (r > 0)
		return err_set(err, -ENOTUNIQ,
			       "more than one run begins with '%s': %s and %s; give "
			       "more of it",
			       name, ret->info.uuid, other.info.uuid);
	return r;
}

int query_run(struct query *query, const char *name, struct query_run *ret,
	      struct err *err)
{
	int r;

	if (!name)
		return find_newest(query, ret, err);
	r = find_by_id(query, name, ret, err);
	if (r == -ENOENT)
		r = find_by_uuid(query, name, ret, err);
	if (r == -ENOENT)
		err_set(err, r,
			"no run '%s'%s in database '%s'; 'mtusweep runs' lists them, "
			"by id and by UUID (%d characters of it or more)",
			name, query->one_tunnel ? " of this tunnel" : "",
			query->db.path, PREFIX_MIN);
	return r;
}

int query_run_numbered(struct query *query, int64_t id, struct query_run *ret,
		       struct err *err)
{
	char name[24];

	snprintf(name, sizeof(name), "%" PRId64, id);
	return query_run(query, name, ret, err);
}

int query_options(struct query *query, int64_t run, char **ret, struct err *err)
{
	static const char sql[] =
		"SELECT coalesce(options, '{}') AS options FROM run WHERE id = ?";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	struct row row = {.column = 0};
	const char *text;
	int r = query_fetch(query, sql, run, &stmt, err);

	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, -ENOENT, "no run %lld in database '%s'",
			       (long long)run, query->db.path);
	row.stmt = stmt;
	text = row_read_words(&row);
	r = row_check(&row, &query->db, "a run", err);
	if (r < 0)
		return r;
	*ret = strdup(text);
	return *ret ? 0 : err_set(err, -ENOMEM, "out of memory");
}

#include "store/query.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/db.h"
#include "store/row.h"
#include "store/schema.h"

/* Shorter beginnings of a UUID are rather a typing mistake than a name. */
#define PREFIX_MIN 4

struct query {
	struct db db;
};

int query_open(const char *path, struct query **ret, struct err *err)
{
	struct query *query = malloc(sizeof(*query));
	int version = 0;
	int r;

	if (!query)
		return err_set(err, -ENOMEM, "out of memory");
	db_init(&query->db);
	r = db_open(&query->db, path, DB_READ, err);
	if (r == 0)
		r = db_check(&query->db, &version, err);
	if (r == 0 && version < SCHEMA_VERSION)
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

/* A statement whose first parameter is a run's id. */
static int prepare_for_run(struct query *query, const char *sql, int64_t run,
			   sqlite3_stmt **ret, struct err *err)
{
	int r = db_prepare(&query->db, sql, ret, err);

	if (r == 0)
		sqlite3_bind_int64(*ret, 1, run);
	return r;
}

/* A visit that was made again counts by its last row. */
#define LAST_ROWS                                               \
	"SELECT count(*) FROM visit AS v WHERE run_id = run.id" \
	" AND NOT EXISTS (SELECT 1 FROM measurement AS later"   \
	" WHERE later.run_id = v.run_id"                        \
	" AND later.server_mtu = v.server_mtu"                  \
	" AND later.peer_mtu = v.peer_mtu"                      \
	" AND later.pass = v.pass AND later.seq > v.seq)"
/* What picks a run is put behind it. */
#define RUN_SELECT                                                               \
	"SELECT id, role, outcome, process, ended_at, outcome_text,"             \
	" (" LAST_ROWS "), (" LAST_ROWS " AND status <> 'ok'), " ROW_RUN_COLUMNS \
	" FROM run"

/* prepare_for_run() and its first row: 1, or 0 where there is none. */
static int fetch_for_run(struct query *query, const char *sql, int64_t run,
			 sqlite3_stmt **ret, struct err *err)
{
	int r = prepare_for_run(query, sql, run, ret, err);

	return r < 0 ? r : db_step(&query->db, *ret, err);
}

static void read_run(sqlite3_stmt *stmt, struct query_run *ret)
{
	struct row row = {.stmt = stmt};
	char outcome[16];
	char process[PROCESS_ID_SIZE];

	memset(ret, 0, sizeof(*ret));
	ret->id = row_read_int(&row, 0);
	row_read_text(&row, ret->role, sizeof(ret->role));
	row_read_text(&row, outcome, sizeof(outcome));
	ret->outcome = RUN_FAILED;
	run_outcome_parse(outcome, &ret->outcome);
	row_read_text(&row, process, sizeof(process));
	ret->life = process_life(process);
	ret->ended_at_ms = row_read_time(&row);
	row_read_text(&row, ret->text, sizeof(ret->text));
	ret->measured = (int)row_read_int(&row, 0);
	ret->failed = (int)row_read_int(&row, 0);
	row_read_run(&row, &ret->info);
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

int query_runs(struct query *query, int (*row)(void *ctx, const struct query_run *run),
	       void *ctx, struct err *err)
{
	static const char sql[] = RUN_SELECT " ORDER BY started_at, id";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	struct query_run run;
	int r = db_prepare(&query->db, sql, &stmt, err);

	while (r == 0) {
		r = db_step(&query->db, stmt, err);
		if (r <= 0)
			return r;
		read_run(stmt, &run);
		r = row(ctx, &run);
	}
	return r;
}

static int fetch_run(struct query *query, sqlite3_stmt *stmt, struct query_run *ret,
		     struct err *err)
{
	int r = db_step(&query->db, stmt, err);

	if (r < 0)
		return r;
	if (r == 0)
		return -ENOENT;
	read_run(stmt, ret);
	return 0;
}

static int find_newest(struct query *query, struct query_run *ret, struct err *err)
{
	static const char sql[] = RUN_SELECT
		" ORDER BY started_at DESC, id DESC LIMIT 1";
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
	r = prepare_for_run(query, sql, id, &stmt, err);
	return r < 0 ? r : fetch_run(query, stmt, ret, err);
}

/* -ENOENT without a sentence. */
static int find_by_uuid(struct query *query, const char *name, struct query_run *ret,
			struct err *err)
{
	static const char sql[] = RUN_SELECT
		" WHERE substr(uuid, 1, length(?1)) = lower(?1) LIMIT 2";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	struct query_run other;
	int r;

	if (strlen(name) < PREFIX_MIN)
		return -ENOENT;
	r = db_prepare(&query->db, sql, &stmt, err);
	if (r < 0)
		return r;
	sqlite3_bind_text(stmt, 1, name, -1, SQLITE_TRANSIENT);
	r = fetch_run(query, stmt, ret, err);
	if (r < 0)
		return r;
	r = fetch_run(query, stmt, &other, err);
	if (r == 0)
		return err_set(
			err, -ENOTUNIQ,
			"more than one run begins with '%s': %s and %s; give more "
			"of it",
			name, ret->info.uuid, other.info.uuid);
	return r == -ENOENT ? 0 : r;
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
			"no run '%s' in database '%s'; 'mtusweep runs' lists them, by "
			"id "
			"and by UUID (%d characters of it or more)",
			name, query->db.path, PREFIX_MIN);
	return r;
}

int query_options(struct query *query, int64_t run, char **ret, struct err *err)
{
	static const char sql[] =
		"SELECT coalesce(options, '{}') FROM run WHERE id = ?";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	int r = fetch_for_run(query, sql, run, &stmt, err);

	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, -ENOENT, "no run %lld in database '%s'",
			       (long long)run, query->db.path);
	*ret = strdup((const char *)sqlite3_column_text(stmt, 0));
	return *ret ? 0 : err_set(err, -ENOMEM, "out of memory");
}

#define RESULT_SELECT                                                       \
	"SELECT server_mtu, peer_mtu, upload_mbps, download_mbps, visits, " \
	"upload_ok, download_ok, upload_status, download_status, status"    \
	" FROM results WHERE run_id = ?"

static int64_t read_rate(struct row *row)
{
	int column = row->column++;

	if (sqlite3_column_type(row->stmt, column) == SQLITE_NULL)
		return NO_FIGURE;
	return (int64_t)(sqlite3_column_double(row->stmt, column) * 1e6 + 0.5);
}

static void read_result(sqlite3_stmt *stmt, struct query_result *ret)
{
	struct row row = {.stmt = stmt};

	ret->mtu.server = (int)row_read_int(&row, 0);
	ret->mtu.peer = (int)row_read_int(&row, 0);
	ret->upload_bps = read_rate(&row);
	ret->download_bps = read_rate(&row);
	ret->visits = (int)row_read_int(&row, 0);
	ret->upload_ok = (int)row_read_int(&row, 0);
	ret->download_ok = (int)row_read_int(&row, 0);
	ret->upload_status = row_read_status(&row);
	ret->download_status = row_read_status(&row);
	ret->status = row_read_status(&row);
}

static int list_results(struct query *query, const char *sql, int64_t run,
			int (*row)(void *ctx, const struct query_result *result),
			void *ctx, struct err *err)
{
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	struct query_result result;
	int r = prepare_for_run(query, sql, run, &stmt, err);

	while (r == 0) {
		r = db_step(&query->db, stmt, err);
		if (r <= 0)
			return r;
		read_result(stmt, &result);
		r = row(ctx, &result);
	}
	return r;
}

int query_results(struct query *query, int64_t run,
		  int (*row)(void *ctx, const struct query_result *result), void *ctx,
		  struct err *err)
{
	return list_results(query, RESULT_SELECT " ORDER BY server_mtu, peer_mtu", run,
			    row, ctx, err);
}

/* "?" of the run, the server's and the peer's MTU, in this order. */
static int prepare_for_pair(struct query *query, const char *sql, int64_t run,
			    const struct mtu_pair *mtu, sqlite3_stmt **ret,
			    struct err *err)
{
	int r = prepare_for_run(query, sql, run, ret, err);

	if (r < 0)
		return r;
	sqlite3_bind_int(*ret, 2, mtu->server);
	sqlite3_bind_int(*ret, 3, mtu->peer);
	return 0;
}

int query_result(struct query *query, int64_t run, const struct mtu_pair *mtu,
		 struct query_result *ret, struct err *err)
{
	static const char sql[] = RESULT_SELECT " AND server_mtu = ? AND peer_mtu = ?";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	int r = prepare_for_pair(query, sql, run, mtu, &stmt, err);

	if (r < 0)
		return r;
	r = db_step(&query->db, stmt, err);
	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, -ENODATA, "pair %d/%d was not visited in this run",
			       mtu->server, mtu->peer);
	read_result(stmt, ret);
	return 0;
}

/* Sums are rounded as the rates are: 0.1 + 0.7 and 0.3 + 0.5 are to be equal. */
#define RANKED_SELECT(figure)                                                       \
	RESULT_SELECT " AND status = 'ok' AND (" figure ") IS NOT NULL"             \
		      " ORDER BY upload_ok = visits AND download_ok = visits DESC," \
		      " round(" figure ", 3) DESC,"                                 \
		      " server_mtu + peer_mtu DESC, server_mtu DESC"

int query_ranked(struct query *query, int64_t run, enum query_by by,
		 int (*row)(void *ctx, const struct query_result *result), void *ctx,
		 struct err *err)
{
	static const char *const sql[] = {
		[QUERY_BY_SUM] = RANKED_SELECT("upload_mbps + download_mbps"),
		[QUERY_BY_UP] = RANKED_SELECT("upload_mbps"),
		[QUERY_BY_DOWN] = RANKED_SELECT("download_mbps"),
	};

	return list_results(query, sql[by], run, row, ctx, err);
}

static int take_first(void *ctx, const struct query_result *result)
{
	*(struct query_result *)ctx = *result;
	return 1;
}

int query_best(struct query *query, int64_t run, enum query_by by,
	       struct query_result *ret, struct err *err)
{
	int r = query_ranked(query, run, by, take_first, ret, err);

	if (r == 0)
		return err_set(err, -ENODATA,
			       "no pair of MTUs worked in both directions in this run");
	return r < 0 ? r : 0;
}

/* What picks a run's visits is put behind it. */
#define VISIT_SELECT \
	"SELECT " ROW_MEASUREMENT_COLUMNS " FROM measurement WHERE run_id = ?"

/* A statement of that kind, its parameters bound, to its end. */
static int list_visits(struct query *query, sqlite3_stmt *stmt,
		       int (*row)(void *ctx, const struct measurement *m), void *ctx,
		       struct err *err)
{
	struct measurement m;
	int r = 0;

	while (r == 0) {
		struct row from = {.stmt = stmt};

		r = db_step(&query->db, stmt, err);
		if (r <= 0)
			return r;
		row_read_measurement(&from, &m);
		r = row(ctx, &m);
	}
	return r;
}

int query_visits_after(struct query *query, int64_t run, uint32_t after,
		       int (*row)(void *ctx, const struct measurement *m), void *ctx,
		       struct err *err)
{
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	int r = prepare_for_run(query, VISIT_SELECT " AND seq > ? ORDER BY seq", run,
				&stmt, err);

	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 2, after);
	return list_visits(query, stmt, row, ctx, err);
}

int query_measurements(struct query *query, int64_t run,
		       int (*row)(void *ctx, const struct measurement *m), void *ctx,
		       struct err *err)
{
	return query_visits_after(query, run, 0, row, ctx, err);
}

int query_visits(struct query *query, int64_t run, const struct mtu_pair *mtu,
		 int (*row)(void *ctx, const struct measurement *m), void *ctx,
		 struct err *err)
{
	static const char sql[] = VISIT_SELECT
		" AND server_mtu = ? AND peer_mtu = ? ORDER BY seq DESC";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	int r = prepare_for_pair(query, sql, run, mtu, &stmt, err);

	return r < 0 ? r : list_visits(query, stmt, row, ctx, err);
}

int query_last_visit(struct query *query, int64_t run, uint32_t *ret, struct err *err)
{
	static const char sql[] = "SELECT coalesce(max(seq), 0) FROM measurement"
				  " WHERE run_id = ?";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	int r = fetch_for_run(query, sql, run, &stmt, err);

	if (r < 0)
		return r;
	*ret = (uint32_t)sqlite3_column_int64(stmt, 0);
	return 0;
}

struct measurements {
	struct measurement *list;
	size_t count;
};

static int keep_measurement(void *ctx, const struct measurement *m)
{
	struct measurements *all = ctx;
	size_t count = all->count;
	struct measurement *grown;

	/* Room doubles at each power of two. */
	if ((count & (count - 1)) == 0) {
		grown = realloc(all->list, (count ? 2 * count : 1) * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		all->list = grown;
	}
	all->list[all->count++] = *m;
	return 0;
}

int query_load_measurements(struct query *query, int64_t run, struct measurement **ret,
			    size_t *ret_count, struct err *err)
{
	struct measurements all = {0};
	int r = query_measurements(query, run, keep_measurement, &all, err);

	if (r == -ENOMEM)
		err_set(err, r, "out of memory for run %lld", (long long)run);
	if (r < 0) {
		free(all.list);
		return r;
	}
	*ret = all.list;
	*ret_count = all.count;
	return 0;
}

static int read_bands(struct query *query, int64_t run, struct path *ret,
		      struct err *err)
{
	static const char sql[] = "SELECT direction, size_max, fate FROM path_band"
				  " WHERE run_id = ? ORDER BY direction, size_max";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	int r = prepare_for_run(query, sql, run, &stmt, err);

	while (r == 0 && (r = db_step(&query->db, stmt, err)) > 0) {
		struct row row = {.stmt = stmt};
		enum fate fate = FATE_UNKNOWN;
		enum direction dir;
		char text[16];
		int max;

		row_read_text(&row, text, sizeof(text));
		dir = strcmp(text, direction_name(DIR_UPLOAD)) == 0 ? DIR_UPLOAD
								    : DIR_DOWNLOAD;
		max = (int)row_read_int(&row, 0);
		row_read_text(&row, text, sizeof(text));
		fate_parse(text, &fate);
		r = path_bands_add(&ret->dir[dir], max, fate);
		if (r < 0)
			return err_set(err, -EUCLEAN,
				       "run %lld in database '%s' has bands of its "
				       "path that cannot be",
				       (long long)run, query->db.path);
	}
	return r;
}

int query_path(struct query *query, int64_t run, struct path_survey *ret,
	       struct err *err)
{
	static const char sql[] =
		"SELECT overhead, upload_probes, download_probes, probe_ms FROM path"
		" WHERE run_id = ?";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	struct path_survey survey = {0};
	struct row row = {.column = 0};
	int r = fetch_for_run(query, sql, run, &stmt, err);

	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, -ENODATA,
			       "nothing is stored of the path of run %lld",
			       (long long)run);
	row.stmt = stmt;
	survey.path.overhead = (int)row_read_int(&row, 0);
	survey.probes[DIR_UPLOAD] = (int)row_read_int(&row, 0);
	survey.probes[DIR_DOWNLOAD] = (int)row_read_int(&row, 0);
	survey.probe_ms = row_read_int(&row, 0);
	r = read_bands(query, run, &survey.path, err);
	if (r == 0)
		*ret = survey;
	return r;
}

int query_recommended(struct query *query, int64_t run,
		      struct query_recommendation *ret, struct err *err)
{
	static const char sql[] = "SELECT server_mtu, peer_mtu, settled, text"
				  " FROM recommendation WHERE run_id = ?";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	int r = fetch_for_run(query, sql, run, &stmt, err);

	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, -ENODATA, "run %lld recommends no pair",
			       (long long)run);
	ret->mtu.server = sqlite3_column_int(stmt, 0);
	ret->mtu.peer = sqlite3_column_int(stmt, 1);
	ret->settled = sqlite3_column_int(stmt, 2) != 0;
	ret->text = strdup((const char *)sqlite3_column_text(stmt, 3));
	return ret->text ? 0 : err_set(err, -ENOMEM, "out of memory");
}

int query_warnings(struct query *query, int64_t run,
		   int (*row)(void *ctx, const char *text), void *ctx, struct err *err)
{
	static const char sql[] =
		"SELECT text FROM warning WHERE run_id = ? ORDER BY id";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	int r = prepare_for_run(query, sql, run, &stmt, err);

	while (r == 0) {
		r = db_step(&query->db, stmt, err);
		if (r <= 0)
			return r;
		r = row(ctx, (const char *)sqlite3_column_text(stmt, 0));
	}
	return r;
}

/* SPDX-License-Identifier: MIT */
/* Reading the probes of a watch. */

#include <errno.h>

#include "store/query_db.h"
#include "store/row.h"

static int read_probe(const struct query *query, sqlite3_stmt *stmt,
		      struct path_probe *ret, struct err *err)
{
	struct row row = {.stmt = stmt};

	row_read_probe(&row, ret);
	return row_check(&row, &query->db, "a probe of a watch", err);
}

static int read_probes(struct query *query, const char *sql, int64_t run,
		       int (*row)(void *ctx, const struct path_probe *probe), void *ctx,
		       struct err *err)
{
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	int r = query->db.version < 2 ? 0 : query_prepare(query, sql, run, &stmt, err);

	while (stmt && r == 0 && (r = db_step(&query->db, stmt, err)) > 0) {
		struct path_probe probe;

		r = read_probe(query, stmt, &probe, err);
		if (r == 0)
			r = row(ctx, &probe);
	}
	return r;
}

int query_probes(struct query *query, int64_t run,
		 int (*row)(void *ctx, const struct path_probe *probe), void *ctx,
		 struct err *err)
{
	static const char sql[] = "SELECT " ROW_PROBE_COLUMNS
				  " FROM path_probe WHERE run_id = ? ORDER BY seq";

	return read_probes(query, sql, run, row, ctx, err);
}

int query_changes(struct query *query, int64_t run,
		  int (*row)(void *ctx, const struct path_probe *probe), void *ctx,
		  struct err *err)
{
	static const char sql[] =
		"SELECT " ROW_PROBE_COLUMNS " FROM path_probe WHERE run_id = ?"
		" AND (event <> 'quiet' OR applied <> 'no' OR seq = 1)"
		" ORDER BY seq DESC";

	return read_probes(query, sql, run, row, ctx, err);
}

/* `sql` selects one probe for a run. */
static int read_one(struct query *query, const char *sql, int64_t run,
		    struct path_probe *ret, struct err *err)
{
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	int r = query->db.version < 2 ? 0 : query_fetch(query, sql, run, &stmt, err);

	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, -ENODATA, "run %lld has no probes of a watch",
			       (long long)run);
	return read_probe(query, stmt, ret, err);
}

int query_last_probe(struct query *query, int64_t run, struct path_probe *ret,
		     struct err *err)
{
	static const char sql[] =
		"SELECT " ROW_PROBE_COLUMNS
		" FROM path_probe WHERE run_id = ? ORDER BY seq DESC LIMIT 1";

	return read_one(query, sql, run, ret, err);
}

int query_tunnel_probe(struct query *query, int64_t run, struct path_probe *ret,
		       struct err *err)
{
	static const char sql[] =
		"SELECT " ROW_PROBE_COLUMNS
		" FROM path_probe WHERE run_id = (SELECT max(run.id)"
		" FROM run LEFT JOIN run_tunnel AS its ON its.run_id = run.id"
		" LEFT JOIN run_tunnel AS own ON own.run_id = ?"
		" WHERE EXISTS (SELECT 1 FROM path_probe WHERE run_id = run.id)"
		" AND min(its.server_key, its.peer_key)"
		" IS min(own.server_key, own.peer_key)"
		" AND max(its.server_key, its.peer_key)"
		" IS max(own.server_key, own.peer_key)) ORDER BY seq DESC LIMIT 1";

	return read_one(query, sql, run, ret, err);
}

int query_last_watch(struct query *query, struct query_run *ret, struct err *err)
{
	static const char sql[] = "SELECT coalesce(max(run_id), 0) FROM path_probe";
	int64_t id = 0;
	int r = query->db.version < 2 ? 0 : db_read_int(&query->db, sql, &id, err);

	if (r == 0 && id == 0)
		return err_set(
			err, -ENOENT,
			"database '%s' has no watch: mtusweep-peer --watch makes "
			"one",
			query->db.path);
	return r < 0 ? r : query_run_numbered(query, id, ret, err);
}

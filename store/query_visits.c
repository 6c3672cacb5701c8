/* SPDX-License-Identifier: MIT */
/* Visits, one by one, with all that is stored of them. */
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "store/query_db.h"
#include "store/schema.h"

/* The statement of each version of the schema, with the condition that selects
 * measurements of the run. */
#define VISIT_SELECT(which)                                                         \
	{                                                                           \
		"SELECT " ROW_MEASUREMENT_COLUMNS_1                                 \
		" FROM measurement WHERE run_id = ?" which,                         \
			"SELECT " ROW_MEASUREMENT_COLUMNS " FROM " ROW_MEASUREMENTS \
			" WHERE run_id = ?" which                                   \
	}

/* A statement of that kind, its parameters bound, to its end. Numbers ascend, or, `down`,
 * descend. */
static int list_visits(struct query *query, sqlite3_stmt *stmt, bool down,
		       int (*row)(void *ctx, const struct measurement *m), void *ctx,
		       struct err *err)
{
	struct measurement m;
	int r;

	for (int64_t last = down ? INT64_MAX : 0;; last = m.seq) {
		struct row from = {.stmt = stmt};

		r = db_step(&query->db, stmt, err);
		if (r <= 0)
			return r;
		row_read_measurement(&from, &m);
		r = row_check(&from, &query->db, "a measurement", err);
		if (r == 0 && (down ? m.seq >= last : m.seq <= last))
			r = query_fail_order(query, m.seq, err);
		if (r == 0)
			r = row(ctx, &m);
		if (r)
			return r;
	}
}

int query_visits_after(struct query *query, int64_t run, uint32_t after,
		       int (*row)(void *ctx, const struct measurement *m), void *ctx,
		       struct err *err)
{
	static const char *const sql[SCHEMA_VERSION] =
		VISIT_SELECT(" AND seq > ? ORDER BY seq");
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	struct row bound = {.column = 2};
	int r = query_prepare_rows(query, sql[query->db.version - 1], run, &stmt, err);

	if (r < 0)
		return r;
	bound.stmt = stmt;
	row_bind_int(&bound, after);
	r = row_bound(&bound, &query->db, err);
	return r < 0 ? r : list_visits(query, stmt, false, row, ctx, err);
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
	static const char *const sql[SCHEMA_VERSION] =
		VISIT_SELECT(" AND server_mtu = ? AND peer_mtu = ? ORDER BY seq DESC");
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	int r = query_prepare_pair(query, sql[query->db.version - 1], run, mtu, &stmt,
				   err);

	return r < 0 ? r : list_visits(query, stmt, true, row, ctx, err);
}

int query_last_visit(struct query *query, int64_t run, uint32_t *ret, struct err *err)
{
	static const char sql[] = "SELECT max(seq) AS seq FROM measurement"
				  " WHERE run_id = ?";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	struct row row = {.column = 0};
	int r = query_fetch(query, sql, run, &stmt, err);

	if (r < 0)
		return r;
	row.stmt = stmt;
	*ret = (uint32_t)row_read_int_or(&row, 0, 1, UINT32_MAX);
	return row_check(&row, &query->db, "a measurement", err);
}

struct measurements {
	struct measurement *list;
	size_t count;
};

static int keep_measurement(void *ctx, const struct measurement *m)
{
	struct measurements *all = ctx;

	return array_append(&all->list, &all->count, m, sizeof(*m));
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

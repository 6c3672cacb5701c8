/* SPDX-License-Identifier: MIT */
#ifndef STORE_QUERY_DB_H
#define STORE_QUERY_DB_H

#include "base/tunnel.h"
#include "store/db.h"
#include "store/query.h"

/*
 * The shared part of query.h's files: a query's connection, and statements on one run.
 */

struct query {
	struct db db;
	int rows_max;    /* most rows of a run to read; 0: all */
	bool one_tunnel; /* only runs of `tunnel` are read */
	struct tunnel tunnel;
};

/* A condition on a run: it has a pair that was ok, a path, or a recommendation. */
#define QUERY_HAS_RESULT                                          \
	"EXISTS (SELECT 1 FROM measurement WHERE run_id = run.id" \
	" AND upload_status = 'ok' AND download_status = 'ok')"   \
	" OR EXISTS (SELECT 1 FROM path WHERE run_id = run.id)"   \
	" OR EXISTS (SELECT 1 FROM recommendation WHERE run_id = run.id)"

/* A statement whose first "?" is a run's id. */
int query_prepare(struct query *query, const char *sql, int64_t run, sqlite3_stmt **ret,
		  struct err *err);
/* The same, of the run's measurements. -E2BIG: the run has more rows than query_bound()
 * allows to be read. */
int query_prepare_rows(struct query *query, const char *sql, int64_t run,
		       sqlite3_stmt **ret, struct err *err);
/* That, with those of the server's and the peer's MTU behind it. */
int query_prepare_pair(struct query *query, const char *sql, int64_t run,
		       const struct mtu_pair *mtu, sqlite3_stmt **ret, struct err *err);
/* query_prepare() and its first row: 1, or 0 where there is none. */
int query_fetch(struct query *query, const char *sql, int64_t run, sqlite3_stmt **ret,
		struct err *err);

/* The visits that are stored, and those of them whose status is not ok. One that was made
 * again, in the same pass of the same pair, counts once, by its last row. */
int query_count(struct query *query, int64_t run, int *ret_measured, int *ret_failed,
		struct err *err);

/* Fill in the keys of a run's ends, where they are stored. */
int query_read_tunnel(struct query *query, struct query_run *run, struct err *err);
/* False: query_choose_tunnel() chose another tunnel. */
bool query_is_chosen(const struct query *query, const struct query_run *run);

/* -EUCLEAN: this measurement's number is not where it belongs. */
int query_fail_order(const struct query *query, uint32_t seq, struct err *err);

#endif

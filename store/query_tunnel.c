/* SPDX-License-Identifier: MIT */
/* The tunnels of runs, and the choice of one of them. */
#include <errno.h>

#include "store/query_db.h"

/* An earlier version has no keys. */
static bool has_keys(const struct query *query)
{
	return query->db.version >= 2;
}

int query_read_tunnel(struct query *query, struct query_run *run, struct err *err)
{
	static const char sql[] =
		"SELECT server_key, peer_key FROM run_tunnel WHERE run_id = ?";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	struct row row = {.column = 0};
	int r;

	if (!has_keys(query))
		return 0;
	r = query_fetch(query, sql, run->id, &stmt, err);
	if (r <= 0)
		return r;
	row.stmt = stmt;
	row_read_key(&row, run->info.server.key);
	row_read_key(&row, run->info.peer.key);
	return row_check(&row, &query->db, "a tunnel", err);
}

bool query_is_chosen(const struct query *query, const struct query_run *run)
{
	struct tunnel tunnel;

	return !query->one_tunnel || (tunnel_of_run(&run->info, &tunnel) &&
				      tunnel_same(&tunnel, &query->tunnel));
}

static int fail_two(const char *name, const struct tunnel *a, const struct tunnel *b,
		    struct err *err)
{
	char first[TUNNEL_ID_SIZE];
	char second[TUNNEL_ID_SIZE];

	return err_set(err, -ENOTUNIQ,
		       "more than one tunnel has the name '%s': %s and %s; give one of "
		       "these",
		       name, tunnel_id(a, first), tunnel_id(b, second));
}

static int fail_none(const struct query *query, const char *name, struct err *err)
{
	return err_set(err, -ENOENT,
		       "no tunnel '%s' in database '%s': expected an id that 'mtusweep "
		       "runs' prints, a public key, or the beginning of one (%d "
		       "characters or more)",
		       name, query->db.path, TUNNEL_NAME_MIN);
}

/* The next tunnel that has both keys and this name: 1, 0 at the end. */
static int step_named(struct query *query, sqlite3_stmt *stmt, const char *name,
		      struct tunnel *ret, struct err *err)
{
	int r;

	while ((r = db_step(&query->db, stmt, err)) > 0) {
		struct row row = {.stmt = stmt};
		char keys[2][KEY_SIZE];

		row_read_key(&row, keys[0]);
		row_read_key(&row, keys[1]);
		r = row_check(&row, &query->db, "a tunnel", err);
		if (r < 0)
			return r;
		if (tunnel_of(keys[0], keys[1], ret) && tunnel_has_name(ret, name))
			return 1;
	}
	return r;
}

int query_choose_tunnel(struct query *query, const char *name, struct err *err)
{
	static const char sql[] =
		"SELECT DISTINCT server_key, peer_key FROM run_tunnel";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	struct tunnel other;
	int r;

	if (!has_keys(query))
		return fail_none(query, name, err);
	r = db_prepare(&query->db, sql, &stmt, err);
	if (r == 0)
		r = step_named(query, stmt, name, &query->tunnel, err);
	if (r == 0)
		return fail_none(query, name, err);
	while (r > 0) {
		r = step_named(query, stmt, name, &other, err);
		/* The roles may be exchanged. */
		if (r > 0 && !tunnel_same(&other, &query->tunnel))
			return fail_two(name, &query->tunnel, &other, err);
	}
	query->one_tunnel = r == 0;
	return r;
}

int query_each_tunnel(struct query *query,
		      int (*row)(void *ctx, const struct query_run *run), void *ctx,
		      struct err *err)
{
	static const char each[] =
		"SELECT coalesce(max(CASE WHEN " QUERY_HAS_RESULT
		" THEN run.id END), max(run.id))"
		" FROM run LEFT JOIN run_tunnel ON run_id = run.id"
		" WHERE strategy <> '" STRATEGY_APPLY "' AND (" QUERY_HAS_RESULT
		" OR EXISTS (SELECT 1 FROM path_probe WHERE run_id = run.id))"
		" GROUP BY min(server_key, peer_key), max(server_key, peer_key)"
		" ORDER BY 1 DESC";
	/* Without keys all are one. */
	static const char one[] =
		"SELECT id FROM run WHERE strategy <> '" STRATEGY_APPLY
		"' AND (" QUERY_HAS_RESULT ") ORDER BY id DESC LIMIT 1";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	int r = db_prepare(&query->db, has_keys(query) ? each : one, &stmt, err);

	while (r == 0 && (r = db_step(&query->db, stmt, err)) > 0) {
		struct row values = {.stmt = stmt};
		int64_t id = row_read_int(&values, 1, ROW_ID_MAX);
		struct query_run run;

		r = row_check(&values, &query->db, "a run", err);
		if (r == 0)
			r = query_run_numbered(query, id, &run, err);
		if (r == 0)
			r = row(ctx, &run);
		/* A run of a tunnel that is not chosen. */
		else if (r == -ENOENT)
			r = 0;
	}
	return r;
}

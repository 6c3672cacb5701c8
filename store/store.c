/* SPDX-License-Identifier: MIT */
#include "store/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/process.h"
#include "base/tunnel.h"
#include "store/db.h"
#include "store/row.h"
#include "store/runcopy.h"
#include "store/schema.h"
#include "store/secrets.h"
#include "store/store_db.h"

/* How long store_close() waits for readers, which take milliseconds, to be done. */
#define CLOSE_WAIT_MS 1000
#define WAIT_STEP_MS  20

/* Within a transaction: what is there now is looked at again, since another program may
 * have been quicker. */
static int run_upgrades(struct db *db, void *ctx, struct err *err)
{
	int version;
	int r = db_check(db, &version, err);

	(void)ctx;
	for (; r == 0 && version < SCHEMA_VERSION; version++)
		r = db_exec(db, schema_scripts[version], err);
	return r;
}

static int upgrade(struct db *db, struct err *err)
{
	int version;
	int r = db_check(db, &version, err);

	if (r < 0 || version == SCHEMA_VERSION)
		return r;
	return db_transact(db, run_upgrades, NULL, err);
}

/* On a file system without shared memory the journal stays what it was, and all works
 * but reading while a row is being written. */
static int prepare_writing(struct db *db, struct err *err)
{
	return db_exec(db,
		       "PRAGMA journal_mode = WAL;"
		       "PRAGMA synchronous = FULL;"
		       "PRAGMA foreign_keys = ON;",
		       err);
}

static int try_open(struct db *db, const char *path, struct err *err)
{
	int r;

	db_init(db);
	r = db_open(db, path, DB_WRITE, err);
	if (r == 0)
		r = upgrade(db, err);
	if (r == 0)
		r = prepare_writing(db, err);
	if (r < 0)
		db_release(db);
	return r;
}

int store_open(const char *path, struct store **ret, struct err *err)
{
	int64_t deadline_ms = clock_boot_ms() + STORE_PATIENCE_MS;
	struct store *store = calloc(1, sizeof(*store));
	int r;

	if (!store)
		return err_set(err, -ENOMEM, "out of memory");
	r = try_open(&store->db, path, err);
	/* SQLite does not wait for a reader when it changes to WAL. */
	while (r == -EBUSY && clock_left_ms(deadline_ms) > 0) {
		sqlite3_sleep(WAIT_STEP_MS);
		r = try_open(&store->db, path, err);
	}
	if (r < 0) {
		free(store);
		return r;
	}
	store->patience_ms = STORE_PATIENCE_MS;
	*ret = store;
	return 0;
}

void store_set_patience(struct store *store, int ms)
{
	store->patience_ms = ms;
	sqlite3_busy_timeout(store->db.sql, ms);
}

/* SQLite does not wait for readers in this one case. A connection that has read nothing
 * since the change to WAL would leave the log's files that another one has made. */
static int leave_wal(struct db *db, struct err *err)
{
	static const char sql[] = "SELECT 1 FROM sqlite_master LIMIT 1;"
				  "PRAGMA journal_mode = DELETE";
	int64_t deadline_ms = clock_boot_ms() + CLOSE_WAIT_MS;
	int r = db_exec(db, sql, err);

	while (r == -EBUSY && clock_left_ms(deadline_ms) > 0) {
		sqlite3_sleep(WAIT_STEP_MS);
		r = db_exec(db, sql, err);
	}
	if (r == -EBUSY)
		return err_set(err, -EBUSY,
			       "another program has database '%s' open; all is stored, "
			       "but keep '%s-wal' beside it until that program ends",
			       db->path, db->path);
	return r;
}

int store_close(struct store *store, struct err *err)
{
	int r;

	if (!store)
		return 0;
	r = leave_wal(&store->db, err);
	db_release(&store->db);
	free(store);
	return r;
}

/* Detect that the file was removed or renamed during a sweep: SQLite would go on
 * writing to the open file, and those rows would be lost. */
static int check_place(struct db *db, struct err *err)
{
	int moved = 0;

	sqlite3_file_control(db->sql, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
	if (moved)
		return err_set(err, -ESTALE,
			       "database '%s' was moved or removed while it was open; "
			       "leave it in its place until the run has ended",
			       db->path);
	return 0;
}

int store_finish_row(struct db *db, const struct row *row, struct err *err)
{
	int r = row_step(row, db, err);

	sqlite3_finalize(row->stmt);
	return r < 0 ? r : 0;
}

static int find_run(struct db *db, const char *uuid, int64_t *ret_run, struct err *err)
{
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	struct row row = {.column = 1};
	int r = db_prepare(db, "SELECT id FROM run WHERE uuid = ?", &stmt, err);

	if (r < 0)
		return r;
	row.stmt = stmt;
	row_bind_text(&row, uuid);
	r = row_step(&row, db, err);
	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, -ENOENT, "run '%s' is no longer in database '%s'",
			       uuid, db->path);
	*ret_run = sqlite3_column_int64(stmt, 0);
	return 0;
}

/* A run's row, or an update of the one with its UUID. Probes may ask for MTUs below those
 * that the session was opened with. */
static int insert_run(struct db *db, const struct run_info *info, const char *role,
		      const char *options, struct err *err)
{
	/* Both ends may share a file on one machine: the record then outranks the copy.
	 */
	static const char sql[] =
		"INSERT INTO run (role, options, process, " ROW_RUN_COLUMNS ")"
		" VALUES (?, ?, ?, " ROW_RUN_VALUES ")"
		" ON CONFLICT (uuid) DO UPDATE SET outcome = 'running',"
		" outcome_text = '', ended_at = NULL, role = excluded.role,"
		" options = coalesce(options, excluded.options),"
		" process = excluded.process,"
		" server_mtu_min = min(server_mtu_min, excluded.server_mtu_min),"
		" peer_mtu_min = min(peer_mtu_min, excluded.peer_mtu_min)";
	struct row row = {.column = 1};
	char process[PROCESS_ID_SIZE];
	int r = db_prepare(db, sql, &row.stmt, err);

	if (r < 0)
		return r;
	row_bind_text(&row, role);
	row_bind_text(&row, options);
	process_identify(process);
	row_bind_text(&row, process);
	row_bind_run(&row, info);
	return store_finish_row(db, &row, err);
}

/* A run that goes on keeps the keys that it has. */
static int insert_tunnel(struct db *db, const struct run_info *info, struct err *err)
{
	static const char sql[] =
		"INSERT INTO run_tunnel (run_id, tunnel, server_key, peer_key)"
		" SELECT id, ?, ?, ? FROM run WHERE uuid = ?"
		" ON CONFLICT (run_id) DO UPDATE SET"
		" tunnel = coalesce(tunnel, excluded.tunnel),"
		" server_key = coalesce(server_key, excluded.server_key),"
		" peer_key = coalesce(peer_key, excluded.peer_key)";
	struct row row = {.column = 1};
	char id[TUNNEL_ID_SIZE];
	int r;

	if (!*info->server.key && !*info->peer.key)
		return 0;
	r = db_prepare(db, sql, &row.stmt, err);
	if (r < 0)
		return r;
	row_bind_text_or_none(&row, tunnel_id_of_run(info, id));
	row_bind_text_or_none(&row, info->server.key);
	row_bind_text_or_none(&row, info->peer.key);
	row_bind_text(&row, info->uuid);
	return store_finish_row(db, &row, err);
}

struct new_record {
	const struct run_info *info;
	const char *options;
};

static int begin_record(struct db *db, void *ctx, struct err *err)
{
	const struct new_record *new = ctx;
	/* A server that works alone keeps its own. */
	const char *role = run_info_has_end(new->info, DIR_UPLOAD) ? "peer" : "server";
	int r = insert_run(db, new->info, role, new->options, err);

	return r < 0 ? r : insert_tunnel(db, new->info, err);
}

int store_begin_record(struct store *store, const struct run_info *info,
		       const char *options, int64_t *ret_run, struct err *err)
{
	struct new_record new = {info, options};
	int r = check_place(&store->db, err);

	if (r == 0)
		r = db_transact(&store->db, begin_record, &new, err);
	return r < 0 ? r : find_run(&store->db, info->uuid, ret_run, err);
}

/* --- the server's copy --- */

int store_may_write(struct store *store, int64_t run, struct err *err)
{
	int r = check_place(&store->db, err);

	if (r == 0 && store->copying)
		r = runcopy_is_record(&store->db, run, err);
	return r < 0 ? r : !r;
}

struct new_copy {
	const struct run_info *info;
	const char *secret;
	int64_t deadline_ms; /* for all waits for locks, the secrets' too */
	bool known;
};

static int begin_copy(struct db *db, void *ctx, struct err *err)
{
	struct new_copy *copy = ctx;
	int r = runcopy_admit(db, copy->info, copy->secret, copy->deadline_ms, err);

	if (r < 0)
		return r;
	copy->known = r != RUNCOPY_NEW;
	if (r == RUNCOPY_RECORD)
		return 0;
	r = insert_run(db, copy->info, "server", NULL, err);
	return r < 0 ? r : insert_tunnel(db, copy->info, err);
}

int store_begin_copy(struct store *store, const struct run_info *info,
		     const char *secret, int64_t *ret_run, bool *ret_known,
		     struct err *err)
{
	struct new_copy copy = {
		.info = info,
		.secret = secret,
		.deadline_ms = clock_boot_ms() + store->patience_ms,
	};
	int r = check_place(&store->db, err);

	if (r == 0)
		r = runcopy_check_room(&store->db, err);
	if (r == 0)
		r = db_transact(&store->db, begin_copy, &copy, err);
	if (r < 0)
		return r;
	store->copying = true;
	*ret_known = copy.known;
	return find_run(&store->db, info->uuid, ret_run, err);
}

int store_keep_secret(struct store *store, const char *uuid, const char *secret,
		      struct err *err)
{
	return secrets_put(store->db.path, uuid, secret, store->patience_ms, err);
}

int store_check_secrets(struct store *store, struct err *err)
{
	return secrets_check(store->db.path, store->patience_ms, err);
}

int store_find_secret(struct store *store, const char *uuid, char ret[TOKEN_SIZE],
		      struct err *err)
{
	return secrets_get(store->db.path, uuid, store->patience_ms, ret, err);
}

/* --- rows --- */

struct new_row {
	int64_t run;
	const struct measurement *m;
};

/* 1: the row was stored; 0: one with its number is there. */
static int insert_main(struct db *db, const struct new_row *new, struct err *err)
{
	static const char sql[] = "INSERT INTO measurement (run_id, " ROW_MAIN_COLUMNS
				  ") VALUES (?, " ROW_MAIN_VALUES ")"
				  " ON CONFLICT DO NOTHING";
	struct row row = {.column = 1};
	int r = db_prepare(db, sql, &row.stmt, err);

	if (r < 0)
		return r;
	row_bind_int(&row, new->run);
	row_bind_main(&row, new->m);
	r = store_finish_row(db, &row, err);
	return r < 0 ? r : sqlite3_changes(db->sql);
}

static int insert_detail(struct db *db, const struct new_row *new, struct err *err)
{
	/* Somebody may have deleted the measurement alone. */
	static const char sql[] =
		"INSERT OR REPLACE INTO measurement_detail (run_id, " ROW_DETAIL_COLUMNS
		") VALUES (?, " ROW_DETAIL_VALUES ")";
	struct row row = {.column = 1};
	int r = db_prepare(db, sql, &row.stmt, err);

	if (r < 0)
		return r;
	row_bind_int(&row, new->run);
	row_bind_detail(&row, new->m);
	return store_finish_row(db, &row, err);
}

static int insert_both(struct db *db, void *ctx, struct err *err)
{
	int stored = insert_main(db, ctx, err);
	int r = stored > 0 ? insert_detail(db, ctx, err) : 0;

	return r < 0 ? r : stored;
}

/* 1: the row was stored; 0: one with its number is there. */
static int insert_row(struct db *db, int64_t run, const struct measurement *m,
		      struct err *err)
{
	struct new_row new = {run, m};

	return db_transact(db, insert_both, &new, err);
}

/* In the record the sentences are whole, and figures as they were measured; in a message
 * they are not. */
static int find_row(struct db *db, int64_t run, const struct measurement *m,
		    bool record, struct err *err)
{
	static const char same[] = "SELECT 1 FROM " ROW_MEASUREMENTS " WHERE run_id = ?"
				   " AND (" ROW_MEASUREMENT_COLUMNS
				   ") IS (" ROW_MEASUREMENT_VALUES ")";
	static const char alike[] = "SELECT 1 FROM measurement WHERE run_id = ?"
				    " AND seq = ? AND server_mtu = ? AND peer_mtu = ?";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	struct row row = {.column = 1};
	int r = db_prepare(db, record ? alike : same, &stmt, err);

	if (r < 0)
		return r;
	row.stmt = stmt;
	row_bind_int(&row, run);
	if (record) {
		row_bind_int(&row, m->seq);
		row_bind_int(&row, m->mtu.server);
		row_bind_int(&row, m->mtu.peer);
	} else {
		row_bind_measurement(&row, m);
	}
	r = row_step(&row, db, err);
	if (r != 0)
		return r < 0 ? r : 0;
	return err_set(
		err, -EINVAL,
		"row %u refused: database '%s' has another one, or none, of this "
		"number",
		m->seq, db->path);
}

int store_check_row(struct store *store, int64_t run, const struct measurement *m,
		    struct err *err)
{
	int r = store->copying ? runcopy_is_record(&store->db, run, err) : 0;

	return r < 0 ? r : find_row(&store->db, run, m, r == 1, err);
}

int store_record(struct store *store, int64_t run, const struct measurement *m,
		 struct err *err)
{
	int r = store_may_write(store, run, err);

	if (r == 0)
		return store_check_row(store, run, m, err);
	if (r > 0 && store->copying)
		r = runcopy_check_room(&store->db, err);
	if (r >= 0)
		r = insert_row(&store->db, run, m, err);
	if (r != 0)
		return r < 0 ? r : 0;
	return find_row(&store->db, run, m, false, err);
}

int store_acknowledge(struct store *store, int64_t run, uint32_t seq, struct err *err)
{
	static const char sql[] = "UPDATE measurement SET acknowledged = 1"
				  " WHERE run_id = ? AND seq = ?";
	struct row row = {.column = 1};
	int r = db_prepare(&store->db, sql, &row.stmt, err);

	if (r < 0)
		return r;
	row_bind_int(&row, run);
	row_bind_int(&row, seq);
	return store_finish_row(&store->db, &row, err);
}

int store_next_unacknowledged(struct store *store, int64_t run, uint32_t seq,
			      struct measurement *ret, struct err *err)
{
	static const char sql[] = "SELECT " ROW_MEASUREMENT_COLUMNS
				  " FROM " ROW_MEASUREMENTS
				  " WHERE run_id = ? AND seq >= ? AND acknowledged = 0"
				  " ORDER BY seq LIMIT 1";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	struct row in = {.column = 1};
	struct row out = {.column = 0};
	int r = db_prepare(&store->db, sql, &stmt, err);

	if (r < 0)
		return r;
	in.stmt = out.stmt = stmt;
	row_bind_int(&in, run);
	row_bind_int(&in, seq);
	r = row_step(&in, &store->db, err);
	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, -ENOENT, "every row has been acknowledged");
	row_read_measurement(&out, ret);
	return row_check(&out, &store->db, "a measurement", err);
}

int store_end_run(struct store *store, int64_t run, enum run_outcome outcome,
		  const char *text, struct err *err)
{
	return store_end_run_at(store, run, clock_wall_ms(), outcome, text, err);
}

int store_end_run_at(struct store *store, int64_t run, int64_t ended_at_ms,
		     enum run_outcome outcome, const char *text, struct err *err)
{
	static const char sql[] = "UPDATE run SET outcome = ?, outcome_text = ?,"
				  " ended_at = ? WHERE id = ?";
	struct row row = {.column = 1};
	int r = store->copying ? runcopy_is_record(&store->db, run, err) : 0;

	if (r == 0)
		r = db_prepare(&store->db, sql, &row.stmt, err);
	if (r < 0 || !row.stmt)
		return r < 0 ? r : 0;
	row_bind_text(&row, run_outcome_name(outcome));
	row_bind_text(&row, text);
	row_bind_time(&row, ended_at_ms);
	row_bind_int(&row, run);
	return store_finish_row(&store->db, &row, err);
}

struct store_work {
	int (*work)(void *ctx, struct err *err);
	void *ctx;
};

static int do_work(struct db *db, void *ctx, struct err *err)
{
	const struct store_work *work = ctx;

	(void)db;
	return work->work(work->ctx, err);
}

int store_transact(struct store *store, int (*work)(void *ctx, struct err *err),
		   void *ctx, struct err *err)
{
	return db_transact(&store->db, do_work, &(struct store_work){work, ctx}, err);
}

const char *store_library_version(void)
{
	return sqlite3_libversion();
}

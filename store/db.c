/* SPDX-License-Identifier: MIT */
#include "store/db.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/text.h"
#include "store/dbfile.h"
#include "store/schema.h"
#include "store/store.h"

void db_init(struct db *db)
{
	memset(db, 0, sizeof(*db));
}

void db_release(struct db *db)
{
	sqlite3_close(db->sql);
	free(db->path);
	db_init(db);
}

void stmt_release(sqlite3_stmt **stmt)
{
	sqlite3_finalize(*stmt);
	*stmt = NULL;
}

static int fail_not_writable(const char *path, const char *what, int errno_value,
			     struct err *err)
{
	return err_set(err, -errno_value,
		       "cannot write database '%s' as uid %ld: %s: %s; give this user "
		       "access, or choose another file with --db",
		       path, (long)geteuid(), what, strerror(errno_value));
}

/* A reader must not write, and SQLite restores a database by writing. */
static int fail_rollback(const struct db *db, struct err *err)
{
	const char *slash = strrchr(db->path, '/');
	const char *name = slash ? slash + 1 : db->path;
	int r = dbfile_check_journal(db->path, err);

	if (r < 0)
		return r;
	return err_set(err, -EACCES,
		       "cannot read database '%s': the program that wrote it was "
		       "killed, and '%s-journal' beside it must be rolled back; as "
		       "its owner open it once for writing: sqlite3 '%s' .tables",
		       db->path, name, name);
}

/* SQLite says no more than "unable to open": find out what the matter is. */
static int fail_access(const struct db *db, struct err *err)
{
	int errno_value = sqlite3_system_errno(db->sql);
	char copy[PATH_MAX];
	const char *folder;
	struct stat st;

	text_copy(copy, sizeof(copy), db->path);
	folder = dirname(copy);
	if (stat(folder, &st) < 0)
		return err_sys(err, errno, "cannot open database '%s': folder '%s'",
			       db->path, folder);
	if (!S_ISDIR(st.st_mode))
		return err_sys(err, ENOTDIR, "cannot open database '%s': folder '%s'",
			       db->path, folder);
	if (!db->writing && eaccess(db->path, R_OK) < 0)
		return err_sys(err, errno, "cannot read database '%s'", db->path);
	if (errno_value == EMFILE || errno_value == ENFILE)
		return err_sys(err, errno_value, "cannot open database '%s'", db->path);
	if (sqlite3_extended_errcode(db->sql) == SQLITE_READONLY_ROLLBACK)
		return fail_rollback(db, err);
	if (!db->writing)
		return err_set(
			err, -EACCES,
			"cannot read database '%s': it was left without an "
			"orderly end, and reading it then takes a folder that can "
			"be written; copy it and '%s-wal' to one of your own",
			db->path, db->path);
	if (eaccess(db->path, W_OK) < 0 && errno != ENOENT)
		return fail_not_writable(db->path, "the file", errno, err);
	if (eaccess(folder, W_OK | X_OK) < 0)
		return fail_not_writable(db->path, "its folder", errno, err);
	/* Root's sqlite3 makes the file beside it as root's for a moment, then gives it
	 * to the database's owner. */
	return err_set(err, -EBUSY,
		       "cannot write database '%s': %s; see whom '%s-shm' belongs to",
		       db->path, sqlite3_errmsg(db->sql), db->path);
}

/* Nothing was stored in a file that is being made. */
static const char *what_is_safe(const struct db *db)
{
	struct stat st;

	if (stat(db->path, &st) < 0 || st.st_size == 0)
		return "";
	return "what was stored before is safe, ";
}

static int fail_no_space(const struct db *db, struct err *err)
{
	return err_set(err, -ENOSPC,
		       "cannot write database '%s': the disk is full; %sfree some "
		       "space to go on",
		       db->path, what_is_safe(db));
}

/* SQLite does not always keep the reason for what it could not write. */
static bool may_be_file_limit(const struct db *db)
{
	int code = sqlite3_extended_errcode(db->sql);

	return io_has_file_limit() &&
	       (code == SQLITE_IOERR_WRITE || code == SQLITE_IOERR_SHMSIZE);
}

static int fail_file_limit(const struct db *db, struct err *err)
{
	return err_set(err, -ENOSPC,
		       "cannot write database '%s': %s; %sraise the limit to go on",
		       db->path, err_reason(EFBIG), what_is_safe(db));
}

static int fail_io(const struct db *db, struct err *err)
{
	int errno_value = sqlite3_system_errno(db->sql);

	if (errno_value == ENOSPC || errno_value == EDQUOT)
		return fail_no_space(db, err);
	if (errno_value == EFBIG || (!errno_value && may_be_file_limit(db)))
		return fail_file_limit(db, err);
	return err_set(err, -EIO, "cannot %s database '%s': %s (%s)",
		       db->writing ? "write" : "read", db->path,
		       sqlite3_errmsg(db->sql),
		       errno_value ? strerror(errno_value) : "no further reason");
}

int db_fail(struct db *db, struct err *err)
{
	switch (sqlite3_errcode(db->sql)) {
	case SQLITE_FULL:
		return fail_no_space(db, err);
	case SQLITE_IOERR:
		return fail_io(db, err);
	case SQLITE_CANTOPEN:
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return fail_access(db, err);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(err, -EBUSY,
			       "database '%s' is locked by another program; end that "
			       "program's transaction and try again",
			       db->path);
	case SQLITE_NOTADB:
		return err_set(err, -EMEDIUMTYPE,
			       "'%s' is not an SQLite database; choose another file "
			       "with --db",
			       db->path);
	case SQLITE_INTERRUPT:
		return err_set(
			err, -EUCLEAN,
			"database '%s' is damaged: reading it takes more than its size "
			"accounts for; see sqlite3's .recover, or choose another file "
			"with --db",
			db->path);
	case SQLITE_TOOBIG:
	case SQLITE_MISMATCH:
	case SQLITE_CORRUPT:
		return err_set(
			err, -EUCLEAN,
			"database '%s' is damaged: %s; see sqlite3's .recover, or "
			"choose another file with --db",
			db->path, sqlite3_errmsg(db->sql));
	case SQLITE_CONSTRAINT:
		return err_set(err, -EINVAL, "database '%s' refused a row: %s",
			       db->path, sqlite3_errmsg(db->sql));
	case SQLITE_NOMEM:
		return err_set(err, -ENOMEM, "out of memory");
	default:
		return err_set(err, -EIO, "database '%s' failed: %s", db->path,
			       sqlite3_errmsg(db->sql));
	}
}

/* Refuse paths that SQLite would not open as a file of that name, or would block on. */
static int check_path(const char *path, enum db_mode mode, struct err *err)
{
	struct stat st;

	if (!*path || strcmp(path, ":memory:") == 0 || strncmp(path, "file:", 5) == 0)
		return err_set(err, -EINVAL,
			       "'%s' is no name for a database file; choose another "
			       "with --db",
			       path);
	if (stat(path, &st) < 0) {
		if (errno == ENOENT && mode != DB_WRITE)
			return err_set(err, -ENOENT,
				       "no database '%s'; name another with --db FILE",
				       path);
		return 0;
	}
	if (S_ISDIR(st.st_mode))
		return err_set(err, -EISDIR,
			       "'%s' is a folder; name the database file in it with "
			       "--db FILE",
			       path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, -EMEDIUMTYPE,
			       "'%s' is not a regular file; choose another with --db",
			       path);
	return 0;
}

/* Enough for each statement of ours and each value that it stores. */
static const struct {
	int id;
	int value;
} limits[] = {
	{SQLITE_LIMIT_LENGTH, 4 << 20},     {SQLITE_LIMIT_SQL_LENGTH, 100000},
	{SQLITE_LIMIT_EXPR_DEPTH, 50},      {SQLITE_LIMIT_COMPOUND_SELECT, 8},
	{SQLITE_LIMIT_VDBE_OP, 25000},      {SQLITE_LIMIT_FUNCTION_ARG, 8},
	{SQLITE_LIMIT_ATTACHED, 0},         {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100},
	{SQLITE_LIMIT_VARIABLE_NUMBER, 64}, {SQLITE_LIMIT_TRIGGER_DEPTH, 4},
	{SQLITE_LIMIT_WORKER_THREADS, 0},
};

static const struct {
	int id;
	int value;
} configs[] = {
	{SQLITE_DBCONFIG_DEFENSIVE, 1},
	{SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
	{SQLITE_DBCONFIG_ENABLE_VIEW, 0},
	{SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
};

/* SQLite counts a step of its machine each time a value is read or compared: some 30 go
 * to a stored row of 100 bytes, and its sorting. */
#define STEPS_EACH     1000
#define STEPS_A_BYTE   16
#define STEPS_AT_LEAST 20000000

static int count_steps(void *ctx)
{
	struct db *db = ctx;

	return --db->steps_left < 0;
}

/* Pages that point at one another make a small file look endless. */
static void bound_steps(struct db *db)
{
	db->steps_max =
		(STEPS_AT_LEAST + STEPS_A_BYTE * dbfile_size(db->path)) / STEPS_EACH;
	db->steps_left = db->steps_max;
	sqlite3_progress_handler(db->sql, STEPS_EACH, count_steps, db);
}

static int trust_nothing(struct db *db, struct err *err)
{
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		sqlite3_limit(db->sql, limits[i].id, limits[i].value);
	for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
		if (sqlite3_db_config(db->sql, configs[i].id, configs[i].value, NULL) !=
		    SQLITE_OK)
			return db_fail(db, err);
	}
	if (sqlite3_drop_modules(db->sql, NULL) != SQLITE_OK)
		return db_fail(db, err);
	bound_steps(db);
	return db_exec(db, "PRAGMA cell_size_check = ON", err);
}

int db_open(struct db *db, const char *path, enum db_mode mode, struct err *err)
{
	static const int flags[] = {
		[DB_READ] = SQLITE_OPEN_READONLY,
		[DB_UPDATE] = SQLITE_OPEN_READWRITE,
		[DB_WRITE] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
	};
	int r = check_path(path, mode, err);

	if (r < 0)
		return r;
	db->writing = mode != DB_READ;
	db->path = dbfile_resolve(path);
	if (!db->path)
		return err_set(err, -ENOMEM, "out of memory");
	r = dbfile_check_beside(db->path, err);
	if (r == 0 && db->writing)
		r = dbfile_check_journal(db->path, err);
	if (r < 0)
		return r;
	if (sqlite3_open_v2(db->path, &db->sql, flags[mode] | SQLITE_OPEN_NOMUTEX,
			    NULL) != SQLITE_OK)
		return db->sql ? db_fail(db, err)
			       : err_set(err, -ENOMEM, "out of memory");
	/* SQLite falls back to reading where the file cannot be written. */
	if (db->writing && sqlite3_db_readonly(db->sql, "main") == 1)
		return fail_access(db, err);
	sqlite3_busy_timeout(db->sql, STORE_PATIENCE_MS);
	return trust_nothing(db, err);
}
/* --- check of the schema --- */

const char *const schema_scripts[SCHEMA_VERSION] = {schema_sql, schema2_sql};

static const struct db_table tables[] = {
	{"run", 1, "id"},
	{"measurement", 1, "seq"},
	{"warning", 1, "id"},
	{"path", 1, "run_id"},
	{"path_band", 1, "direction, size_max"},
	{"recommendation", 1, "run_id"},
	{"reason", 2, "run_id"},
	{"reason_band", 2, "direction, size_max"},
	{"run_warning", 2, "id"},
	{"path_detail", 2, "run_id"},
	{"measurement_detail", 2, "seq"},
	{"one_end", 2, "run_id"},
	{"run_tunnel", 2, "run_id"},
	{"path_probe", 2, "seq"},
};
#define TABLES ((int)(sizeof(tables) / sizeof(tables[0])))

const struct db_table *db_table(int index)
{
	return index < TABLES ? &tables[index] : NULL;
}

const struct db_table *db_find_table(const char *name)
{
	for (int t = 0; t < TABLES; t++) {
		if (strcmp(tables[t].name, name) == 0)
			return &tables[t];
	}
	return NULL;
}

bool db_is_id(const char *column)
{
	return strcmp(column, "id") == 0 || strcmp(column, "run_id") == 0;
}

struct column {
	char name[40];
	char type[16];
	int key;    /* its place in the primary key; 0: none */
	int hidden; /* 0: a column like any other */
};

#define COLUMNS_MAX 64

static int load_columns(struct db *db, const char *table, struct column *ret,
			int *ret_count, struct err *err)
{
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	char sql[64];
	int r;

	*ret_count = 0;
	snprintf(sql, sizeof(sql), "PRAGMA table_xinfo(%s)", table);
	r = db_prepare(db, sql, &stmt, err);
	while (r == 0 && (r = db_step(db, stmt, err)) > 0) {
		const char *name = (const char *)sqlite3_column_text(stmt, 1);
		const char *type = (const char *)sqlite3_column_text(stmt, 2);
		struct column *column = &ret[*ret_count];

		r = 0;
		/* Others' columns beside ours are nothing to us. */
		if (!text_copy(column->name, sizeof(column->name), name ? name : ""))
			continue;
		text_copy(column->type, sizeof(column->type), type ? type : "");
		column->key = sqlite3_column_int(stmt, 5);
		column->hidden = sqlite3_column_int(stmt, 6);
		if (++*ret_count == COLUMNS_MAX)
			break;
	}
	return r < 0 ? r : 0;
}

static const struct column *find_column(const struct column *columns, int count,
					const char *name)
{
	for (int i = 0; i < count; i++) {
		if (strcasecmp(columns[i].name, name) == 0)
			return &columns[i];
	}
	return NULL;
}

static int refuse_table(const struct db *db, const char *table, const char *column,
			const char *what, struct err *err)
{
	return err_set(
		err, -EMEDIUMTYPE,
		"database '%s' was made by something else, or by a build from "
		"before the first release: its table '%s' %s '%s'; choose another "
		"file with --db, sqlite3 can still read this one",
		db->path, table, what, column);
}

/* As schema_scripts make them, each time alike: found out once. */
static struct {
	int result;
	struct {
		int count;
		struct column column[COLUMNS_MAX];
	} table[TABLES];
} ours;

static void learn_ours(void)
{
	struct db db = {0};
	int r = sqlite3_open(":memory:", &db.sql) == SQLITE_OK ? 0 : -ENOMEM;

	for (int v = 0; r == 0 && v < SCHEMA_VERSION; v++)
		r = db_exec(&db, schema_scripts[v], NULL);
	for (int t = 0; r == 0 && t < TABLES; t++)
		r = load_columns(&db, tables[t].name, ours.table[t].column,
				 &ours.table[t].count, NULL);
	db_release(&db);
	ours.result = r;
}

const char *db_column(const struct db_table *table, int index)
{
	ptrdiff_t t = table - tables;

	return index < ours.table[t].count ? ours.table[t].column[index].name : NULL;
}

static int check_table(struct db *db, int t, struct err *err)
{
	struct column have[COLUMNS_MAX];
	int count;
	int r = load_columns(db, tables[t].name, have, &count, err);

	for (int i = 0; r == 0 && i < ours.table[t].count; i++) {
		const struct column *want = &ours.table[t].column[i];
		const struct column *column = find_column(have, count, want->name);

		if (!column)
			return refuse_table(db, tables[t].name, want->name,
					    "has no column", err);
		if (column->hidden || column->key != want->key ||
		    strcasecmp(column->type, want->type) != 0)
			return refuse_table(db, tables[t].name, want->name,
					    "has another kind of column", err);
	}
	return r;
}

static int check_tables(struct db *db, int version, struct err *err)
{
	static pthread_once_t learned = PTHREAD_ONCE_INIT;
	int r;

	pthread_once(&learned, learn_ours);
	r = ours.result < 0 ? err_set(err, ours.result, "out of memory") : 0;
	for (int t = 0; r == 0 && t < TABLES; t++) {
		if (tables[t].since <= version)
			r = check_table(db, t, err);
	}
	return r;
}

int db_check(struct db *db, int *ret_version, struct err *err)
{
	int64_t application, version, objects;
	int r;

	r = db_read_int(db, "PRAGMA application_id", &application, err);
	if (r == 0)
		r = db_read_int(db, "PRAGMA user_version", &version, err);
	if (r == 0)
		r = db_read_int(db, "SELECT EXISTS (SELECT 1 FROM sqlite_master)",
				&objects, err);
	if (r < 0)
		return r;
	if (application == 0 && version == 0 && objects == 0) {
		*ret_version = 0;
		return 0;
	}
	if (application != SCHEMA_APPLICATION_ID || version < 1)
		return err_set(
			err, -EMEDIUMTYPE,
			"'%s' is another program's database; choose another file "
			"with --db",
			db->path);
	if (version > SCHEMA_VERSION)
		return err_set(
			err, -EOVERFLOW,
			"database '%s' was written by a newer mtusweep (schema %d, "
			"this one knows %d); update mtusweep, or choose another "
			"file with --db",
			db->path, (int)version, SCHEMA_VERSION);
	db->version = *ret_version = (int)version;
	return check_tables(db, (int)version, err);
}

int db_transact(struct db *db, int (*work)(struct db *db, void *ctx, struct err *err),
		void *ctx, struct err *err)
{
	int r, done;

	if (!sqlite3_get_autocommit(db->sql))
		return work(db, ctx, err);
	r = db_exec(db, "BEGIN IMMEDIATE", err);
	if (r < 0)
		return r;
	r = work(db, ctx, err);
	done = r < 0 ? r : db_exec(db, "COMMIT", err);
	if (done < 0)
		db_exec(db, "ROLLBACK", NULL);
	return done < 0 ? done : r;
}

int db_exec(struct db *db, const char *sql, struct err *err)
{
	db->steps_left = db->steps_max;
	if (sqlite3_exec(db->sql, sql, NULL, NULL, NULL) != SQLITE_OK)
		return db_fail(db, err);
	return 0;
}

int db_prepare(struct db *db, const char *sql, sqlite3_stmt **ret, struct err *err)
{
	db->steps_left = db->steps_max;
	if (sqlite3_prepare_v2(db->sql, sql, -1, ret, NULL) != SQLITE_OK)
		return db_fail(db, err);
	return 0;
}

int db_step(struct db *db, sqlite3_stmt *stmt, struct err *err)
{
	switch (sqlite3_step(stmt)) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		return 0;
	default:
		return db_fail(db, err);
	}
}

int db_read_int(struct db *db, const char *sql, int64_t *ret, struct err *err)
{
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	int r = db_prepare(db, sql, &stmt, err);

	if (r < 0)
		return r;
	r = db_step(db, stmt, err);
	if (r < 0)
		return r;
	if (r == 0)
		return -ENOENT;
	*ret = sqlite3_column_int64(stmt, 0);
	return 0;
}

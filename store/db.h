/* SPDX-License-Identifier: MIT */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/*
 * A connection to one of our databases, and the one place where SQLite's errors become
 * sentences. For store.c and query.c, which each hold one; a connection belongs to one
 * thread at a time.
 *
 * A database may come from anybody, in a report of a fault. So a connection runs nothing
 * that the file defines: no view, no trigger, no virtual table, no generated column. Its
 * tables have to be ours (db_check()), SQLite's limits are low, and no statement takes
 * more steps than the size of the file accounts for. store/row.h checks the values.
 *
 *	db_init(&db);
 *	db_open(&db, path, DB_READ, err);
 *	db_check(&db, &version, err);
 *	...
 *	db_release(&db);
 */

struct db {
	sqlite3 *sql;
	char *path; /* dbfile_resolve()'s */
	bool writing;
	int version;        /* schema version, set by db_check() */
	int64_t steps_max;  /* limit of a statement's steps, in thousands */
	int64_t steps_left; /* remaining for the current statement */
};

enum db_mode {
	DB_READ,
	DB_UPDATE, /* for writing; the file must exist */
	DB_WRITE,  /* for writing; the file is made where it does not exist */
};

void db_init(struct db *db);
/* A struct that was only initialised is fine. */
void db_release(struct db *db);

/* The errors of store_open() and query_open() that come from the file itself. */
int db_open(struct db *db, const char *path, enum db_mode mode, struct err *err);

/* Check that the database is ours: *ret_version is its schema version, 0: empty file.
 * -EMEDIUMTYPE: not ours, or without a column of ours, as from before the first release;
 * -EOVERFLOW: newer than this program. */
int db_check(struct db *db, int *ret_version, struct err *err);

/* The tables of the schema, for what handles all of them: a table comes after those that
 * its rows refer to. */
struct db_table {
	const char *name;
	int since;         /* version of the schema */
	const char *order; /* columns that sort the rows of a run as they were stored */
};

/* NULL: there are no more, or none of that name. */
const struct db_table *db_table(int index);
const struct db_table *db_find_table(const char *name);
/* The name of a column, as in the schema; NULL: there are no more. After db_check(). */
const char *db_column(const struct db_table *table, int index);
/* True for a column of ids, which mean nothing outside the file. */
bool db_is_id(const char *column);

/* Return SQLite's last error on this connection as a negative errno and a sentence. */
int db_fail(struct db *db, struct err *err);

/* Commit all of what `work` does and return its result, or, where that is below 0, undo it.
 * Within another's work it is a part of that. */
int db_transact(struct db *db, int (*work)(struct db *db, void *ctx, struct err *err),
		void *ctx, struct err *err);

int db_exec(struct db *db, const char *sql, struct err *err);
int db_prepare(struct db *db, const char *sql, sqlite3_stmt **ret, struct err *err);
/* 1 a row, 0 the end, or -errno. */
int db_step(struct db *db, sqlite3_stmt *stmt, struct err *err);
/* The first column of the only row. -ENOENT, without a sentence: there is no row. */
int db_read_int(struct db *db, const char *sql, int64_t *ret, struct err *err);

void stmt_release(sqlite3_stmt **stmt);
#define cleanup_stmt __attribute__((cleanup(stmt_release)))

#endif

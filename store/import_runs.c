/* SPDX-License-Identifier: MIT */
/* The import of runs that other files hold, row by row. */
#include "store/import.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/process.h"
#include "store/query_db.h"
#include "store/schema.h"
#include "store/store_db.h"

int import_kind(const char *file, enum import_kind *ret, struct err *err)
{
	static const char magic[] = "SQLite format 3";
	cleanup_fd int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char text[64];
	ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text));
	ssize_t i = 0;

	if (size < 0)
		return err_sys(err, errno, "cannot %s '%s'", fd < 0 ? "open" : "read",
			       file);
	*ret = IMPORT_LOG;
	if (size >= (ssize_t)sizeof(magic) && memcmp(text, magic, sizeof(magic)) == 0)
		*ret = IMPORT_DATABASE;
	while (i < size && isspace((unsigned char)text[i]))
		i++;
	if (i < size && (text[i] == '{' || text[i] == '['))
		*ret = IMPORT_JSON;
	return 0;
}

/* --- rows --- */

static int prepare_insert(struct db *db, const struct db_table *table,
			  sqlite3_stmt **ret, struct err *err)
{
	sqlite3_str *text = sqlite3_str_new(NULL);
	const char *name;
	char *sql;
	int count = 0;
	int r;

	sqlite3_str_appendf(text, "INSERT INTO %s (", table->name);
	for (; (name = db_column(table, count)); count++)
		sqlite3_str_appendf(text, "%s%s", count ? ", " : "", name);
	sqlite3_str_appendf(text, ") VALUES (");
	for (int i = 0; i < count; i++)
		sqlite3_str_appendf(text, i ? ", ?" : "?");
	sqlite3_str_appendf(text, ")");
	sql = sqlite3_str_finish(text);
	r = sql ? db_prepare(db, sql, ret, err)
		: err_set(err, -ENOMEM, "out of memory");
	sqlite3_free(sql);
	return r;
}

static int bind_value(struct row *row, const json_t *value)
{
	if (json_is_string(value))
		row_bind_text(row, json_string_value(value));
	else if (json_is_integer(value))
		row_bind_int(row, json_integer_value(value));
	else if (json_is_boolean(value))
		row_bind_int(row, json_is_true(value));
	else if (json_is_null(value))
		row->column++;
	else
		return -EINVAL;
	return 0;
}

/* Ids are this file's own. */
static int bind_column(struct row *row, const struct db_table *table, const char *name,
		       int64_t run, const json_t *values)
{
	bool of_run = strcmp(table->name, "run") == 0;

	if (!db_is_id(name))
		return bind_value(row, json_object_get(values, name));
	if (run && (of_run || strcmp(name, "run_id") == 0))
		row_bind_int(row, run);
	else
		row->column++;
	return 0;
}

static int fail_value(const struct db_table *table, const char *name,
		      const json_t *value, struct err *err)
{
	return err_set(err, -EINVAL, "%s of table '%s' %s '%s'",
		       strcmp(table->name, "run") == 0 ? "the row" : "a row",
		       table->name,
		       value ? "has neither an integer nor a text as" : "lacks", name);
}

/* run 0: a new one, if the table is `run`. */
static int put_row(struct db *db, const struct db_table *table, int64_t run,
		   const json_t *values, struct err *err)
{
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	struct row row = {.column = 1};
	const char *name;
	int r = prepare_insert(db, table, &stmt, err);

	row.stmt = stmt;
	for (int i = 0; r == 0 && (name = db_column(table, i)); i++) {
		if (bind_column(&row, table, name, run, values) < 0)
			r = fail_value(table, name, json_object_get(values, name), err);
	}
	return r < 0 ? r : row_step(&row, db, err);
}

/* --- the source --- */

static int read_visit(void *ctx, const struct measurement *m)
{
	(void)ctx;
	(void)m;
	return 0;
}

static int read_warning(void *ctx, const struct query_warning *w)
{
	(void)ctx;
	(void)w;
	return 0;
}

static int read_probe(void *ctx, const struct path_probe *probe)
{
	(void)ctx;
	(void)probe;
	return 0;
}

static int or_none(int r)
{
	return r == -ENODATA ? 0 : r;
}

/* Read all of the run, as its readers will. */
static int check_run(struct query *source, int64_t run, struct err *err)
{
	struct query_recommendation recommendation = {0};
	struct path_survey survey;
	struct one_end one_end;
	cleanup_free char *options = NULL;
	int r = query_options(source, run, &options, err);

	if (r == 0)
		r = query_measurements(source, run, read_visit, NULL, err);
	if (r == 0)
		r = query_probes(source, run, read_probe, NULL, err);
	if (r == 0)
		r = or_none(query_path(source, run, &survey, err));
	if (r == 0)
		r = query_warnings(source, run, "run", read_warning, NULL, err);
	if (r == 0)
		r = or_none(query_one_end(source, run, &one_end, err));
	if (r == 0)
		r = or_none(query_recommended(source, run, &recommendation, err));
	free(recommendation.text);
	return r;
}

/* A database of its own, which goes with the query; messages name `file`. */
static int open_staging(const char *file, struct query **ret, struct err *err)
{
	struct query *query = calloc(1, sizeof(*query));

	if (!query)
		return err_set(err, -ENOMEM, "out of memory");
	query->db.path = strdup(file);
	/* SQLite puts what is large on the disk. */
	if (!query->db.path || sqlite3_open("", &query->db.sql) != SQLITE_OK) {
		query_close(query);
		return err_set(err, -ENOMEM, "out of memory");
	}
	*ret = query;
	return 0;
}

static int bring_up(struct db *db, int version, struct err *err)
{
	int r = 0;

	for (; r == 0 && version < SCHEMA_VERSION; version++)
		r = db_exec(db, schema_scripts[version], err);
	return r == 0 ? db_check(db, &version, err) : r;
}

static int copy_all(struct query *from, struct query *to, struct err *err)
{
	sqlite3_backup *backup =
		sqlite3_backup_init(to->db.sql, "main", from->db.sql, "main");

	if (!backup)
		return db_fail(&to->db, err);
	sqlite3_backup_step(backup, -1);
	return sqlite3_backup_finish(backup) == SQLITE_OK ? 0 : db_fail(&to->db, err);
}

/* A file of an older version is read from a copy, brought up to date. */
static int open_source(const char *file, struct query **ret, struct err *err)
{
	cleanup_query struct query *query = NULL;
	struct query *copy;
	int r = query_open(file, &query, err);

	if (r < 0)
		return r;
	if (query->db.version == SCHEMA_VERSION) {
		*ret = query;
		query = NULL;
		return 0;
	}
	r = open_staging(file, &copy, err);
	if (r < 0)
		return r;
	r = copy_all(query, copy, err);
	if (r == 0)
		r = bring_up(&copy->db, query->db.version, err);
	if (r < 0)
		query_close(copy);
	else
		*ret = copy;
	return r;
}

/* --- runs --- */

struct import {
	const char *file;
	struct query *source;
	struct store *store;
	struct import_runs done;
};

/* A run as the database has it. */
struct stored_run {
	int64_t id; /* 0: nothing */
	bool writing;
	bool record;
	char ended_at[CLOCK_ISO_SIZE];
	int64_t rows; /* measurements, or a watch's probes */
};

static int find_stored(struct db *db, const char *uuid, struct stored_run *ret,
		       struct err *err)
{
	static const char sql[] =
		"SELECT id, outcome = 'running', process, role = 'peer',"
		" coalesce(ended_at, ''), (SELECT count(*) FROM measurement"
		" WHERE run_id = run.id) + (SELECT count(*) FROM path_probe"
		" WHERE run_id = run.id) FROM run WHERE uuid = ?";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	struct row in = {.column = 1};
	struct row row = {.column = 0};
	char process[PROCESS_ID_SIZE];
	int r = db_prepare(db, sql, &stmt, err);

	*ret = (struct stored_run){0};
	in.stmt = row.stmt = stmt;
	if (r < 0)
		return r;
	row_bind_text(&in, uuid);
	r = row_step(&in, db, err);
	if (r <= 0)
		return r;
	ret->id = row_read_int(&row, 1, ROW_ID_MAX);
	ret->writing = row_read_small(&row, 0, 1);
	row_read_text_or_none(&row, process, sizeof(process));
	ret->writing = ret->writing && process_life(process) == PROCESS_LIVES;
	ret->record = row_read_small(&row, 0, 1);
	row_read_text_or_none(&row, ret->ended_at, sizeof(ret->ended_at));
	ret->rows = row_read_int(&row, 0, ROW_ID_MAX);
	return row_check(&row, db, "a run", err);
}

/* Positive: the second is more of the run. */
static int compare_runs(const struct stored_run *a, const struct stored_run *b)
{
	int later = strcmp(b->ended_at, a->ended_at);

	if (a->record != b->record)
		return b->record ? 1 : -1;
	if (later)
		return later;
	return b->rows > a->rows;
}

static int remove_run(struct db *db, int64_t run, struct err *err)
{
	struct row row = {.column = 1};
	int r = db_prepare(db, "DELETE FROM run WHERE id = ?", &row.stmt, err);

	if (r < 0)
		return r;
	row_bind_int(&row, run);
	return store_finish_row(db, &row, err);
}

struct row_target {
	struct import *in;
	const struct db_table *table;
	int64_t run;
	struct err *err;
};

static int put_table_row(void *ctx, json_t *values)
{
	struct row_target *to = ctx;
	struct db *db = &to->in->store->db;
	int r = put_row(db, to->table, to->run, values, to->err);

	if (r == 0 && !to->run)
		to->run = sqlite3_last_insert_rowid(db->sql);
	json_decref(values);
	return r;
}

static int put_tables(struct import *in, int64_t from, int64_t *run, struct err *err)
{
	struct row_target to = {in, NULL, *run, err};
	int r = 0;

	for (int t = 0; r == 0 && (to.table = db_table(t)); t++)
		r = query_table(in->source, to.table->name, from, put_table_row, &to,
				err);
	*run = to.run;
	return r;
}

/* Write the run, unless what is there is as good. */
static int import_run(struct import *in, const struct query_run *run, struct err *err)
{
	struct db *db = &in->store->db;
	struct stored_run stored, found;
	int r = find_stored(&in->source->db, run->info.uuid, &found, err);

	if (r == 0)
		r = find_stored(db, run->info.uuid, &stored, err);
	if (r < 0)
		return r;
	in->done.run = stored.id;
	if (stored.id && (stored.writing || compare_runs(&stored, &found) <= 0)) {
		in->done.known++;
		return 0;
	}
	r = check_run(in->source, run->id, err);
	if (r == 0 && stored.id)
		r = remove_run(db, stored.id, err);
	if (r == 0)
		r = put_tables(in, run->id, &in->done.run, err);
	if (r == 0)
		*(stored.id ? &in->done.replaced : &in->done.stored) += 1;
	return r;
}

struct import_step {
	struct import *in;
	struct err *err;
};

static int take_run(void *ctx, const struct query_run *run)
{
	struct import_step *step = ctx;
	struct err why = ERR_INIT;
	int r = import_run(step->in, run, &why);

	if (r < 0)
		return err_set(step->err, r, "nothing imported: '%s', run %s: %s",
			       step->in->file, run->info.uuid, why.text);
	return 0;
}

static int take_runs(void *ctx, struct err *err)
{
	struct import *in = ctx;
	struct import_step step = {in, err};
	int r = query_runs(in->source, take_run, &step, err);

	if (r == 0 && !in->done.run)
		return err_set(err, -ENODATA, "nothing imported: '%s' has no run",
			       in->file);
	return r;
}

static int import_source(struct import *in, const char *db, struct import_runs *ret,
			 struct err *err)
{
	/* One state of the source, whoever writes into it meanwhile. */
	int r = db_exec(&in->source->db, "BEGIN", err);

	if (r == 0)
		r = store_open(db, &in->store, err);
	if (r < 0)
		return r;
	r = store_transact(in->store, take_runs, in, err);
	if (r < 0) {
		store_close(in->store, NULL);
		return r;
	}
	*ret = in->done;
	r = store_close(in->store, err);
	/* A program that writes a sweep into the database checkpoints it at its own
	 * end. */
	return r == -EBUSY ? 0 : r;
}

int import_database(const char *file, const char *db, struct import_runs *ret,
		    struct err *err)
{
	cleanup_query struct query *source = NULL;
	struct import in = {.file = file};
	int r = open_source(file, &source, err);

	in.source = source;
	return r < 0 ? r : import_source(&in, db, ret, err);
}

/* Values are checked when they are read, which names them. */
static int stage_tables(struct db *db, const json_t *tables, struct err *err)
{
	const struct db_table *table;
	int r = bring_up(db, 0, err);

	if (r == 0)
		r = db_exec(db, "PRAGMA ignore_check_constraints = ON", err);
	for (int t = 0; r == 0 && (table = db_table(t)); t++) {
		const json_t *rows = json_object_get(tables, table->name);

		for (size_t i = 0; r == 0 && i < json_array_size(rows); i++)
			r = put_row(db, table, 1, json_array_get(rows, i), err);
	}
	return r;
}

int import_tables(const char *file, const json_t *tables, const char *db,
		  struct import_runs *ret, struct err *err)
{
	cleanup_query struct query *source = NULL;
	struct import in = {.file = file};
	struct err why = ERR_INIT;
	int r = open_staging(file, &source, err);

	if (r < 0)
		return r;
	r = stage_tables(&source->db, tables, &why);
	if (r < 0)
		return err_set(err, r, "nothing imported: '%s': %s", file, why.text);
	in.source = source;
	return import_source(&in, db, ret, err);
}

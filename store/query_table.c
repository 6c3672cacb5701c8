/* SPDX-License-Identifier: MIT */
/* Reading the rows of any table as they are. */

#include <errno.h>
#include <string.h>

#include "store/query_db.h"
#include "store/row.h"

/* The run's id is the statement's "?". */
static int prepare_table(struct db *db, const struct db_table *table,
			 sqlite3_stmt **ret, struct err *err)
{
	sqlite3_str *text = sqlite3_str_new(NULL);
	const char *before = "SELECT ";
	const char *name;
	char *sql;
	int r;

	for (int i = 0; (name = db_column(table, i)); i++) {
		if (db_is_id(name))
			continue;
		sqlite3_str_appendf(text, "%s%s", before, name);
		before = ", ";
	}
	sqlite3_str_appendf(text, " FROM %s WHERE %s = ? ORDER BY %s", table->name,
			    strcmp(table->name, "run") == 0 ? "id" : "run_id",
			    table->order);
	sql = sqlite3_str_finish(text);
	r = sql ? db_prepare(db, sql, ret, err)
		: err_set(err, -ENOMEM, "out of memory");
	sqlite3_free(sql);
	return r;
}

static json_t *read_member(struct row *row)
{
	const char *type = sqlite3_column_decltype(row->stmt, row->column);

	if (sqlite3_column_type(row->stmt, row->column) == SQLITE_NULL) {
		row->column++;
		return json_null();
	}
	if (type && strcmp(type, "INTEGER") == 0)
		return json_integer(row_read_int(row, 0, ROW_ID_MAX));
	return row_text_json(row_read_words(row));
}

static json_t *read_object(struct row *row)
{
	int count = sqlite3_column_count(row->stmt);
	json_t *object = json_object();

	while (row->column < count) {
		const char *name = sqlite3_column_name(row->stmt, row->column);

		if (json_object_set_new(object, name, read_member(row)) < 0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

int query_table(struct query *query, const char *table, int64_t run,
		int (*row)(void *ctx, json_t *object), void *ctx, struct err *err)
{
	const struct db_table *found = db_find_table(table);
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	int r;

	if (found->since > query->db.version)
		return err_set(
			err, -EMEDIUMTYPE,
			"database '%s' is of version %d and has no table '%s'; "
			"bring a copy up to date: mtusweep import FILE --db COPY",
			query->db.path, query->db.version, table);
	r = prepare_table(&query->db, found, &stmt, err);
	if (r == 0)
		sqlite3_bind_int64(stmt, 1, run);
	while (r == 0 && (r = db_step(&query->db, stmt, err)) > 0) {
		struct row from = {.stmt = stmt};
		json_t *object = read_object(&from);

		r = object ? row_check(&from, &query->db, "a row", err)
			   : err_set(err, -ENOMEM, "out of memory");
		if (r < 0)
			json_decref(object);
		else
			r = row(ctx, object);
	}
	return r;
}

/* SPDX-License-Identifier: MIT */
#include "report/postgres.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "store/db.h"
#include "store/schema.h"

/* A run's rows of one table, after a line that names their columns. */
struct copy {
	FILE *out;
	const struct db_table *table;
	const char *uuid;
	bool begun;
};

static bool is_run(const struct db_table *table)
{
	return strcmp(table->name, "run") == 0;
}

static void begin_copy(struct copy *copy)
{
	const char *before = "";
	const char *name;

	fprintf(copy->out, "COPY new_%s (", copy->table->name);
	if (!is_run(copy->table)) {
		fputs("run_uuid", copy->out);
		before = ", ";
	}
	for (int i = 0; (name = db_column(copy->table, i)); i++) {
		if (db_is_id(name))
			continue;
		fprintf(copy->out, "%s%s", before, name);
		before = ", ";
	}
	fputs(") FROM stdin;\n", copy->out);
	copy->begun = true;
}

/* COPY's text format: a tab between values, and \N for NULL. The bytes of a character that
 * a terminal acts on are printed in hex. */
static void put_text(FILE *out, const char *text)
{
	while (*text) {
		size_t control = text_control(text);

		if (*text == '\\')
			fputs("\\\\", out);
		else if (*text == '\n')
			fputs("\\n", out);
		else if (control)
			for (size_t i = 0; i < control; i++)
				fprintf(out, "\\x%02x", (unsigned char)text[i]);
		else
			fputc(*text, out);
		text += control ? control : 1;
	}
}

/* PostgreSQL refuses what is no JSON in a column of JSON. */
static bool is_broken_json(const char *column, const json_t *value)
{
	json_t *parsed;

	if (strcmp(column, "options") != 0 || !json_is_string(value))
		return false;
	parsed = json_loads(json_string_value(value), JSON_DECODE_ANY, NULL);
	json_decref(parsed);
	return !parsed;
}

static void put_value(FILE *out, const char *column, const json_t *value)
{
	if (json_is_integer(value))
		fprintf(out, "%lld", (long long)json_integer_value(value));
	else if (json_is_string(value) && !is_broken_json(column, value))
		put_text(out, json_string_value(value));
	else
		fputs("\\N", out);
}

/* Takes the row. */
static int put_row(void *ctx, json_t *row)
{
	struct copy *copy = ctx;
	const char *before = "";
	const char *name;

	if (!copy->begun)
		begin_copy(copy);
	if (!is_run(copy->table)) {
		put_text(copy->out, copy->uuid);
		before = "\t";
	}
	for (int i = 0; (name = db_column(copy->table, i)); i++) {
		if (db_is_id(name))
			continue;
		fputs(before, copy->out);
		put_value(copy->out, name, json_object_get(row, name));
		before = "\t";
	}
	fputc('\n', copy->out);
	json_decref(row);
	return 0;
}

/* The sentences of version 1 are in run_warning too. */
static bool is_left_out(const struct db_table *table)
{
	return strcmp(table->name, "warning") == 0;
}

static int put_run(struct query *query, const struct query_run *run, FILE *out,
		   struct err *err)
{
	struct copy copy = {.out = out, .uuid = run->info.uuid};
	int r = 0;

	for (int t = 0; r == 0 && (copy.table = db_table(t)); t++) {
		if (is_left_out(copy.table))
			continue;
		copy.begun = false;
		r = query_table(query, copy.table->name, run->id, put_row, &copy, err);
		if (copy.begun)
			fputs("\\.\n", out);
	}
	return r;
}

static void begin_script(FILE *out)
{
	fprintf(out,
		"-- mtusweep export --format postgres, for psql; the database has\n"
		"-- contrib/postgres/schema.sql\n"
		"\\set ON_ERROR_STOP on\n"
		"SET client_encoding = 'UTF8';\n"
		"BEGIN;\n"
		"SELECT mtusweep.begin_load(%d);\n",
		SCHEMA_VERSION);
}

static int end_script(int r, FILE *out, struct err *err)
{
	if (r < 0)
		return r;
	fputs("SELECT * FROM mtusweep.end_load();\nCOMMIT;\n", out);
	errno = 0;
	if (fflush(out) == EOF || ferror(out))
		return err_sys(err, errno ? errno : EIO, "cannot write the export");
	return 0;
}

int postgres_export(struct query *query, const struct query_run *run, FILE *out,
		    struct err *err)
{
	begin_script(out);
	return end_script(put_run(query, run, out, err), out, err);
}

struct export
{
	struct query *query;
	FILE *out;
	struct err *err;
};

static int put_next(void *ctx, const struct query_run *run)
{
	struct export *export = ctx;

	return put_run(export->query, run, export->out, export->err);
}

int postgres_export_all(struct query *query, FILE *out, struct err *err)
{
	struct export export = {query, out, err};

	begin_script(out);
	return end_script(query_runs(query, put_next, &export, err), out, err);
}

/* SPDX-License-Identifier: MIT */
/* Runs of other files, by UUID: JSON exports and databases. What is imported is what was
 * exported, again changes nothing, and no file makes the database unreadable. */

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../store/fixture.h"
#include "base/io.h"
#include "base/process.h"
#include "report/runjson.h"
#include "report/runjson_import.h"
#include "store/db.h"

#define PAIR               \
	(struct mtu_pair)  \
	{                  \
		1420, 1400 \
	}
#define SERVER_KEY "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="
#define PEER_KEY   "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08="

/* The database into which is imported, and a file beside it. */
static char central[96];
static char json[96];

static int setup(void **state)
{
	int r = fixture_setup(state);
	struct fixture *fixture = *state;

	snprintf(central, sizeof(central), "%s/central.db", fixture->folder);
	snprintf(json, sizeof(json), "%s/run.json", fixture->folder);
	return r;
}

/* --- sources --- */

/* One with all, and one that nobody answered. */
static void put_probes(struct store *store, int64_t run)
{
	struct path_probe probe = fixture_probe(1);
	struct path_probe none = {
		.seq = 2,
		.probed_at_ms = INT64_C(1795350010000),
		.answer = PROBE_NONE,
		.fragments = NO_FIGURE,
		.too_big = NO_FIGURE,
		.event = EVENT_SILENT,
	};

	assert_int_equal(store_put_probe(store, run, &probe, NULL), 0);
	assert_int_equal(store_put_probe(store, run, &none, NULL), 0);
}

static void make_run(struct fixture *fixture, int number, enum evidence_status status)
{
	struct path_survey survey = {.path.overhead = {60, 80},
				     .path.unseen = {true, false},
				     .since_seq = 1,
				     .probes = {9, 9}};
	struct measurement m = fixture_visit(1, PAIR, 10, 20);
	struct evidence e = {
		.mtu = PAIR,
		.status = status,
		.reason = {REASON_FITS, 5, 7, {1400, 1380}},
		.dir = {{36500000, 36000000, 37000000, 0, -1, -1, -1, false},
			{55000000, 54000000, 56000000, 50000000, 1100, 1050, 1150,
			 true}},
	};
	struct run_info info = fixture_run(number);
	struct store *store;
	int64_t run;

	/* Each second run knows the key of one end alone. */
	strcpy(info.server.key, SERVER_KEY);
	if (number % 2 == 0)
		strcpy(info.peer.key, PEER_KEY);
	assert_int_equal(store_open(fixture->db, &store, NULL), 0);
	assert_int_equal(store_begin_record(store, &info, "{}", &run, NULL), 0);
	put_probes(store, run);
	path_bands_add(&e.survey.path.dir[DIR_DOWNLOAD], OUTER_SIZE_MAX, FATE_WHOLE);
	path_bands_add(&survey.path.dir[DIR_UPLOAD], 1500, FATE_WHOLE);
	path_bands_add(&survey.path.dir[DIR_UPLOAD], OUTER_SIZE_MAX, FATE_LOST);
	evidence_warn(&e, (struct warning){.kind = WARNING_MSS, .mtu = 1400});
	fixture_record(store, run, &m);
	m = fixture_visit(2, (struct mtu_pair){1400, 1400}, 10, -TEST_BLACKHOLE);
	m.reference = true;
	fixture_record(store, run, &m);
	assert_int_equal(store_acknowledge(store, run, 1, NULL), 0);
	assert_int_equal(store_put_path(store, run, &survey, NULL), 0);
	assert_int_equal(store_recommend(store, run, &e, NULL), 0);
	assert_int_equal(store_warn(store, run,
				    &(struct warning){.detail = "a \"warning\""}, NULL),
			 0);
	assert_int_equal(store_end_run_at(store, run, INT64_C(1795350050000), RUN_DONE,
					  "", NULL),
			 0);
	fixture_close(store);
}

static void make_contradicted(struct fixture *fixture, int number)
{
	struct run_info info = fixture_one_end_run(number);
	struct evidence e = fixture_one_end(true);
	struct measurement m =
		fixture_visit(1, (struct mtu_pair){MTU_UNKNOWN, 1380}, 10, 20);
	struct warning lost = {.kind = WARNING_TCP_LOST,
			       .server_mtu = MTU_UNKNOWN,
			       .peer_mtu = 1380,
			       .direction = DIR_UPLOAD,
			       .size_max = 1440};
	struct store *store;
	int64_t run;

	e.status = EVIDENCE_CONTRADICTED;
	e.reason.rival = (struct mtu_pair){MTU_UNKNOWN, 1370};
	evidence_warn(&e, lost);
	assert_int_equal(store_open(fixture->db, &store, NULL), 0);
	assert_int_equal(
		store_begin_record(store, &info, "{\"alone\": true}", &run, NULL), 0);
	fixture_record(store, run, &m);
	assert_int_equal(store_put_path(store, run, &e.survey, NULL), 0);
	assert_int_equal(store_put_one_end(store, run, &e.one_end, NULL), 0);
	assert_int_equal(store_recommend(store, run, &e, NULL), 0);
	fixture_close(store);
}

/* A run of each form. */
static void make_runs(struct fixture *fixture)
{
	int64_t run;

	make_run(fixture, 0, EVIDENCE_CONFIRMED);
	make_run(fixture, 1, EVIDENCE_PREDICTED);
	fixture_store_one_end(fixture, 2, true);
	fixture_store_one_end(fixture, 3, false);
	make_contradicted(fixture, 4);
	fixture_close(fixture_open(fixture, 5, &run));
}
#define RUNS 6

/* --- files --- */

static int64_t read_central(const char *sql)
{
	struct fixture of = {0};

	snprintf(of.db, sizeof(of.db), "%s", central);
	return fixture_read_int(&of, sql);
}

/* The caller frees it. */
static char *export_run(const char *db, int64_t run)
{
	struct query *query;
	struct query_run found;
	struct err err = ERR_INIT;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (query_open(db, &query, &err) < 0 ||
	    query_run_numbered(query, run, &found, &err) < 0)
		fail_msg("%s", err.text);
	if (runjson_export(query, &found, out, &err) < 0)
		fail_msg("%s", err.text);
	query_close(query);
	fclose(out);
	return text;
}

static void write_file(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs(text, out);
	assert_int_equal(fclose(out), 0);
}

static json_t *parse_export(const char *db, int64_t run)
{
	char *text = export_run(db, run);
	json_t *value = json_loads(text, 0, NULL);

	assert_non_null(value);
	free(text);
	return value;
}

/* Without its id, which is the file's, and its state, which is its writer's host's. */
static void assert_same_run(const char *a, int64_t in_a, const char *b, int64_t in_b)
{
	json_t *first = parse_export(a, in_a);
	json_t *second = parse_export(b, in_b);
	char *expected, *got;

	json_object_del(json_object_get(first, "run"), "id");
	json_object_del(json_object_get(second, "run"), "id");
	json_object_del(json_object_get(first, "run"), "state");
	json_object_del(json_object_get(second, "run"), "state");
	expected = json_dumps(first, JSON_INDENT(1));
	got = json_dumps(second, JSON_INDENT(1));
	assert_string_equal(got, expected);
	free(expected);
	free(got);
	json_decref(first);
	json_decref(second);
}

static struct import_runs import_ok(int (*import)(const char *, const char *,
						  struct import_runs *, struct err *),
				    const char *file)
{
	struct import_runs done = {0};
	struct err err = ERR_INIT;

	if (import(file, central, &done, &err) < 0)
		fail_msg("%s", err.text);
	return done;
}

static void assert_done(struct import_runs done, int stored, int replaced, int known)
{
	assert_int_equal(done.stored, stored);
	assert_int_equal(done.replaced, replaced);
	assert_int_equal(done.known, known);
	assert_true(done.run > 0);
}

/* --- round trips --- */

/* Columns that no export has. The warnings of a recommendation have no time there. */
static const struct {
	const char *table;
	const char *column;
} unexported[] = {
	{"run", "process"},
	{"measurement", "acknowledged"},
	{"run_warning", "id"},
	{"run_warning", "warned_at"},
};

static bool is_exported(const char *table, const char *column)
{
	for (size_t i = 0; i < sizeof(unexported) / sizeof(unexported[0]); i++) {
		if (strcmp(unexported[i].table, table) == 0 &&
		    strcmp(unexported[i].column, column) == 0)
			return false;
	}
	return true;
}

/* The same rows as in the source: the columns of an export, or all. */
static void assert_same_table(const struct fixture *fixture, const struct db_table *t,
			      bool exported)
{
	char sql[96], columns[1024] = "", compare[4096];
	const char *before = "";
	const char *name;

	for (int i = 0; (name = db_column(t, i)); i++) {
		if (exported && !is_exported(t->name, name))
			continue;
		snprintf(columns + strlen(columns), sizeof(columns) - strlen(columns),
			 "%s%s", before, name);
		before = ", ";
	}
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", t->name);
	if (read_central(sql) != fixture_read_int(fixture, sql))
		fail_msg("table %s", t->name);
	/* Version 2 writes no row of this one. */
	if (strcmp(t->name, "warning") != 0)
		assert_true(fixture_read_int(fixture, sql) > 0);
	snprintf(compare, sizeof(compare),
		 "ATTACH '%s' AS other;"
		 "CREATE TABLE main.differs (x CONSTRAINT %s_differs CHECK (x = 0));"
		 "INSERT INTO main.differs SELECT count(*) FROM"
		 " (SELECT %s FROM main.%s EXCEPT SELECT %s FROM other.%s);"
		 "DROP TABLE main.differs",
		 central, t->name, columns, t->name, columns, t->name);
	fixture_exec(fixture->db, compare);
}

static void json_comes_back(void **state)
{
	struct fixture *fixture = *state;

	make_runs(fixture);
	for (int run = 1; run <= RUNS; run++) {
		char *text = export_run(fixture->db, run);

		write_file(json, text);
		free(text);
		assert_done(import_ok(runjson_import, json), 1, 0, 0);
		assert_same_run(fixture->db, run, central, run);
		assert_done(import_ok(runjson_import, json), 0, 0, 1);
	}
	/* Readers have no options and an empty object of them alike. */
	fixture_exec(fixture->db, "UPDATE run SET options = coalesce(options, '{}')");
	/* A table or column that the export leaves out would be missed without a sound. */
	for (int t = 0; db_table(t); t++)
		assert_same_table(fixture, db_table(t), true);
}

static void database_comes_back(void **state)
{
	struct fixture *fixture = *state;

	make_runs(fixture);
	assert_done(import_ok(import_database, fixture->db), RUNS, 0, 0);
	for (int t = 0; db_table(t); t++)
		assert_same_table(fixture, db_table(t), false);
	assert_int_equal(read_central("SELECT sum(acknowledged) FROM measurement"), 2);
	assert_done(import_ok(import_database, fixture->db), 0, 0, RUNS);
	assert_int_equal(read_central("SELECT count(*) FROM run"), RUNS);
	/* Into itself. */
	assert_done(import_ok(import_database, central), 0, 0, RUNS);
}

static void version_1_is_brought_up(void **state)
{
	static const char *const dumps[] = {"smart.sql", "server.sql", "grid.sql"};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(dumps) / sizeof(dumps[0]); i++) {
		char path[512], *sql = NULL, *text;
		size_t size = 0;
		FILE *file;

		snprintf(path, sizeof(path), "%s/%s", VERSION1, dumps[i]);
		file = fopen(path, "r");
		assert_non_null(file);
		assert_true(getdelim(&sql, &size, '\0', file) > 0);
		fclose(file);
		unlink(fixture->db);
		unlink(central);
		fixture_exec(fixture->db, sql);
		free(sql);
		assert_done(import_ok(import_database, fixture->db), 1, 0, 0);
		assert_same_run(fixture->db, 1, central, 1);
		assert_int_equal(fixture_read_int(fixture, "SELECT user_version FROM "
							   "pragma_user_version"),
				 1);
		text = export_run(fixture->db, 1);
		write_file(json, text);
		free(text);
		unlink(central);
		assert_done(import_ok(runjson_import, json), 1, 0, 0);
		assert_same_run(fixture->db, 1, central, 1);
	}
}

/* --- the same run twice --- */

static void more_of_a_run_replaces_it(void **state)
{
	struct fixture *fixture = *state;
	int64_t id;

	/* Another run is first, so that ids differ. */
	make_run(fixture, 7, EVIDENCE_CONFIRMED);
	assert_done(import_ok(import_database, fixture->db), 1, 0, 0);
	unlink(fixture->db);
	make_run(fixture, 0, EVIDENCE_PREDICTED);
	fixture_exec(fixture->db, "UPDATE run SET role = 'server', process = NULL");
	assert_done(import_ok(import_database, fixture->db), 1, 0, 0);
	id = read_central("SELECT max(id) FROM run");

	/* The record outranks a copy, though it ended earlier. */
	fixture_exec(fixture->db, "UPDATE run SET role = 'peer', outcome = 'running',"
				  " ended_at = NULL");
	assert_done(import_ok(import_database, fixture->db), 0, 1, 0);
	assert_int_equal(read_central("SELECT outcome = 'running' FROM run WHERE id = "
				      "(SELECT max(id) FROM run)"),
			 1);
	/* More measurements of a run that has not ended. */
	fixture_exec(fixture->db, "DELETE FROM measurement WHERE seq = 2");
	assert_done(import_ok(import_database, fixture->db), 0, 0, 1);
	assert_int_equal(read_central("SELECT count(*) FROM measurement"), 4);
	unlink(fixture->db);
	make_run(fixture, 0, EVIDENCE_PREDICTED);
	fixture_exec(fixture->db,
		     "UPDATE run SET process = NULL;"
		     "INSERT INTO measurement SELECT run_id, 3, pass, 0, 1380, 1380,"
		     " upload_status, upload_text, upload_sent_bps,"
		     " upload_received_bps, upload_goodput_bps,"
		     " upload_goodput_low_bps, upload_goodput_high_bps,"
		     " upload_retransmits, upload_rtt_us, upload_started_at,"
		     " upload_duration_ms, download_status, download_text,"
		     " download_sent_bps, download_received_bps,"
		     " download_goodput_bps, download_goodput_low_bps,"
		     " download_goodput_high_bps, download_retransmits,"
		     " download_rtt_us, download_started_at, download_duration_ms, 0"
		     " FROM measurement WHERE seq = 1;"
		     "UPDATE run SET outcome = 'running', ended_at = NULL");
	assert_done(import_ok(import_database, fixture->db), 0, 1, 0);
	assert_int_equal(read_central("SELECT count(*) FROM measurement"), 5);
	/* More probes of a watch. */
	fixture_exec(fixture->db,
		     "INSERT INTO path_probe (run_id, seq, probed_at, took_ms, answer,"
		     " early, fit, event, applied) SELECT run_id, 3, probed_at, 0,"
		     " 'none', 0, 'unknown', 'quiet', 'no' FROM path_probe"
		     " WHERE seq = 1");
	assert_done(import_ok(import_database, fixture->db), 0, 1, 0);
	assert_int_equal(read_central("SELECT max(seq) FROM path_probe"), 3);
	/* It ended, and one that ended stays. */
	fixture_exec(fixture->db, "UPDATE run SET outcome = 'done',"
				  " ended_at = '2026-11-22T12:00:00.000Z'");
	assert_done(import_ok(import_database, fixture->db), 0, 1, 0);
	fixture_exec(fixture->db, "UPDATE run SET ended_at = "
				  "'2026-11-22T11:00:00.000Z'");
	assert_done(import_ok(import_database, fixture->db), 0, 0, 1);
	fixture_exec(fixture->db, "UPDATE run SET ended_at = "
				  "'2026-11-22T13:00:00.000Z', role = 'server'");
	assert_done(import_ok(import_database, fixture->db), 0, 0, 1);
	assert_int_equal(read_central("SELECT max(id) FROM run"), id);
	assert_int_equal(read_central("SELECT count(*) FROM run"), 2);
	assert_int_equal(read_central("SELECT count(*) FROM run_warning"), 4);
}

/* A run that this host writes is its writer's. */
static void a_run_under_way_stays(void **state)
{
	struct fixture *fixture = *state;
	char copy[200];
	int64_t run;

	make_run(fixture, 0, EVIDENCE_PREDICTED);
	snprintf(copy, sizeof(copy), "%s", fixture->db);
	snprintf(fixture->db, sizeof(fixture->db), "%s", central);
	fixture_close(fixture_open(fixture, 0, &run));
	assert_done(import_ok(import_database, copy), 0, 0, 1);
	assert_int_equal(read_central("SELECT count(*) FROM measurement"), 0);
	fixture_exec(central, "UPDATE run SET process = NULL");
	assert_done(import_ok(import_database, copy), 0, 1, 0);
	assert_int_equal(read_central("SELECT count(*) FROM measurement"), 2);
}

/* --- files that cannot be --- */

struct edit {
	const char *path; /* members, separated by '/'; a number is an array's */
	const char *json; /* the new value; NULL: the member is removed */
	const char *err;  /* a part of the message */
};

static const struct edit edits[] = {
	{"format", "\"other\"", "no export of a run"},
	{"format", NULL, "no export of a run"},
	{"version", "7", "has version 7, and this program knows 1"},
	{"version", NULL, "has version 0"},
	{"measurements", NULL, "lacks 'measurements'"},
	{"measurements", "{}", "cannot have such a value as 'measurements'"},
	{"run", "null", "cannot have such a value as 'run'"},
	{"run", "{}", "the row of table 'run' lacks 'uuid'"},
	{"path", NULL, "lacks 'path'"},
	{"run/uuid", "null", "run.uuid"},
	{"run/uuid", "7", "its uuid is '7'"},
	{"run/uuid", "\"xyz\"", "its uuid is 'xyz'"},
	{"run/role", "\"king\"", "its role is 'king'"},
	{"run/started_at", "\"yesterday\"", "its started_at is 'yesterday'"},
	{"run/outcome", "\"odd\"", "its outcome is 'odd'"},
	{"run/passes", "-1", "its passes is '-1'"},
	{"run/passes", "1.5", "neither an integer nor a text as 'passes'"},
	{"run/seed", "\"-1\"", "its seed is '-1'"},
	{"run/server", "null", "lacks 'server_host'"},
	{"run/server/backend", "\"magic\"", "its server_backend is 'magic'"},
	{"run/server/backend", NULL, "lacks 'server_backend'"},
	{"run/peer/mtu_max", "70000", "its peer_mtu_max is '70000'"},
	{"run/peer/mtu_max", "null", "run.peer_mtu_max"},
	{"measurements/0/upload/status", "\"odd\"", "its upload_status is 'odd'"},
	{"measurements/0/upload/sent_bps", "-1", "its upload_sent_bps is '-1'"},
	{"measurements/0/upload/sent_bps", NULL, "lacks 'upload_sent_bps'"},
	{"measurements/0/upload/sent_bps", "99999999999999999",
	 "is '99999999999999999'"},
	{"measurements/0/upload", "7", "lacks 'upload_status'"},
	{"measurements/0", "7", "table 'measurement' lacks 'seq'"},
	{"measurements/1/seq", "1", "UNIQUE constraint failed"},
	{"measurements/0/server_mtu", "null", "measurement.server_mtu"},
	{"measurements/0/server_mtu", "100", "its server_mtu is '100'"},
	{"warnings/0/kind", "\"odd\"", "its kind is 'odd'"},
	{"warnings/0/warned_at", "null", "run_warning.warned_at"},
	{"path/upload_overhead", "-4", "is '-4'"},
	{"path/upload_unseen", "7", "its upload_unseen is '7'"},
	{"path/upload/0/size_max", "0", "its size_max is '0'"},
	{"path/upload/1/size_max", "1600", "bands of its path that cannot be"},
	{"path/upload/0/fate", "\"odd\"", "its fate is 'odd'"},
	{"run/server/public_key", "\"x\"", "its server_key is 'x'"},
	{"run/tunnel", NULL, "table 'run_tunnel' lacks 'tunnel'"},
	{"probes", NULL, "lacks 'probes'"},
	{"probes/1/seq", "1", "UNIQUE constraint failed"},
	{"probes/0/answer", "\"odd\"", "its answer is 'odd'"},
	{"probes/0/took_ms", "-1", "its took_ms is '-1'"},
	{"probes/0/upload_bands", "{}", "lacks 'upload_bands'"},
	{"probes/0/upload_bands/0/fate", "\"odd\"", "its upload_bands is"},
	{"probes/0/upload_whole", "-1", "its upload_whole is '-1'"},
	{"probes/0/event", NULL, "lacks 'event'"},
	{"recommendation/server_mtu", "null", "recommendation.server_mtu"},
	{"recommendation/reason", "null", "lacks 'kind'"},
	{"recommendation/reason/kind", "\"odd\"", "its kind is 'odd'"},
	{"recommendation/status", "\"odd\"", "its status is 'odd'"},
	{"recommendation/warnings/0/mtu", "\"x\"", "its mtu is 'x'"},
};

/* The container of the last member, whose name is *ret_name. */
static json_t *find_container(json_t *root, char *path, char **ret_name)
{
	char *next;
	json_t *at = root;

	for (*ret_name = path; (next = strchr(*ret_name, '/')); *ret_name = next + 1) {
		*next = '\0';
		at = json_is_array(at) ? json_array_get(at, (size_t)atoi(*ret_name))
				       : json_object_get(at, *ret_name);
	}
	return at;
}

static void edit_export(json_t *root, const struct edit *edit)
{
	char path[96];
	char *name;
	json_t *value = edit->json ? json_loads(edit->json, JSON_DECODE_ANY, NULL)
				   : NULL;
	json_t *at;

	snprintf(path, sizeof(path), "%s", edit->path);
	at = find_container(root, path, &name);
	assert_non_null(at);
	if (json_is_array(at))
		assert_int_equal(json_array_set_new(at, (size_t)atoi(name), value), 0);
	else if (value)
		assert_int_equal(json_object_set_new(at, name, value), 0);
	else
		assert_int_equal(json_object_del(at, name), 0);
}

static void assert_refused(int (*import)(const char *, const char *,
					 struct import_runs *, struct err *),
			   const char *file, const char *expected)
{
	struct import_runs done = {.run = 77};
	struct err err = ERR_INIT;
	int r = import(file, central, &done, &err);

	if (r >= 0)
		fail_msg("imported, though: %s", expected);
	if (!strstr(err.text, expected) || !strstr(err.text, file))
		fail_msg("'%s' does not say '%s'", err.text, expected);
	assert_int_equal(done.run, 77);
}

/* Every run is there, and can be read. */
static void assert_readable(int runs)
{
	assert_int_equal(read_central("SELECT count(*) FROM run"), runs);
	for (int i = 0; i < runs; i++) {
		char sql[96];
		char *text;

		snprintf(sql, sizeof(sql),
			 "SELECT id FROM run ORDER BY id LIMIT 1 OFFSET %d", i);
		text = export_run(central, read_central(sql));
		free(text);
	}
}

static void exports_that_cannot_be(void **state)
{
	struct fixture *fixture = *state;

	make_run(fixture, 1, EVIDENCE_CONFIRMED);
	assert_done(import_ok(import_database, fixture->db), 1, 0, 0);
	unlink(fixture->db);
	make_run(fixture, 0, EVIDENCE_CONFIRMED);
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		json_t *root = parse_export(fixture->db, 1);

		edit_export(root, &edits[i]);
		assert_int_equal(json_dump_file(root, json, 0), 0);
		json_decref(root);
		assert_refused(runjson_import, json, edits[i].err);
	}
	assert_readable(1);
	assert_int_equal(read_central("SELECT count(*) FROM measurement"), 2);
}

static void files_that_are_no_export(void **state)
{
	static const struct {
		const char *text;
		const char *err;
	} files[] = {
		{"", "not JSON"},
		{"{", "line 1, column 1: not JSON"},
		{"{\"format\":\"mtusweep\",\"format\":\"mtusweep\"}", "duplicate"},
		{"[]", "no export of a run"},
		{"{} x", "not JSON"},
		{"{\"format\":\"\\u0000\"}", "not JSON"},
	};
	struct fixture *fixture = *state;
	char *text;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		write_file(json, files[i].text);
		assert_refused(runjson_import, json, files[i].err);
	}
	/* Cut anywhere. */
	make_run(fixture, 0, EVIDENCE_CONFIRMED);
	text = export_run(fixture->db, 1);
	for (size_t size = strlen(text) - 2; size > 200; size -= size / 7) {
		text[size] = '\0';
		write_file(json, text);
		assert_refused(runjson_import, json, "not JSON");
	}
	free(text);
	assert_int_not_equal(access(central, F_OK), 0);
}

/* A good run before the bad one is not imported either. */
static void one_transaction_a_file(void **state)
{
	struct fixture *fixture = *state;

	make_run(fixture, 0, EVIDENCE_CONFIRMED);
	make_run(fixture, 1, EVIDENCE_CONFIRMED);
	assert_done(import_ok(import_database, fixture->db), 2, 0, 0);
	fixture_exec(central, "DELETE FROM run WHERE id = 1");
	fixture_exec(fixture->db, "PRAGMA ignore_check_constraints = ON;"
				  "UPDATE run SET ended_at = "
				  "'2028-01-01T00:00:00.000Z';"
				  "UPDATE measurement SET upload_rtt_us = -5 WHERE "
				  "run_id = 2");
	assert_refused(import_database, fixture->db, "its upload_rtt_us is '-5'");
	assert_readable(1);
	fixture_exec(fixture->db, "UPDATE measurement SET upload_rtt_us = 5");
	assert_done(import_ok(import_database, fixture->db), 1, 1, 0);
	/* A run that only its own file can refuse. */
	fixture_exec(central, "DELETE FROM run; DELETE FROM measurement;"
			      "ALTER TABLE measurement ADD COLUMN more INTEGER"
			      " CONSTRAINT no_more CHECK (seq <> 2)");
	assert_refused(import_database, fixture->db, "no_more");
	assert_int_equal(read_central("SELECT count(*) FROM run"), 0);
}

/* All of what was imported can be read, whatever the file is. */
static void hostile_databases(void **state)
{
	struct fixture *fixture = *state;
	DIR *folder = opendir(CORPUS);
	struct dirent *entry;
	int files = 0;

	assert_non_null(folder);
	make_run(fixture, 0, EVIDENCE_CONFIRMED);
	import_ok(import_database, fixture->db);
	while ((entry = readdir(folder))) {
		char path[512];
		struct import_runs done = {0};
		struct err err = ERR_INIT;
		int r;

		snprintf(path, sizeof(path), "%s/%s", CORPUS, entry->d_name);
		r = import_database(path, central, &done, &err);
		assert_true(r == 0 || err.text[0]);
		files++;
	}
	closedir(folder);
	assert_true(files > 20);
	assert_readable((int)read_central("SELECT count(*) FROM run"));
}

static void kinds_of_files(void **state)
{
	struct fixture *fixture = *state;
	enum import_kind kind;
	struct err err = ERR_INIT;

	make_run(fixture, 0, EVIDENCE_CONFIRMED);
	assert_int_equal(import_kind(fixture->db, &kind, NULL), 0);
	assert_int_equal(kind, IMPORT_DATABASE);
	write_file(json, "\n {");
	assert_int_equal(import_kind(json, &kind, NULL), 0);
	assert_int_equal(kind, IMPORT_JSON);
	write_file(json, "server MTU");
	assert_int_equal(import_kind(json, &kind, NULL), 0);
	assert_int_equal(kind, IMPORT_LOG);
	write_file(json, "");
	assert_int_equal(import_kind(json, &kind, NULL), 0);
	assert_int_equal(kind, IMPORT_LOG);
	assert_int_equal(import_kind("/nowhere/x", &kind, &err), -ENOENT);
	assert_non_null(strstr(err.text, "cannot open '/nowhere/x'"));
	assert_int_equal(import_kind(fixture->folder, &kind, &err), -EISDIR);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(json_comes_back),          TEST(database_comes_back),
		TEST(version_1_is_brought_up),  TEST(more_of_a_run_replaces_it),
		TEST(a_run_under_way_stays),    TEST(exports_that_cannot_be),
		TEST(files_that_are_no_export), TEST(one_transaction_a_file),
		TEST(hostile_databases),        TEST(kinds_of_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

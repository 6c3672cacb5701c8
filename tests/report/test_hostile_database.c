/* SPDX-License-Identifier: MIT */
/* Databases from anybody: each impossible value is named, no code that a file defines
 * is run, and no file makes a program hang or touch another one. */

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../store/fixture.h"
#include "base/io.h"
#include "base/text.h"
#include "report/compare.h"
#include "report/csv.h"
#include "report/heatmap.h"
#include "report/live.h"
#include "report/prometheus.h"
#include "report/runjson.h"
#include "store/db.h"

#define PAIR               \
	(struct mtu_pair)  \
	{                  \
		1420, 1400 \
	}

/* Make run 1, with everything that can be stored of a run. */
static void make_run(struct fixture *fixture)
{
	struct path_survey survey = {.path.overhead = {60, 60}, .probes = {9, 9}};
	struct measurement m = fixture_visit(1, PAIR, 10, 20);
	struct evidence evidence = {
		.mtu = PAIR,
		.reason.kind = REASON_FITS,
		.dir[DIR_DOWNLOAD].guessed = true,
	};
	const struct path_probe probe = {.seq = 1, .probed_at_ms = 1};
	int64_t run;
	struct store *store = fixture_open(fixture, 0, &run);

	path_bands_add(&evidence.survey.path.dir[DIR_DOWNLOAD], OUTER_SIZE_MAX,
		       FATE_WHOLE);
	evidence_warn(&evidence, (struct warning){.kind = WARNING_MSS, .mtu = 1400});

	fixture_record(store, run, &m);
	m = fixture_visit(2, (struct mtu_pair){1400, 1400}, 10, -TEST_BLACKHOLE);
	fixture_record(store, run, &m);
	path_bands_add(&survey.path.dir[DIR_UPLOAD], 1500, FATE_WHOLE);
	path_bands_add(&survey.path.dir[DIR_UPLOAD], OUTER_SIZE_MAX, FATE_LOST);
	assert_int_equal(store_put_path(store, run, &survey, NULL), 0);
	assert_int_equal(store_recommend(store, run, &evidence, NULL), 0);
	assert_int_equal(store_put_probe(store, run, &probe, NULL), 0);
	assert_int_equal(
		store_warn(store, run, &(struct warning){.detail = "a warning"}, NULL),
		0);
	fixture_close(store);
}

static void make_beside(const struct fixture *fixture, const char *suffix,
			const void *bytes, size_t size)
{
	char path[160];
	FILE *file;

	snprintf(path, sizeof(path), "%s%s", fixture->db, suffix);
	file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

/* Make run 1 again: copy the file of the first time. */
static void make_run_again(struct fixture *fixture)
{
	static char *bytes;
	static size_t size;

	if (!bytes) {
		cleanup_file FILE *file = NULL;

		make_run(fixture);
		file = fopen(fixture->db, "rb");
		assert_non_null(file);
		assert_int_equal(io_read_file(fileno(file), 1 << 20, &bytes, &size), 0);
	}
	make_beside(fixture, "", bytes, size);
}

/* --- reading everything --- */

static int skip_run(void *ctx, const struct query_run *run)
{
	(void)ctx;
	(void)run;
	return 0;
}

static int skip_result(void *ctx, const struct query_result *result)
{
	(void)ctx;
	(void)result;
	return 0;
}

static int skip_visit(void *ctx, const struct measurement *m)
{
	(void)ctx;
	(void)m;
	return 0;
}

static int skip_probe(void *ctx, const struct path_probe *probe)
{
	(void)ctx;
	(void)probe;
	return 0;
}

static int skip_warning(void *ctx, const struct query_warning *w)
{
	(void)ctx;
	(void)w;
	return 0;
}

static int read_texts(struct query *query, struct err *err)
{
	struct query_recommendation recommended = {0};
	struct path_survey survey;
	char *options = NULL;
	int r = query_warnings(query, 1, "run", skip_warning, NULL, err);

	if (r == 0)
		r = query_options(query, 1, &options, err);
	if (r == 0)
		r = query_recommended(query, 1, &recommended, err);
	if (r == 0)
		r = query_path(query, 1, &survey, err);
	if (r == 0)
		r = query_probes(query, 1, skip_probe, NULL, err);
	free(options);
	free(recommended.text);
	return r;
}

static int draw(struct query *query, const struct query_run *run, struct err *err)
{
	const struct heatmap_options options = {.all = true};
	struct heatmap map;
	int r = heatmap_load(query, run, &options, &map, err);

	if (r == 0)
		heatmap_release(&map);
	return r;
}

/* Read all of run 1, up to the first error. */
static int read_all(const char *db, struct err *err)
{
	struct query_run run = {0};
	struct query *query;
	int r = query_open(db, &query, err);

	if (r < 0)
		return r;
	r = query_runs(query, skip_run, NULL, err);
	if (r == 0)
		r = query_run(query, "1", &run, err);
	if (r == 0)
		r = query_measurements(query, 1, skip_visit, NULL, err);
	if (r == 0)
		r = query_results(query, 1, skip_result, NULL, err);
	if (r == 0)
		r = draw(query, &run, err);
	if (r == 0)
		r = read_texts(query, err);
	query_close(query);
	return r;
}

static int run_sql(const char *db, const char *sql, bool unchecked)
{
	sqlite3 *handle;
	int r;

	assert_int_equal(sqlite3_open(db, &handle), SQLITE_OK);
	if (unchecked)
		sqlite3_exec(handle, "PRAGMA ignore_check_constraints = ON", NULL, NULL,
			     NULL);
	r = sqlite3_exec(handle, sql, NULL, NULL, NULL);
	sqlite3_close(handle);
	return r;
}

/* --- values --- */

#define HUGE "9223372036854775807"
#define LONG "hex(zeroblob(2000))"

/* A wrong value, and the message about it. */
struct wrong {
	const char *table;
	const char *column;
	const char *value; /* SQL */
	const char *what;
	bool unchecked; /* the schema permits it: a type, or the bytes of a text */
};

static const struct wrong wrong_values[] = {
	{"run", "id", "-1", "a run that cannot be: its id is '-1'", false},
	{"run", "id", HUGE, "its id is '" HUGE "'", false},
	{"run", "uuid", "'x'", "its uuid is 'x'", false},
	{"run", "uuid", "char(27) || substr(uuid, 2)", "its uuid is '?", true},
	{"run", "role", "'boss'", "its role is 'boss'", false},
	{"run", "started_at", "'soon'", "its started_at is 'soon'", false},
	{"run", "started_at", "'2026-11-22T12:20:39Z?Z'", "its started_at is", true},
	{"run", "started_at", "'99999-01-01T00:00:00Z'", "its started_at is", true},
	{"run", "started_at", "'2026-02-31T00:00:00Z'", "its started_at is", true},
	{"run", "started_at", "'2026-13-01T00:00:00Z'", "its started_at is", true},
	{"run", "started_at", "'2026-00-01T00:00:00Z'", "its started_at is", true},
	{"run", "started_at", "'2026-01-01T24:00:00Z'", "its started_at is", true},
	{"run", "started_at", "'1970-01-01T00:00:00Z'", "its started_at is", true},
	{"run", "started_at", "x'00'", "its started_at is", false},
	{"run", "ended_at", "-1", "its ended_at is '-1'", false},
	{"run", "ended_at", "'0001-01-01T00:00:00.000Z'", "its ended_at is", true},
	{"run", "outcome", "'fine'", "its outcome is 'fine'", false},
	{"run", "outcome_text", "x'41'", "its outcome_text is", true},
	{"run", "strategy", LONG, "its strategy is '0000", false},
	{"run", "passes", "-1", "its passes is '-1'", false},
	{"run", "passes", "'many'", "its passes is 'many'", false},
	{"run", "passes", "1.5", "its passes is '1.5'", true},
	{"run", "seed", "'-1'", "its seed is '-1'", true},
	{"run", "seed", "'99999999999999999999'", "its seed is", true},
	{"run", "duration_ms", "-5", "its duration_ms is '-5'", false},
	{"run", "congestion", LONG, "its congestion is", false},
	{"run", "persist", "'ever'", "its persist is 'ever'", false},
	{"run", "pairs_planned", HUGE, "its pairs_planned is", false},
	{"run", "options", "x'7b7d'", "its options is", true},
	{"run", "options", "cast(x'7b7d0041' AS TEXT)", "its options is", true},
	{"run", "process", LONG, "its process is", false},
	{"run", "server_host", LONG, "its server_host is '0000", false},
	{"run", "peer_interface", LONG, "its peer_interface is", false},
	{"run", "peer_address", "x'00ff'", "its peer_address is", true},
	{"run", "server_link_mtu", HUGE, "its server_link_mtu is", false},
	{"run", "peer_link_mtu", "-1", "its peer_link_mtu is '-1'", false},
	{"run", "server_backend", "'magic'", "its server_backend is 'magic'", false},
	{"run", "peer_endpoint_family", "5", "its peer_endpoint_family is '5'", false},
	{"run", "server_versions", LONG, "its server_versions is", false},
	{"run", "server_mtu_min", "-2147483648", "its server_mtu_min is", false},
	{"run", "server_mtu_max", "2147483647", "its server_mtu_max is", false},
	{"run", "peer_mtu_min", "-" HUGE, "its peer_mtu_min is", false},
	{"run", "peer_mtu_max", HUGE, "its peer_mtu_max is", false},
	{"run", "peer_mtu_step", "0", "its peer_mtu_step is '0'", false},
	{"run", "peer_mtu_step", "-1", "its peer_mtu_step is '-1'", false},
	{"measurement", "seq", "-1", "a measurement that cannot be: its seq", false},
	{"measurement", "seq", "4294967296", "its seq is '4294967296'", false},
	{"measurement", "pass", "0", "its pass is '0'", false},
	{"measurement", "pass", HUGE, "its pass is", false},
	{"measurement", "reference", "2", "its reference is '2'", false},
	{"measurement", "server_mtu", "2147483647", "its server_mtu is", false},
	{"measurement", "peer_mtu", "-2147483648", "its peer_mtu is", false},
	{"measurement", "upload_status", "'fine'", "its upload_status is", false},
	{"measurement", "download_text", LONG, "its download_text is", false},
	{"measurement", "upload_sent_bps", HUGE, "its upload_sent_bps is", false},
	{"measurement", "upload_received_bps", "-1", "its upload_received_bps", false},
	{"measurement", "upload_goodput_bps", "9e999", "_bps is 'Inf'", false},
	{"measurement", "upload_goodput_bps", "'fast'", "_bps is 'fast'", false},
	{"measurement", "upload_goodput_low_bps", "1.5", "_low_bps is '1.5'", true},
	{"measurement", "download_goodput_high_bps", HUGE, "_high_bps is", false},
	{"measurement", "download_retransmits", "-1", "retransmits is '-1'", false},
	{"measurement", "download_rtt_us", "-" HUGE, "rtt_us is", false},
	{"measurement", "upload_started_at", "'late'", "started_at is 'late'", false},
	{"measurement", "upload_duration_ms", HUGE, "duration_ms is", false},
	{"run_warning", "detail", "x'1b'", "a warning that cannot be: its detail",
	 true},
	{"run_warning", "kind", "'moon'", "a warning that cannot be: its kind", false},
	{"run_warning", "kind", "'mss'", "a warning that cannot be: its mtu", true},
	{"run_warning", "mtu", "0", "a warning that cannot be: its mtu", false},
	{"run_warning", "warned_at", "'late'", "its warned_at is 'late'", false},
	{"measurement_detail", "upload_packet_bytes", "65536",
	 "packet_bytes is '65536'", false},
	{"measurement_detail", "download_packet_bytes", "'x'", "packet_bytes is 'x'",
	 false},
	{"path_detail", "upload_overhead", "-1", "a path that cannot be: its upload",
	 false},
	{"path_detail", "download_relayed", "2", "its download_relayed is '2'", false},
	{"path_detail", "since_seq", HUGE, "its since_seq is", false},
	{"path", "upload_probes", HUGE, "its upload_probes is", false},
	{"path", "probe_ms", "1e300", "its probe_ms is", false},
	{"path_band", "size_max", "70000", "a band of a path that cannot be", false},
	{"path_band", "fate", "'gone'", "its fate is 'gone'", false},
	{"path_band", "direction", "'up'", "its direction is 'up'", false},
	{"path_band", "size_max", "size_max - 1", "bands of its path", true},
	{"recommendation", "server_mtu", "1e10", "its server_mtu is", false},
	{"recommendation", "settled", "3", "its settled is '3'", false},
	{"recommendation", "text", "x'1b'", "a recommendation that cannot be", true},
	{"reason", "kind", "'moon'", "its kind is 'moon'", false},
	{"reason", "margin", "101", "its margin is '101'", false},
	{"reason", "visits", "'x'", "its visits is 'x'", false},
	{"reason", "rival_server_mtu", "5", "its rival_server_mtu is '5'", false},
	{"reason", "upload_bps", "-1", "its upload_bps is '-1'", false},
	{"reason", "upload_low_bps", HUGE, "its upload_low_bps is", false},
	{"reason", "download_current_bps", "1.5", "its download_current_bps is", true},
	{"reason", "download_ratio_permille", "1000000001", "ratio_permille is", false},
	{"reason", "download_guessed", "2", "its download_guessed is '2'", false},
	{"reason_band", "fate", "'gone'", "its fate is 'gone'", false},
	{"reason_band", "size_max", "70000", "a band of a path that cannot be", false},
	{"reason_band", "size_max", "9", "bands of its path", true},
	{"path_probe", "seq", HUGE, "a probe of a watch that cannot be: its seq",
	 false},
	{"path_probe", "probed_at", "'late'", "its probed_at is 'late'", false},
	{"path_probe", "took_ms", "-1", "its took_ms is '-1'", false},
	{"path_probe", "answer", "'fine'", "its answer is 'fine'", false},
	{"path_probe", "early", "2", "its early is '2'", false},
	{"path_probe", "fragments", HUGE, "its fragments is", false},
	{"path_probe", "too_big", HUGE, "its too_big is", false},
	{"path_probe", "peer_mtu", "0", "its peer_mtu is '0'", false},
	{"path_probe", "largest_server_mtu", HUGE, "its largest_server_mtu is", false},
	{"path_probe", "fit", "'moon'", "its fit is 'moon'", false},
	{"path_probe", "upload_bands", "'9:gone'", "its upload_bands is '9:gone'",
	 true},
	{"path_probe", "download_bands", LONG, "its download_bands is", false},
	{"path_probe", "event", "'moon'", "its event is 'moon'", false},
	{"path_probe", "applied", "'moon'", "its applied is 'moon'", false},
};

static void check_wrong(struct fixture *fixture, const struct wrong *w)
{
	struct err err = ERR_INIT;
	char sql[256];

	snprintf(sql, sizeof(sql), "UPDATE %s SET %s = %s%s", w->table, w->column,
		 w->value,
		 strcmp(w->table, "measurement") == 0 ? " WHERE seq = 1"
		 : strcmp(w->table, "path_band") == 0 ? " WHERE size_max = 65535"
						      : "");
	make_run_again(fixture);
	if (run_sql(fixture->db, sql, false) !=
	    (w->unchecked ? SQLITE_OK : SQLITE_CONSTRAINT))
		fail_msg("the schema and: %s", sql);
	assert_int_equal(run_sql(fixture->db, sql, true), SQLITE_OK);
	if (read_all(fixture->db, &err) != -EUCLEAN || !strstr(err.text, w->what) ||
	    !strstr(err.text, fixture->db))
		fail_msg("%s: %s", sql, err.text);
	assert_int_equal(text_control(err.text), 0);
}

static void wrong_value_is_named(void **state)
{
	for (size_t i = 0; i < sizeof(wrong_values) / sizeof(wrong_values[0]); i++)
		check_wrong(*state, &wrong_values[i]);
}

/* A crafted schema without NOT NULL. */
static void null_is_named(void **state)
{
	static const char *const columns[][3] = {
		{"run", "strategy", "its strategy is NULL"},
		{"run", "started_at", "its started_at is NULL"},
		{"run", "outcome_text", "its outcome_text is NULL"},
		{"run", "peer_mtu_min", "its peer_mtu_min is NULL"},
		{"run_warning", "detail", "its detail is NULL"},
		{"recommendation", "text", "its text is NULL"},
		{"recommendation", "peer_mtu", "its peer_mtu is NULL"},
		{"path_detail", "upload_overhead", "its upload_overhead is NULL"},
		{"measurement", "upload_status", "its upload_status is NULL"},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		struct err err = ERR_INIT;
		char sql[256];

		make_run_again(fixture);
		fixture_exec(fixture->db,
			     "PRAGMA writable_schema = ON;"
			     "UPDATE sqlite_master SET sql = replace(sql, ' NOT NULL',"
			     " '') WHERE type = 'table'");
		snprintf(sql, sizeof(sql), "UPDATE %s SET %s = NULL", columns[i][0],
			 columns[i][1]);
		fixture_exec(fixture->db, sql);
		if (read_all(fixture->db, &err) != -EUCLEAN ||
		    !strstr(err.text, columns[i][2]))
			fail_msg("%s: %s", sql, err.text);
	}
}

/* A sentence may be longer than its printed part. */
static void long_sentence_is_cut(void **state)
{
	struct fixture *fixture = *state;
	struct query_run run;
	struct query *query;

	make_run(fixture);
	fixture_exec(fixture->db, "UPDATE run SET outcome_text = " LONG);
	query = fixture_query(fixture);
	assert_int_equal(query_run(query, NULL, &run, NULL), 0);
	assert_int_equal(strlen(run.text), sizeof(run.text) - 1);
	query_close(query);
}

/* --- code that a file defines --- */

#define ENDLESS "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"

struct schema_case {
	const char *name;
	const char *sql;
	int result;       /* result of reading */
	const char *text; /* part of the message */
};

static const struct schema_case schema_cases[] = {
	{"a view that never ends",
	 "DROP VIEW results; CREATE VIEW results AS " ENDLESS " SELECT 1 AS run_id,"
	 " i AS server_mtu, i AS peer_mtu FROM n",
	 0, ""},
	{"a trigger that never ends",
	 "CREATE TRIGGER t AFTER INSERT ON measurement BEGIN INSERT INTO run_warning"
	 " (run_id, about, warned_at, kind) " ENDLESS
	 " SELECT 1, 'run', '', i FROM n; END",
	 0, ""},
	{"a view in a table's place",
	 "DROP VIEW results; DROP VIEW visit; ALTER TABLE measurement RENAME TO m;"
	 "CREATE VIEW measurement AS " ENDLESS " SELECT m.* FROM m, n",
	 -EMEDIUMTYPE, "its table 'measurement' has another kind of column 'run_id'"},
	{"a virtual table",
	 "DROP TABLE warning; CREATE VIRTUAL TABLE warning USING"
	 " fts4(id, run_id, warned_at, text)",
	 -EIO, "no such module"},
	{"a generated column",
	 "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = replace(sql,"
	 " 'strategy TEXT NOT NULL', 'strategy TEXT AS (hex(zeroblob(1000000)))')"
	 " WHERE name = 'run'",
	 -EMEDIUMTYPE, "has another kind of column 'strategy'"},
	{"a column that is missing",
	 "DROP VIEW results; DROP VIEW visit;"
	 "ALTER TABLE measurement DROP COLUMN upload_sent_bps",
	 -EMEDIUMTYPE, "its table 'measurement' has no column 'upload_sent_bps'"},
	{"a table that is missing", "DROP TABLE recommendation", -EMEDIUMTYPE,
	 "its table 'recommendation' has no column"},
	{"a column of another type",
	 "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = replace(sql,"
	 " 'passes INTEGER', 'passes TEXT') WHERE name = 'run'",
	 -EMEDIUMTYPE, "has another kind of column 'passes'"},
	{"ids that are no key",
	 "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = replace(sql,"
	 " 'id INTEGER PRIMARY KEY', 'id INTEGER') WHERE name = 'run'",
	 -EMEDIUMTYPE, "has another kind of column 'id'"},
	{"others' columns, tables and views",
	 "ALTER TABLE run ADD COLUMN mine TEXT; CREATE TABLE mine (x);"
	 "CREATE VIEW ours AS SELECT * FROM mine",
	 0, ""},
	{"a value that is too long",
	 "UPDATE run_warning SET detail = hex(zeroblob(3000000))", -EUCLEAN, "too big"},
};

static void check_schema(struct fixture *fixture, const struct schema_case *c)
{
	struct measurement m = fixture_visit(3, PAIR, 11, 21);
	struct err err = ERR_INIT;
	struct store *store;
	int r;

	print_message("             %s\n", c->name);
	make_run_again(fixture);
	fixture_exec(fixture->db, c->sql);
	assert_int_equal(read_all(fixture->db, &err), c->result);
	if (!strstr(err.text, c->text))
		fail_msg("%s", err.text);
	/* A writer checks as much. */
	r = store_open(fixture->db, &store, &err);
	assert_int_equal(r, c->result == -EUCLEAN ? 0 : c->result);
	if (r < 0)
		return;
	assert_int_equal(store_record(store, 1, &m, &err), 0);
	fixture_close(store);
	assert_int_equal(fixture_read_int(fixture, "SELECT count(*) FROM measurement"),
			 3);
	assert_int_equal(fixture_read_int(fixture, "SELECT count(*) FROM run_warning"),
			 2);
}

static void nothing_of_the_file_is_run(void **state)
{
	for (size_t i = 0; i < sizeof(schema_cases) / sizeof(schema_cases[0]); i++)
		check_schema(*state, &schema_cases[i]);
}

/* The schema before it had a check for each column. */
static void tables_without_checks_are_read_and_written(void **state)
{
	struct fixture *fixture = *state;
	cleanup_file FILE *file = fopen(CORPUS "/valid_without_checks", "rb");
	struct measurement m = fixture_visit(9, PAIR, 11, 21);
	cleanup_free char *bytes = NULL;
	struct err err = ERR_INIT;
	struct store *store;
	size_t size;

	assert_non_null(file);
	assert_int_equal(io_read_file(fileno(file), 1 << 20, &bytes, &size), 0);
	make_beside(fixture, "", bytes, size);
	assert_int_equal(fixture_read_int(fixture,
					  "SELECT count(*) FROM sqlite_master"
					  " WHERE sql LIKE '%9007199254740992%'"),
			 0);
	if (read_all(fixture->db, &err) < 0 ||
	    store_open(fixture->db, &store, &err) < 0 ||
	    store_record(store, 1, &m, &err) < 0)
		fail_msg("%s", err.text);
	fixture_close(store);
	assert_int_equal(read_all(fixture->db, &err), 0);
	assert_int_equal(fixture_read_int(fixture, "SELECT count(*) FROM measurement"
						   " WHERE run_id = 1"),
			 9);
}

/* --- pages --- */

static void change_page(const char *path, long at, const void *bytes, size_t size)
{
	FILE *file = fopen(path, "r+b");

	assert_non_null(file);
	assert_int_equal(fseek(file, at, SEEK_SET), 0);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static void many_rows(struct fixture *fixture, int count)
{
	char sql[1024];

	snprintf(sql, sizeof(sql),
		 "PRAGMA synchronous = OFF;"
		 "INSERT INTO measurement (run_id, seq, pass, server_mtu, peer_mtu,"
		 " upload_status, upload_text, upload_received_bps, download_status,"
		 " download_text, download_received_bps)"
		 " WITH RECURSIVE n(i) AS (SELECT 11 UNION ALL SELECT i + 1 FROM n"
		 " WHERE i < %d + 10) SELECT 1, i, i, 1280, 1280, 'ok', '', 1000000,"
		 " 'ok', '', 1000000 FROM n",
		 count);
	fixture_exec(fixture->db, sql);
}

/* Its last page is its root again, so its rows never end. */
static void pages_in_a_circle_end(void **state)
{
	struct fixture *fixture = *state;
	struct err err = ERR_INIT;
	unsigned char pointer[4];
	int64_t root, page;

	make_run(fixture);
	many_rows(fixture, 500);
	root = fixture_read_int(fixture, "SELECT rootpage FROM sqlite_master"
					 " WHERE name = 'measurement'");
	page = fixture_read_int(fixture, "PRAGMA page_size");
	for (int i = 0; i < 4; i++)
		pointer[i] = (unsigned char)(root >> (24 - 8 * i));
	change_page(fixture->db, (long)((root - 1) * page + 8), pointer, 4);
	assert_int_equal(read_all(fixture->db, &err), -EUCLEAN);
	assert_non_null(strstr(err.text, "damaged"));
}

/* --- files beside the database --- */

/* Files that SQLite did not write have no effect. */
static void other_files_beside_change_nothing(void **state)
{
	static const char *const suffixes[] = {"-wal", "-shm", "-journal"};
	struct fixture *fixture = *state;
	static const char zeros[40000];
	struct err err = ERR_INIT;

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		make_run_again(fixture);
		make_beside(fixture, suffixes[i], zeros, sizeof(zeros));
		if (read_all(fixture->db, &err) < 0)
			fail_msg("%s: %s", suffixes[i], err.text);
	}
}

/* A reader and a writer refuse the database, and say why. */
static void check_refused(const char *db, int code, const char *text)
{
	struct err err = ERR_INIT;
	struct store *store;

	if (read_all(db, &err) != code || !strstr(err.text, text))
		fail_msg("reading: %s", err.text);
	if (store_open(db, &store, &err) != code || !strstr(err.text, text))
		fail_msg("writing: %s", err.text);
}

/* Opening a FIFO waits until somebody opens its other end. */
static void only_regular_files_lie_beside(void **state)
{
	static const char *const suffixes[] = {"-wal", "-shm", "-journal"};
	struct fixture *fixture = *state;

	make_run(fixture);
	make_beside(fixture, "-other", "precious", 8);
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		char path[160];

		snprintf(path, sizeof(path), "%s%s", fixture->db, suffixes[i]);
		assert_int_equal(mkfifo(path, 0600), 0);
		alarm(20);
		check_refused(fixture->db, -EMEDIUMTYPE, "is not a regular file");
		alarm(0);
		assert_int_equal(unlink(path), 0);
		assert_int_equal(symlink("test.db-other", path), 0);
		check_refused(fixture->db, -EMEDIUMTYPE, "is not a regular file");
		assert_int_equal(unlink(path), 0);
	}
}

/* A file of 2 GiB that takes no room on the disk. */
static void a_length_alone_allows_no_steps(void **state)
{
	struct fixture *fixture = *state;
	int64_t before;
	struct db db;

	make_run(fixture);
	db_init(&db);
	assert_int_equal(db_open(&db, fixture->db, DB_READ, NULL), 0);
	before = db.steps_max;
	db_release(&db);
	assert_int_equal(truncate(fixture->db, INT64_C(2) << 30), 0);
	assert_int_equal(db_open(&db, fixture->db, DB_READ, NULL), 0);
	assert_in_range(db.steps_max, before, 2 * before);
	db_release(&db);
}

/* A rollback journal that restores no page. Behind it the name of another file, which
 * SQLite then removes; or nothing. */
static void make_journal(const struct fixture *fixture, const char *name)
{
	static const unsigned char magic[] = {0xd9, 0xd5, 0x05, 0xf9,
					      0x20, 0xa1, 0x63, 0xd7};
	unsigned char bytes[1024] = {0};
	size_t size = 512 + 4 + (name ? strlen(name) : 0);
	uint32_t sum = 0;

	memcpy(bytes, magic, sizeof(magic));
	/* The database keeps its number of pages. */
	bytes[19] = (unsigned char)fixture_read_int(fixture, "PRAGMA page_count");
	bytes[22] = 2;    /* sector of 512 */
	bytes[26] = 0x10; /* page of 4096 */
	if (!name) {
		make_beside(fixture, "-journal", bytes, 512);
		return;
	}
	memcpy(bytes + 512 + 4, name, strlen(name));
	for (const char *c = name; *c; c++)
		sum += (unsigned char)*c;
	bytes[size + 3] = (unsigned char)strlen(name);
	for (int i = 0; i < 4; i++)
		bytes[size + 4 + (size_t)i] = (unsigned char)(sum >> (24 - 8 * i));
	memcpy(bytes + size + 8, magic, sizeof(magic));
	make_beside(fixture, "-journal", bytes, size + 16);
}

static void journal_removes_no_other_file(void **state)
{
	struct fixture *fixture = *state;
	char other[160];

	make_run(fixture);
	snprintf(other, sizeof(other), "%s-other", fixture->db);
	make_beside(fixture, "-other", "precious", 8);
	make_journal(fixture, other);
	check_refused(fixture->db, -EUCLEAN, "names another file");
	assert_int_equal(access(other, F_OK), 0);
}

/* The names beside a database are those of the file, whatever link leads to it. */
static void a_link_is_no_way_around(void **state)
{
	struct fixture *fixture = *state;
	struct fixture target = *fixture;
	char folder[128], other[160];

	make_run(fixture);
	snprintf(folder, sizeof(folder), "%s/sub", fixture->folder);
	snprintf(other, sizeof(other), "%s-other", fixture->db);
	snprintf(target.db, sizeof(target.db), "%s/sub/y.db", fixture->folder);
	assert_int_equal(mkdir(folder, 0700), 0);
	assert_int_equal(rename(fixture->db, target.db), 0);
	assert_int_equal(symlink("sub/y.db", fixture->db), 0);
	make_beside(fixture, "-other", "precious", 8);
	make_journal(&target, other);
	check_refused(fixture->db, -EUCLEAN, "names another file");
	assert_int_equal(access(other, F_OK), 0);
}

/* A program that was killed in a transaction, in rollback mode, leaves a journal. */
static void journal_of_a_killed_writer_is_named(void **state)
{
	struct fixture *fixture = *state;
	struct err err = ERR_INIT;

	make_run(fixture);
	make_journal(fixture, NULL);
	assert_int_equal(read_all(fixture->db, &err), -EACCES);
	assert_non_null(strstr(err.text, "'test.db-journal' beside it must be"));
	assert_non_null(strstr(err.text, "sqlite3 'test.db' .tables"));
	/* As the message says. */
	fixture_exec(fixture->db, "SELECT count(*) FROM sqlite_master");
	if (read_all(fixture->db, &err) < 0)
		fail_msg("%s", err.text);
}

/* --- output --- */

static int put_csv(struct query *query, const struct query_run *run, FILE *out)
{
	return csv_export(query, run->id, out, NULL);
}

static int put_json(struct query *query, const struct query_run *run, FILE *out)
{
	return runjson_export(query, run, out, NULL);
}

static int put_prometheus(struct query *query, const struct query_run *run, FILE *out)
{
	struct prometheus_run shown = {.run = *run, .pairs = true};

	return prometheus_export(query, &shown, 1, out, NULL);
}

/* Commands print with cmd/read/table.c, which fuzz_database tests. */
static void nothing_printed_makes_a_terminal_act(void **state)
{
	static int (*const puts[])(struct query *, const struct query_run *,
				   FILE *) = {put_csv, put_json, put_prometheus};
	struct fixture *fixture = *state;
	struct query_run run;
	struct query *query;

	make_run(fixture);
	fixture_exec(fixture->db,
		     "UPDATE run SET server_host = char(27) || '[2J' || char(155, 127),"
		     " strategy = char(7, 8), peer_interface = char(13, 133),"
		     " outcome_text = char(27) || 'c', options = '{\"\\u009b\":\"' ||"
		     " char(127) || '\"}';"
		     "UPDATE run_warning SET detail = char(27, 144, 127);"
		     "UPDATE measurement SET upload_text = 'recorded as ' || char(27)");
	query = fixture_query(fixture);
	assert_int_equal(query_run(query, NULL, &run, NULL), 0);
	for (size_t i = 0; i < sizeof(puts) / sizeof(puts[0]); i++) {
		cleanup_free char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		assert_int_equal(puts[i](query, &run, out), 0);
		fclose(out);
		assert_true(size > 0);
		for (const char *c = text; *c; c++)
			assert_true(*c == '\n' || text_control(c) == 0);
	}
	query_close(query);
}

/* --- any number of rows --- */

static void one_row_more_than_is_served(struct fixture *fixture)
{
	make_run(fixture);
	many_rows(fixture, QUERY_ROWS_SERVED - 1);
}

static json_t *look(struct live *live, uint32_t after)
{
	const struct live_ask ask = {
		.run = "", .have = "", .revision = "", .after = after, .room = 4000};
	struct err err = ERR_INIT;
	json_t *answer = NULL;

	if (live_progress(live, &ask, &answer, &err) < 0)
		fail_msg("%s", err.text);
	return answer;
}

static void page_leaves_too_many_rows_out(void **state)
{
	struct fixture *fixture = *state;
	struct live *live;
	json_t *answer, *warnings;

	one_row_more_than_is_served(fixture);
	assert_int_equal(live_new(fixture->db, &live, NULL), 0);
	answer = look(live, 0);
	assert_true(json_is_null(json_object_get(answer, "visits")));
	assert_true(json_is_null(json_object_get(answer, "fastest")));
	assert_int_equal(json_array_size(json_object_get(answer, "rows")), 0);
	assert_false(json_is_true(json_object_get(answer, "more")));
	warnings = json_object_get(json_object_get(answer, "facts"), "warnings");
	assert_int_equal(json_array_size(warnings), 2);
	assert_non_null(strstr(json_string_value(json_object_get(
				       json_array_get(warnings, 1), "sentence")),
			       "more than 200000 rows"));
	json_decref(answer);
	live_free(live);
	/* Without the extra row. */
	fixture_exec(fixture->db, "DELETE FROM measurement WHERE seq = 1");
	assert_int_equal(live_new(fixture->db, &live, NULL), 0);
	answer = look(live, 0);
	assert_int_equal(json_integer_value(json_object_get(answer, "visits")),
			 QUERY_ROWS_SERVED);
	json_decref(answer);
	live_free(live);
}

static void metrics_leave_too_many_rows_out(void **state)
{
	struct fixture *fixture = *state;
	cleanup_free char *text = NULL;
	struct query_run run;
	struct query *query;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	one_row_more_than_is_served(fixture);
	query = fixture_query(fixture);
	query_bound(query, QUERY_ROWS_SERVED);
	assert_int_equal(query_run(query, NULL, &run, NULL), 0);
	assert_false(run.counted);
	assert_int_equal(query_results(query, 1, skip_result, NULL, NULL), -E2BIG);
	assert_int_equal(query_measurements(query, 1, skip_visit, NULL, NULL), -E2BIG);
	assert_int_equal(query_visits(query, 1, &PAIR, skip_visit, NULL, NULL), -E2BIG);
	assert_int_equal(put_prometheus(query, &run, out), 0);
	fclose(out);
	assert_non_null(strstr(text, "\nmtusweep_run_left_out{"));
	assert_non_null(strstr(text, "\nmtusweep_mtu_recommended_bytes{"));
	assert_null(strstr(text, "mtusweep_run_visits"));
	assert_null(strstr(text, "mtusweep_pair_"));
	query_close(query);
}

static int sum_counted(void *ctx, const struct query_run *run)
{
	int *sum = ctx;

	*sum += run->counted ? run->measured : 0;
	return 0;
}

/* However many runs there are, the list of runs reads a limited number of rows. */
static void list_of_runs_is_bounded(void **state)
{
	struct fixture *fixture = *state;
	struct query *query;
	int sum = 0;

	make_run(fixture);
	many_rows(fixture, 60);
	for (int i = 1; i < 4; i++) {
		char sql[256];
		int64_t run;

		fixture_close(fixture_open(fixture, i, &run));
		snprintf(sql, sizeof(sql),
			 "CREATE TEMP TABLE t AS SELECT * FROM measurement WHERE run_id"
			 " = 1; UPDATE t SET run_id = %lld; INSERT INTO measurement"
			 " SELECT * FROM t",
			 (long long)run);
		fixture_exec(fixture->db, sql);
	}
	query = fixture_query(fixture);
	query_bound(query, 150);
	assert_int_equal(query_runs(query, sum_counted, &sum, NULL), 0);
	assert_int_equal(sum, 2 * 62);
	query_close(query);
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(wrong_value_is_named),
		TEST(null_is_named),
		TEST(long_sentence_is_cut),
		TEST(nothing_of_the_file_is_run),
		TEST(tables_without_checks_are_read_and_written),
		TEST(pages_in_a_circle_end),
		TEST(other_files_beside_change_nothing),
		TEST(only_regular_files_lie_beside),
		TEST(a_length_alone_allows_no_steps),
		TEST(journal_removes_no_other_file),
		TEST(a_link_is_no_way_around),
		TEST(journal_of_a_killed_writer_is_named),
		TEST(nothing_printed_makes_a_terminal_act),
		TEST(page_leaves_too_many_rows_out),
		TEST(metrics_leave_too_many_rows_out),
		TEST(list_of_runs_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

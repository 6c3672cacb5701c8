/* SPDX-License-Identifier: MIT */
/* Exports for programs: every figure is in its place, and the published schema
 * describes everything. */

#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/io.h"

#include "../store/fixture.h"
#include "report/prometheus.h"
#include "report/runjson.h"

/* Make a run with all fields, then one without any. */
static int64_t make_full_run(struct fixture *fixture)
{
	struct evidence evidence = {
		.mtu = {1420, 1380},
		.settled = true,
		.reason = {REASON_FITS, 5, 7, {1400, 1380}},
		.dir = {{36500000, 36000000, 37000000, 0, -1, -1, -1, false},
			{55000000, 54000000, 56000000, 50000000, 1100, 1050, 1150,
			 true}},
	};
	struct path_survey survey = {
		.path.overhead = {PATH_OVERHEAD_IPV4, PATH_OVERHEAD_IPV6},
		.path.relayed = {false, true},
		.path.unseen = {true, false},
		.since_seq = 1,
		.probes = {7, 8},
		.probe_ms = 140,
	};
	const struct measurement m[] = {
		fixture_visit(1, (struct mtu_pair){1420, 1400}, 36.5, 55),
		fixture_visit(2, (struct mtu_pair){1500, 1480}, -TEST_BLACKHOLE, 2),
	};
	int64_t run;
	struct store *store = fixture_open(fixture, 1, &run);

	for (size_t i = 0; i < sizeof(m) / sizeof(m[0]); i++)
		fixture_record(store, run, &m[i]);
	assert_int_equal(path_bands_parse("1460:whole,65535:lost",
					  &survey.path.dir[DIR_UPLOAD], NULL),
			 0);
	path_bands_add(&evidence.survey.path.dir[DIR_DOWNLOAD], 1400, FATE_WHOLE);
	path_bands_add(&evidence.survey.path.dir[DIR_DOWNLOAD], OUTER_SIZE_MAX,
		       FATE_UNKNOWN);
	evidence.status = EVIDENCE_CONFIRMED;
	evidence_warn(&evidence, (struct warning){.kind = WARNING_ROAM});
	assert_int_equal(store_put_path(store, run, &survey, NULL), 0);
	assert_int_equal(store_warn(store, run,
				    &(struct warning){.detail = "a \"warning\""}, NULL),
			 0);
	assert_int_equal(store_recommend(store, run, &evidence, NULL), 0);
	fixture_close(store);
	return run;
}

static void find_run(struct query *query, struct query_run *ret)
{
	struct err err = ERR_INIT;

	if (query_run(query, NULL, ret, &err) < 0)
		fail_msg("%s", err.text);
}

static json_t *export_json(struct fixture *fixture)
{
	struct query *query = fixture_query(fixture);
	struct err err = ERR_INIT;
	struct query_run run;
	json_error_t error;
	json_t *value;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	find_run(query, &run);
	if (runjson_export(query, &run, out, &err) < 0)
		fail_msg("%s", err.text);
	fclose(out);
	query_close(query);
	value = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	if (!value)
		fail_msg("%s in %s", error.text, text);
	free(text);
	return value;
}

/* The part of JSON Schema that docs/export.schema.json uses. */

static const char *type_name(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return "object";
	case JSON_ARRAY:
		return "array";
	case JSON_STRING:
		return "string";
	case JSON_INTEGER:
		return "integer";
	case JSON_REAL:
		return "number";
	case JSON_NULL:
		return "null";
	case JSON_TRUE:
	case JSON_FALSE:
		break;
	}
	return "boolean";
}

static bool has_type(const json_t *value, const json_t *type)
{
	size_t i;
	json_t *one;

	if (json_is_string(type))
		return strcmp(json_string_value(type), type_name(value)) == 0;
	json_array_foreach(type, i, one)
	{
		if (has_type(value, one))
			return true;
	}
	return !type;
}

static bool is_listed(json_t *value, json_t *list)
{
	size_t i;
	json_t *one;

	json_array_foreach(list, i, one)
	{
		if (json_equal(one, value))
			return true;
	}
	return !list;
}

static void check(json_t *root, json_t *schema, json_t *value, const char *where);

static void check_members(json_t *root, json_t *schema, json_t *value,
			  const char *where)
{
	json_t *properties = json_object_get(schema, "properties");
	json_t *required = json_object_get(schema, "required");
	const char *name;
	json_t *member;
	size_t i;

	/* A member without a type in the schema may be of any type. */
	if (!properties)
		return;
	json_object_foreach(value, name, member)
	{
		if (!json_object_get(properties, name))
			fail_msg("%s has '%s', which the schema has not", where, name);
		check(root, json_object_get(properties, name), member, name);
	}
	json_array_foreach(required, i, member)
	{
		if (!json_object_get(value, json_string_value(member)))
			fail_msg("%s lacks '%s'", where, json_string_value(member));
	}
}

static void check(json_t *root, json_t *schema, json_t *value, const char *where)
{
	const char *ref = json_string_value(json_object_get(schema, "$ref"));
	json_t *element;
	size_t i;

	if (ref) {
		schema = json_object_get(json_object_get(root, "$defs"),
					 ref + strlen("#/$defs/"));
		assert_non_null(schema);
	}
	if (!has_type(value, json_object_get(schema, "type")))
		fail_msg("%s is of type %s", where, type_name(value));
	if (!is_listed(value, json_object_get(schema, "enum")))
		fail_msg("%s is none of what the schema lists", where);
	if (json_is_object(value))
		check_members(root, schema, value, where);
	json_array_foreach(value, i, element)
		check(root, json_object_get(schema, "items"), element, where);
}

static void check_export(json_t *value)
{
	json_error_t error;
	json_t *schema = json_load_file(EXPORT_SCHEMA, 0, &error);

	if (!schema)
		fail_msg("%s", error.text);
	check(schema, schema, value, "the export");
	json_decref(schema);
}

static json_int_t number_at(json_t *value, const char *list, size_t i,
			    const char *direction, const char *name)
{
	json_t *row = json_array_get(json_object_get(value, list), i);
	json_t *number = json_object_get(
		direction ? json_object_get(row, direction) : row, name);

	return json_is_null(number) ? -1 : json_integer_value(number);
}

static void check_recommendation(json_t *recommendation)
{
	json_t *reason = json_object_get(recommendation, "reason");
	json_t *download = json_object_get(reason, "download");
	json_t *warning =
		json_array_get(json_object_get(recommendation, "warnings"), 0);
	const char *text = json_string_value(json_object_get(recommendation, "text"));

	assert_string_equal(json_string_value(json_object_get(reason, "kind")), "fits");
	assert_int_equal(
		json_integer_value(json_object_get(download, "ratio_permille")), 1100);
	assert_int_equal(json_array_size(json_object_get(download, "bands")), 2);
	assert_true(json_is_null(
		json_object_get(json_object_get(reason, "upload"), "ratio_permille")));
	assert_string_equal(json_string_value(json_object_get(warning, "kind")),
			    "roam");
	assert_true(json_is_null(json_object_get(warning, "other_server_mtu")));
	assert_non_null(strstr(text, "download +10.0 % (+5.0 to +15.0)\n"));
	assert_non_null(strstr(text, "download: packets of up to 1400 bytes arrive, "
				     "not seen in fragments, larger ones could not be "
				     "judged (inferred from throughput)\n"));
	assert_non_null(strstr(text, "\nnote: should an endpoint move to IPv6"));
}

static void full_export(void **state)
{
	json_t *value;
	json_t *run;
	json_t *path;

	make_full_run(*state);
	value = export_json(*state);
	check_export(value);
	run = json_object_get(value, "run");
	assert_int_equal(json_integer_value(json_object_get(run, "duration_ms")), 5000);
	assert_string_equal(json_string_value(json_object_get(run, "seed")),
			    "18446744073709551615");
	assert_string_equal(json_string_value(json_object_get(
				    json_object_get(run, "peer"), "host")),
			    "laptop");
	assert_string_equal(
		json_string_value(json_object_get(
			json_array_get(json_object_get(value, "warnings"), 0),
			"sentence")),
		"a \"warning\"");
	assert_int_equal(number_at(value, "results", 0, NULL, "upload_bps"), 36500000);
	assert_int_equal(number_at(value, "results", 1, NULL, "upload_bps"), -1);
	assert_int_equal(number_at(value, "measurements", 0, "upload", "sent_bps"),
			 36501000);
	assert_int_equal(number_at(value, "measurements", 0, "download", "rtt_us"),
			 20123);
	assert_int_equal(
		number_at(value, "measurements", 0, "download", "latency_p95_us"),
		97003);
	assert_int_equal(number_at(value, "measurements", 1, "upload", "goodput_bps"),
			 -1);
	assert_int_equal(json_array_size(json_object_get(json_object_get(value, "path"),
							 "upload")),
			 2);
	check_recommendation(json_object_get(value, "recommendation"));
	path = json_object_get(value, "path");
	assert_int_equal(json_integer_value(json_object_get(path, "upload_overhead")),
			 60);
	assert_int_equal(json_integer_value(json_object_get(path, "download_overhead")),
			 80);
	assert_true(json_is_true(json_object_get(path, "download_relayed")));
	assert_true(json_is_true(json_object_get(path, "upload_unseen")));
	assert_true(json_is_false(json_object_get(path, "download_unseen")));
	json_decref(value);
}

static void empty_export(void **state)
{
	int64_t run;
	json_t *value;

	fixture_close(fixture_open(*state, 1, &run));
	value = export_json(*state);
	check_export(value);
	assert_true(json_is_null(json_object_get(value, "path")));
	assert_true(json_is_null(json_object_get(value, "recommendation")));
	assert_int_equal(json_array_size(json_object_get(value, "measurements")), 0);
	json_decref(value);
}

/* Facts that are not known of the far end are null everywhere. */
static void one_end_export(void **state)
{
	int64_t run = fixture_store_one_end(*state, 1, true);
	struct measurement m =
		fixture_visit(1, (struct mtu_pair){MTU_UNKNOWN, 1380}, 36.5, 55);
	struct fixture *fixture = *state;
	struct store *store;
	json_t *value, *one, *server, *recommendation;

	assert_int_equal(store_open(fixture->db, &store, NULL), 0);
	fixture_record(store, run, &m);
	fixture_close(store);
	value = export_json(fixture);
	check_export(value);
	server = json_object_get(json_object_get(value, "run"), "server");
	assert_true(json_is_null(json_object_get(server, "mtu_min")));
	assert_true(json_is_null(json_object_get(server, "mtu_max")));
	assert_true(json_is_null(json_object_get(server, "mtu_step")));
	recommendation = json_object_get(value, "recommendation");
	assert_true(json_is_null(json_object_get(recommendation, "server_mtu")));
	assert_int_equal(
		json_integer_value(json_object_get(recommendation, "peer_mtu")), 1380);
	assert_int_equal(number_at(value, "results", 0, NULL, "server_mtu"), -1);
	assert_int_equal(number_at(value, "results", 0, NULL, "peer_mtu"), 1380);
	assert_int_equal(number_at(value, "measurements", 0, NULL, "server_mtu"), -1);
	one = json_object_get(value, "one_end");
	assert_string_equal(json_string_value(json_object_get(one, "target")),
			    "10.0.0.1");
	assert_int_equal(json_integer_value(json_object_get(one, "far_mtu")), 1376);
	assert_true(json_is_null(json_object_get(one, "too_big")));
	assert_true(json_is_true(json_object_get(one, "echoes")));
	json_decref(value);
}

/* One that knows no MTU recommends nothing. */
static void one_end_without_an_mtu(void **state)
{
	json_t *value;

	fixture_store_one_end(*state, 1, false);
	value = export_json(*state);
	check_export(value);
	assert_true(json_is_null(json_object_get(value, "recommendation")));
	assert_true(json_is_object(json_object_get(value, "one_end")));
	json_decref(value);
}

/* Columns that mean nothing outside the file. */
static const char *const omitted[] = {"run_id", "run_warning.id", "run.process",
				      /* It is the name of the list. */
				      "run_warning.about", "measurement.acknowledged",
				      /* It is the name of the band's list. */
				      "path_band.direction", "reason_band.direction",
				      /* Each is its end's public_key. */
				      "run_tunnel.server_key", "run_tunnel.peer_key",
				      /* Version 1's: path_detail has both. */
				      "path.overhead"};

static bool is_omitted(const char *table, const char *column)
{
	char name[80];

	snprintf(name, sizeof(name), "%s.%s", table, column);
	for (size_t i = 0; i < sizeof(omitted) / sizeof(omitted[0]); i++) {
		if (strcmp(omitted[i], name) == 0 || strcmp(omitted[i], column) == 0)
			return true;
	}
	return false;
}

/* The object that has a table's columns. */
static json_t *place_of(json_t *export, const char *table)
{
	static const struct {
		const char *table, *way[4]; /* the way's members */
	} places[] = {
		{"run", {"run"}},
		{"measurement", {"measurements"}},
		{"run_warning", {"warnings"}},
		{"path", {"path"}},
		{"measurement_detail", {"measurements"}},
		{"path_detail", {"path"}},
		{"path_band", {"path", "upload"}},
		{"recommendation", {"recommendation"}},
		{"reason", {"recommendation", "reason"}},
		{"reason_band", {"recommendation", "reason", "download", "bands"}},
		{"one_end", {"one_end"}},
		{"run_tunnel", {"run"}},
		{"path_probe", {"probes"}},
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		json_t *place = export;

		if (strcmp(places[i].table, table) != 0)
			continue;
		for (int w = 0; w < 4 && places[i].way[w]; w++)
			place = json_object_get(place, places[i].way[w]);
		if (json_is_array(place))
			place = json_array_get(place, 0);
		return place;
	}
	fail_msg("the export has no place for table %s", table);
	return NULL;
}

/* "server_host" is `host` of `server`, where there is no such member. */
static bool has_column(json_t *place, const char *column)
{
	const char *rest = strchr(column, '_');
	char first[80] = "";

	if (json_object_get(place, column))
		return true;
	if (!rest)
		return false;
	memcpy(first, column, (size_t)(rest - column));
	return json_object_get(json_object_get(place, first), rest + 1);
}

/* No run has all tables' rows by itself. */
static void add_one_end(struct fixture *fixture)
{
	const struct path_probe probe = {.seq = 1, .probed_at_ms = 1};
	struct evidence e = fixture_one_end(true);
	struct store *store;

	assert_int_equal(store_open(fixture->db, &store, NULL), 0);
	assert_int_equal(store_put_one_end(store, 1, &e.one_end, NULL), 0);
	assert_int_equal(store_put_probe(store, 1, &probe, NULL), 0);
	fixture_close(store);
}

static void nothing_stored_is_left_out(void **state)
{
	static const char sql[] = "SELECT m.name, c.name FROM sqlite_master AS m,"
				  " pragma_table_xinfo(m.name) AS c"
				  " WHERE m.type = 'table'"
				  /* Version 1's, without rows in version 2. */
				  " AND m.name <> 'warning'";
	struct fixture *fixture = *state;
	sqlite3_stmt *stmt;
	sqlite3 *db;
	json_t *value;
	int columns = 0;
	int missing = 0;

	make_full_run(fixture);
	add_one_end(fixture);
	value = export_json(fixture);
	assert_int_equal(sqlite3_open(fixture->db, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	for (; sqlite3_step(stmt) == SQLITE_ROW; columns++) {
		const char *table = (const char *)sqlite3_column_text(stmt, 0);
		const char *column = (const char *)sqlite3_column_text(stmt, 1);
		json_t *place = place_of(value, table);

		/* Its own member. */
		if (strcmp(column, "options") == 0)
			place = value;
		/* The recommendation's. */
		if (strcmp(table, "reason") == 0 && strcmp(column, "status") == 0)
			place = place_of(value, "recommendation");
		if (is_omitted(table, column) || has_column(place, column))
			continue;
		print_message("the export lacks %s.%s\n", table, column);
		missing++;
	}
	assert_int_equal(missing, 0);
	assert_in_range(columns, 60, 1000);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	json_decref(value);
}

/* Values that no program of ours stores. */
static void wrong_values_are_not_exported(void **state)
{
	static const struct {
		const char *sql;
		const char *says;
	} rows[] = {
		{"UPDATE run_warning SET warned_at = x'00'", "its warned_at is"},
		{"UPDATE run_warning SET detail = 'a' || char(0) || 'b'",
		 "its detail is"},
		{"UPDATE recommendation SET server_mtu = 99999", "its server_mtu is"},
		{"UPDATE recommendation SET settled = 'x'", "its settled is 'x'"},
		{"UPDATE path SET probe_ms = -1", "its probe_ms is '-1'"},
		{"UPDATE path_band SET size_max = 1.5 WHERE size_max = 1460",
		 "its size_max is '1.5'"},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err = ERR_INIT;
		cleanup_file FILE *out = fopen("/dev/null", "w");
		struct query_run run;
		struct query *query;
		char sql[200];

		remove(fixture->db);
		make_full_run(fixture);
		snprintf(sql, sizeof(sql), "PRAGMA ignore_check_constraints = 1; %s",
			 rows[i].sql);
		fixture_exec(fixture->db, sql);
		query = fixture_query(fixture);
		find_run(query, &run);
		assert_int_equal(runjson_export(query, &run, out, &err), -EUCLEAN);
		query_close(query);
		if (!strstr(err.text, rows[i].says))
			fail_msg("'%s' for %s", err.text, rows[i].sql);
	}
}

/* Names come from another host, and texts are cut anywhere. */
static void odd_text(void **state)
{
	static const struct {
		const char *text;
		const char *json;
	} rows[] = {
		{"caf\xc3\xa9", "caf\xc3\xa9"},
		{"caf\xc3", "caf?"},
		{"\xff\"\x01", "?\"\x01"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *value = row_text_json(rows[i].text);

		assert_string_equal(json_string_value(value), rows[i].json);
		json_decref(value);
	}
}

/* What each series of fixture_run() begins with. */
#define LABELS "{server=\"hub\",peer=\"laptop\",interface=\"wg1\",tunnel=\"\""

static int export_pairs(struct query *query, const struct query_run *run, FILE *out,
			struct err *err)
{
	struct prometheus_run shown = {.run = *run, .pairs = true};

	return prometheus_export(query, &shown, 1, out, err);
}

static void prometheus(void **state)
{
	struct fixture *fixture = *state;
	struct query_run run;
	struct query *query;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	make_full_run(fixture);
	fixture_exec(fixture->db,
		     "UPDATE run SET peer_host = 'a\"\\b' || char(10) || 'c'");
	query = fixture_query(fixture);
	find_run(query, &run);
	assert_int_equal(export_pairs(query, &run, out, NULL), 0);
	query_close(query);
	fclose(out);
	assert_non_null(strstr(text, ",peer=\"a\\\"\\\\b\\nc\","));
	assert_non_null(strstr(text, ",interface=\"wg1\",tunnel=\"\",server_mtu="
				     "\"1420\",peer_mtu=\"1400\",direction=\"upload\"} "
				     "4562500\n"));
	/* A failed direction has no rate, rather than a rate of 0. */
	assert_null(strstr(text, "server_mtu=\"1500\",peer_mtu=\"1480\","
				 "direction=\"upload\"} 0"));
	assert_non_null(strstr(text, "server_mtu=\"1500\",peer_mtu=\"1480\","
				     "direction=\"upload\"} 1\n"));
	free(text);
}

/* Without its pairs, for readers over the tunnel; and with a server's own values. */
static void prometheus_of_a_server(void **state)
{
	struct fixture *fixture = *state;
	struct prometheus_run shown = {.live.peer = 1410};
	struct query_run run;
	struct query *query;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	make_full_run(fixture);
	fixture_exec(fixture->db, "INSERT OR REPLACE INTO recommendation"
				  " SELECT id, 1400, 1380, 1, 'x' FROM run;"
				  "INSERT OR REPLACE INTO reason"
				  " (run_id, kind, margin, visits)"
				  " SELECT id, 'fits', 5, 9 FROM run");
	query = fixture_query(fixture);
	find_run(query, &run);
	prometheus_put_server(out, &run.info.server, "1.2\"3", true);
	shown.run = run;
	assert_int_equal(prometheus_export(query, &shown, 1, out, NULL), 0);
	query_close(query);
	fclose(out);
	assert_non_null(strstr(
		text,
		"\nmtusweep_server_info{server=\"hub\",peer=\"\",interface=\"wg0\","
		"tunnel=\"\",version=\"1.2\\\"3\"} 1\n"));
	assert_non_null(strstr(text, "\nmtusweep_session_open{server=\"hub\""));
	assert_non_null(strstr(text, "\nmtusweep_run_visits" LABELS "} "));
	assert_non_null(strstr(text, "\nmtusweep_mtu_recommended_bytes" LABELS
				     ",end=\"server\"} 1400\n"
				     "mtusweep_mtu_recommended_bytes" LABELS
				     ",end=\"peer\"} 1380\n"));
	assert_non_null(strstr(text, "\nmtusweep_mtu_live_bytes" LABELS
				     ",end=\"peer\"} 1410\n"));
	assert_non_null(strstr(text, "\nmtusweep_recommended_info" LABELS
				     ",reason=\"fits\",status=\"confirmed\"} 1\n"));
	assert_non_null(strstr(text, "\nmtusweep_recommended_settled" LABELS "} 1\n"));
	assert_non_null(strstr(text, "\nmtusweep_warnings" LABELS
				     ",about=\"run\",kind=\"text\"} 1\n"
				     "mtusweep_warnings" LABELS
				     ",about=\"recommendation\",kind=\"roam\"} 1\n"));
	assert_null(strstr(text, "server_mtu="));
	free(text);
}

static void full_output_is_an_error(void **state)
{
	struct fixture *fixture = *state;
	struct query_run run;
	struct query *query;

	make_full_run(fixture);
	query = fixture_query(fixture);
	find_run(query, &run);
	for (int i = 0; i < 2; i++) {
		struct err err = ERR_INIT;
		FILE *out = fopen("/dev/full", "w");

		assert_non_null(out);
		assert_int_equal(
			(i ? export_pairs : runjson_export)(query, &run, out, &err),
			-ENOSPC);
		assert_string_equal(err.text, "cannot write the export: No space left "
					      "on device");
		fclose(out);
	}
	query_close(query);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(full_export),
		TEST(empty_export),
		TEST(one_end_export),
		TEST(one_end_without_an_mtu),
		TEST(nothing_stored_is_left_out),
		TEST(wrong_values_are_not_exported),
		cmocka_unit_test(odd_text),
		TEST(prometheus),
		TEST(prometheus_of_a_server),
		TEST(full_output_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

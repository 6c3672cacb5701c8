/* SPDX-License-Identifier: MIT */
/* Databases of schema version 1, written by real runs: read as they are, and brought to
 * version 2 by the first program that writes. */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fixture.h"
#include "store/query.h"
#include "store/store.h"

static const char *const dumps[] = {"smart.sql", "server.sql", "grid.sql"};
#define DUMPS (sizeof(dumps) / sizeof(dumps[0]))

static void load_dump(const struct fixture *fixture, const char *name)
{
	char path[512];
	char *sql = NULL;
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", VERSION1, name);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_true(getdelim(&sql, &size, '\0', file) > 0);
	fclose(file);
	unlink(fixture->db);
	fixture_exec(fixture->db, sql);
	free(sql);
}

static int add_line(void *ctx, const struct query_warning *w)
{
	assert_int_equal(w->facts.kind, WARNING_TEXT);
	fprintf(ctx, "warning %lld %s\n", (long long)w->warned_at_ms, w->facts.detail);
	return 0;
}

static int add_result(void *ctx, const struct query_result *result)
{
	fprintf(ctx, "%d %d %d\n", result->mtu.server, result->mtu.peer,
		result->visits);
	return 0;
}

static void print_path(struct query *query, int64_t run, FILE *out)
{
	struct path_survey survey;
	int r = query_path(query, run, &survey, NULL);

	if (r == -ENODATA)
		return;
	assert_int_equal(r, 0);
	/* Version 1 has one for both directions. */
	assert_int_equal(survey.path.overhead[DIR_UPLOAD], PATH_OVERHEAD_IPV4);
	assert_int_equal(survey.path.overhead[DIR_DOWNLOAD], PATH_OVERHEAD_IPV4);
	assert_false(survey.path.relayed[DIR_UPLOAD]);
	assert_int_equal(survey.since_seq, 0);
	fprintf(out, "path %d %d\n", survey.probes[DIR_UPLOAD],
		survey.probes[DIR_DOWNLOAD]);
}

static void print_recommended(struct query *query, int64_t run, FILE *out)
{
	struct query_recommendation recommended;
	int r = query_recommended(query, run, &recommended, NULL);

	if (r == -ENODATA)
		return;
	assert_int_equal(r, 0);
	assert_int_equal(recommended.evidence.reason.kind, REASON_TEXT);
	assert_int_equal(recommended.evidence.reason.rival.server, 0);
	fprintf(out, "%s", recommended.text);
	free(recommended.text);
}

/* All that a reader sees of the only run; freed by the caller. */
static char *read_all(const struct fixture *fixture)
{
	struct query *query = fixture_query(fixture);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct query_run run;

	assert_non_null(out);
	assert_int_equal(query_run(query, "1", &run, NULL), 0);
	print_recommended(query, run.id, out);
	print_path(query, run.id, out);
	assert_int_equal(query_warnings(query, run.id, "run", add_line, out, NULL), 0);
	assert_int_equal(query_results(query, run.id, add_result, out, NULL), 0);
	query_close(query);
	fclose(out);
	assert_true(size > 0);
	return text;
}

static int64_t version_of(const struct fixture *fixture)
{
	return fixture_read_int(fixture, "PRAGMA user_version");
}

static void check_is_version_1(const struct fixture *fixture)
{
	assert_int_equal(version_of(fixture), 1);
	assert_int_equal(fixture_read_int(fixture, "SELECT count(*) FROM sqlite_master"
						   " WHERE name = 'reason'"),
			 0);
}

static void upgrade(const struct fixture *fixture)
{
	struct err err = ERR_INIT;
	struct store *store;

	assert_int_equal(store_open(fixture->db, &store, &err), 0);
	fixture_close(store);
}

static void version_1_reads_alike_before_and_after(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < DUMPS; i++) {
		char *before, *after;

		load_dump(fixture, dumps[i]);
		before = read_all(fixture);
		assert_int_equal(version_of(fixture), 1);
		upgrade(fixture);
		assert_int_equal(version_of(fixture), 2);
		after = read_all(fixture);
		assert_string_equal(after, before);
		/* The views are version 2's. */
		assert_int_equal(
			fixture_read_int(fixture,
					 "SELECT count(*) FROM sqlite_master WHERE"
					 " type = 'view' AND instr(sql, 'one_end')"),
			2);
		assert_true(fixture_read_int(fixture, "SELECT count(*) FROM results") >
			    0);
		assert_int_equal(
			fixture_read_int(fixture, "SELECT count(*) FROM reason"),
			fixture_read_int(fixture,
					 "SELECT count(*) FROM recommendation"));
		assert_int_equal(
			fixture_read_int(fixture, "SELECT count(*) FROM path_detail"),
			fixture_read_int(fixture, "SELECT count(*) FROM path"));
		free(before);
		free(after);
	}
}

static int deny_version(void *ctx, int action, const char *pragma, const char *value,
			const char *database, const char *trigger)
{
	(void)ctx, (void)database, (void)trigger;
	return action == SQLITE_PRAGMA && value && strcmp(pragma, "user_version") == 0
		       ? SQLITE_DENY
		       : SQLITE_OK;
}

static int install_denial(sqlite3 *db, char **ret_text, const void *api)
{
	(void)ret_text, (void)api;
	return sqlite3_set_authorizer(db, deny_version, NULL);
}

/* With the last statement, when all else is done. */
static void failed_upgrade_changes_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct err err = ERR_INIT;
	struct store *store;
	char *before, *after;
	int r;

	load_dump(fixture, dumps[0]);
	before = read_all(fixture);
	sqlite3_auto_extension((void (*)(void))install_denial);
	r = store_open(fixture->db, &store, &err);
	sqlite3_reset_auto_extension();
	assert_true(r < 0);
	assert_non_null(strstr(err.text, "not authorized"));
	check_is_version_1(fixture);
	after = read_all(fixture);
	assert_string_equal(after, before);
	free(before);
	free(after);
}

/* A file may have a table of that name already. */
static void taken_name_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct err err = ERR_INIT;
	struct store *store;

	load_dump(fixture, dumps[0]);
	fixture_exec(fixture->db, "CREATE TABLE reason (run_id, kind)");
	assert_true(store_open(fixture->db, &store, &err) < 0);
	assert_non_null(strstr(err.text, "table reason already exists"));
	assert_int_equal(version_of(fixture), 1);
}

static void die(void *ctx, int action, const char *database, const char *table,
		sqlite3_int64 row)
{
	(void)ctx, (void)action, (void)database, (void)row;
	if (strcmp(table, "reason") == 0)
		kill(getpid(), SIGKILL);
}

static int install_death(sqlite3 *db, char **ret_text, const void *api)
{
	(void)ret_text, (void)api;
	sqlite3_update_hook(db, die, NULL);
	return SQLITE_OK;
}

/* Die when the table is made and its first row is being written. */
static void die_upgrading(const char *path)
{
	struct store *store;

	sqlite3_auto_extension((void (*)(void))install_death);
	store_open(path, &store, NULL);
	_exit(1);
}

static void killed_upgrade_leaves_version_1(void **state)
{
	struct fixture *fixture = *state;
	char *before, *after;
	int status;
	pid_t pid;

	load_dump(fixture, dumps[0]);
	before = read_all(fixture);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		die_upgrading(fixture->db);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	check_is_version_1(fixture);
	upgrade(fixture);
	assert_int_equal(version_of(fixture), 2);
	after = read_all(fixture);
	assert_string_equal(after, before);
	free(before);
	free(after);
}

/* The list of base/reason.h and the CHECK of the table. */
static void kinds_agree_with_the_schema(void **state)
{
	static const char count[] =
		"SELECT length(list) - length(replace(list, char(39), '')) FROM"
		" (SELECT substr(sql, instr(sql, 'kind IN'),"
		" instr(sql, '''text'')') + 6 - instr(sql, 'kind IN')) AS list"
		" FROM sqlite_master WHERE name = 'reason')";
	struct fixture *fixture = *state;
	enum reason_kind parsed;

	load_dump(fixture, dumps[0]);
	upgrade(fixture);
	for (int kind = 0; kind < REASON_COUNT; kind++) {
		const char *name = reason_name((enum reason_kind)kind);
		char sql[96];

		snprintf(sql, sizeof(sql), "UPDATE reason SET kind = '%s'", name);
		fixture_exec(fixture->db, sql);
		assert_int_equal(reason_parse(name, &parsed), 0);
		assert_int_equal(parsed, kind);
	}
	assert_int_equal(fixture_read_int(fixture, count), 2 * REASON_COUNT);
	assert_int_equal(reason_parse("none", &parsed), -EINVAL);
}

/* A file made without the CHECKs. */
static void strange_reason_is_refused(void **state)
{
	static const char *const changes[] = {
		"UPDATE reason SET kind = 'moon'",
		"UPDATE reason SET margin = 101",
		"UPDATE reason SET visits = 'x'",
		"UPDATE reason SET rival_server_mtu = 5",
		"UPDATE reason SET upload_bps = -1",
		"DELETE FROM reason",
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct query_recommendation recommended;
		struct err err = ERR_INIT;
		struct query *query;
		char sql[160];

		load_dump(fixture, dumps[0]);
		upgrade(fixture);
		snprintf(sql, sizeof(sql), "PRAGMA ignore_check_constraints = 1; %s",
			 changes[i]);
		fixture_exec(fixture->db, sql);
		query = fixture_query(fixture);
		assert_int_equal(query_recommended(query, 1, &recommended, &err),
				 -EUCLEAN);
		assert_non_null(strstr(err.text, "a recommendation that cannot be"));
		query_close(query);
	}
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(version_1_reads_alike_before_and_after),
		TEST(failed_upgrade_changes_nothing),
		TEST(taken_name_is_refused),
		TEST(killed_upgrade_leaves_version_1),
		TEST(kinds_agree_with_the_schema),
		TEST(strange_reason_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

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
#include "store/schema.h"
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

static int add_line(void *ctx, const char *text)
{
	fprintf(ctx, "warning %s\n", text);
	return 0;
}

static int add_result(void *ctx, const struct query_result *result)
{
	fprintf(ctx, "%d %d %d\n", result->mtu.server, result->mtu.peer,
		result->visits);
	return 0;
}

static void print_recommended(struct query *query, int64_t run, FILE *out)
{
	struct query_recommendation recommended;
	int r = query_recommended(query, run, &recommended, NULL);

	if (r == -ENODATA)
		return;
	assert_int_equal(r, 0);
	assert_int_equal(recommended.reason.kind, REASON_TEXT);
	assert_int_equal(recommended.reason.rival.server, 0);
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
	assert_int_equal(query_warnings(query, run.id, add_line, out, NULL), 0);
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
		assert_int_equal(
			fixture_read_int(fixture, "SELECT count(*) FROM reason"),
			fixture_read_int(fixture,
					 "SELECT count(*) FROM recommendation"));
		free(before);
		free(after);
	}
}

static void failed_upgrade_changes_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct err err = ERR_INIT;
	struct store *store;
	char *before, *after;

	load_dump(fixture, dumps[0]);
	before = read_all(fixture);
	/* Somebody else's table of that name: the first statement fails. */
	fixture_exec(fixture->db, "CREATE TABLE reason (run_id, kind)");
	assert_true(store_open(fixture->db, &store, &err) < 0);
	assert_non_null(strstr(err.text, "reason"));
	assert_int_equal(version_of(fixture), 1);
	after = read_all(fixture);
	assert_string_equal(after, before);
	free(before);
	free(after);
}

/* Die within the transaction, with pages of it in the file already. */
static void die_upgrading(const char *path)
{
	sqlite3 *db;

	if (sqlite3_open(path, &db) == SQLITE_OK &&
	    sqlite3_exec(db, "PRAGMA cache_size = 1; BEGIN IMMEDIATE", NULL, NULL,
			 NULL) == SQLITE_OK &&
	    sqlite3_exec(db, schema_scripts[1], NULL, NULL, NULL) == SQLITE_OK &&
	    sqlite3_db_cacheflush(db) == SQLITE_OK)
		kill(getpid(), SIGKILL);
	_exit(1);
}

static void killed_upgrade_leaves_version_1(void **state)
{
	struct fixture *fixture = *state;
	char journal[128];
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
	snprintf(journal, sizeof(journal), "%s-journal", fixture->db);
	assert_int_equal(access(journal, F_OK), 0);

	assert_int_equal(version_of(fixture), 1);
	assert_int_equal(fixture_read_int(fixture, "SELECT count(*) FROM sqlite_master"
						   " WHERE name = 'reason'"),
			 0);
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
		TEST(killed_upgrade_leaves_version_1),
		TEST(kinds_agree_with_the_schema),
		TEST(strange_reason_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* store/import.c: the stored form of a log, and its export, which restores it. */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"
#include "fixture.h"
#include "report/csv.h"
#include "store/import.h"

#define HEADER    CSV_HEADER "\n"
#define ROW       "1280,1300,1.000,2.000,3.000,4.000\n"
#define LOG_LIMIT (1 << 20)
#define DATE      1577880000 /* 2020-01-01T12:00:00Z */

/* Every form of a figure, and of a missing one, in a log. */
static const char all_kinds[] = HEADER "1400,1420,-1.000,-1.000,48.649,59.231\n"
				       "1400,1440,-0.000,-0.000,-0.000,-0.000\n"
				       "1400,1460,-1,-1,-1,-1\n"
				       "1400,1480,3.000,-1.000,-1.000,4.000\n"
				       "1400,1420,-0.000,-1.000,0.000,-0.000\n"
				       "576,65535,999999999.999,0.001,12.345,0.000\n";

static void make_log(const struct fixture *fixture, const char *text, char ret[128])
{
	struct timespec times[2] = {{.tv_sec = DATE}, {.tv_sec = DATE}};
	FILE *out;

	snprintf(ret, 128, "%s/log.csv", fixture->folder);
	out = fopen(ret, "w");
	assert_non_null(out);
	fputs(text, out);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(utimensat(AT_FDCWD, ret, times, 0), 0);
}

/* Freed by the caller. */
static char *export_run(const struct fixture *fixture, int64_t run)
{
	struct query *query = fixture_query(fixture);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(csv_export(query, run, out, NULL), 0);
	query_close(query);
	fclose(out);
	return text;
}

static void assert_given_back(const struct fixture *fixture, const char *file)
{
	cleanup_fd int fd = open(file, O_RDONLY | O_CLOEXEC);
	cleanup_free char *text = NULL;
	cleanup_free char *exported = NULL;
	struct import_result result;
	size_t size;

	assert_int_equal(io_read_file(fd, LOG_LIMIT, &text, &size), 0);
	assert_true(size > strlen(HEADER));
	assert_int_equal(import_csv(file, fixture->db, &result, NULL), 0);
	assert_int_equal(result.cut_line, 0);
	exported = export_run(fixture, result.run);
	assert_string_equal(exported, text);
}

static void export_gives_it_back(void **state)
{
	static const char *const sweeps[] = {SWEEPS "/deadzone.csv",
					     SWEEPS "/pppoe.csv", SWEEPS "/uneven.csv"};
	struct fixture *fixture = *state;
	char file[128];

	for (size_t i = 0; i < sizeof(sweeps) / sizeof(sweeps[0]); i++)
		assert_given_back(fixture, sweeps[i]);
	make_log(fixture, all_kinds, file);
	assert_given_back(fixture, file);
	assert_int_equal(fixture_read_int(fixture, "SELECT count(*) FROM run"), 4);
	assert_int_equal(fixture_read_int(fixture, "SELECT count(*) FROM measurement"),
			 3 * 144 + 6);
}

static void run_says_what_is_known(void **state)
{
	struct fixture *fixture = *state;
	struct import_result result;
	struct query_run run;
	struct query *query;
	char *warning, *options;
	char file[128], expected[256];

	make_log(fixture, all_kinds, file);
	assert_int_equal(import_csv(file, fixture->db, &result, NULL), 0);
	assert_int_equal(result.visits, 6);
	assert_int_equal(result.failed, 5);
	query = fixture_query(fixture);
	assert_int_equal(query_run(query, NULL, &run, NULL), 0);
	query_close(query);
	assert_int_equal(run.id, result.run);
	assert_string_equal(run.role, "peer");
	assert_string_equal(run.info.strategy, "imported");
	assert_string_equal(query_run_state(&run), "done");
	assert_true(run.info.started_at_ms == DATE * INT64_C(1000));
	assert_true(run.ended_at_ms == DATE * INT64_C(1000));
	assert_int_equal(run.info.passes, 2);
	assert_int_equal(run.info.server_range.min, 576);
	assert_int_equal(run.info.server_range.max, 1400);
	assert_int_equal(run.info.peer_range.max, 65535);
	assert_int_equal(run.measured, 6);
	assert_int_equal(fixture_read_int(fixture,
					  "SELECT duration_ms IS NULL AND server_host "
					  "IS NULL AND peer_host IS NULL AND "
					  "server_endpoint_family IS NULL FROM run"),
			 1);
	assert_int_equal(fixture_read_int(fixture, "SELECT visits FROM results WHERE "
						   "upload_status = 'blackhole' AND "
						   "server_mtu = 1400 AND peer_mtu = "
						   "1420"),
			 2);
	warning = fixture_read_text(fixture,
				    "SELECT kind || ' ' || detail FROM run_warning");
	snprintf(expected, sizeof(expected), "imported %s", file);
	assert_string_equal(warning, expected);
	free(warning);
	options = fixture_read_text(fixture, "SELECT options ->> '$.file' FROM run");
	assert_string_equal(options, file);
	free(options);
}

static void half_written_line_is_left_out(void **state)
{
	struct fixture *fixture = *state;
	struct import_result result;
	char file[128];
	char *text;

	make_log(fixture, HEADER ROW "1280,1320,1.0", file);
	assert_int_equal(import_csv(file, fixture->db, &result, NULL), 0);
	assert_int_equal(result.cut_line, 3);
	assert_int_equal(result.visits, 1);
	text = export_run(fixture, result.run);
	assert_string_equal(text, HEADER ROW);
	free(text);
	text = fixture_read_text(fixture,
				 "SELECT outcome || ': ' || outcome_text FROM run");
	assert_string_equal(text, "interrupted: the log's last line, 3, is half "
				  "written and left out");
	free(text);
}

struct refusal {
	const char *text;
	int code;
	const char *err; /* after "nothing imported: 'FILE'" */
};

static const struct refusal refusals[] = {
	{"", -EINVAL, ", line 1, column 1: expected the header '"},
	{HEADER, -ENODATA, " has no whole line below its header"},
	{HEADER "1280,13", -ENODATA, " has no whole line below its header"},
	{HEADER ROW "1280,1300,1.000,2.000,3.000\n", -EINVAL,
	 ", line 3, column 28: expected a comma"},
};

static void refused_and_nothing_imported(void **state)
{
	struct fixture *fixture = *state;
	char file[128], expected[256];

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct import_result result = {.run = 77};
		struct err err = ERR_INIT;

		make_log(fixture, refusals[i].text, file);
		assert_int_equal(import_csv(file, fixture->db, &result, &err),
				 refusals[i].code);
		snprintf(expected, sizeof(expected), "nothing imported: '%s'%s", file,
			 refusals[i].err);
		assert_memory_equal(err.text, expected, strlen(expected));
		assert_int_equal(result.run, 77);
		assert_int_not_equal(access(fixture->db, F_OK), 0);
	}
}

static void unreadable_log(void **state)
{
	struct fixture *fixture = *state;
	struct import_result result;
	struct err err = ERR_INIT;

	assert_int_equal(import_csv("/nowhere/x.csv", fixture->db, &result, &err),
			 -ENOENT);
	assert_string_equal(err.text, "cannot open '/nowhere/x.csv': No such file or "
				      "directory");
	assert_int_equal(import_csv(fixture->folder, fixture->db, &result, &err),
			 -EISDIR);
	assert_non_null(strstr(err.text, "cannot read '"));
}

/* A failure during the import adds no run and no row, and the database's old content
 * stays. */
static void one_transaction(void **state)
{
	struct fixture *fixture = *state;
	struct import_result result = {.run = 77};
	struct err err = ERR_INIT;
	int64_t run;
	char file[128];

	fixture_close(fixture_open(fixture, 0, &run));
	fixture_exec(fixture->db, "ALTER TABLE measurement ADD COLUMN more INTEGER"
				  " CONSTRAINT no_more CHECK (seq <> 5)");
	make_log(fixture, all_kinds, file);
	assert_int_equal(import_csv(file, fixture->db, &result, &err), -EINVAL);
	assert_non_null(strstr(err.text, "no_more"));
	assert_int_equal(result.run, 77);
	assert_int_equal(fixture_read_int(fixture, "SELECT count(*) FROM run"), 1);
	assert_int_equal(fixture_read_int(fixture, "SELECT count(*) FROM measurement"),
			 0);
	assert_int_equal(fixture_read_int(fixture, "SELECT count(*) FROM run_warning"),
			 0);
	fixture_exec(fixture->db, "ALTER TABLE measurement DROP COLUMN more");
	assert_int_equal(import_csv(file, fixture->db, &result, &err), 0);
	assert_int_equal(fixture_read_int(fixture, "SELECT count(*) FROM measurement"),
			 6);
}

/* A sweep continues in the same file, and finds its place in it. */
static void beside_a_sweep(void **state)
{
	struct fixture *fixture = *state;
	struct measurement m =
		fixture_visit(1, (struct mtu_pair){1420, 1400}, 36.5, 55);
	struct import_result result;
	struct err err = ERR_INIT;
	struct store *store;
	int64_t run;
	char file[128];

	store = fixture_open(fixture, 0, &run);
	make_log(fixture, all_kinds, file);
	assert_int_equal(import_csv(file, fixture->db, &result, &err), 0);
	assert_int_not_equal(result.run, run);
	fixture_record(store, run, &m);
	fixture_close(store);
	assert_int_equal(fixture_read_int(fixture, "SELECT count(*) FROM measurement"),
			 7);
	assert_int_equal(fixture_read_int(fixture,
					  "SELECT journal_mode = 'delete' FROM "
					  "pragma_journal_mode"),
			 1);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(export_gives_it_back),
		TEST(run_says_what_is_known),
		TEST(half_written_line_is_left_out),
		TEST(refused_and_nothing_imported),
		TEST(unreadable_log),
		TEST(one_transaction),
		TEST(beside_a_sweep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

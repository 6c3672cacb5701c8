/* SPDX-License-Identifier: MIT */
/* The errors of store_open() and of writing. */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fixture.h"
#include "store/query.h"
#include "store/store.h"

/* store_open() on `path` fails with `code`, and its sentence has `text` and the path.
 */
static int check_open_fails(const char *path, int code, const char *text)
{
	struct store *store = NULL;
	struct err err = ERR_INIT;
	int r = store_open(path, &store, &err);

	if (r == code && !store && strstr(err.text, text) && strstr(err.text, path))
		return 0;
	fprintf(stderr, "'%s': %d '%s', wanted %d '%s'\n", path, r, err.text, code,
		text);
	return -1;
}

static void make_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void strange_files_are_refused(void **state)
{
	struct fixture *fixture = *state;
	char path[128];

	make_file(fixture->db,
		  "PrivateKey = and so on, which is not SQLite's header\n");
	assert_int_equal(check_open_fails(fixture->db, -EMEDIUMTYPE,
					  "is not an SQLite database"),
			 0);
	assert_int_equal(check_open_fails(fixture->folder, -EISDIR, "is a folder"), 0);
	snprintf(path, sizeof(path), "%s/no/such.db", fixture->folder);
	assert_int_equal(check_open_fails(path, -ENOENT, "No such file"), 0);
	snprintf(path, sizeof(path), "%s/sub.db", fixture->db);
	assert_int_equal(check_open_fails(path, -ENOTDIR, "Not a directory"), 0);
	snprintf(path, sizeof(path), "%s/fifo", fixture->folder);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(check_open_fails(path, -EMEDIUMTYPE, "not a regular file"), 0);
	assert_int_equal(check_open_fails(":memory:", -EINVAL, "is no name"), 0);
	assert_int_equal(check_open_fails("file:x?mode=memory", -EINVAL, "is no name"),
			 0);
	assert_int_equal(check_open_fails("", -EINVAL, "is no name"), 0);
}

static void foreign_database_is_left_alone(void **state)
{
	static const char *const makers[] = {
		"CREATE TABLE theirs (x)",
		"PRAGMA application_id = 42",
		"PRAGMA user_version = 1",
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(makers) / sizeof(*makers); i++) {
		unlink(fixture->db);
		fixture_exec(fixture->db, makers[i]);
		assert_int_equal(check_open_fails(fixture->db, -EMEDIUMTYPE,
						  "another program's database"),
				 0);
		assert_int_equal(fixture_read_int(fixture,
						  "SELECT count(*) FROM sqlite_master"
						  " WHERE name = 'run'"),
				 0);
	}
}

static void empty_file_becomes_a_database(void **state)
{
	struct fixture *fixture = *state;
	int64_t run;

	make_file(fixture->db, "");
	fixture_close(fixture_open(fixture, 0, &run));
	assert_int_equal(fixture_read_int(fixture, "PRAGMA user_version"), 2);
}

static void newer_database_is_refused(void **state)
{
	struct fixture *fixture = *state;
	int64_t run;

	fixture_close(fixture_open(fixture, 0, &run));
	fixture_exec(fixture->db, "PRAGMA user_version = 3");
	assert_int_equal(check_open_fails(fixture->db, -EOVERFLOW, "newer mtusweep"),
			 0);
}

static void earlier_build_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct query *query;
	struct err err = ERR_INIT;
	int64_t run;

	fixture_close(fixture_open(fixture, 0, &run));
	fixture_exec(fixture->db, "ALTER TABLE run DROP COLUMN process");
	assert_int_equal(
		check_open_fails(fixture->db, -EMEDIUMTYPE,
				 "before the first release: its table 'run' has "
				 "no column 'process'"),
		0);
	assert_int_equal(query_open(fixture->db, &query, &err), -EMEDIUMTYPE);
	assert_non_null(strstr(err.text, "before the first release"));
}

static void damaged_database_is_reported(void **state)
{
	struct fixture *fixture = *state;
	char junk[4096];
	int64_t run;
	int fd;

	fixture_close(fixture_open(fixture, 0, &run));
	memset(junk, 0xa5, sizeof(junk));
	fd = open(fixture->db, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, junk, sizeof(junk) - 100, 100), sizeof(junk) - 100);
	close(fd);
	assert_int_equal(check_open_fails(fixture->db, -EUCLEAN, "is damaged"), 0);
}

static int open_what_is_not_ours(struct fixture *fixture)
{
	CHECK(fixture_become_nobody() == 0);
	return check_open_fails(fixture->db, -EACCES, "as uid 65534: the file");
}

static void unwritable_file_is_reported(void **state)
{
	struct fixture *fixture = *state;
	int64_t run;

	struct store *store = fixture_open(fixture, 0, &run);

	/* In WAL mode, opening the file needs no write. */
	fixture_in_child(open_what_is_not_ours, fixture);
	fixture_close(store);
	fixture_in_child(open_what_is_not_ours, fixture);
}

static int make_where_we_may_not(struct fixture *fixture)
{
	CHECK(fixture_become_nobody() == 0);
	return check_open_fails(fixture->db, -EACCES, "as uid 65534: its folder");
}

static void unwritable_folder_is_reported(void **state)
{
	struct fixture *fixture = *state;
	int64_t run;

	fixture_in_child(make_where_we_may_not, fixture);
	fixture_close(fixture_open(fixture, 0, &run));
	assert_int_equal(chmod(fixture->db, 0666), 0);
	fixture_in_child(make_where_we_may_not, fixture);
}

/* This takes the five seconds that store_open() waits. */
static void locked_database_is_reported(void **state)
{
	struct fixture *fixture = *state;
	sqlite3 *other;
	int64_t run;

	fixture_close(fixture_open(fixture, 0, &run));
	assert_int_equal(sqlite3_open(fixture->db, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL),
			 SQLITE_OK);
	assert_int_equal(
		check_open_fails(fixture->db, -EBUSY, "locked by another program"), 0);
	sqlite3_close(other);
}

static void file_that_is_moved_away_is_noticed(void **state)
{
	struct fixture *fixture = *state;
	struct measurement m = fixture_visit(1, (struct mtu_pair){1420, 1400}, 1, 1);
	struct err err = ERR_INIT;
	int64_t run;
	struct store *store = fixture_open(fixture, 0, &run);

	assert_int_equal(unlink(fixture->db), 0);
	assert_int_equal(store_record(store, run, &m, &err), -ESTALE);
	assert_non_null(strstr(err.text, "moved or removed"));
	store_close(store, NULL);
}

/* Mount a small file system over the fixture's folder; it disappears with this
 * process. */
static int mount_small(struct fixture *fixture, const char *size)
{
	char options[64];

	snprintf(options, sizeof(options), "mode=0755,size=%s", size);
	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(mount("tmpfs", fixture->folder, "tmpfs", 0, options) == 0);
	return 0;
}

static int make_on_a_full_disk(struct fixture *fixture)
{
	CHECK(mount_small(fixture, "16k") == 0);
	/* Nothing was stored before. */
	return check_open_fails(fixture->db, -ENOSPC,
				"the disk is full; free some space");
}

static int count_measurement(void *ctx, const struct measurement *m)
{
	int *count = ctx;

	++*count;
	return m->seq == (uint32_t)*count ? 0 : -EBADMSG;
}

static int fill_disk(struct fixture *fixture)
{
	struct measurement m = fixture_visit(1, (struct mtu_pair){1420, 1400}, 1, 1);
	struct run_info info = fixture_run(0);
	struct query *query = NULL;
	struct store *store = NULL;
	struct err err = ERR_INIT;
	int stored = 0;
	int found = 0;
	int64_t run;
	int r = 0;

	CHECK(mount_small(fixture, "512k") == 0);
	CHECK(store_open(fixture->db, &store, &err) == 0);
	CHECK(store_begin_record(store, &info, NULL, &run, &err) == 0);
	while (r == 0 && m.seq < 100000) {
		r = store_record(store, run, &m, &err);
		stored += r == 0;
		m.seq++;
	}
	CHECK(r == -ENOSPC);
	CHECK(strstr(err.text, "the disk is full; what was stored before is safe") &&
	      strstr(err.text, fixture->db));
	CHECK(stored > 10);
	CHECK(query_open(fixture->db, &query, &err) == 0);
	CHECK(query_measurements(query, run, count_measurement, &found, &err) == 0);
	CHECK(found == stored);
	query_close(query);
	store_close(store, &err);
	return 0;
}

static void full_disk_is_reported(void **state)
{
	fixture_in_child(make_on_a_full_disk, *state);
	fixture_in_child(fill_disk, *state);
}

static int write_read_only(struct fixture *fixture)
{
	CHECK(mount_small(fixture, "512k") == 0);
	CHECK(mount(NULL, fixture->folder, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
	return check_open_fails(fixture->db, -EROFS, "Read-only file system");
}

static void read_only_file_system_is_reported(void **state)
{
	fixture_in_child(write_read_only, *state);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(strange_files_are_refused),
		TEST(foreign_database_is_left_alone),
		TEST(empty_file_becomes_a_database),
		TEST(newer_database_is_refused),
		TEST(earlier_build_is_refused),
		TEST(damaged_database_is_reported),
		TEST(unwritable_file_is_reported),
		TEST(unwritable_folder_is_reported),
		TEST(locked_database_is_reported),
		TEST(file_that_is_moved_away_is_noticed),
		TEST(full_disk_is_reported),
		TEST(read_only_file_system_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

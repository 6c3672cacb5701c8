/* SPDX-License-Identifier: MIT */
/*
 * The server's copies of runs: only its own peer can open a run, its rows are never
 * replaced, and a peer's own record in the same file is not touched.
 */

#include "store/store.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "fixture.h"
#include "store/secrets.h"

#define SECRET "0123456789abcdef0123456789abcdef"
#define ALMOST "0123456789abcdef0123456789abcdee"

static struct store *open_store(const struct fixture *fixture)
{
	struct store *store = NULL;
	struct err err = ERR_INIT;

	if (store_open(fixture->db, &store, &err) < 0)
		fail_msg("%s", err.text);
	return store;
}

/* Return the result; *ret_known is -1 if the copy was not begun. */
static int begin_copy(struct store *store, const struct run_info *info,
		      const char *secret, int64_t *ret_run, int *ret_known)
{
	struct err err = ERR_INIT;
	bool known;
	int r = store_begin_copy(store, info, secret, ret_run, &known, &err);

	*ret_known = r < 0 ? -1 : known;
	if (r < 0)
		assert_string_not_equal(err.text, "");
	return r;
}

static void check_outcome(const struct fixture *fixture, const char *expected)
{
	char *text = fixture_read_text(fixture, "SELECT outcome || '/' || outcome_text"
						" || '/' || role FROM run");

	assert_string_equal(text, expected);
	free(text);
}

static void only_its_own_peer_reopens_a_run(void **state)
{
	struct fixture *fixture = *state;
	struct run_info info = fixture_run(0);
	struct run_info neighbour = info;
	struct store *store = open_store(fixture);
	int64_t run, again;
	int known;

	strcpy(neighbour.peer.address, "10.0.0.3");
	assert_int_equal(begin_copy(store, &info, SECRET, &run, &known), 0);
	assert_int_equal(known, 0);
	assert_int_equal(store_end_run(store, run, RUN_DONE, "over", NULL), 0);
	fixture_close(store);

	store = open_store(fixture);
	assert_int_equal(begin_copy(store, &info, ALMOST, &again, &known), -EACCES);
	assert_int_equal(begin_copy(store, &info, "", &again, &known), -EACCES);
	assert_int_equal(begin_copy(store, &neighbour, ALMOST, &again, &known),
			 -EACCES);
	assert_int_equal(begin_copy(store, &neighbour, SECRET, &again, &known),
			 -EACCES);
	check_outcome(fixture, "done/over/server");
	assert_int_equal(begin_copy(store, &info, SECRET, &again, &known), 0);
	assert_int_equal(again, run);
	assert_int_equal(known, 1);
	check_outcome(fixture, "running//server");
	fixture_close(store);
}

/* Once the path was probed, a run may need smaller MTUs; it never gets fewer. */
static void ranges_begin_lower_later(void **state)
{
	static const char ranges[] =
		"SELECT server_mtu_min * 10000 + peer_mtu_min FROM run";
	struct fixture *fixture = *state;
	struct run_info info = fixture_run(0);
	struct store *store = open_store(fixture);
	int64_t run;
	int known;

	info.server_range.min = info.peer_range.min = 1280;
	assert_int_equal(begin_copy(store, &info, SECRET, &run, &known), 0);
	info.server_range.min = 1220;
	assert_int_equal(begin_copy(store, &info, SECRET, &run, &known), 0);
	assert_int_equal(fixture_read_int(fixture, ranges), 12201280);
	info.server_range.min = 1300;
	assert_int_equal(begin_copy(store, &info, SECRET, &run, &known), 0);
	assert_int_equal(fixture_read_int(fixture, ranges), 12201280);
	fixture_close(store);
}

/* A run of an earlier version, or one whose file of secrets was lost. */
static void a_run_without_a_secret_is_nobodys(void **state)
{
	struct fixture *fixture = *state;
	struct run_info info = fixture_run(0);
	struct store *store = open_store(fixture);
	char secrets[128], kept[TOKEN_SIZE];
	int64_t run;
	int known;

	assert_int_equal(begin_copy(store, &info, SECRET, &run, &known), 0);
	snprintf(secrets, sizeof(secrets), "%s" SECRETS_SUFFIX, fixture->db);
	assert_int_equal(unlink(secrets), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(begin_copy(store, &info, SECRET, &run, &known),
				 -EACCES);
	assert_int_equal(store_find_secret(store, info.uuid, kept, NULL), -ENOENT);
	fixture_close(store);
}

/* The peer waits for the answer to its open, and gives up after 2 s. */
static void locked_secrets_are_waited_for_as_told(void **state)
{
	struct fixture *fixture = *state;
	struct run_info info = fixture_run(0);
	struct run_info next = fixture_run(1);
	struct store *store = open_store(fixture);
	int64_t run, started_ms;
	char secrets[128];
	sqlite3 *other;
	int known;

	assert_int_equal(begin_copy(store, &info, SECRET, &run, &known), 0);
	snprintf(secrets, sizeof(secrets), "%s" SECRETS_SUFFIX, fixture->db);
	assert_int_equal(sqlite3_open(secrets, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL), 0);
	store_set_patience(store, 100);
	started_ms = clock_boot_ms();
	assert_int_equal(begin_copy(store, &info, SECRET, &run, &known), -EBUSY);
	assert_int_equal(begin_copy(store, &next, SECRET, &run, &known), -EBUSY);
	assert_int_equal(store_keep_secret(store, next.uuid, SECRET, NULL), -EBUSY);
	assert_in_range(clock_boot_ms() - started_ms, 0, STORE_PATIENCE_MS - 1);
	assert_int_equal(sqlite3_close(other), SQLITE_OK);
	assert_int_equal(begin_copy(store, &next, SECRET, &run, &known), 0);
	fixture_close(store);
}

static void looking_for_a_secret_makes_no_file(void **state)
{
	struct fixture *fixture = *state;
	struct run_info info = fixture_run(0);
	struct store *store = open_store(fixture);
	char secrets[128], kept[TOKEN_SIZE];
	struct err err = ERR_INIT;
	FILE *empty;

	snprintf(secrets, sizeof(secrets), "%s" SECRETS_SUFFIX, fixture->db);
	assert_int_equal(store_find_secret(store, info.uuid, kept, &err), -ENOENT);
	assert_non_null(strstr(err.text, secrets));
	assert_int_equal(access(secrets, F_OK), -1);
	/* A program was killed before it made the table. */
	empty = fopen(secrets, "w");
	assert_non_null(empty);
	assert_int_equal(fclose(empty), 0);
	assert_int_equal(chmod(secrets, 0600), 0);
	assert_int_equal(store_find_secret(store, info.uuid, kept, NULL), -ENOENT);
	assert_int_equal(store_keep_secret(store, info.uuid, SECRET, NULL), 0);
	assert_int_equal(store_find_secret(store, info.uuid, kept, NULL), 0);
	fixture_close(store);
}

/* To close any descriptor of a file drops this process' locks on it (POSIX). */
static int keeps_locks(struct fixture *fixture)
{
	struct run_info info = fixture_run(0);
	struct store *store = open_store(fixture);
	char secrets[128], kept[TOKEN_SIZE], lock[200];
	sqlite3 *other;

	snprintf(secrets, sizeof(secrets), "%s" SECRETS_SUFFIX, fixture->db);
	CHECK(store_keep_secret(store, info.uuid, SECRET, NULL) == 0);
	CHECK(sqlite3_open(secrets, &other) == SQLITE_OK);
	CHECK(sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL) == SQLITE_OK);
	store_set_patience(store, 10);
	CHECK(store_find_secret(store, info.uuid, kept, NULL) == -EBUSY);
	CHECK(store_keep_secret(store, info.uuid, SECRET, NULL) == -EBUSY);
	/* Another process is still kept out. */
	snprintf(lock, sizeof(lock), "sqlite3 %s 'SELECT * FROM secret' 2>/dev/null",
		 secrets);
	CHECK(system(lock) != 0);
	CHECK(sqlite3_close(other) == SQLITE_OK);
	CHECK(system(lock) == 0);
	CHECK(store_close(store, NULL) == 0);
	return 0;
}

static void locks_on_the_secrets_last(void **state)
{
	fixture_in_child(keeps_locks, *state);
}

static void secrets_are_their_owners(void **state)
{
	struct fixture *fixture = *state;
	struct run_info info = fixture_run(0);
	struct store *store = open_store(fixture);
	struct err err = ERR_INIT;
	char secrets[128], kept[TOKEN_SIZE];
	struct stat st;

	snprintf(secrets, sizeof(secrets), "%s" SECRETS_SUFFIX, fixture->db);
	assert_int_equal(store_keep_secret(store, info.uuid, SECRET, NULL), 0);
	assert_int_equal(stat(secrets, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* The first secret stays. */
	assert_int_equal(store_keep_secret(store, info.uuid, ALMOST, NULL), 0);
	assert_int_equal(store_find_secret(store, info.uuid, kept, NULL), 0);
	assert_string_equal(kept, SECRET);
	assert_int_equal(fixture_read_int(fixture, "SELECT count(*) FROM sqlite_master"
						   " WHERE sql LIKE '%secret%'"),
			 0);
	assert_int_equal(chmod(secrets, 0640), 0);
	assert_int_equal(store_find_secret(store, info.uuid, kept, &err), -EPERM);
	assert_non_null(strstr(err.text, secrets));
	assert_int_equal(unlink(secrets), 0);
	assert_int_equal(symlink("/dev/null", secrets), 0);
	assert_int_equal(store_keep_secret(store, info.uuid, SECRET, &err), -EPERM);
	assert_non_null(strstr(err.text, "is a symbolic link: remove it"));
	fixture_close(store);
}

static int give_away(const char *path)
{
	return chown(path, 1, 1);
}

static int open_to_others(const char *path)
{
	return chmod(path, 0644);
}

static int make_link(const char *path)
{
	return unlink(path) < 0 ? -1 : symlink("/dev/null", path);
}

static int make_folder(const char *path)
{
	return unlink(path) < 0 ? -1 : mkdir(path, 0700);
}

static int fill_with_junk(const char *path)
{
	FILE *file = fopen(path, "w");

	if (!file)
		return -1;
	for (int i = 0; i < 1000; i++)
		fputs("junk ", file);
	return fclose(file);
}

/* Before a run begins, and with what to do. */
static void unusable_secrets_are_refused(void **state)
{
	static const struct {
		int (*spoil)(const char *path);
		const char *text;
	} cases[] = {
		{give_away, "belongs to uid 1, and this program runs as uid 0: give "},
		{open_to_others, "is open to others: run chmod 0600"},
		{make_link, "is a symbolic link: remove it"},
		{make_folder, "is a folder: remove it"},
		{fill_with_junk, "is not one, or is damaged: remove it"},
	};
	struct fixture *fixture = *state;
	struct run_info info = fixture_run(0);
	struct store *store = open_store(fixture);
	char secrets[128];

	snprintf(secrets, sizeof(secrets), "%s" SECRETS_SUFFIX, fixture->db);
	assert_int_equal(store_check_secrets(store, NULL), 0);
	assert_int_equal(access(secrets, F_OK), -1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(store_keep_secret(store, info.uuid, SECRET, NULL), 0);
		assert_int_equal(store_check_secrets(store, NULL), 0);
		assert_int_equal(cases[i].spoil(secrets), 0);
		assert_int_equal(store_check_secrets(store, &err), -EPERM);
		assert_non_null(strstr(err.text, secrets));
		assert_non_null(strstr(err.text, cases[i].text));
		assert_int_equal(remove(secrets), 0);
	}
	fixture_close(store);
}

static void a_row_is_not_replaced(void **state)
{
	struct fixture *fixture = *state;
	struct run_info info = fixture_run(0);
	struct store *store = open_store(fixture);
	struct measurement m = fixture_visit(1, (struct mtu_pair){1420, 1400}, 40, 50);
	struct measurement forged = m;
	struct err err = ERR_INIT;
	int64_t run;
	int known;

	forged.dir[DIR_UPLOAD].goodput_high_bps += 1;
	assert_int_equal(begin_copy(store, &info, SECRET, &run, &known), 0);
	assert_int_equal(store_check_row(store, run, &m, &err), -EINVAL);
	assert_int_equal(store_record(store, run, &m, NULL), 0);
	assert_int_equal(store_record(store, run, &m, NULL), 0);
	assert_int_equal(store_check_row(store, run, &m, NULL), 0);
	assert_int_equal(store_record(store, run, &forged, &err), -EINVAL);
	assert_int_equal(store_check_row(store, run, &forged, NULL), -EINVAL);
	assert_int_equal(fixture_read_int(fixture, "SELECT upload_goodput_high_bps"
						   " FROM measurement"),
			 m.dir[DIR_UPLOAD].goodput_high_bps);
	fixture_close(store);
}

/* The record contains more than the messages do. */
static void check_record_untouched(const struct fixture *fixture)
{
	check_outcome(fixture, "running//peer");
	assert_int_equal(fixture_read_int(fixture, "SELECT count(*) FROM measurement"),
			 1);
	assert_int_equal(fixture_read_int(fixture,
					  "SELECT (SELECT count(*) FROM run_warning) +"
					  " (SELECT count(*) FROM path) +"
					  " (SELECT count(*) FROM recommendation)"),
			 0);
}

static void the_peers_record_stays_the_peers(void **state)
{
	struct fixture *fixture = *state;
	struct run_info info = fixture_run(0);
	struct path_survey survey = {.path.overhead = {60, 60}};
	struct measurement m = fixture_visit(1, (struct mtu_pair){1420, 1400}, 40, 50);
	struct measurement cut = m;
	struct store *peer = open_store(fixture);
	struct store *server = open_store(fixture);
	const struct evidence evidence = {.mtu = m.mtu};
	int64_t run, record;
	int known;

	strcpy(m.dir[DIR_UPLOAD].text, "all of the sentence");
	strcpy(cut.dir[DIR_UPLOAD].text, "all of the");
	assert_int_equal(begin_copy(server, &info, SECRET, &run, &known), 0);
	assert_int_equal(store_keep_secret(peer, info.uuid, SECRET, NULL), 0);
	assert_int_equal(store_begin_record(peer, &info, "{}", &record, NULL), 0);
	assert_int_equal(record, run);
	assert_int_equal(store_record(peer, run, &m, NULL), 0);

	assert_int_equal(begin_copy(server, &info, ALMOST, &run, &known), -EACCES);
	assert_int_equal(begin_copy(server, &info, SECRET, &run, &known), 0);
	assert_int_equal(store_record(server, run, &cut, NULL), 0);
	cut.seq = 2;
	assert_int_equal(store_record(server, run, &cut, NULL), -EINVAL);
	assert_int_equal(
		store_warn(server, run, &(struct warning){.detail = "forged"}, NULL),
		0);
	assert_int_equal(store_put_path(server, run, &survey, NULL), 0);
	assert_int_equal(store_recommend(server, run, &evidence, NULL), 0);
	assert_int_equal(store_end_run(server, run, RUN_DONE, "forged", NULL), 0);
	check_record_untouched(fixture);
	/* The other store still has the file open. */
	assert_int_equal(store_close(peer, NULL), -EBUSY);
	fixture_close(server);
}

/* On a small file system of its own, 1 MiB. */
static int leaves_room(struct fixture *fixture)
{
	struct run_info info = fixture_run(0);
	struct measurement m = fixture_visit(1, (struct mtu_pair){1420, 1400}, 40, 50);
	struct store *store;
	static const char block[4096];
	char filler[128];
	int64_t run;
	FILE *file;
	bool known;

	CHECK(mount("none", fixture->folder, "tmpfs", 0, "size=1m") == 0);
	store = open_store(fixture);
	CHECK(store_begin_copy(store, &info, SECRET, &run, &known, NULL) == 0);
	CHECK(store_record(store, run, &m, NULL) == 0);
	snprintf(filler, sizeof(filler), "%s/filler", fixture->folder);
	file = fopen(filler, "w");
	CHECK(file);
	setbuf(file, NULL);
	for (m.seq = 2; m.seq < 300; m.seq++) {
		CHECK(fwrite(block, sizeof(block), 1, file) == 1);
		if (store_record(store, run, &m, NULL) == -ENOSPC)
			break;
	}
	/* One page is left all the same, and all earlier rows are still there. */
	CHECK(m.seq < 300);
	CHECK(fwrite(block, sizeof(block), 1, file) == 1);
	m.seq = 1;
	CHECK(store_check_row(store, run, &m, NULL) == 0);
	CHECK(store_begin_copy(store, &info, SECRET, &run, &known, NULL) == -ENOSPC);
	fclose(file);
	CHECK(store_close(store, NULL) == 0);
	CHECK(umount2(fixture->folder, MNT_DETACH) == 0);
	return 0;
}

static void a_copy_leaves_room_on_the_disk(void **state)
{
	fixture_in_child(leaves_room, *state);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_its_own_peer_reopens_a_run),
		TEST(ranges_begin_lower_later),
		TEST(a_run_without_a_secret_is_nobodys),
		TEST(locked_secrets_are_waited_for_as_told),
		TEST(looking_for_a_secret_makes_no_file),
		TEST(locks_on_the_secrets_last),
		TEST(secrets_are_their_owners),
		TEST(unusable_secrets_are_refused),
		TEST(a_row_is_not_replaced),
		TEST(the_peers_record_stays_the_peers),
		TEST(a_copy_leaves_room_on_the_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

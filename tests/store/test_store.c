/* SPDX-License-Identifier: MIT */
/* store/store.c on real SQLite files: the stored values, the time of storing, and the
 * readers. */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fixture.h"
#include "store/query.h"
#include "store/store.h"

#define ROWS_BEFORE_KILL 4

static void new_database_is_marked(void **state)
{
	struct fixture *fixture = *state;
	struct store *store = NULL;
	struct stat st;

	assert_int_equal(store_open(fixture->db, &store, NULL), 0);
	fixture_close(store);
	assert_int_equal(fixture_read_int(fixture, "PRAGMA user_version"), 2);
	assert_int_equal(fixture_read_int(fixture, "PRAGMA application_id"),
			 0x4d545553);
	assert_int_equal(stat(fixture->db, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
}

static void run_row_keeps_every_field(void **state)
{
	static const struct {
		const char *column;
		const char *text;
	} table[] = {
		{"uuid", "abcd0000-1111-4222-8333-444444444444"},
		{"role", "peer"},
		{"started_at", "2026-11-22T12:20:39.123Z"},
		{"ended_at", "(null)"},
		{"outcome", "running"},
		{"strategy", "grid"},
		{"passes", "3"},
		{"seed", "18446744073709551615"},
		{"duration_ms", "5000"},
		{"congestion", "bbr"},
		{"persist", "best"},
		{"pairs_planned", "12"},
		{"options", "{\"passes\":3}"},
		{"server_host", "hub"},
		{"server_interface", "wg0"},
		{"server_address", "10.0.0.1"},
		{"server_link_mtu", "1420"},
		{"server_backend", "kernel"},
		{"server_endpoint_family", "4"},
		{"server_versions", "mtusweep 0.1.0, SQLite 3.40.1"},
		{"server_mtu_min", "1280"},
		{"server_mtu_max", "1500"},
		{"server_mtu_step", "20"},
		{"peer_host", "laptop"},
		{"peer_backend", "userspace"},
		{"peer_endpoint_family", "(null)"},
		{"peer_mtu_step", "10"},
	};
	struct fixture *fixture = *state;
	struct run_info info = fixture_run(0);
	struct store *store = NULL;
	int64_t run;

	info.peer.endpoint_family = 0;
	assert_int_equal(store_open(fixture->db, &store, NULL), 0);
	assert_int_equal(store_begin_record(store, &info, "{\"passes\":3}", &run, NULL),
			 0);
	fixture_close(store);
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		char sql[64];
		char *text;

		snprintf(sql, sizeof(sql), "SELECT %s FROM run", table[i].column);
		text = fixture_read_text(fixture, sql);
		assert_string_equal(text, table[i].text);
		free(text);
	}
}

static void measurement_comes_back_whole(void **state)
{
	struct fixture *fixture = *state;
	struct measurement m =
		fixture_visit(9, (struct mtu_pair){1420, 1400}, 36.5, -TEST_TIMEOUT);
	struct measurement back;
	struct store *store;
	int64_t run;

	m.pass = 2;
	store = fixture_open(fixture, 0, &run);
	assert_int_equal(store_record(store, run, &m, NULL), 0);
	memset(&back, 0xff, sizeof(back));
	assert_int_equal(store_next_unacknowledged(store, run, 0, &back, NULL), 0);
	assert_int_equal(back.seq, 9);
	assert_int_equal(back.pass, 2);
	assert_memory_equal(&back.mtu, &m.mtu, sizeof(m.mtu));
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		const struct dir_result *was = &m.dir[dir];
		const struct dir_result *is = &back.dir[dir];

		assert_int_equal(is->status, was->status);
		assert_string_equal(is->text, was->text);
		assert_int_equal(is->sent_bps, was->sent_bps);
		assert_int_equal(is->received_bps, was->received_bps);
		assert_int_equal(is->goodput_bps, was->goodput_bps);
		assert_int_equal(is->goodput_low_bps, was->goodput_low_bps);
		assert_int_equal(is->goodput_high_bps, was->goodput_high_bps);
		assert_int_equal(is->retransmits, was->retransmits);
		assert_int_equal(is->rtt_us, was->rtt_us);
		assert_int_equal(is->packet_bytes, was->packet_bytes);
		assert_int_equal(is->latency_idle_us, was->latency_idle_us);
		assert_int_equal(is->latency_idle_p95_us, was->latency_idle_p95_us);
		assert_int_equal(is->latency_us, was->latency_us);
		assert_int_equal(is->latency_p95_us, was->latency_p95_us);
		assert_int_equal(is->started_at_ms, was->started_at_ms);
		assert_int_equal(is->duration_ms, was->duration_ms);
	}
	fixture_close(store);
	assert_int_equal(fixture_read_int(fixture,
					  "SELECT download_sent_bps IS NULL AND"
					  " download_rtt_us IS NULL AND"
					  " download_started_at IS NULL AND"
					  " download_duration_ms IS NULL"
					  " FROM measurement"),
			 1);
	assert_int_equal(fixture_read_int(fixture,
					  "SELECT upload_packet_bytes = 1380 AND"
					  " download_packet_bytes IS NULL"
					  " FROM measurement_detail WHERE seq = 9"),
			 1);
}

static void record_is_idempotent(void **state)
{
	struct fixture *fixture = *state;
	struct mtu_pair mtu = {1420, 1400};
	struct measurement m = fixture_visit(1, mtu, 36.5, 55);
	int64_t run;
	struct store *store = fixture_open(fixture, 0, &run);

	assert_int_equal(store_record(store, run, &m, NULL), 0);
	assert_int_equal(store_acknowledge(store, run, 1, NULL), 0);
	assert_int_equal(store_record(store, run, &m, NULL), 0);
	/* Another row with the same number is not taken for it. */
	m.dir[DIR_UPLOAD].retransmits++;
	assert_int_equal(store_record(store, run, &m, NULL), -EINVAL);
	m.dir[DIR_UPLOAD].retransmits--;
	m.dir[DIR_DOWNLOAD].packet_bytes++;
	assert_int_equal(store_record(store, run, &m, NULL), -EINVAL);
	m = fixture_visit(1, (struct mtu_pair){1500, 1500}, 99, 99);
	assert_int_equal(store_record(store, run, &m, NULL), -EINVAL);
	fixture_close(store);
	assert_int_equal(fixture_read_int(fixture, "SELECT count(*) FROM measurement"),
			 1);
	assert_int_equal(
		fixture_read_int(fixture, "SELECT acknowledged FROM measurement"), 1);
	assert_int_equal(
		fixture_read_int(fixture, "SELECT server_mtu FROM measurement"), 1420);
}

static void impossible_row_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct measurement m = fixture_visit(1, (struct mtu_pair){100, 1400}, 1, 1);
	struct err err = ERR_INIT;
	int64_t run;
	struct store *store = fixture_open(fixture, 0, &run);

	assert_int_equal(store_record(store, run, &m, &err), -EINVAL);
	assert_non_null(strstr(err.text, "refused a row"));
	m.mtu.server = 1400;
	assert_int_equal(store_record(store, run + 1, &m, &err), -EINVAL);
	fixture_close(store);
	assert_int_equal(fixture_read_int(fixture, "SELECT count(*) FROM measurement"),
			 0);
}

static void same_uuid_continues_the_run(void **state)
{
	struct fixture *fixture = *state;
	struct run_info info = fixture_run(0);
	int64_t first, again, other;
	struct store *store = fixture_open(fixture, 0, &first);

	assert_int_equal(
		store_end_run(store, first, RUN_INTERRUPTED, "stopped by SIGINT", NULL),
		0);
	assert_int_equal(fixture_read_int(fixture,
					  "SELECT count(*) FROM run WHERE ended_at IS "
					  "NOT NULL AND outcome = 'interrupted' AND "
					  "outcome_text = 'stopped by SIGINT'"),
			 1);
	fixture_close(store);
	store = fixture_open(fixture, 1, &other);
	assert_int_equal(store_begin_record(store, &info, "{}", &again, NULL), 0);
	assert_int_equal(again, first);
	assert_int_not_equal(other, first);
	fixture_close(store);
	assert_int_equal(fixture_read_int(fixture,
					  "SELECT count(*) FROM run WHERE outcome = "
					  "'running' AND ended_at IS NULL AND "
					  "outcome_text = ''"),
			 2);
	assert_int_equal(
		fixture_read_int(fixture,
				 "SELECT count(*) FROM run WHERE role = 'peer'"),
		2);
}

static void rows_wait_until_acknowledged(void **state)
{
	struct fixture *fixture = *state;
	struct mtu_pair mtu = {1420, 1400};
	struct measurement m;
	int64_t run, other;
	struct store *store = fixture_open(fixture, 0, &run);
	struct run_info info = fixture_run(1);

	assert_int_equal(store_begin_record(store, &info, NULL, &other, NULL), 0);
	for (uint32_t seq = 1; seq <= 4; seq++) {
		/* Not in the order of the table. */
		mtu.server = 1500 - 20 * (int)seq;
		m = fixture_visit(seq, mtu, 1, 1);
		assert_int_equal(store_record(store, run, &m, NULL), 0);
	}
	assert_int_equal(store_acknowledge(store, run, 1, NULL), 0);
	assert_int_equal(store_acknowledge(store, run, 3, NULL), 0);
	assert_int_equal(store_next_unacknowledged(store, run, 1, &m, NULL), 0);
	assert_int_equal(m.seq, 2);
	assert_int_equal(store_next_unacknowledged(store, run, 3, &m, NULL), 0);
	assert_int_equal(m.seq, 4);
	assert_int_equal(store_next_unacknowledged(store, run, 5, &m, NULL), -ENOENT);
	assert_int_equal(store_next_unacknowledged(store, other, 1, &m, NULL), -ENOENT);
	fixture_close(store);
}

static void warnings_are_kept_once_a_run(void **state)
{
	struct fixture *fixture = *state;
	int64_t run;
	struct store *store = fixture_open(fixture, 0, &run);

	assert_int_equal(
		store_warn(store, run,
			   &(struct warning){.detail = "tcp_mtu_probing is on"}, NULL),
		0);
	assert_int_equal(
		store_warn(store, run,
			   &(struct warning){.detail = "tcp_mtu_probing is on"}, NULL),
		0);
	assert_int_equal(store_warn(store, run,
				    &(struct warning){.detail = "a route has an mtu"},
				    NULL),
			 0);
	fixture_close(store);
	assert_int_equal(fixture_read_int(fixture, "SELECT count(*) FROM run_warning"),
			 2);
}

static void journal_mode_follows_the_run(void **state)
{
	struct fixture *fixture = *state;
	char wal[128];
	char *mode;
	int64_t run;
	struct store *store = fixture_open(fixture, 0, &run);

	snprintf(wal, sizeof(wal), "%s-wal", fixture->db);
	mode = fixture_read_text(fixture, "PRAGMA journal_mode");
	assert_string_equal(mode, "wal");
	free(mode);
	assert_int_equal(access(wal, F_OK), 0);
	fixture_close(store);
	mode = fixture_read_text(fixture, "PRAGMA journal_mode");
	assert_string_equal(mode, "delete");
	free(mode);
	assert_int_equal(access(wal, F_OK), -1);
}

/* A run that was looked for, and stopped before it wrote a row. */
static void nothing_written_leaves_no_log(void **state)
{
	struct fixture *fixture = *state;
	struct err err = ERR_INIT;
	struct store *store;
	char log[128];
	int64_t run;

	fixture_close(fixture_open(fixture, 0, &run));
	assert_int_equal(store_open(fixture->db, &store, &err), 0);
	query_close(fixture_query(fixture));
	assert_int_equal(store_close(store, &err), 0);
	snprintf(log, sizeof(log), "%s-wal", fixture->db);
	assert_int_equal(access(log, F_OK), -1);
	snprintf(log, sizeof(log), "%s-shm", fixture->db);
	assert_int_equal(access(log, F_OK), -1);
}

/* A reader that stays: everything is stored, but the file's owner must be warned. */
static void reader_at_the_end_is_reported(void **state)
{
	struct fixture *fixture = *state;
	struct err err = ERR_INIT;
	sqlite3 *reader;
	int64_t run;
	struct store *store = fixture_open(fixture, 0, &run);

	assert_int_equal(sqlite3_open(fixture->db, &reader), SQLITE_OK);
	assert_int_equal(sqlite3_exec(reader, "SELECT * FROM run", NULL, NULL, NULL),
			 SQLITE_OK);
	assert_int_equal(store_close(store, &err), -EBUSY);
	assert_non_null(strstr(err.text, "-wal'"));
	sqlite3_close(reader);
	assert_int_equal(fixture_read_int(fixture, "SELECT count(*) FROM run"), 1);
}

static int count_run(void *ctx, const struct query_run *run)
{
	*(int *)ctx += run->measured;
	return 0;
}

static int read_as_nobody(struct fixture *fixture)
{
	struct err err = ERR_INIT;
	struct query *query = NULL;
	int rows = 0;

	CHECK(fixture_become_nobody() == 0);
	if (query_open(fixture->db, &query, &err) < 0)
		fprintf(stderr, "%s\n", err.text);
	CHECK(query);
	CHECK(query_runs(query, count_run, &rows, &err) == 0);
	query_close(query);
	CHECK(rows == ROWS_BEFORE_KILL);
	return 0;
}

static void write_rows(struct store *store, int64_t run, int told_fd)
{
	for (uint32_t seq = 1; seq <= ROWS_BEFORE_KILL; seq++) {
		struct measurement m = fixture_visit(
			seq, (struct mtu_pair){1280, 1280 + 20 * (int)seq}, 1, 1);

		if (store_record(store, run, &m, NULL) < 0)
			_exit(1);
		if (told_fd >= 0 && write(told_fd, "", 1) != 1)
			_exit(1);
	}
}

static void other_users_can_read(void **state)
{
	struct fixture *fixture = *state;
	int64_t run;
	struct store *store = fixture_open(fixture, 0, &run);

	write_rows(store, run, -1);
	fixture_in_child(read_as_nobody, fixture);
	fixture_close(store);
	fixture_in_child(read_as_nobody, fixture);
}

static void kill_loses_no_row(void **state)
{
	struct fixture *fixture = *state;
	struct store *store;
	char wal[128];
	int64_t run;
	char told;
	int fds[2];
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		store = fixture_open(fixture, 0, &run);
		write_rows(store, run, fds[1]);
		pause();
		_exit(1);
	}
	close(fds[1]);
	for (int i = 0; i < ROWS_BEFORE_KILL; i++)
		assert_int_equal(read(fds[0], &told, 1), 1);
	close(fds[0]);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);

	/* Reading leaves the files of the crash, whoever reads. */
	snprintf(wal, sizeof(wal), "%s-wal", fixture->db);
	fixture_in_child(read_as_nobody, fixture);
	query_close(fixture_query(fixture));
	assert_int_equal(access(wal, F_OK), 0);
	fixture_close(fixture_open(fixture, 0, &run));
	assert_int_equal(access(wal, F_OK), -1);
	fixture_in_child(read_as_nobody, fixture);
}

/* Both programs use one file: neither loses a row, the last to end leaves WAL mode. */
static void two_writers_share_a_file(void **state)
{
	struct fixture *fixture = *state;
	struct measurement m = fixture_visit(1, (struct mtu_pair){1420, 1400}, 1, 1);
	struct err err = ERR_INIT;
	int64_t run, copy;
	struct store *peer = fixture_open(fixture, 0, &run);
	struct store *server = fixture_open(fixture, 0, &copy);

	assert_int_equal(run, copy);
	assert_int_equal(store_record(peer, run, &m, NULL), 0);
	assert_int_equal(store_record(server, copy, &m, NULL), 0);
	m = fixture_visit(2, (struct mtu_pair){1400, 1400}, 1, 1);
	assert_int_equal(store_record(server, copy, &m, NULL), 0);
	assert_int_equal(store_close(server, &err), -EBUSY);
	fixture_close(peer);
	assert_int_equal(fixture_read_int(fixture, "SELECT count(*) FROM measurement"),
			 2);
}

#define UUID   "12345678-1111-4222-8333-444444444444"
#define SECRET "0123456789abcdef0123456789abcdef"

static int warn_and_count(void *ctx, struct err *err)
{
	return store_warn(ctx, 1, &(struct warning){.detail = "kept"}, err) < 0 ? -1
										: 3;
}

static int warn_and_fail(void *ctx, struct err *err)
{
	return store_warn(ctx, 1, &(struct warning){.detail = "undone"}, err) < 0
		       ? -1
		       : -EDOM;
}

/* Work that returns a count is as complete as work that returns 0. */
static void only_failed_work_is_undone(void **state)
{
	struct fixture *fixture = *state;
	struct store *store;
	int64_t run;

	store = fixture_open(fixture, 0, &run);
	assert_int_equal(store_transact(store, warn_and_count, store, NULL), 3);
	assert_int_equal(store_transact(store, warn_and_fail, store, NULL), -EDOM);
	/* Through a connection of its own. */
	assert_int_equal(fixture_read_int(fixture,
					  "SELECT count(*) + 10 * sum(detail = 'kept')"
					  " FROM run_warning"),
			 11);
	fixture_close(store);
}

/* SQLite derives the names of the files beside a database from the file that a link leads
 * to, and so does the database of secrets. */
static void a_link_leads_to_one_database(void **state)
{
	struct fixture *fixture = *state;
	char secret[TOKEN_SIZE] = "", link[128], folder[128], name[160];
	struct store *store;
	int64_t run;

	snprintf(folder, sizeof(folder), "%s/sub", fixture->folder);
	snprintf(link, sizeof(link), "%s/link.db", fixture->folder);
	snprintf(fixture->db, sizeof(fixture->db), "%s/sub/test.db", fixture->folder);
	assert_int_equal(mkdir(folder, 0700), 0);
	/* The file need not exist yet, nor be reached by one link alone. */
	assert_int_equal(symlink("sub/again.db", link), 0);
	snprintf(name, sizeof(name), "%s/sub/again.db", fixture->folder);
	assert_int_equal(symlink(fixture->db, name), 0);
	assert_int_equal(store_open(link, &store, NULL), 0);
	assert_int_equal(store_keep_secret(store, UUID, SECRET, NULL), 0);
	fixture_close(store);
	snprintf(name, sizeof(name), "%s.secrets", link);
	assert_int_equal(access(name, F_OK), -1);
	store = fixture_open(fixture, 0, &run);
	assert_int_equal(store_find_secret(store, UUID, secret, NULL), 0);
	assert_string_equal(secret, SECRET);
	fixture_close(store);
}

/* SQLite leaves NULL in the place of a value that it does not take. */
static void a_value_that_is_not_taken_is_no_null(void **state)
{
	struct fixture *fixture = *state;
	struct run_info info = fixture_run(1);
	static char options[5 << 20];
	struct err err = ERR_INIT;
	struct store *store;
	int64_t run;

	memset(options, ' ', sizeof(options) - 1);
	store = fixture_open(fixture, 0, &run);
	assert_int_equal(store_begin_record(store, &info, options, &run, &err),
			 -EINVAL);
	assert_non_null(strstr(err.text, "refused a value"));
	assert_int_equal(fixture_read_int(fixture, "SELECT count(*) FROM run"), 1);
	fixture_close(store);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(new_database_is_marked),
		TEST(run_row_keeps_every_field),
		TEST(measurement_comes_back_whole),
		TEST(record_is_idempotent),
		TEST(impossible_row_is_refused),
		TEST(same_uuid_continues_the_run),
		TEST(rows_wait_until_acknowledged),
		TEST(warnings_are_kept_once_a_run),
		TEST(journal_mode_follows_the_run),
		TEST(nothing_written_leaves_no_log),
		TEST(reader_at_the_end_is_reported),
		TEST(other_users_can_read),
		TEST(kill_loses_no_row),
		TEST(two_writers_share_a_file),
		TEST(only_failed_work_is_undone),
		TEST(a_link_leads_to_one_database),
		TEST(a_value_that_is_not_taken_is_no_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

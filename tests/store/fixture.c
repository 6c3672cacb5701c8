/* SPDX-License-Identifier: MIT */
/* The parts that the tests of store/ share. */
#include "fixture.h"

#include <errno.h>
#include <ftw.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"

#define NOBODY 65534

int fixture_setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	if (!fixture)
		return -1;
	text_copy(fixture->folder, sizeof(fixture->folder),
		  "/tmp/mtusweep-test-XXXXXX");
	if (!mkdtemp(fixture->folder) || chmod(fixture->folder, 0755) < 0) {
		free(fixture);
		return -1;
	}
	snprintf(fixture->db, sizeof(fixture->db), "%s/test.db", fixture->folder);
	umask(022);
	*state = fixture;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

int fixture_teardown(void **state)
{
	struct fixture *fixture = *state;
	int r = nftw(fixture->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);

	free(fixture);
	return r;
}

struct run_info fixture_run(int number)
{
	struct run_info info = {
		.started_at_ms = INT64_C(1795350039123) + number * 60000,
		.server = {.host = "hub",
			   .interface = "wg0",
			   .address = "10.0.0.1",
			   .link_mtu = 1420,
			   .backend = BACKEND_KERNEL,
			   .endpoint_family = 4,
			   .versions = "mtusweep 0.1.0, SQLite 3.40.1"},
		.peer = {.host = "laptop",
			 .interface = "wg1",
			 .address = "10.0.0.2",
			 .link_mtu = 1400,
			 .backend = BACKEND_USERSPACE,
			 .endpoint_family = 6,
			 .versions = "mtusweep 0.1.0"},
		.server_range = {1280, 1500, 20},
		.peer_range = {1300, 1480, 10},
		.strategy = "grid",
		.passes = 3,
		.seed = UINT64_MAX,
		.duration_ms = 5000,
		.congestion = "bbr",
		.persist = PERSIST_BEST,
		.pairs_planned = 12,
	};

	snprintf(info.uuid, sizeof(info.uuid), "%08x-1111-4222-8333-444444444444",
		 0xabcd0000U + (unsigned int)number);
	return info;
}

struct run_info fixture_one_end_run(int number)
{
	struct run_info info = fixture_run(number);

	info.server = (struct end_facts){0};
	info.server_range = MTU_RANGE_UNKNOWN;
	text_copy(info.strategy, sizeof(info.strategy), STRATEGY_PROBE);
	info.duration_ms = 0;
	info.pairs_planned = 0;
	info.persist = PERSIST_NONE;
	return info;
}

struct evidence fixture_one_end(bool fits)
{
	struct evidence e;

	evidence_init(&e);
	if (fits)
		e.mtu = (struct mtu_pair){MTU_UNKNOWN, 1380};
	e.reason.kind = fits ? REASON_OWN_WHOLE : REASON_OWN_NONE;
	e.current.peer = 1400;
	e.survey = (struct path_survey){
		.path =
			{
				.overhead = {60, 60},
				.dir = {{2,
					 {{fits ? 1440 : 1300, FATE_WHOLE},
					  {65535, FATE_LOST}}},
					{3,
					 {{1436, FATE_WHOLE},
					  {1451, FATE_UNKNOWN},
					  {65535, FATE_LOST}}}},
			},
		.probes = {7, 8},
		.probe_ms = 912,
	};
	e.one_ended = true;
	e.one_end = (struct one_end){
		.target = "10.0.0.1",
		.endpoint = "192.0.2.1",
		.interface = "wg1",
		.small = ONE_END_SMALL_TCP,
		.proof = ONE_END_WHOLE,
		.echoes = true,
		.endpoint_answers = true,
		.least_mtu = 1280,
		.far_mtu = 1376,
		.largest_back = 1376,
		.mss_ipv4 = fits ? 1336 : 0,
		.mss_ipv6 = fits ? 1316 : 0,
		.rounds = 11,
	};
	return e;
}

int64_t fixture_store_one_end(struct fixture *fixture, int number, bool fits)
{
	struct run_info info = fixture_one_end_run(number);
	struct evidence e = fixture_one_end(fits);
	struct store *store = NULL;
	struct err err = ERR_INIT;
	int64_t run;

	if (store_open(fixture->db, &store, &err) < 0 ||
	    store_begin_record(store, &info, NULL, &run, &err) < 0 ||
	    store_put_path(store, run, &e.survey, &err) < 0 ||
	    store_put_one_end(store, run, &e.one_end, &err) < 0 ||
	    (fits && store_recommend(store, run, &e, &err) < 0) ||
	    store_end_run(store, run, RUN_DONE, "", &err) < 0)
		fail_msg("%s", err.text);
	fixture_close(store);
	return run;
}

static void fill_result(struct dir_result *result, double mbps)
{
	if (mbps < 0) {
		dir_result_init(result, (enum test_status) - mbps, "it failed");
		return;
	}
	dir_result_init(result, TEST_OK, "%s", "");
	result->goodput_bps = (int64_t)(mbps * 1e6 + 0.5);
	result->received_bps = result->goodput_bps - 1000;
	result->sent_bps = result->goodput_bps + 1000;
	result->goodput_low_bps = result->goodput_bps - 2000;
	result->goodput_high_bps = result->goodput_bps + 3000;
	result->retransmits = 7;
	result->rtt_us = 20123;
	result->packet_bytes = 1380;
	result->latency_idle_us = 18001;
	result->latency_idle_p95_us = 19004;
	result->latency_us = 84002;
	result->latency_p95_us = 97003;
	result->started_at_ms = INT64_C(1795350040007);
	result->duration_ms = 5003;
}

struct measurement fixture_visit(uint32_t seq, struct mtu_pair mtu, double up,
				 double down)
{
	struct measurement m = {.seq = seq, .pass = 1, .mtu = mtu};

	fill_result(&m.dir[DIR_UPLOAD], up);
	fill_result(&m.dir[DIR_DOWNLOAD], down);
	return m;
}

struct path_probe fixture_probe(uint32_t seq)
{
	struct path_probe probe = {
		.seq = seq,
		.probed_at_ms = INT64_C(1790000000000) + seq * INT64_C(60000),
		.took_ms = 480,
		.answer = PROBE_OK,
		.early = true,
		.fragments = 17,
		.too_big = 3,
		.current = {1420, 1440},
		.largest = {1400, 1380},
		.fit = PROBE_MISFIT,
		.event = EVENT_MOVED,
		.applied = PROBE_NOT_APPLIED,
	};

	path_bands_parse("1440:whole,65535:lost", &probe.dir[DIR_UPLOAD], NULL);
	path_bands_parse("1460:whole,1500:unknown,65535:fragmented",
			 &probe.dir[DIR_DOWNLOAD], NULL);
	return probe;
}

struct store *fixture_open(struct fixture *fixture, int number, int64_t *ret_run)
{
	struct run_info info = fixture_run(number);
	struct store *store = NULL;
	struct err err = ERR_INIT;

	if (store_open(fixture->db, &store, &err) < 0 ||
	    store_begin_record(store, &info, NULL, ret_run, &err) < 0)
		fail_msg("%s", err.text);
	return store;
}

void fixture_close(struct store *store)
{
	struct err err = ERR_INIT;

	if (store_close(store, &err) < 0)
		fail_msg("%s", err.text);
}

void fixture_record(struct store *store, int64_t run, const struct measurement *m)
{
	struct err err = ERR_INIT;

	if (store_record(store, run, m, &err) < 0)
		fail_msg("%s", err.text);
}

struct query *fixture_query(const struct fixture *fixture)
{
	struct query *query = NULL;
	struct err err = ERR_INIT;

	if (query_open(fixture->db, &query, &err) < 0)
		fail_msg("%s", err.text);
	return query;
}

static sqlite3 *open_plain(const char *path)
{
	sqlite3 *sql;

	assert_int_equal(sqlite3_open(path, &sql), SQLITE_OK);
	return sql;
}

static sqlite3_stmt *first_row(sqlite3 *sql, const char *text)
{
	sqlite3_stmt *stmt;

	if (sqlite3_prepare_v2(sql, text, -1, &stmt, NULL) != SQLITE_OK)
		fail_msg("%s: %s", text, sqlite3_errmsg(sql));
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	return stmt;
}

char *fixture_recommendation(const struct fixture *fixture)
{
	struct query *query = fixture_query(fixture);
	struct query_recommendation recommended;
	struct err err = ERR_INIT;
	struct query_run run;

	assert_int_equal(query_run(query, NULL, &run, NULL), 0);
	if (query_recommended(query, run.id, &recommended, &err) < 0)
		fail_msg("%s", err.text);
	query_close(query);
	return recommended.text;
}

int64_t fixture_read_int(const struct fixture *fixture, const char *sql)
{
	sqlite3 *db = open_plain(fixture->db);
	sqlite3_stmt *stmt = first_row(db, sql);
	int64_t value = sqlite3_column_int64(stmt, 0);

	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return value;
}

char *fixture_read_text(const struct fixture *fixture, const char *sql)
{
	sqlite3 *db = open_plain(fixture->db);
	sqlite3_stmt *stmt = first_row(db, sql);
	const char *text = (const char *)sqlite3_column_text(stmt, 0);
	char *copy = strdup(text ? text : "(null)");

	sqlite3_finalize(stmt);
	sqlite3_close(db);
	assert_non_null(copy);
	return copy;
}

void fixture_exec(const char *path, const char *sql)
{
	sqlite3 *db = open_plain(path);

	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	sqlite3_close(db);
}

void fixture_in_child(int (*run)(struct fixture *fixture), struct fixture *fixture)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		int line = run(fixture);

		if (line)
			fprintf(stderr, "in the child: line %d (%s)\n", line,
				strerror(errno));
		_exit(line != 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int fixture_become_nobody(void)
{
	if (setgroups(0, NULL) < 0 || setgid(NOBODY) < 0)
		return -1;
	return setuid(NOBODY);
}

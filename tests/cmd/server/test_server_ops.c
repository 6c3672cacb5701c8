/* SPDX-License-Identifier: MIT */
/*
 * The server's half of a run, by its operations: rows that are repeated, warnings whose
 * answer was lost, the guard's lease, and a run that is opened again. The database is real;
 * the guard only answers, and counts what it was asked for.
 */

#include "cmd/server/server_ops.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../store/fixture.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/text.h"
#include "netctl/guard_wire.h"

#define PEER     "127.0.0.1"
#define LEASE_MS 7000
#define SECRET   "0123456789abcdef0123456789abcdef"
#define SETTLE   "cannot clear the cached path MTUs"

struct stage {
	struct fixture *fixture;
	struct host_options options;
	struct host host;
	struct server_config config;
	struct server server;
	pthread_t thread;
	int guard_fd; /* the guard's end */
	_Atomic int asked[GUARD_TAP + 1];
	_Atomic int64_t lease_ms; /* the last request's that had one */
	_Atomic int settle;       /* its answer */
};

static void *be_guard(void *arg)
{
	struct stage *stage = arg;
	struct guard_request request;

	while (recv(stage->guard_fd, &request, sizeof(request), 0) == sizeof(request)) {
		struct guard_reply reply = {.serial = request.serial};

		stage->asked[request.verb]++;
		if (request.lease_ms)
			stage->lease_ms = request.lease_ms;
		if (request.verb == GUARD_SETTLE && stage->settle)
			reply.result = err_set(&reply.err, stage->settle, SETTLE);
		reply.facts.mtu = 1420;
		if (send(stage->guard_fd, &reply, sizeof(reply), MSG_NOSIGNAL) < 0)
			break;
	}
	return NULL;
}

static int start(struct stage *stage)
{
	struct server *f = &stage->server;
	int guard[2], runner[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, guard) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, runner) < 0)
		return -1;
	stage->guard_fd = guard[1];
	if (pthread_create(&stage->thread, NULL, be_guard, stage) != 0)
		return -1;
	/* No test is run: the runner is gone. */
	close(runner[1]);
	stage->options.interface = "lo";
	stage->options.db = stage->fixture->db;
	stage->options.persist = PERSIST_BEST;
	stage->host.guard.bounds.range = (struct mtu_range){1280, 9000, 1};
	stage->host.usual_min = 1280;
	stage->config.options = &stage->options;
	stage->config.host = &stage->host;
	f->config = &stage->config;
	f->wake_fd = -1;
	pthread_mutex_init(&f->watch_lock, NULL);
	pthread_mutex_init(&f->now.lock, NULL);
	return guard_new(guard[0], &f->guard, NULL) < 0 ||
			       runner_new(runner[0], &f->runner, NULL) < 0 ||
			       rtwatch_new("lo", &f->watch, NULL) < 0 ||
			       store_open(stage->options.db, &f->store, NULL) < 0
		       ? -1
		       : 0;
}

static int setup(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	void *fixture;

	if (!stage || fixture_setup(&fixture) < 0)
		return -1;
	stage->fixture = fixture;
	*state = stage;
	return start(stage);
}

static int teardown(void **state)
{
	struct stage *stage = *state;
	void *fixture = stage->fixture;
	int r;

	store_close(stage->server.store, NULL);
	rtwatch_free(stage->server.watch);
	runner_free(stage->server.runner);
	guard_free(stage->server.guard);
	pthread_join(stage->thread, NULL);
	fd_close(&stage->guard_fd);
	r = fixture_teardown(&fixture);
	free(stage);
	return r;
}

static void open_run(struct stage *stage, bool resumed)
{
	struct msg_open m = {.run = fixture_run(0), .lease_ms = LEASE_MS};
	struct end_facts facts;
	struct err err = ERR_INIT;

	text_copy(m.secret, sizeof(m.secret), SECRET);
	if (server_ops.open(&stage->server, &m, PEER, resumed, &facts, &err) < 0)
		fail_msg("%s", err.text);
}

static int send_row(struct stage *stage, uint32_t seq)
{
	struct measurement m =
		fixture_visit(seq, (struct mtu_pair){1420, 1400}, 40, 50);

	return server_ops.row(&stage->server, &m, NULL);
}

/* The number of the answer's warnings that the caches could not be deleted. */
static int send_pair(struct stage *stage, int mtu)
{
	struct msg_pair pair = {.mtu = mtu, .peer_mtu = 1400};
	struct msg_paired paired = {0};
	struct err err = ERR_INIT;
	int count = 0;

	assert_int_equal(server_ops.pair(&stage->server, &pair, &paired, &err), 0);
	for (int i = 0; i < paired.warnings.count; i++) {
		struct warning w = warnings_get(&paired.warnings, i);

		count += w.kind == WARNING_PATH_MTU_CACHED &&
			 w.at_end == WARNING_END_SERVER && strstr(w.detail, SETTLE);
	}
	return count;
}

static void repeated_rows_cost_no_credit(void **state)
{
	struct stage *stage = *state;

	open_run(stage, false);
	for (uint32_t seq = 1; seq <= ROWCHECK_BACKLOG_NEW; seq++)
		assert_int_equal(send_row(stage, seq), 0);
	assert_int_equal(send_row(stage, ROWCHECK_BACKLOG_NEW + 1), -EDQUOT);
	/* The answers were lost, and the session is taken over. */
	open_run(stage, true);
	for (uint32_t seq = 1; seq <= ROWCHECK_BACKLOG_NEW; seq++)
		assert_int_equal(send_row(stage, seq), 0);
	rowcheck_earn(&stage->server.check);
	open_run(stage, true);
	for (uint32_t seq = 1; seq <= ROWCHECK_BACKLOG_NEW + 1; seq++)
		assert_int_equal(send_row(stage, seq), 0);
	assert_int_equal(send_row(stage, ROWCHECK_BACKLOG_NEW + 2), -EDQUOT);
	assert_int_equal(
		fixture_read_int(stage->fixture, "SELECT count(*) FROM measurement"),
		ROWCHECK_BACKLOG_NEW + 1);
}

static void a_warning_is_told_until_it_arrives(void **state)
{
	struct stage *stage = *state;
	struct msg_arm arm = {.test = 9};
	struct err err = ERR_INIT;

	stage->settle = -EROFS;
	open_run(stage, false);
	assert_int_equal(send_pair(stage, 1420), 1);
	/* The answer was lost: the peer asks again, then takes the session over. */
	assert_int_equal(send_pair(stage, 1420), 1);
	open_run(stage, true);
	assert_int_equal(send_pair(stage, 1420), 1);
	/* It arms a test only with the pair's answer. The runner is gone, so that fails. */
	assert_int_equal(server_ops.arm(&stage->server, &arm, &err), -EPIPE);
	assert_int_equal(send_pair(stage, 1400), 0);
	/* The next session's record has it as well. */
	open_run(stage, false);
	assert_int_equal(send_pair(stage, 1420), 1);
	assert_int_equal(
		fixture_read_int(stage->fixture, "SELECT count(*) FROM run_warning"),
		1);
}

static void a_new_session_has_committed_nothing(void **state)
{
	struct stage *stage = *state;
	struct err err = ERR_INIT;

	open_run(stage, false);
	send_pair(stage, 1420);
	stage->server.proved_mtu = 1420;
	assert_int_equal(server_ops.commit(&stage->server, &err), 0);
	open_run(stage, true);
	send_pair(stage, 1420);
	assert_int_equal(server_ops.commit(&stage->server, &err), 0);
	server_ops.expired(&stage->server);
	/* The same run goes on, and keeps nothing before it has proved it. */
	open_run(stage, false);
	send_pair(stage, 1420);
	assert_int_equal(server_ops.commit(&stage->server, &err), -ENODATA);
	server_ops.expired(&stage->server);
	assert_int_equal(fixture_read_int(stage->fixture,
					  "SELECT outcome = 'interrupted' FROM run"),
			 1);
}

static void check_renewed(struct stage *stage, int r)
{
	assert_int_equal(r, 0);
	assert_int_equal(stage->asked[GUARD_RENEW], 1);
	assert_int_equal(stage->lease_ms, LEASE_MS);
	stage->asked[GUARD_RENEW] = 0;
	stage->lease_ms = 0;
}

/* The peer takes each of these answers for a renewal of the server's lease. */
static void each_yes_renews_the_guards_lease(void **state)
{
	struct stage *stage = *state;
	struct msg_path up = {.overhead = 60, .bands = "1500:whole,65535:lost"};
	struct msg_path down = up;
	struct msg_recommendation recommendation = {
		.mtu = {1420, 1400},
		.settled = true,
		.reason = {.margin = 5, .visits = 1}};
	struct server *f = &stage->server;
	struct err err = ERR_INIT;

	down.download = true;
	open_run(stage, false);
	send_pair(stage, 1420);
	assert_int_equal(stage->lease_ms, LEASE_MS);
	stage->lease_ms = 0;
	check_renewed(stage, server_ops.renew(f, &err));
	check_renewed(stage, send_row(stage, 1));
	check_renewed(stage, send_row(stage, 1));
	check_renewed(stage, server_ops.path(f, &up, &err));
	check_renewed(stage, server_ops.path(f, &down, &err));
	check_renewed(stage, server_ops.recommendation(f, &recommendation, &err));
}

/* The path, the same both ways. */
static void send_paths(struct stage *stage)
{
	struct msg_path path = {.overhead = 60, .bands = "1500:whole,65535:lost"};

	for (int dir = 0; dir < DIR_COUNT; dir++) {
		path.download = dir == DIR_DOWNLOAD;
		assert_int_equal(server_ops.path(&stage->server, &path, NULL), 0);
	}
}

/* Predictions come on another connection than what the run concludes. */
static void a_late_prediction_changes_nothing(void **state)
{
	static const struct {
		enum evidence_status status;
		uint32_t number;
	} sent[] = {{EVIDENCE_PREDICTED, 1},
		    {EVIDENCE_CONFIRMED, 3},
		    {EVIDENCE_PREDICTED, 2}};
	struct stage *stage = *state;

	open_run(stage, false);
	send_paths(stage);
	assert_int_equal(send_row(stage, 1), 0);
	for (size_t i = 0; i < sizeof(sent) / sizeof(sent[0]); i++) {
		struct msg_recommendation m = {.mtu = {1420, 1400},
					       .status = sent[i].status,
					       .reason.margin = 5,
					       .number = sent[i].number};

		assert_int_equal(server_ops.recommendation(&stage->server, &m, NULL),
				 0);
	}
	assert_int_equal(
		fixture_read_int(
			stage->fixture,
			"SELECT count(*) FROM reason WHERE status = 'confirmed'"),
		1);
}

static void a_recommendation_names_a_pair_of_the_run(void **state)
{
	static const struct mtu_pair outside[] = {
		{1279, 1400}, {1501, 1400}, {1420, 1299}, {1420, 1481}};
	struct stage *stage = *state;

	open_run(stage, false);
	send_paths(stage);
	assert_int_equal(send_row(stage, 1), 0);
	for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
		struct msg_recommendation recommendation = {.mtu = outside[i],
							    .reason.margin = 5};
		struct err err = ERR_INIT;

		assert_int_equal(server_ops.recommendation(&stage->server,
							   &recommendation, &err),
				 -EINVAL);
		assert_string_not_equal(err.text, "");
	}
	assert_int_equal(
		fixture_read_int(stage->fixture, "SELECT count(*) FROM recommendation"),
		0);
}

static int ask_progress(struct stage *stage, const char *run, struct err *err)
{
	struct page_ask ask = {.near = true, .pair = {1420, 1400}, .after = 2};
	char *json = NULL;
	int r;

	text_copy(ask.run, sizeof(ask.run), run);
	text_copy(ask.have, sizeof(ask.have), fixture_run(1).uuid);
	r = server_ops.page.progress(&stage->server, &ask, &json, err);
	free(json);
	return r;
}

static void store_a_run(struct stage *stage)
{
	struct measurement m[] = {
		fixture_visit(1, (struct mtu_pair){1420, 1400}, 10, 20),
		fixture_visit(2, (struct mtu_pair){1400, 1400}, 10, 20),
	};
	struct run_info info = fixture_run(1);
	int64_t run;

	assert_int_equal(
		store_begin_record(stage->server.store, &info, NULL, &run, NULL), 0);
	for (int i = 0; i < 2; i++)
		fixture_record(stage->server.store, run, &m[i]);
}

/* Other hosts in the tunnel have no business with the runs of this host's database. */
static void the_newest_run_alone_is_shown(void **state)
{
	struct stage *stage = *state;
	struct err err = ERR_INIT;

	store_a_run(stage);
	assert_int_equal(live_new(stage->options.db, &stage->server.page.live, NULL),
			 0);
	assert_int_equal(ask_progress(stage, "", NULL), 0);
	assert_int_equal(ask_progress(stage, "1", &err), -EINVAL);
	assert_non_null(strstr(err.text, "newest run only"));
	live_free(stage->server.page.live);
}

/* A path that could not be read is not one of which nothing is known. */
static void a_failed_read_is_not_remembered(void **state)
{
	struct stage *stage = *state;

	store_a_run(stage);
	fixture_exec(stage->options.db,
		     "UPDATE measurement SET upload_goodput_low_bps = 1.5"
		     " WHERE seq = 2");
	assert_int_equal(live_new(stage->options.db, &stage->server.page.live, NULL),
			 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(ask_progress(stage, "", NULL), -EUCLEAN);
	live_free(stage->server.page.live);
}

/* A database that cannot be read costs no more time than one that can. */
static void metrics_that_fail_wait_for_their_turn(void **state)
{
	struct stage *stage = *state;
	char *text = NULL;

	store_a_run(stage);
	fixture_exec(stage->options.db, "UPDATE run SET passes = 1.5");
	assert_int_equal(server_ops.page.metrics(&stage->server, false, &text, NULL),
			 -EUCLEAN);
	assert_int_equal(server_ops.page.metrics(&stage->server, false, &text, NULL),
			 -EAGAIN);
}

/* Other options would not help where IPv6 needs 1280. */
static void a_small_mtu_is_refused_for_its_reason(void **state)
{
	static const struct {
		int mtu;
		const char *why;
	} table[] = {
		{1200, "but IPv6 on 'wg7' of the server needs 1280"},
		{9001, "start it with other --mtu-min and --mtu-max"},
	};
	struct stage *stage = *state;
	struct msg_open m = {.run = fixture_run(0), .lease_ms = LEASE_MS};
	struct end_facts facts;

	text_copy(m.secret, sizeof(m.secret), SECRET);
	text_copy(stage->host.link.name, sizeof(stage->host.link.name), "wg7");
	stage->host.link.mtu = 1420;
	stage->host.link.has_ipv6 = true;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct err err = ERR_INIT;

		m.run.server_range = (struct mtu_range){table[i].mtu, table[i].mtu, 1};
		assert_int_equal(
			server_ops.open(&stage->server, &m, PEER, false, &facts, &err),
			-ERANGE);
		if (!strstr(err.text, table[i].why))
			fail_msg("'%s' is not in: %s", table[i].why, err.text);
	}
}

static int open_without_plan(struct stage *stage, const char *strategy)
{
	struct msg_open m = {.run = fixture_run(0), .lease_ms = LEASE_MS};
	struct end_facts facts;

	text_copy(m.run.strategy, sizeof(m.run.strategy), strategy);
	text_copy(m.secret, sizeof(m.secret), SECRET);
	return server_ops.open(&stage->server, &m, PEER, false, &facts, NULL);
}

static int close_run(struct server *f, enum run_outcome outcome, const char *text)
{
	struct msg_close m = {.outcome = outcome};
	struct err err = ERR_INIT;

	text_copy(m.text, sizeof(m.text), text);
	return server_ops.close(f, &m, &err);
}

/* --once waits for a run that measures. */
static void a_check_stores_no_run(void **state)
{
	struct stage *stage = *state;
	struct server *f = &stage->server;
	struct msg_path path = {.overhead = 60, .bands = "1500:whole,65535:lost"};
	struct msg_recommendation recommendation = {.mtu = {1420, 1400},
						    .reason.margin = 5};
	struct err err = ERR_INIT;

	assert_int_equal(open_without_plan(stage, STRATEGY_CHECK), 0);
	assert_int_equal(send_row(stage, 1), -EINVAL);
	assert_int_equal(server_ops.path(f, &path, &err), -EINVAL);
	assert_int_equal(server_ops.recommendation(f, &recommendation, &err), -EINVAL);
	assert_int_equal(close_run(f, RUN_DONE, ""), 0);
	assert_false(f->completed);
	assert_int_equal(fixture_read_int(stage->fixture, "SELECT count(*) FROM run"),
			 0);
	open_run(stage, false);
	assert_int_equal(close_run(f, RUN_DONE, ""), 0);
	assert_true(f->completed);
	assert_int_equal(fixture_read_int(stage->fixture, "SELECT count(*) FROM run"),
			 1);
}

/* The run ends, and the peer learns what the copy lacks. */
static void a_close_may_bring_nonsense(void **state)
{
	struct stage *stage = *state;
	struct server *f = &stage->server;
	struct msg_close m = {
		.outcome = RUN_DONE,
		.recommendation = {.mtu = {9000, 9000},
				   .reason.kind = REASON_FITS,
				   .number = 1},
	};
	struct err err = ERR_INIT;

	open_run(stage, false);
	assert_int_equal(server_ops.close(f, &m, &err), 0);
	assert_non_null(strstr(err.text, "its database lacks this run's "
					 "recommendation: recommendation refused"));
	assert_int_equal(fixture_read_int(stage->fixture, "SELECT count(*) FROM run"
							  " WHERE outcome = 'done'"),
			 1);
}

static int count_rows(struct stage *stage, const char *sql)
{
	return (int)fixture_read_int(stage->fixture, sql);
}

/* Nothing is written while the peer waits for its answer; and --once waits on. */
static void a_probe_is_stored_with_its_path(void **state)
{
	struct stage *stage = *state;
	struct server *f = &stage->server;
	struct msg_path path = {.overhead = 60, .bands = "1500:whole,65535:lost"};
	struct msg_recommendation recommendation = {.mtu = {1420, 1400},
						    .status = EVIDENCE_PREDICTED,
						    .reason.kind = REASON_FITS,
						    .reason.margin = 5};
	struct err err = ERR_INIT;

	assert_int_equal(open_without_plan(stage, STRATEGY_PROBE), 0);
	assert_int_equal(count_rows(stage, "SELECT count(*) FROM run"), 0);
	server_warn(f, (struct warning){
			       .kind = WARNING_ROUTE_MTU, .mtu = 1400, .detail = PEER});
	assert_int_equal(server_ops.path(f, &path, &err), 0);
	path.download = true;
	assert_int_equal(server_ops.path(f, &path, &err), 0);
	assert_int_equal(server_ops.recommendation(f, &recommendation, &err), 0);
	assert_int_equal(close_run(f, RUN_DONE, ""), 0);
	assert_false(f->completed);
	assert_int_equal(count_rows(stage, "SELECT count(*) FROM run WHERE strategy ="
					   " 'probe' AND outcome = 'done'"),
			 1);
	assert_int_equal(count_rows(stage, "SELECT count(*) FROM path_band"), 4);
	assert_int_equal(count_rows(stage, "SELECT count(*) FROM run_warning WHERE"
					   " kind = 'route_mtu'"),
			 1);
	assert_int_equal(count_rows(stage, "SELECT count(*) FROM recommendation JOIN"
					   " reason USING (run_id)"
					   " WHERE status = 'predicted'"),
			 1);
}

/* A probe without a result has nothing to store. */
static void a_probe_that_fails_stores_nothing(void **state)
{
	struct stage *stage = *state;
	struct server *f = &stage->server;

	assert_int_equal(open_without_plan(stage, STRATEGY_PROBE), 0);
	assert_int_equal(close_run(f, RUN_FAILED, "no answer"), 0);
	assert_int_equal(count_rows(stage, "SELECT count(*) FROM run"), 0);
	assert_int_equal(open_without_plan(stage, STRATEGY_CHECK), 0);
	assert_int_equal(send_row(stage, 1), -EINVAL);
	assert_int_equal(close_run(f, RUN_DONE, ""), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* A row that comes again costs nothing; a run that is known neither. */
static void a_peer_stores_so_much_a_day(void **state)
{
	struct stage *stage = *state;
	struct server *f = &stage->server;
	struct msg_open m = {.run = fixture_run(1), .lease_ms = LEASE_MS};
	struct end_facts facts;
	struct quota_peer *peer;

	open_run(stage, false);
	open_run(stage, true);
	peer = quota_find(&f->quota, f->who, clock_boot_ms());
	assert_int_equal(peer->runs, 1);
	peer->rows = QUOTA_ROWS - 1;
	assert_int_equal(send_row(stage, 1), 0);
	assert_int_equal(send_row(stage, 1), 0);
	assert_int_equal(send_row(stage, 2), -EDQUOT);
	assert_int_equal(
		fixture_read_int(stage->fixture, "SELECT count(*) FROM measurement"),
		1);
	peer->runs = QUOTA_RUNS;
	text_copy(m.secret, sizeof(m.secret), SECRET);
	assert_int_equal(server_ops.open(f, &m, PEER, false, &facts, NULL), -EDQUOT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(repeated_rows_cost_no_credit),
		TEST(a_warning_is_told_until_it_arrives),
		TEST(a_new_session_has_committed_nothing),
		TEST(each_yes_renews_the_guards_lease),
		TEST(a_recommendation_names_a_pair_of_the_run),
		TEST(a_late_prediction_changes_nothing),
		TEST(the_newest_run_alone_is_shown),
		TEST(a_failed_read_is_not_remembered),
		TEST(metrics_that_fail_wait_for_their_turn),
		TEST(a_small_mtu_is_refused_for_its_reason),
		TEST(a_check_stores_no_run),
		TEST(a_close_may_bring_nonsense),
		TEST(a_probe_is_stored_with_its_path),
		TEST(a_probe_that_fails_stores_nothing),
		TEST(a_peer_stores_so_much_a_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

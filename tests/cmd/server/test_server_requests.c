/* SPDX-License-Identifier: MIT */
/* Requests of a peer, made by the real client: the server's guard, runner
 * and database show what it did. */

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../cmdlab.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/text.h"
#include "sync/client.h"

#define SECRET     "0123456789abcdef0123456789abcdef"
#define TIMEOUT_MS 10000

/* --- the client's process --- */

static struct client *client;
static struct msg_paired paired;
static struct msg_opened opened;
static struct err said;

static int connect_client(const struct cmdlab *lab)
{
	struct client_config config = {.interface = "lo", .port = 5000, .stop_fd = -1};

	text_copy(config.address, sizeof(config.address), lab->address);
	client_free(client);
	client = NULL;
	return client_new(&config, &client, &said);
}

static struct msg_open make_open(enum persist persist)
{
	struct msg_open m = {
		.protocol = MSG_PROTOCOL,
		.secret = SECRET,
		.run = fixture_run(1),
		.lease_ms = 10000,
	};

	m.run.server_range = (struct mtu_range){1380, 1420, 40};
	m.run.persist = persist;
	return m;
}

static int open_session(const struct cmdlab *lab, enum persist persist)
{
	struct msg_open m = make_open(persist);
	int r = connect_client(lab);

	return r < 0 ? r : client_open(client, &m, TIMEOUT_MS, &opened, &said);
}

static int set_pair(int mtu, uint32_t test)
{
	struct msg_pair m = {.mtu = mtu,
			     .test = test,
			     .duration_ms = 200,
			     .visits_left = NO_FIGURE,
			     .left_ms = NO_FIGURE};

	text_copy(m.session, sizeof(m.session), opened.session);
	return client_pair(client, &m, TIMEOUT_MS, &paired, &said);
}

static int arm(uint32_t test, bool full_size)
{
	struct msg_arm m = {.test = test, .duration_ms = 200, .full_size = full_size};

	text_copy(m.session, sizeof(m.session), opened.session);
	return client_arm(client, &m, TIMEOUT_MS, &said);
}

static int send_row(const struct measurement *row)
{
	struct msg_row m = {.row = *row};

	text_copy(m.session, sizeof(m.session), opened.session);
	return client_row(client, fixture_run(1).uuid, &m, TIMEOUT_MS, &said);
}

static int commit(void)
{
	return client_commit(client, opened.session, TIMEOUT_MS, &said);
}

static int close_session(enum run_outcome outcome)
{
	struct msg_close m = {.outcome = outcome};

	text_copy(m.session, sizeof(m.session), opened.session);
	return client_close(client, &m, TIMEOUT_MS, &said);
}

static bool heard(const char *text)
{
	return strstr(said.text, text);
}

/* --- open --- */

static int ask_to_open(struct cmdlab *lab)
{
	struct msg_open m = make_open(PERSIST_NONE);
	struct msg_hello hello;

	CHILD_CHECK(connect_client(lab) == 0);
	CHILD_CHECK(client_hello(client, TIMEOUT_MS, &hello, &said) == 0);
	CHILD_CHECK(hello.range.min == 1380 && hello.range.max == 1420);
	CHILD_CHECK(hello.low_min == 1280 && hello.peers == 0);
	CHILD_CHECK(hello.allow_min == 1280 && hello.allow_max == 1500);
	CHILD_CHECK(hello.iperf_port == 5201 && !hello.busy);
	m.run.server_range.max = 1501;
	CHILD_CHECK(client_open(client, &m, TIMEOUT_MS, &opened, &said) == -ERANGE);
	CHILD_CHECK(heard("the server allows 1280 to 1500"));
	/* The second is that of a run with one end alone. */
	m = make_open(PERSIST_NONE);
	m.run.server_range = (struct mtu_range){1420, 1380, 1};
	CHILD_CHECK(client_open(client, &m, TIMEOUT_MS, &opened, &said) == -EINVAL);
	m = make_open(PERSIST_NONE);
	m.run.peer_range = MTU_RANGE_UNKNOWN;
	CHILD_CHECK(client_open(client, &m, TIMEOUT_MS, &opened, &said) == -EINVAL);
	CHILD_CHECK(heard("ranges of MTUs"));
	m = make_open(PERSIST_BEST);
	CHILD_CHECK(client_open(client, &m, TIMEOUT_MS, &opened, &said) == -EACCES);
	CHILD_CHECK(heard("--persist none"));
	m = make_open(PERSIST_NONE);
	CHILD_CHECK(client_open(client, &m, TIMEOUT_MS, &opened, &said) == 0);
	CHILD_CHECK(opened.server.link_mtu == CMDLAB_MTU);
	CHILD_CHECK(opened.server.endpoint_family == 4);
	CHILD_CHECK(strcmp(opened.server.address, lab->address) == 0);
	CHILD_CHECK(client_hello(client, TIMEOUT_MS, &hello, &said) == 0 && hello.busy);
	return close_session(RUN_INTERRUPTED) == 0 ? 0 : 1;
}

static void test_open(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server(lab);
	cmdlab_run_client(lab, ask_to_open);
	assert_int_equal(cmdlab_end_server(lab), 0);
	assert_int_equal(fixture_read_int(lab->server.files,
					  "SELECT count(*) FROM run WHERE role = "
					  "'server' AND outcome = 'interrupted' AND "
					  "peer_address = '127.0.0.1'"),
			 1);
}

/* --- pairs --- */

static int ask_for_pairs(struct cmdlab *lab)
{
	CHILD_CHECK(open_session(lab, PERSIST_NONE) == 0);
	CHILD_CHECK(set_pair(1380, 1) == 0);
	/* The first settling fails: told once, with the pair's answer or the next. */
	CHILD_CHECK(paired.warnings.count == 1);
	CHILD_CHECK(strcmp(paired.warnings.one[0].detail, "cannot flush") == 0);
	CHILD_CHECK(set_pair(1380, 2) == 0);
	CHILD_CHECK(paired.warnings.count == 0);
	CHILD_CHECK(set_pair(1380, 3) == -ERANGE);
	/* Another's change is no lost session. */
	CHILD_CHECK(set_pair(1380, 4) == -ECANCELED);
	CHILD_CHECK(heard("somebody else"));
	/* A shortage of the runner's is told as such. */
	CHILD_CHECK(set_pair(1420, 5) == -EADDRINUSE);
	CHILD_CHECK(client_renew(client, opened.session, TIMEOUT_MS, &said) == 0);
	CHILD_CHECK(client_renew(client, SECRET, TIMEOUT_MS, &said) == -ESTALE);
	return close_session(RUN_DONE) == 0 ? 0 : 1;
}

static void test_pairs(void **state)
{
	struct cmdlab *lab = *state;

	fakeguard_fail(&lab->server.guard, GUARD_SETTLE, 0, 2, -EROFS, "cannot flush");
	fakeguard_fail(&lab->server.guard, GUARD_SET, 2, 1, -ERANGE, "out of range");
	fakeguard_fail(&lab->server.guard, GUARD_SET, 2, 1, -ESTALE,
		       "somebody else's MTU");
	lab->server.runner.fault.kind = RUNNER_ARM;
	lab->server.runner.fault.skip = 2;
	lab->server.runner.fault.times = 1;
	lab->server.runner.fault.code = -EADDRINUSE;
	cmdlab_start_server(lab);
	cmdlab_run_client(lab, ask_for_pairs);
	assert_int_equal(cmdlab_end_server(lab), 0);
	assert_int_equal(lab->server.guard.facts.mtu, CMDLAB_MTU);
	assert_string_equal(lab->server.runner.armed.remote, "127.0.0.1");
	assert_int_equal(fixture_read_int(lab->server.files,
					  "SELECT count(*) FROM run_warning WHERE"
					  " detail = 'cannot flush'"),
			 1);
}

/* --- rows --- */

static int send_rows(struct cmdlab *lab)
{
	struct measurement row =
		fixture_visit(1, (struct mtu_pair){1380, 1400}, 10, 20);

	CHILD_CHECK(open_session(lab, PERSIST_NONE) == 0);
	row.mtu.server = 1500;
	CHILD_CHECK(send_row(&row) == -EINVAL);
	row.mtu.server = 1380;
	CHILD_CHECK(send_row(&row) == 0);
	/* Its answer may have been lost. */
	CHILD_CHECK(send_row(&row) == 0);
	row.dir[DIR_UPLOAD].goodput_bps++;
	CHILD_CHECK(send_row(&row) == -EINVAL);
	return close_session(RUN_DONE) == 0 ? 0 : 1;
}

static void test_rows(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server(lab);
	cmdlab_run_client(lab, send_rows);
	cmdlab_end_server(lab);
	cmdlab_assert_said(lab->server.said, "ended: done, 1 row received");
	assert_int_equal(fixture_read_int(lab->server.files,
					  "SELECT upload_goodput_bps FROM measurement"),
			 10000000);
}

/* --- commits --- */

static int ask_for_commits(struct cmdlab *lab)
{
	CHILD_CHECK(open_session(lab, PERSIST_BEST) == 0);
	CHILD_CHECK(set_pair(1380, 0) == 0);
	/* Without a proof of that MTU in this session: no. */
	CHILD_CHECK(commit() == -ENODATA);
	CHILD_CHECK(heard("MTU 1380"));
	/* A throughput test is no proof, and one that failed is none. */
	CHILD_CHECK(arm(1, false) == 0 && commit() == -ENODATA);
	CHILD_CHECK(arm(2, true) == 0 && commit() == -ENODATA);
	CHILD_CHECK(arm(3, true) == 0);
	/* It was of the other MTU. */
	CHILD_CHECK(set_pair(1420, 0) == 0 && commit() == -ENODATA);
	CHILD_CHECK(set_pair(1380, 0) == 0);
	CHILD_CHECK(arm(4, true) == 0 && commit() == 0);
	/* Asked again, since the answer was lost. */
	CHILD_CHECK(set_pair(1380, 0) == 0 && commit() == 0);
	CHILD_CHECK(close_session(RUN_FAILED) == 0);
	/* A peer that failed may not know. */
	CHILD_CHECK(heard("it has applied MTU 1380"));
	/* A later session of that run keeps nothing by itself, but is told as well. */
	CHILD_CHECK(open_session(lab, PERSIST_BEST) == 0);
	CHILD_CHECK(set_pair(1380, 0) == 0 && commit() == -ENODATA);
	CHILD_CHECK(close_session(RUN_FAILED) == 0 && heard("it has applied MTU 1380"));
	return 0;
}

static void test_commits(void **state)
{
	struct cmdlab *lab = *state;

	lab->server.options.persist = PERSIST_BEST;
	lab->server.runner.proofs_lost = 1;
	cmdlab_start_server(lab);
	cmdlab_run_client(lab, ask_for_commits);
	cmdlab_end_server(lab);
	assert_int_equal(lab->server.guard.committed_mtu, 1380);
	assert_int_equal(fakeguard_count(&lab->server.guard, GUARD_COMMIT), 2);
}

static int ask_without_persist(struct cmdlab *lab)
{
	CHILD_CHECK(open_session(lab, PERSIST_NONE) == 0);
	CHILD_CHECK(set_pair(1380, 0) == 0 && arm(1, true) == 0);
	CHILD_CHECK(commit() == -EACCES);
	CHILD_CHECK(heard("--persist"));
	return close_session(RUN_DONE) == 0 ? 0 : 1;
}

static void test_run_that_keeps_nothing(void **state)
{
	struct cmdlab *lab = *state;

	lab->server.options.persist = PERSIST_BEST;
	cmdlab_start_server(lab);
	cmdlab_run_client(lab, ask_without_persist);
	cmdlab_end_server(lab);
	cmdlab_assert_said(lab->server.said, "the peer was started without --persist");
	assert_int_equal(fakeguard_count(&lab->server.guard, GUARD_COMMIT), 0);
}

/* --- findings --- */

static int send_findings(struct cmdlab *lab)
{
	struct measurement row =
		fixture_visit(1, (struct mtu_pair){1420, 1420}, 10, 20);
	struct msg_recommendation v = {
		.mtu = {1380, 1400},
		.status = EVIDENCE_CONFIRMED,
		.reason = {.kind = REASON_FITS, .margin = 5, .visits = 9}};
	struct msg_path m = {.overhead = 60, .probes = 4, .probe_ms = 12};
	struct msg_close done = {.outcome = RUN_DONE};

	CHILD_CHECK(open_session(lab, PERSIST_NONE) == 0);
	text_copy(m.session, sizeof(m.session), opened.session);
	text_copy(v.session, sizeof(v.session), opened.session);
	CHILD_CHECK(set_pair(1420, 1) == 0 && send_row(&row) == 0);
	/* Without the path there is nothing to judge by. */
	CHILD_CHECK(client_recommendation(client, &v, TIMEOUT_MS, &said) == -ENODATA);
	text_copy(m.bands, sizeof(m.bands), "nonsense");
	CHILD_CHECK(client_path(client, &m, TIMEOUT_MS, &said) < 0);
	m.bands[0] = '\0';
	CHILD_CHECK(client_path(client, &m, TIMEOUT_MS, &said) == 0);
	m.download = true;
	m.overhead = 80;
	m.relayed = true;
	m.unseen = true;
	m.probes = 5;
	CHILD_CHECK(client_path(client, &m, TIMEOUT_MS, &said) == 0);
	/* A prediction can be withdrawn. */
	v.status = EVIDENCE_PREDICTED;
	CHILD_CHECK(client_recommendation(client, &v, TIMEOUT_MS, &said) == 0);
	v.mtu = (struct mtu_pair){0};
	v.number = 2;
	CHILD_CHECK(client_recommendation(client, &v, TIMEOUT_MS, &said) == 0);
	/* One that it overtook changes nothing. */
	v.mtu = (struct mtu_pair){1380, 1400};
	v.number = 1;
	CHILD_CHECK(client_recommendation(client, &v, TIMEOUT_MS, &said) == 0);
	CHILD_CHECK(fixture_read_int(lab->server.files,
				     "SELECT count(*) FROM recommendation") == 0);
	v.number = 3;
	v.mtu = (struct mtu_pair){1380, 0};
	CHILD_CHECK(client_recommendation(client, &v, TIMEOUT_MS, &said) < 0);
	v.mtu.peer = 1400;
	v.status = EVIDENCE_CONFIRMED;
	/* This copy's rows say another pair: the peer's word counts, and is marked. */
	CHILD_CHECK(client_recommendation(client, &v, TIMEOUT_MS, &said) == 0);
	/* The last one comes with the close. */
	done.recommendation = v;
	done.recommendation.mtu.server = 1400;
	done.recommendation.number++;
	text_copy(done.session, sizeof(done.session), opened.session);
	CHILD_CHECK(client_close(client, &done, TIMEOUT_MS, &said) == 0);
	CHILD_CHECK(!said.text[0]);
	return 0;
}

static void test_findings(void **state)
{
	struct cmdlab *lab = *state;
	char *text;

	cmdlab_start_server(lab);
	cmdlab_run_client(lab, send_findings);
	cmdlab_end_server(lab);
	text = fixture_recommendation(lab->server.files);
	cmdlab_assert_said(text, "recommended: server MTU 1400, peer MTU 1400\n"
				 "why: the largest allowed pair at which every packet");
	cmdlab_assert_said(text, "\n9 measurements; ");
	cmdlab_assert_said(text, "\nwarning: the pair is the peer's");
	free(text);
	/* Each direction has its own sender. */
	assert_int_equal(fixture_read_int(lab->server.files,
					  "SELECT upload_overhead = 60 AND"
					  " download_overhead = 80 AND"
					  " NOT upload_relayed AND download_relayed"
					  " AND NOT upload_unseen AND download_unseen"
					  " FROM path_detail"),
			 1);
	assert_int_equal(fixture_read_int(lab->server.files,
					  "SELECT upload_probes * 10 + download_probes "
					  "FROM path"),
			 45);
}

/* --- the page and the metrics --- */

/* Read http://<address>:5000<path>, whole, into `ret`. */
static int get(const struct cmdlab *lab, const char *path, char *ret, size_t size)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(5000)};
	cleanup_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char request[256];
	size_t used = 0;
	ssize_t n;

	inet_pton(AF_INET, lab->address, &name.sin_addr);
	snprintf(request, sizeof(request),
		 "GET %s HTTP/1.1\r\nHost: %s:5000\r\nConnection: close\r\n\r\n", path,
		 lab->address);
	if (connect(fd, (struct sockaddr *)&name, sizeof(name)) < 0 ||
	    io_write_all(fd, request, strlen(request)) < 0)
		return -1;
	while (used + 1 < size && (n = recv(fd, ret + used, size - used - 1, 0)) > 0)
		used += (size_t)n;
	ret[used] = '\0';
	return strncmp(ret, "HTTP/1.1 200", 12) == 0 ? 0 : -1;
}

/* True if the metrics have a sample of that name and value. */
static bool has_sample(const char *text, const char *name, int value)
{
	char line[64];
	const char *at;
	char end[16];

	snprintf(line, sizeof(line), "\nmtusweep_%s{", name);
	snprintf(end, sizeof(end), "} %d", value);
	at = strstr(text, line);
	at = at ? strstr(at, "} ") : NULL;
	return at && strncmp(at, end, strlen(end)) == 0;
}

static int look_on(struct cmdlab *lab)
{
	struct measurement row =
		fixture_visit(1, (struct mtu_pair){1380, 1400}, 10, 20);
	int64_t deadline_ms = clock_boot_ms() + TIMEOUT_MS;
	char text[32768];

	CHILD_CHECK(connect_client(lab) == 0);
	CHILD_CHECK(get(lab, "/metrics", text, sizeof(text)) == 0);
	CHILD_CHECK(has_sample(text, "session_open", 0));
	CHILD_CHECK(get(lab, "/progress", text, sizeof(text)) == 0);
	CHILD_CHECK(strstr(text, "\"now\":null"));
	CHILD_CHECK(open_session(lab, PERSIST_NONE) == 0);
	CHILD_CHECK(set_pair(1380, 1) == 0 && send_row(&row) == 0);
	CHILD_CHECK(set_pair(1420, 2) == 0);
	CHILD_CHECK(get(lab, "/progress?pair=1380,1400", text, sizeof(text)) == 0);
	CHILD_CHECK(strstr(text, fixture_run(1).uuid));
	CHILD_CHECK(strstr(text, "\"doing\":\"upload\""));
	CHILD_CHECK(strstr(text, "\"server_mtu\":1420"));
	CHILD_CHECK(strstr(text, "\"pair\":{"));
	/* An answer is repeated for two seconds before the database is read again. */
	while (!has_sample(text, "session_open", 1) && clock_boot_ms() < deadline_ms) {
		io_wait(-1, -1, clock_boot_ms() + 50);
		CHILD_CHECK(get(lab, "/metrics", text, sizeof(text)) == 0);
	}
	CHILD_CHECK(has_sample(text, "session_open", 1));
	CHILD_CHECK(strstr(text, "peer_mtu=\"1400\""));
	return close_session(RUN_DONE) == 0 ? 0 : 1;
}

static void test_page_and_metrics(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server(lab);
	cmdlab_run_client(lab, look_on);
	assert_int_equal(cmdlab_end_server(lab), 0);
}

/* --- probes --- */

static int ask_for_a_probe(struct cmdlab *lab)
{
	struct msg_probe m = {.token = SECRET, .port = 4000, .reach = 1500};
	struct msg_probing probing;

	CHILD_CHECK(open_session(lab, PERSIST_NONE) == 0);
	text_copy(m.session, sizeof(m.session), opened.session);
	/* The guard's no is the server's. */
	CHILD_CHECK(client_probe(client, &m, TIMEOUT_MS, &probing, &said) ==
		    -EOPNOTSUPP);
	CHILD_CHECK(client_probe(client, &m, TIMEOUT_MS, &probing, &said) ==
		    -ECANCELED);
	return close_session(RUN_DONE) == 0 ? 0 : 1;
}

static void test_probe_that_cannot_be(void **state)
{
	struct cmdlab *lab = *state;

	fakeguard_fail(&lab->server.guard, GUARD_PROBE, 2, 1, -ESTALE,
		       "somebody else's MTU");
	cmdlab_start_server(lab);
	cmdlab_run_client(lab, ask_for_a_probe);
	assert_int_equal(cmdlab_end_server(lab), 0);
	assert_int_equal(lab->server.guard.facts.mtu, CMDLAB_MTU);
}

/* --- the end --- */

static int fall_silent(struct cmdlab *lab)
{
	struct msg_open m = make_open(PERSIST_NONE);
	int64_t deadline_ms = clock_boot_ms() + TIMEOUT_MS;
	struct msg_hello hello = {.busy = true};

	m.lease_ms = 1000;
	CHILD_CHECK(connect_client(lab) == 0);
	CHILD_CHECK(client_open(client, &m, TIMEOUT_MS, &opened, &said) == 0);
	CHILD_CHECK(set_pair(1380, 0) == 0);
	while (hello.busy && clock_boot_ms() < deadline_ms) {
		io_wait(-1, -1, clock_boot_ms() + 50);
		CHILD_CHECK(client_hello(client, TIMEOUT_MS, &hello, &said) == 0);
	}
	CHILD_CHECK(!hello.busy);
	CHILD_CHECK(set_pair(1380, 0) == -ESTALE);
	return 0;
}

static void test_silent_peer(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server(lab);
	cmdlab_run_client(lab, fall_silent);
	assert_int_equal(lab->server.guard.facts.mtu, CMDLAB_MTU);
	assert_int_equal(cmdlab_end_server(lab), 0);
	cmdlab_assert_said(lab->server.said, "127.0.0.1 was silent for 1 s");
	assert_int_equal(fixture_read_int(lab->server.files,
					  "SELECT count(*) FROM run WHERE "
					  "outcome = 'interrupted'"),
			 1);
}

static int leave_open(struct cmdlab *lab)
{
	CHILD_CHECK(open_session(lab, PERSIST_NONE) == 0);
	return set_pair(1380, 0) == 0 ? 0 : 1;
}

static void test_told_to_stop_in_the_middle(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server(lab);
	cmdlab_run_client(lab, leave_open);
	assert_int_equal(cmdlab_end_server(lab), 1);
	cmdlab_assert_said(lab->server.said, "stopped by Terminated in the middle");
	assert_int_equal(lab->server.guard.facts.mtu, CMDLAB_MTU);
}

static void test_guard_that_is_gone(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server(lab);
	fd_close(&lab->server.guard.fd);
	assert_int_equal(cmdlab_wait_for_server(lab), 1);
	cmdlab_assert_said(lab->server.said, "the guard process is gone");
}

static void test_once(void **state)
{
	struct cmdlab *lab = *state;

	lab->server_config.once = true;
	cmdlab_start_server(lab);
	cmdlab_run_client(lab, ask_to_open);
	assert_int_equal(lab->server.guard.facts.mtu, CMDLAB_MTU);
	/* That run was not completed. */
	assert_int_equal(cmdlab_run(lab), 0);
	assert_int_equal(cmdlab_wait_for_server(lab), 0);
}

static void test_port_of_the_tests_is_taken(void **state)
{
	struct cmdlab *lab = *state;
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(5201)};
	cleanup_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, lab->address, &name.sin_addr);
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(cmdlab_run_server(lab), 1);
	cmdlab_assert_said(lab->server.said, "--iperf-port");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, cmdlab_setup, cmdlab_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_open),
		TEST(test_pairs),
		TEST(test_rows),
		TEST(test_commits),
		TEST(test_run_that_keeps_nothing),
		TEST(test_findings),
		TEST(test_page_and_metrics),
		TEST(test_probe_that_cannot_be),
		TEST(test_silent_peer),
		TEST(test_told_to_stop_in_the_middle),
		TEST(test_guard_that_is_gone),
		TEST(test_once),
		TEST(test_port_of_the_tests_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* The real endpoint and client, over a loopback of their own: every message, every
 * error, admitted and refused callers, leases. */

#include "sync/endpoint.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/text.h"
#include "support.h"
#include "sync/client.h"

#define ADDRESS "127.0.0.2"
#define PORT    5000
#define IN_TIME 2000

static struct msg_paired paired;

struct stage {
	struct support_ops ops;
	struct endpoint *endpoint;
	struct client *client;
	struct msg_opened opened;
	struct err err;
};

static void start_endpoint(struct stage *stage, int64_t lease_max_ms)
{
	struct endpoint_config config = {
		.address = ADDRESS,
		.interface = "",
		.port = PORT,
		.lease_max_ms = lease_max_ms,
		.ops = &support_endpoint_ops,
		.ctx = &stage->ops,
	};

	support_ops_init(&stage->ops);
	assert_int_equal(endpoint_new(&config, &stage->endpoint, &stage->err), 0);
}

static struct client *make_client(void)
{
	struct client_config config = {
		.interface = "lo", .address = ADDRESS, .port = PORT, .stop_fd = -1};
	struct client *client = NULL;

	assert_int_equal(client_new(&config, &client, NULL), 0);
	return client;
}

static int setup(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	*state = stage;
	start_endpoint(stage, 60000);
	stage->client = make_client();
	return 0;
}

static int teardown(void **state)
{
	struct stage *stage = *state;

	client_free(stage->client);
	endpoint_free(stage->endpoint);
	free(stage);
	return 0;
}

static int open_run(struct stage *stage, const char *uuid, int64_t lease_ms)
{
	struct msg_open m = support_open(uuid, lease_ms);

	return client_open(stage->client, &m, IN_TIME, &stage->opened, &stage->err);
}

static struct msg_pair pair_of(const struct stage *stage)
{
	struct msg_pair m = {
		.mtu = 1400, .test = 7, .duration_ms = 5000, .rtt_us = 20000};

	memcpy(m.session, stage->opened.session, TOKEN_SIZE);
	return m;
}

static struct msg_probe probe_of(const struct stage *stage)
{
	struct msg_probe m = {.port = 40000, .reach = 1500};

	strcpy(m.session, stage->opened.session);
	strcpy(m.token, "0123456789abcdef0123456789abcdef");
	return m;
}

static struct msg_arm arm_of(const struct stage *stage)
{
	struct msg_arm m = {.test = 8, .duration_ms = 5000, .rtt_us = 20000};

	memcpy(m.session, stage->opened.session, TOKEN_SIZE);
	return m;
}

static struct msg_row row_of(const struct stage *stage, uint32_t seq)
{
	struct msg_row m = {.row = support_row(seq)};

	memcpy(m.session, stage->opened.session, TOKEN_SIZE);
	return m;
}

static struct msg_close close_of(const struct stage *stage)
{
	struct msg_close m = {.outcome = RUN_DONE, .text = "all done"};

	memcpy(m.session, stage->opened.session, TOKEN_SIZE);
	return m;
}

/* Send a raw request on a new connection; return the status, and the answer in
 * `ret`. */
static int raw(const char *from, const char *to, const char *request, char ret[4096])
{
	int fd = support_connect(from, to, PORT);
	int status;

	assert_true(fd >= 0);
	status = support_http(fd, request, ret, 4096);
	close(fd);
	return status;
}

static int raw_post(const char *from, const char *path, const char *json,
		    char ret[4096])
{
	char request[2048];

	snprintf(request, sizeof(request),
		 "POST %s HTTP/1.1\r\nHost: " ADDRESS ":5000\r\nConnection: close\r\n"
		 "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
		 path, strlen(json), json);
	return raw(from, ADDRESS, request, ret);
}

/* --- every message --- */

/* Path and recommendation: each sent twice, as after a lost answer; refused; and for an
 * invalid session. */
static void check_findings(struct stage *stage)
{
	struct client *client = stage->client;
	struct err *err = &stage->err;
	struct msg_path path;
	struct msg_recommendation recommendation;

	/* The values are compared with the received ones as memory, padding
	 * included. */
	memset(&path, 0, sizeof(path));
	memset(&recommendation, 0, sizeof(recommendation));
	path.download = true;
	path.overhead = 60;
	path.probes = 15;
	path.probe_ms = 120;
	recommendation.mtu = (struct mtu_pair){1440, 1400};
	recommendation.settled = true;
	recommendation.reason.margin = 5;
	recommendation.reason.visits = 7;
	text_copy(path.session, sizeof(path.session), stage->opened.session);
	text_copy(path.bands, sizeof(path.bands), "1460:whole,65535:lost");
	text_copy(recommendation.session, sizeof(recommendation.session),
		  stage->opened.session);
	for (int i = 0; i < 2; i++) {
		memset(&stage->ops.path, 0, sizeof(stage->ops.path));
		memset(&stage->ops.recommendation, 0,
		       sizeof(stage->ops.recommendation));
		assert_int_equal(client_path(client, &path, IN_TIME, err), 0);
		assert_memory_equal(&stage->ops.path, &path, sizeof(path));
		assert_int_equal(
			client_recommendation(client, &recommendation, IN_TIME, err),
			0);
		assert_memory_equal(&stage->ops.recommendation, &recommendation,
				    sizeof(recommendation));
	}
	stage->ops.fail = ENOSPC;
	assert_int_equal(client_path(client, &path, IN_TIME, err), -ENOSPC);
	assert_int_equal(client_recommendation(client, &recommendation, IN_TIME, err),
			 -ENOSPC);
	stage->ops.fail = 0;
	path.session[0] = path.session[0] == '0' ? '1' : '0';
	text_copy(recommendation.session, sizeof(recommendation.session), path.session);
	assert_int_equal(client_path(client, &path, IN_TIME, err), -ESTALE);
	assert_int_equal(client_recommendation(client, &recommendation, IN_TIME, err),
			 -ESTALE);
}

static void a_run_from_hello_to_close(void **state)
{
	struct stage *stage = *state;
	struct client *client = stage->client;
	struct err *err = &stage->err;
	struct msg_hello hello;
	struct msg_pair pair;
	struct msg_arm arm;
	struct msg_probe probe;
	struct msg_probing probing;
	struct msg_ask ask = {.test = 8};
	struct msg_figures figures;
	struct msg_row row;
	struct msg_close done;

	assert_int_equal(client_hello(client, IN_TIME, &hello, err), 0);
	assert_int_equal(hello.protocol, MSG_PROTOCOL);
	assert_string_equal(hello.server.host, "server-host");
	assert_int_equal(hello.range.max, 1500);
	assert_int_equal(hello.allow_max, 9000);
	assert_int_equal(hello.persist, PERSIST_EACH);
	assert_false(hello.busy);
	assert_true(client_rtt_us(client) > 0);

	assert_int_equal(open_run(stage, SUPPORT_RUN, 30000), 0);
	assert_int_equal(stage->ops.open.run.seed, UINT64_MAX);
	assert_string_equal(stage->ops.open.run.peer.host, "peer-host");
	assert_string_equal(stage->opened.server.host, "server-host");
	assert_int_equal(client_hello(client, IN_TIME, &hello, err), 0);
	assert_true(hello.busy);

	pair = pair_of(stage);
	assert_int_equal(client_pair(client, &pair, IN_TIME, &paired, err), 0);
	assert_memory_equal(&stage->ops.pair, &pair, sizeof(pair));
	arm = arm_of(stage);
	assert_int_equal(client_arm(client, &arm, IN_TIME, err), 0);
	assert_int_equal(stage->ops.arm.test, 8);
	probe = probe_of(stage);
	assert_int_equal(client_probe(client, &probe, IN_TIME, &probing, err), 0);
	assert_memory_equal(&stage->ops.probe, &probe, sizeof(probe));
	assert_int_equal(probing.size_min, 576);
	assert_true(probing.tap);
	text_copy(ask.session, sizeof(ask.session), stage->opened.session);
	assert_int_equal(client_figures(client, &ask, IN_TIME, &figures, err), 0);
	assert_int_equal(figures.seen.goodput_bps, 8);
	assert_int_equal(figures.seen.goodput_low_bps, NO_FIGURE);
	assert_int_equal(figures.seen.rtt_us, 20000);
	stage->ops.fail = ENOENT;
	assert_int_equal(client_figures(client, &ask, IN_TIME, &figures, err), -ENOENT);
	stage->ops.fail = 0;
	ask.session[0] = ask.session[0] == '0' ? '1' : '0';
	assert_int_equal(client_figures(client, &ask, IN_TIME, &figures, err), -ESTALE);
	check_findings(stage);
	row = row_of(stage, 1);
	assert_int_equal(client_row(client, SUPPORT_RUN, &row, IN_TIME, err), 0);
	assert_memory_equal(&stage->ops.row, &row.row, sizeof(row.row));
	assert_int_equal(client_row(client, SUPPORT_RUN, &row, IN_TIME, err), 0);
	assert_int_equal(stage->ops.rows, 2);
	assert_int_equal(client_renew(client, stage->opened.session, IN_TIME, err), 0);
	assert_int_equal(client_commit(client, stage->opened.session, IN_TIME, err), 0);
	done = close_of(stage);
	assert_int_equal(client_close(client, &done, IN_TIME, err), 0);
	assert_int_equal(stage->ops.outcome, RUN_DONE);
	assert_int_equal(stage->ops.renewed, 1);
	assert_int_equal(stage->ops.committed, 1);

	/* The answer was lost: the same request again, and nothing is done twice. */
	assert_int_equal(client_close(client, &done, IN_TIME, err), 0);
	assert_int_equal(stage->ops.closed, 1);
	assert_int_equal(client_pair(client, &pair, IN_TIME, &paired, err), -ESTALE);
	assert_true(client_answered(client));
}

static void the_shorter_lease_counts(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(open_run(stage, SUPPORT_RUN, 600000), 0);
	assert_int_equal(stage->opened.lease_ms, 60000);
	assert_int_equal(stage->ops.open.lease_ms, 60000);
	assert_int_equal(open_run(stage, SUPPORT_RUN, 30000), 0);
	assert_int_equal(stage->opened.lease_ms, 30000);
	assert_in_range(endpoint_tick(stage->endpoint), 29000, 30000);
}

static void warnings_come_with_success(void **state)
{
	static const struct warning told = {
		.kind = WARNING_PATH_MTU_CACHED,
		.at_end = WARNING_END_SERVER,
		.detail = "cannot flush '/proc/sys': read-only",
	};
	struct stage *stage = *state;
	struct msg_pair pair;
	struct warning w;

	assert_int_equal(open_run(stage, SUPPORT_RUN, 30000), 0);
	stage->ops.warning = &told;
	pair = pair_of(stage);
	assert_int_equal(
		client_pair(stage->client, &pair, IN_TIME, &paired, &stage->err), 0);
	assert_int_equal(paired.warnings.count, 1);
	w = warnings_get(&paired.warnings, 0);
	assert_int_equal(w.kind, told.kind);
	assert_int_equal(w.at_end, told.at_end);
	assert_string_equal(w.detail, told.detail);
	stage->ops.warning = NULL;
	assert_int_equal(
		client_pair(stage->client, &pair, IN_TIME, &paired, &stage->err), 0);
	assert_int_equal(paired.warnings.count, 0);
}

struct failure {
	int code;
	int status;
};

static const struct failure failures[] = {
	{EACCES, 403},    {ERANGE, 400},        {ENETDOWN, 503}, {ENODEV, 503},
	{ETIMEDOUT, 504}, {ENOSPC, 507},        {EDQUOT, 429},   {EADDRINUSE, 500},
	{EPIPE, 500},     {EHOSTDOWN, 503},     {EIO, 500},      {ESTALE, 410},
	{EROFS, 500},     {EADDRNOTAVAIL, 500},
};

/* The peer gets an operation's error as in the table of docs/protocol.md. */
static void operations_failures_arrive(void **state)
{
	struct stage *stage = *state;
	struct msg_pair pair;
	char json[512];
	char answer[4096];

	assert_int_equal(open_run(stage, SUPPORT_RUN, 30000), 0);
	pair = pair_of(stage);
	snprintf(json, sizeof(json),
		 "{\"session\":\"%s\",\"mtu\":1400,\"test\":0,\"duration_ms\":5000,"
		 "\"rtt_us\":1,\"from_port\":0}",
		 pair.session);
	stage->ops.text = "'wg0' says \"no\"";
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		stage->ops.fail = failures[i].code;
		print_message("%s\n", strerror(failures[i].code));
		assert_int_equal(client_pair(stage->client, &pair, IN_TIME, &paired,
					     &stage->err),
				 -failures[i].code);
		assert_string_equal(stage->err.text, "the server: 'wg0' says \"no\"");
		assert_true(client_answered(stage->client));
		assert_int_equal(raw_post(stage->ops.address, "/v1/pair", json, answer),
				 failures[i].status);
	}
	/* An error that is not in the table. */
	stage->ops.fail = ELIBBAD;
	assert_int_equal(
		client_pair(stage->client, &pair, IN_TIME, &paired, &stage->err), -EIO);
}

/* --- admitted and refused callers --- */

static void a_failed_open_changes_nothing(void **state)
{
	struct stage *stage = *state;
	struct msg_pair pair;

	stage->ops.fail = EACCES;
	stage->ops.text = "persist not permitted";
	assert_int_equal(open_run(stage, SUPPORT_RUN, 30000), -EACCES);
	assert_int_equal(endpoint_tick(stage->endpoint), -1);
	stage->ops.fail = 0;
	assert_int_equal(open_run(stage, SUPPORT_RUN, 30000), 0);
	/* A failed takeover does not end the existing session. */
	pair = pair_of(stage);
	stage->ops.fail = EIO;
	assert_int_equal(open_run(stage, SUPPORT_RUN, 30000), -EIO);
	stage->ops.fail = 0;
	assert_int_equal(
		client_pair(stage->client, &pair, IN_TIME, &paired, &stage->err), 0);
}

static void the_same_run_takes_over(void **state)
{
	struct stage *stage = *state;
	struct msg_pair before;
	struct msg_pair after;

	assert_int_equal(open_run(stage, SUPPORT_RUN, 30000), 0);
	before = pair_of(stage);
	assert_int_equal(open_run(stage, SUPPORT_RUN, 30000), 0);
	after = pair_of(stage);
	assert_int_equal(stage->ops.opened, 2);
	assert_int_equal(stage->ops.resumed, 1);
	assert_int_equal(
		client_pair(stage->client, &before, IN_TIME, &paired, &stage->err),
		-ESTALE);
	assert_int_equal(
		client_pair(stage->client, &after, IN_TIME, &paired, &stage->err), 0);
	assert_int_equal(open_run(stage, SUPPORT_OTHER, 30000), -EBUSY);
	assert_non_null(strstr(stage->err.text, stage->ops.address));
}

static void another_address_is_refused(void **state)
{
	struct stage *stage = *state;
	struct msg_open m = support_open(SUPPORT_RUN, 30000);
	char *open_json = msg_open_encode(&m, NULL);
	char answer[4096];
	char *json;

	assert_int_equal(open_run(stage, SUPPORT_RUN, 30000), 0);
	assert_string_not_equal(stage->ops.address, "127.0.0.3");
	assert_int_equal(raw_post("127.0.0.3", "/v1/session", open_json, answer), 409);
	assert_non_null(strstr(answer, "EBUSY"));
	free(open_json);
	for (int i = 0; i < 3; i++) {
		static const char *const paths[] = {"/v1/lease", "/v1/commit",
						    "/v1/close"};
		struct msg_close done = close_of(stage);

		json = msg_close_encode(&done, NULL);
		assert_int_equal(raw_post("127.0.0.3", paths[i], json, answer), 403);
		assert_non_null(strstr(answer, "EPERM"));
		free(json);
	}
	assert_int_equal(stage->ops.closed + stage->ops.committed + stage->ops.renewed,
			 0);
}

static void rows_belong_to_their_run(void **state)
{
	struct stage *stage = *state;
	struct msg_row row;

	assert_int_equal(open_run(stage, SUPPORT_RUN, 30000), 0);
	row = row_of(stage, 1);
	assert_int_equal(
		client_row(stage->client, SUPPORT_OTHER, &row, IN_TIME, &stage->err),
		-EINVAL);
	assert_int_equal(stage->ops.rows, 0);
}

static void another_version_is_told_both_numbers(void **state)
{
	static const char *const others[][2] = {
		{"{\"protocol\":9,\"x\":{}}", "protocol 9, this one 3: install the"},
		{"{\"protocol\":2,\"lease_ms\":4000}",
		 "protocol 2, this one 3: install the"},
	};
	char answer[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_int_equal(raw_post(NULL, "/v1/session", others[i][0], answer),
				 426);
		assert_non_null(strstr(answer, "EPROTO"));
		assert_non_null(strstr(answer, others[i][1]));
	}
}

static void loopback_only_looks_on(void **state)
{
	static const char get[] =
		"GET /v1/status HTTP/1.1\r\nHost: localhost:5000\r\n\r\n";
	static const char post[] =
		"POST /v1/close HTTP/1.1\r\nHost: 127.0.0.1:5000\r\n"
		"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
	static const char put[] =
		"PUT /v1/run/x/row/1 HTTP/1.1\r\nHost: 127.0.0.1:5000\r\n"
		"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
	struct stage *stage = *state;
	struct msg_status status;
	struct msg_row row;
	char answer[4096];
	char *body;

	assert_int_equal(raw(NULL, "127.0.0.1", get, answer), 200);
	assert_non_null(strstr(answer, "\"open\":false"));
	assert_int_equal(open_run(stage, SUPPORT_RUN, 30000), 0);
	row = row_of(stage, 12);
	assert_int_equal(
		client_row(stage->client, SUPPORT_RUN, &row, IN_TIME, &stage->err), 0);
	assert_int_equal(raw(NULL, "127.0.0.1", get, answer), 200);
	body = strstr(answer, "\r\n\r\n") + 4;
	assert_int_equal(msg_status_decode(body, strlen(body), &status, NULL), 0);
	assert_true(status.open);
	assert_int_equal(status.rows, 12);
	assert_string_equal(status.run, SUPPORT_RUN);
	assert_string_equal(status.peer, stage->ops.address);
	assert_int_equal(raw(NULL, "127.0.0.1", post, answer), 403);
	assert_int_equal(raw(NULL, "127.0.0.1", put, answer), 403);
}

/* --- leases --- */

/* Tick as the server's main loop does, for `ms`. */
static void run_ticks(struct stage *stage, int ms)
{
	int64_t end_ms = clock_boot_ms() + ms;

	while (clock_left_ms(end_ms) > 0) {
		int wanted = endpoint_tick(stage->endpoint);
		int left = clock_left_ms(end_ms);
		struct pollfd fd = {.fd = endpoint_fd(stage->endpoint),
				    .events = POLLIN};

		poll(&fd, 1, wanted >= 0 && wanted < left ? wanted : left);
	}
	endpoint_tick(stage->endpoint);
}

static void a_lease_runs_out_once(void **state)
{
	struct stage *stage = *state;
	struct msg_pair pair;

	assert_int_equal(endpoint_tick(stage->endpoint), -1);
	assert_int_equal(open_run(stage, SUPPORT_RUN, 2000), 0);
	assert_int_equal(io_wait(endpoint_fd(stage->endpoint), -1, 0), 1);
	run_ticks(stage, 1200);
	assert_int_equal(stage->ops.expired, 0);
	pair = pair_of(stage);
	/* Any successful request of the session renews it. */
	assert_int_equal(
		client_pair(stage->client, &pair, IN_TIME, &paired, &stage->err), 0);
	run_ticks(stage, 1200);
	assert_int_equal(stage->ops.expired, 0);
	/* A failed request does not. */
	stage->ops.fail = EIO;
	client_pair(stage->client, &pair, IN_TIME, &paired, &stage->err);
	run_ticks(stage, 1000);
	assert_int_equal(stage->ops.expired, 1);
	assert_int_equal(endpoint_tick(stage->endpoint), -1);
	run_ticks(stage, 50);
	assert_int_equal(stage->ops.expired, 1);
	assert_int_equal(
		client_renew(stage->client, pair.session, IN_TIME, &stage->err),
		-ESTALE);
}

struct arming {
	struct client *client;
	struct msg_arm m;
	int rc;
};

static void *arm_in_thread(void *ctx)
{
	struct arming *arming = ctx;

	arming->rc = client_arm(arming->client, &arming->m, 4000, NULL);
	return NULL;
}

/* A waiting arm request delays no renewals, and keeps its session alive. */
static void renewals_pass_a_waiting_arm(void **state)
{
	struct stage *stage = *state;
	struct arming arming = {.client = make_client()};
	struct msg_pair pair;
	pthread_t thread;
	int gate[2];

	assert_int_equal(pipe(gate), 0);
	assert_int_equal(open_run(stage, SUPPORT_RUN, 1000), 0);
	stage->ops.arm_gate = gate[0];
	arming.m = arm_of(stage);
	pair = pair_of(stage);
	pthread_create(&thread, NULL, arm_in_thread, &arming);
	while (stage->ops.arming == 0)
		usleep(1000);
	assert_int_equal(
		client_renew(stage->client, stage->opened.session, 300, &stage->err),
		0);
	/* Another change waits for its turn: it does not even begin. */
	assert_int_equal(client_pair(stage->client, &pair, 200, &paired, &stage->err),
			 -ETIMEDOUT);
	assert_false(client_answered(stage->client));
	assert_int_equal(stage->ops.paired, 0);
	assert_int_equal(stage->ops.armed, 0);
	run_ticks(stage, 1300);
	assert_int_equal(stage->ops.expired, 0);
	assert_int_equal(write(gate[1], "x", 1), 1);
	pthread_join(thread, NULL);
	assert_int_equal(arming.rc, 0);
	assert_int_equal(
		client_renew(stage->client, stage->opened.session, 300, &stage->err),
		0);
	client_free(arming.client);
	close(gate[0]);
	close(gate[1]);
}

/* A server that is told to stop tells its peer, and takes what ends a run. */
static void a_stop_is_told(void **state)
{
	struct stage *stage = *state;
	struct msg_pair pair;
	struct msg_row row;
	struct msg_close m;

	assert_int_equal(open_run(stage, SUPPORT_RUN, 30000), 0);
	endpoint_stop(stage->endpoint, "stopped by Interrupt");
	assert_int_equal(stage->ops.stopping, 1);
	pair = pair_of(stage);
	row = row_of(stage, 3);
	m = close_of(stage);
	assert_int_equal(
		client_pair(stage->client, &pair, IN_TIME, &paired, &stage->err),
		-EINTR);
	assert_true(client_answered(stage->client));
	assert_string_equal(stage->err.text, "the server: stopped by Interrupt");
	assert_int_equal(client_renew(stage->client, stage->opened.session, IN_TIME,
				      &stage->err),
			 -EINTR);
	assert_int_equal(stage->ops.paired + stage->ops.renewed, 0);
	assert_int_equal(open_run(stage, SUPPORT_RUN, 30000), -EINTR);
	assert_int_equal(
		client_row(stage->client, SUPPORT_RUN, &row, IN_TIME, &stage->err), 0);
	assert_int_equal(stage->ops.rows, 1);
	assert_int_equal(client_close(stage->client, &m, IN_TIME, &stage->err), 0);
	assert_int_equal(stage->ops.closed, 1);
	/* Another run waits for the next server. */
	assert_int_equal(open_run(stage, SUPPORT_RUN, 30000), -ESHUTDOWN);
	assert_int_equal(stage->ops.opened, 1);
}

/* --- too many callers --- */

#define CROWD 100

static int lease_request(const char *session, char *ret, size_t size)
{
	return snprintf(ret, size,
			"POST /v1/lease HTTP/1.1\r\nHost: " ADDRESS ":5000\r\n"
			"Content-Type: application/json\r\nContent-Length: 46\r\n\r\n"
			"{\"session\":\"%s\"}",
			session);
}

/* The first bytes of a crowd's connection, which then stops. */
static const char *const beginnings[] = {
	"",
	"P",
	"POST /v1/lease HTTP/1.1\r\nHost: " ADDRESS "\r\nX: ",
	"POST /v1/lease HTTP/1.1\r\nHost: " ADDRESS "\r\n"
	"Content-Type: application/json\r\nContent-Length: 700\r\n\r\n{",
	"POST /v1/lease HTTP/1.1\r\nHost: elsewhere\r\nContent-Length: 9999\r\n\r\n{",
	/* Whole, and its connection is kept while it is spare. */
	"GET /v1/hello HTTP/1.1\r\nHost: " ADDRESS "\r\n\r\n",
};

/* Fill `crowd` with connections, up to all of them. */
static void gather(const char *from, const char *begin, int crowd[CROWD])
{
	for (int i = 0; i < CROWD; i++) {
		crowd[i] = support_connect(from, ADDRESS, PORT);
		assert_true(crowd[i] >= 0);
		if (begin[0])
			send(crowd[i], begin, strlen(begin), MSG_NOSIGNAL);
	}
}

static void disperse(int crowd[CROWD])
{
	for (int i = 0; i < CROWD; i++)
		close(crowd[i]);
}

/* The crowd has many more callers than there are workers, with no request or half a one
 * each. The peer's kept connection has its worker, and its new connections get theirs
 * in time. */
static void meet_crowd(struct stage *stage, const char *from, const char *begin)
{
	int crowd[CROWD];
	struct client *fresh = make_client();
	struct msg_hello hello;

	gather(from, begin, crowd);
	for (int i = 0; i < 10; i++) {
		struct client *another = make_client();

		assert_int_equal(client_renew(stage->client, stage->opened.session,
					      1000, &stage->err),
				 0);
		assert_int_equal(client_hello(another, 2000, &hello, &stage->err), 0);
		client_free(another);
	}
	assert_int_equal(client_renew(fresh, stage->opened.session, 2000, &stage->err),
			 0);
	client_free(fresh);
	disperse(crowd);
}

static void a_crowd_keeps_nobody_out(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(open_run(stage, SUPPORT_RUN, 30000), 0);
	for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
		print_message("'%.40s'\n", beginnings[i]);
		meet_crowd(stage, "127.0.0.9", beginnings[i]);
		/* A crowd from the peer's own host. */
		meet_crowd(stage, stage->ops.address, beginnings[i]);
	}
}

/* Before there is a session and the peer has connections. */
static void a_crowd_does_not_keep_a_peer_from_opening(void **state)
{
	struct stage *stage = *state;

	for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
		int crowd[CROWD];
		struct msg_open m = support_open(SUPPORT_RUN, 30000);

		gather("127.0.0.9", beginnings[i], crowd);
		assert_int_equal(client_open(stage->client, &m, 2000, &stage->opened,
					     &stage->err),
				 0);
		disperse(crowd);
		/* The old client kept its connection: the next one starts without. */
		client_free(stage->client);
		stage->client = make_client();
	}
}

/* Correct requests with wrong ids do not wait for the current operation, and so do not
 * occupy workers. */
static void guesses_do_not_wait(void **state)
{
	static const char *const paths[] = {"/v1/pair", "/v1/arm", "/v1/commit",
					    "/v1/close"};
	struct stage *stage = *state;
	struct arming arming = {.client = make_client()};
	char json[512];
	char answer[4096];
	pthread_t thread;
	int gate[2];

	assert_int_equal(pipe(gate), 0);
	assert_int_equal(open_run(stage, SUPPORT_RUN, 30000), 0);
	stage->ops.arm_gate = gate[0];
	arming.m = arm_of(stage);
	pthread_create(&thread, NULL, arm_in_thread, &arming);
	while (stage->ops.arming == 0)
		usleep(1000);
	snprintf(json, sizeof(json),
		 "{\"session\":\"00000000000000000000000000000000\",\"mtu\":1400,"
		 "\"test\":1,\"duration_ms\":5000,\"rtt_us\":1,\"from_port\":0,\"full_"
		 "size\":false,"
		 "\"outcome\":\"done\",\"text\":\"\"}");
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_int_equal(raw_post(stage->ops.address, paths[i], json, answer),
				 410);
	assert_int_equal(stage->ops.armed, 0);
	assert_int_equal(write(gate[1], "x", 1), 1);
	pthread_join(thread, NULL);
	assert_int_equal(arming.rc, 0);
	client_free(arming.client);
	close(gate[0]);
	close(gate[1]);
}

/* The kept connection lasts longer than a test of the usual length, which saves a new
 * one. */
static void the_peers_connection_outlasts_a_test(void **state)
{
	struct stage *stage = *state;
	char request[512];
	char answer[4096];
	int length;
	int fd;

	assert_int_equal(open_run(stage, SUPPORT_RUN, 30000), 0);
	fd = support_connect(stage->ops.address, ADDRESS, PORT);
	length = lease_request(stage->opened.session, request, sizeof(request));
	for (int i = 0; i < 2; i++) {
		ssize_t n;

		usleep(i * 7000000);
		assert_int_equal(send(fd, request, (size_t)length, MSG_NOSIGNAL),
				 length);
		n = recv(fd, answer, sizeof(answer) - 1, 0);
		assert_true(n > 0);
		answer[n] = '\0';
		/* Head and body come in one piece. */
		assert_non_null(strstr(answer, "Connection: keep-alive\r\n"));
		assert_int_equal(answer[n - 1], '}');
	}
	close(fd);
}

/* A hello's connection takes the next request: a session opens a round trip sooner. A
 * caller that asks for nothing more does not hold a worker for long. */
static void a_hellos_connection_is_spare(void **state)
{
	static const char hello[] = "GET /v1/hello HTTP/1.1\r\nHost: " ADDRESS
				    "\r\n\r\n";
	char answer[4096];
	int fd = support_connect("127.0.0.9", ADDRESS, PORT);

	(void)state;
	assert_true(fd >= 0);
	for (int i = 0; i < 2; i++) {
		ssize_t n;

		assert_int_equal(send(fd, hello, strlen(hello), MSG_NOSIGNAL),
				 strlen(hello));
		n = recv(fd, answer, sizeof(answer) - 1, 0);
		assert_true(n > 0);
		answer[n] = '\0';
		assert_non_null(strstr(answer, "Connection: keep-alive\r\n"));
	}
	/* The end that the server makes. */
	assert_int_equal(recv(fd, answer, sizeof(answer), 0), 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_run_from_hello_to_close, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_shorter_lease_counts, setup,
						teardown),
		cmocka_unit_test_setup_teardown(warnings_come_with_success, setup,
						teardown),
		cmocka_unit_test_setup_teardown(operations_failures_arrive, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_failed_open_changes_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_same_run_takes_over, setup,
						teardown),
		cmocka_unit_test_setup_teardown(another_address_is_refused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(rows_belong_to_their_run, setup,
						teardown),
		cmocka_unit_test_setup_teardown(another_version_is_told_both_numbers,
						setup, teardown),
		cmocka_unit_test_setup_teardown(loopback_only_looks_on, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_lease_runs_out_once, setup, teardown),
		cmocka_unit_test_setup_teardown(a_stop_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(renewals_pass_a_waiting_arm, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_peers_connection_outlasts_a_test,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_crowd_keeps_nobody_out, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			a_crowd_does_not_keep_a_peer_from_opening, setup, teardown),
		cmocka_unit_test_setup_teardown(a_hellos_connection_is_spare, setup,
						teardown),
		cmocka_unit_test_setup_teardown(guesses_do_not_wait, setup, teardown),
	};

	return cmocka_run_group_tests(tests, support_own_network, NULL);
}

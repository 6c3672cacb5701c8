/* SPDX-License-Identifier: MIT */
/* One test of the peer with all its repetitions: the server's endpoint is real, and
 * guard and runner answer as the test says. */

#include "cmd/peer/peer_ops.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../sync/support.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/text.h"
#include "engine/runner_msg.h"
#include "netctl/guard_wire.h"

#define ADDRESS  "127.0.0.2"
#define PORT     5000
#define LEASE_MS 60000
#define WAIT_MS  400

/* The runner's answer to each test in turn, and the delay of each. */
static const struct answer {
	int code;
	enum test_status status;
	int after_ms;
} answers[] = {
	{-EAGAIN, TEST_OK, 0},
	/* The first shortage is over, and its time as well. */
	{0, TEST_TIMEOUT, WAIT_MS + 100},
	{-EAGAIN, TEST_OK, 0},
	{0, TEST_OK, 0},
};
#define ANSWERS (int)(sizeof(answers) / sizeof(answers[0]))

static struct {
	struct support_ops ops;
	struct endpoint *endpoint;
	struct peer_config config;
	struct host_options options;
	struct peer_session session;
	struct peer_run run;
	struct peer_visit visit;
	int guard_fd;
	int runner_fd;
	pthread_t guard;
	pthread_t runner;
	_Atomic int tests;
} s;

static void *be_guard(void *arg)
{
	struct guard_request request;

	(void)arg;
	while (recv(s.guard_fd, &request, sizeof(request), 0) == sizeof(request)) {
		struct guard_reply reply = {.serial = request.serial};

		send(s.guard_fd, &reply, sizeof(reply), MSG_NOSIGNAL);
	}
	return NULL;
}

static void *be_runner(void *arg)
{
	struct runner_request request;

	(void)arg;
	while (recv(s.runner_fd, &request, sizeof(request), 0) == sizeof(request)) {
		struct runner_reply reply = {.serial = request.serial};

		if (request.kind == RUNNER_MEASURE && s.tests < ANSWERS) {
			const struct answer *answer = &answers[s.tests++];

			usleep((useconds_t)answer->after_ms * 1000);
			reply.code = answer->code;
			err_set(&reply.err, 0, "no process to be had");
			dir_result_init(&reply.result, answer->status, "%s", "");
		}
		send(s.runner_fd, &reply, sizeof(reply), MSG_NOSIGNAL);
	}
	return NULL;
}

static int start_processes(void)
{
	int guard[2], runner[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, guard) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, runner) < 0)
		return -1;
	s.guard_fd = guard[1];
	s.runner_fd = runner[1];
	if (pthread_create(&s.guard, NULL, be_guard, NULL) != 0 ||
	    pthread_create(&s.runner, NULL, be_runner, NULL) != 0 ||
	    guard_new(guard[0], &s.session.guard, NULL) < 0 ||
	    runner_new(runner[0], &s.visit.runner, NULL) < 0)
		return -1;
	return rtwatch_new("lo", &s.visit.watch, NULL);
}

static int open_session(void)
{
	struct msg_open open = support_open(SUPPORT_RUN, LEASE_MS);
	struct client_config client;
	struct msg_opened opened;

	peer_session_client_config(&s.session, &client);
	if (client_new(&client, &s.session.client, NULL) < 0 ||
	    client_open(s.session.client, &open, 1000, &opened, NULL) < 0)
		return -1;
	text_copy(s.session.id, sizeof(s.session.id), opened.session);
	s.session.lease_ms = LEASE_MS;
	atomic_store(&s.session.renewed_at, clock_boot_ms());
	return 0;
}

/* The peer hears of the answers to its own requests alone. */
static void ignore_renewal(void *ctx, int64_t sent_at_ms, int result,
			   const struct err *err)
{
	(void)ctx;
	(void)sent_at_ms;
	(void)result;
	(void)err;
}

static int start_lease(void)
{
	struct lease_config config = {.lease_ms = LEASE_MS, .renewed = ignore_renewal};

	peer_session_client_config(&s.session, &config.client);
	text_copy(config.session, sizeof(config.session), s.session.id);
	return lease_start(&config, &s.session.lease, NULL);
}

static int setup(void **state)
{
	struct endpoint_config endpoint = {
		.address = ADDRESS,
		.interface = "",
		.port = PORT,
		.lease_max_ms = LEASE_MS,
		.ops = &support_endpoint_ops,
		.ctx = &s.ops,
	};

	(void)state;
	support_ops_init(&s.ops);
	s.options.interface = "lo";
	s.config = (struct peer_config){
		.options = &s.options,
		.server_ip = ADDRESS,
		.server_port = PORT,
		.duration_ms = 300,
		.wait_ms = WAIT_MS,
		.local = "127.0.0.1",
	};
	s.session.config = &s.config;
	s.visit.session = &s.session;
	s.visit.run = &s.run;
	s.session.stop_fd = -1;
	s.visit.mtu = (struct mtu_pair){1420, 1400};
	if (endpoint_new(&endpoint, &s.endpoint, NULL) < 0 || start_processes() < 0 ||
	    open_session() < 0)
		return -1;
	/* A test that fails was disturbed by others. */
	s.ops.text = "somebody else called";
	return start_lease();
}

static int teardown(void **state)
{
	(void)state;
	lease_stop(s.session.lease);
	client_free(s.session.client);
	runner_free(s.visit.runner);
	guard_free(s.session.guard);
	pthread_join(s.runner, NULL);
	pthread_join(s.guard, NULL);
	rtwatch_free(s.visit.watch);
	endpoint_free(s.endpoint);
	fd_close(&s.runner_fd);
	fd_close(&s.guard_fd);
	return 0;
}

static void a_later_shortage_has_its_own_time(void **state)
{
	struct dir_result result;
	struct err err = ERR_INIT;

	(void)state;
	if (peer_ops.measure(&s.visit, DIR_UPLOAD, &result, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(result.status, TEST_OK);
	assert_int_equal(s.tests, ANSWERS);
	assert_int_equal(s.ops.armed, ANSWERS - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_later_shortage_has_its_own_time,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, support_own_network, NULL);
}

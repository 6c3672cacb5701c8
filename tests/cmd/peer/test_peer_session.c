/* SPDX-License-Identifier: MIT */
/* The peer's session: opened, taken over, opened again, refused. */

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../cmdlab.h"
#include "base/io.h"

#define DONE_ROWS                                    \
	"SELECT count(*) FROM measurement JOIN run " \
	"ON run_id = run.id WHERE outcome = 'done'"

static void assert_done(const struct cmdlab *lab, int rows)
{
	assert_int_equal(fixture_read_int(lab->peer.files, DONE_ROWS), rows);
	assert_int_equal(fixture_read_int(lab->server.files, DONE_ROWS), rows);
}

static void test_open(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server(lab);
	assert_int_equal(cmdlab_run(lab), 0);
	assert_int_equal(cmdlab_end_server(lab), 0);
	assert_done(lab, 4);
	cmdlab_assert_said(lab->server.said, "session of 127.0.0.1");
	/* Four pairs, two tests each; then both ends are as they were. */
	assert_int_equal(fakeguard_count(&lab->server.guard, GUARD_SET), 4);
	assert_int_equal(fakeguard_count(&lab->peer.guard, GUARD_SET), 4);
	assert_int_equal(lab->peer.runner.measures, 8);
	assert_int_equal(lab->server.guard.facts.mtu, CMDLAB_MTU);
	assert_int_equal(lab->peer.guard.facts.mtu, CMDLAB_MTU);
	/* The shorter of what both ends want. */
	assert_int_equal(fakeguard_last(&lab->server.guard, GUARD_SET)->lease_ms,
			 10000);
}

static void test_shorter_lease_counts(void **state)
{
	struct cmdlab *lab = *state;

	lab->server.options.lease_ms = 4000;
	lab->server.options.lease_given = true;
	cmdlab_start_server(lab);
	assert_int_equal(cmdlab_run(lab), 0);
	assert_int_equal(fakeguard_last(&lab->peer.guard, GUARD_SET)->lease_ms, 4000);
	assert_int_equal(fakeguard_last(&lab->server.guard, GUARD_SET)->lease_ms, 4000);
}

/* The third test is the upload of the second pair. */
static bool kill_peer(struct cmdlab *lab, int n, const struct test_spec *spec)
{
	(void)spec;
	if (n == 3)
		kill(lab->peer.pid, SIGKILL);
	return n != 3;
}

static void test_takeover(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server(lab);
	lab->before_test = kill_peer;
	assert_int_equal(cmdlab_run(lab), 128 + SIGKILL);
	lab->before_test = NULL;
	/* Its session is still open, and only its own run may take it. */
	lab->peer_config.resume = true;
	assert_int_equal(cmdlab_run(lab), 0);
	assert_int_equal(cmdlab_end_server(lab), 0);
	cmdlab_assert_said(lab->server.said, "again 127.0.0.1");
	assert_done(lab, 4);
	assert_int_equal(
		fixture_read_int(lab->server.files, "SELECT count(*) FROM run"), 1);
}

/* A peer that was killed has left its session, and this is another run. */
static void test_busy_server_is_waited_for(void **state)
{
	struct cmdlab *lab = *state;

	lab->peer.options.lease_ms = 1000;
	cmdlab_start_server(lab);
	lab->before_test = kill_peer;
	assert_int_equal(cmdlab_run(lab), 128 + SIGKILL);
	lab->before_test = NULL;
	lab->peer_config.wait_ms = 20000;
	assert_int_equal(cmdlab_run(lab), 0);
	cmdlab_assert_said(lab->peer.said, "waiting up to 20 s: the server: ");
	cmdlab_end_server(lab);
	cmdlab_assert_said(lab->server.said, "127.0.0.1 was silent for 1 s");
	/* The server restored its MTU between the two. */
	assert_int_equal(fakeguard_count(&lab->server.guard, GUARD_RESTORE), 2);
}

static bool restart_server(struct cmdlab *lab, int n, const struct test_spec *spec)
{
	(void)spec;
	if (n != 3)
		return true;
	cmdlab_kill_server(lab);
	cmdlab_start_server(lab);
	return true;
}

static bool stop_server(struct cmdlab *lab, int n, const struct test_spec *spec)
{
	(void)spec;
	if (n == 3)
		kill(lab->server.pid, SIGTERM);
	return true;
}

#define INTERRUPTED "SELECT count(*) FROM run WHERE outcome = 'interrupted'"

/* The peer does not wait for a server that says that it was told to stop. */
static void test_server_that_is_told_to_stop(void **state)
{
	struct cmdlab *lab = *state;

	lab->peer.options.lease_ms = 60000;
	lab->peer_config.wait_ms = 60000;
	cmdlab_start_server(lab);
	lab->before_test = stop_server;
	assert_int_equal(cmdlab_run(lab), 1);
	assert_int_equal(cmdlab_wait_for_server(lab), 1);
	cmdlab_assert_said(lab->peer.said, "the server: stopped by Terminated");
	cmdlab_assert_said(lab->peer.said, "the server: as before the run");
	cmdlab_assert_said(lab->server.said,
			   "stopped by Terminated; the peer was told, "
			   "and its run has ended; ");
	/* The signal may come a test later than it was sent. */
	cmdlab_assert_said(lab->server.said, " stored in '");
	assert_int_equal(lab->peer.guard.facts.mtu, CMDLAB_MTU);
	assert_int_equal(lab->server.guard.facts.mtu, CMDLAB_MTU);
	assert_int_equal(fixture_read_int(lab->peer.files, INTERRUPTED), 1);
	assert_int_equal(fixture_read_int(lab->server.files, INTERRUPTED), 1);
}

/* A test is ended too: this one would never be. */
static bool stop_server_in_test(struct cmdlab *lab, int n, const struct test_spec *spec)
{
	(void)spec;
	if (n == 3)
		kill(lab->server.pid, SIGTERM);
	return n != 3;
}

static void test_server_that_is_told_to_stop_in_a_test(void **state)
{
	struct cmdlab *lab = *state;

	lab->peer.options.lease_ms = 60000;
	cmdlab_start_server(lab);
	lab->before_test = stop_server_in_test;
	assert_int_equal(cmdlab_run(lab), 1);
	assert_int_equal(cmdlab_wait_for_server(lab), 1);
	cmdlab_assert_said(lab->peer.said, "the server: stopped by Terminated");
	cmdlab_assert_said(lab->server.said, "the peer was told");
	assert_int_equal(fixture_read_int(lab->peer.files, INTERRUPTED), 1);
}

static void test_server_that_starts_again(void **state)
{
	struct cmdlab *lab = *state;

	lab->peer_config.wait_ms = 20000;
	cmdlab_start_server(lab);
	lab->before_test = restart_server;
	assert_int_equal(cmdlab_run(lab), 0);
	assert_int_equal(cmdlab_end_server(lab), 0);
	cmdlab_assert_said(lab->server.said, "session of 127.0.0.1");
	cmdlab_assert_said(lab->peer.said,
			   "pair 1380/1420 was interrupted and will be measured again");
	assert_done(lab, 4);
	/* That pair was set twice. */
	assert_int_equal(fakeguard_count(&lab->peer.guard, GUARD_SET), 5);
}

static bool restart_as_another(struct cmdlab *lab, int n, const struct test_spec *spec)
{
	if (n == 3)
		lab->server.options.range.max = 1460;
	return restart_server(lab, n, spec);
}

static void test_server_with_another_grid(void **state)
{
	struct cmdlab *lab = *state;

	lab->peer_config.wait_ms = 20000;
	cmdlab_start_server(lab);
	lab->before_test = restart_as_another;
	assert_int_equal(cmdlab_run(lab), 1);
	cmdlab_assert_said(lab->peer.said,
			   "the server was started with MTUs 1380 to 1460 by 40, this "
			   "run has 1380 to 1420 by 40 there");
	assert_int_equal(lab->peer.guard.facts.mtu, CMDLAB_MTU);
}

static void test_no_server(void **state)
{
	struct cmdlab *lab = *state;

	lab->peer_config.wait_ms = 300;
	assert_int_equal(cmdlab_run(lab), 1);
	cmdlab_assert_said(lab->peer.said, "waiting up to 0 s for mtusweep-server at");
	cmdlab_assert_said(lab->peer.said, "no answer from mtusweep-server at 127.");
	assert_int_equal(fakeguard_count(&lab->peer.guard, GUARD_SET), 0);
}

/* Silence is this end's own where its link is down. */
static void test_own_link_is_named(void **state)
{
	struct cmdlab *lab = *state;

	lab->peer_config.wait_ms = 0;
	lab->peer.guard.facts.up = false;
	assert_int_equal(cmdlab_run(lab), 1);
	cmdlab_assert_said(lab->peer.said, "interface 'lo' is down");
	lab->peer.guard.facts.exists = false;
	assert_int_equal(cmdlab_run(lab), 1);
	cmdlab_assert_said(lab->peer.said, "interface 'lo' is gone");
}

static void assert_refused(struct cmdlab *lab, const char *why)
{
	assert_int_equal(cmdlab_run(lab), 1);
	cmdlab_assert_said(lab->peer.said, why);
	cmdlab_assert_not_said(lab->peer.said, "waiting");
	assert_int_equal(fakeguard_count(&lab->peer.guard, GUARD_SET), 0);
	assert_int_equal(fakeguard_count(&lab->server.guard, GUARD_SET), 0);
}

static void test_other_settings_are_refused(void **state)
{
	struct cmdlab *lab = *state;

	lab->server.options.persist = PERSIST_EACH;
	cmdlab_start_server(lab);
	lab->peer.options.persist = PERSIST_BEST;
	assert_refused(lab, "the server was started with --persist each, this end with "
			    "--persist best");
	lab->peer.options.persist = PERSIST_NONE;
	lab->peer_config.iperf_port = 5999;
	assert_refused(lab, "--iperf-port 5999, but the server was started with "
			    "--iperf-port 5201");
	lab->peer_config.iperf_port = 0;
	lab->peer_config.congestion = "no-such-one";
	assert_refused(lab, "--congestion no-such-one cannot be used");
	lab->peer_config.congestion = NULL;
	lab->server.guard.facts.mtu = 0;
	fakeguard_fail(&lab->server.guard, GUARD_FACTS, 0, 99, -EPERM, "no facts");
	assert_refused(lab, "the server: no facts");
}

/* Answer hello as a later version does. */
static int serve_other_version(struct cmdlab *lab, int guard_fd, int runner_fd)
{
	static const char answer[] =
		"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
		"Content-Length: 15\r\nConnection: close\r\n\r\n{\"protocol\":99}";
	struct sockaddr_in name = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)lab->server_config.port),
	};
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char request[4096];
	int on = 1;

	(void)guard_fd;
	(void)runner_fd;
	inet_pton(AF_INET, lab->address, &name.sin_addr);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&name, sizeof(name)) < 0 ||
	    listen(listener, 4) < 0)
		return 1;
	for (;;) {
		cleanup_fd int fd = accept(listener, NULL, NULL);

		if (recv(fd, request, sizeof(request), 0) > 0 &&
		    io_write_all(fd, answer, sizeof(answer) - 1) < 0)
			return 1;
	}
}

static void test_another_version_is_refused(void **state)
{
	struct cmdlab *lab = *state;

	cmdlab_start_server_as(lab, serve_other_version);
	assert_refused(lab, "99");
	cmdlab_assert_said(lab->peer.said, "version");
	cmdlab_kill_server(lab);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, cmdlab_setup, cmdlab_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_open),
		TEST(test_shorter_lease_counts),
		TEST(test_takeover),
		TEST(test_busy_server_is_waited_for),
		TEST(test_server_that_is_told_to_stop),
		TEST(test_server_that_is_told_to_stop_in_a_test),
		TEST(test_server_that_starts_again),
		TEST(test_server_with_another_grid),
		TEST(test_no_server),
		TEST(test_own_link_is_named),
		TEST(test_other_settings_are_refused),
		TEST(test_another_version_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

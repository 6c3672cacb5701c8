/* SPDX-License-Identifier: MIT */
/*
 * The runner with the real libiperf, both ends on lo in a namespace of the test's own:
 * results, refusals, cancelling, and the death of processes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "engine/iperf_test.h"
#include "runner_lab.h"

#define SHORT_MS  300
#define ECHO_PORT 5000

static int setup(void **state)
{
	static struct lab lab;

	lab_setup(&lab, LAB_LOOPBACK, SHORT_MS);
	*state = &lab;
	return 0;
}

static int teardown(void **state)
{
	lab_teardown(*state);
	return 0;
}

/* A call of runner_measure() in its own thread. */
struct call {
	struct lab *lab;
	int stop_fd;
	int code;
	struct dir_result result;
	struct err err;
	pthread_t thread;
};

static void *call_main(void *arg)
{
	struct call *call = arg;

	call->code = runner_measure(call->lab->peer.runner, &call->lab->call,
				    call->stop_fd, &call->result, &call->err);
	return NULL;
}

static void call_start(struct call *call, struct lab *lab, int stop_fd)
{
	*call = (struct call){.lab = lab, .stop_fd = stop_fd};
	assert_int_equal(pthread_create(&call->thread, NULL, call_main, call), 0);
}

static void call_join(struct call *call)
{
	assert_int_equal(pthread_join(call->thread, NULL), 0);
}

static void arm(struct lab *lab)
{
	struct err err = ERR_INIT;

	if (runner_arm(lab->server.runner, &lab->arm, &err) < 0)
		fail_msg("arming failed: %s", err.text);
}

static void assert_result(const struct call *call, enum test_status status)
{
	if (call->code < 0)
		fail_msg("no result: %s", call->err.text);
	if (call->result.status != status)
		fail_msg("status '%s' (%s) instead of '%s'",
			 test_status_name(call->result.status), call->result.text,
			 test_status_name(status));
}

static void measure_ok(struct lab *lab, enum direction dir, struct dir_result *ret)
{
	struct call call = {.lab = lab, .stop_fd = -1};

	lab->call.dir = dir;
	arm(lab);
	call_main(&call);
	assert_result(&call, TEST_OK);
	*ret = call.result;
}

/* lo has no bottleneck: on a busy machine its rate may vary over a whole test, which
 * then rightly has no steady part. Return the time when the last test began. */
static int64_t measure_steady(struct lab *lab, enum direction dir,
			      struct dir_result *ret)
{
	int64_t before_ms = 0;

	ret->goodput_bps = NO_FIGURE;
	for (int i = 0; i < 5 && ret->goodput_bps == NO_FIGURE; i++) {
		before_ms = clock_wall_ms();
		measure_ok(lab, dir, ret);
	}
	return before_ms;
}

static void test_both_directions(void **state)
{
	struct lab *lab = *state;
	struct dir_result result;

	lab->call.duration_ms = lab->arm.duration_ms = 1200;
	lab->call.echo_port = lab->arm.echo_port = ECHO_PORT;
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		int64_t before_ms = measure_steady(lab, (enum direction)dir, &result);

		assert_string_equal(result.text, "");
		assert_in_range(result.sent_bps, 10000000, INT64_C(1000000000000));
		assert_in_range(result.received_bps, 10000000, INT64_C(1000000000000));
		assert_in_range(result.goodput_bps, result.received_bps / 3,
				result.received_bps * 3);
		assert_in_range(result.retransmits, 0, 1000000);
		assert_in_range(result.duration_ms, 1150, 2400);
		assert_in_range(result.started_at_ms, before_ms, before_ms + 500);
		assert_in_range(result.latency_idle_us, 1, 1000000);
		assert_in_range(result.latency_idle_p95_us, result.latency_idle_us,
				1000000);
		/* Only the end that sends knows these; lo has an MTU of 65536, and an
		 * IPv4 packet is smaller. */
		if (dir == DIR_UPLOAD) {
			assert_in_range(result.rtt_us, 1, 1000000);
			assert_in_range(result.packet_bytes, 20000, 65535);
			assert_in_range(result.latency_us, 1, 1000000);
			assert_in_range(result.latency_p95_us, result.latency_us,
					1000000);
		} else {
			assert_int_equal(result.rtt_us, NO_FIGURE);
			assert_int_equal(result.packet_bytes, NO_FIGURE);
			assert_int_equal(result.latency_us, NO_FIGURE);
			assert_int_equal(result.latency_p95_us, NO_FIGURE);
		}
	}
}

/* An end without the answers, as an older one: the test is as good as ever. */
static void test_no_echoes(void **state)
{
	struct lab *lab = *state;
	struct dir_result result;

	lab->call.echo_port = ECHO_PORT;
	measure_ok(lab, DIR_UPLOAD, &result);
	assert_int_equal(result.latency_idle_us, NO_FIGURE);
	assert_int_equal(result.latency_idle_p95_us, NO_FIGURE);
}

static void test_short_tests(void **state)
{
	struct lab *lab = *state;
	struct dir_result result;

	for (int i = 0; i < 6; i++) {
		measure_ok(lab, (enum direction)(i % DIR_COUNT), &result);
		/* libiperf's clock starts when the data sockets exist. */
		assert_in_range(result.duration_ms, SHORT_MS - 30, SHORT_MS + 200);
		/* The test is too short for a steady goodput. */
		assert_int_equal(result.goodput_bps, NO_FIGURE);
	}
}

static void test_refused_until_listening(void **state)
{
	struct lab *lab = *state;
	struct call call;

	call_start(&call, lab, -1);
	lab_sleep_ms(200);
	arm(lab);
	call_join(&call);
	assert_result(&call, TEST_OK);
}

static void test_stop_in_mid_test(void **state)
{
	struct lab *lab = *state;
	struct call call;
	int64_t stopped_ms;
	int stop[2];

	lab->call.duration_ms = lab->arm.duration_ms = 20000;
	assert_int_equal(pipe(stop), 0);
	arm(lab);
	call_start(&call, lab, stop[0]);
	lab_sleep_ms(300);
	stopped_ms = clock_boot_ms();
	assert_int_equal(write(stop[1], "x", 1), 1);
	call_join(&call);
	close(stop[0]);
	close(stop[1]);
	assert_int_equal(call.code, -EINTR);
	assert_in_range(clock_boot_ms() - stopped_ms, 0, 100);
	assert_int_equal(lab_count_children(&lab->peer), 0);
	/* The same end can measure again at once. */
	lab->call.duration_ms = lab->arm.duration_ms = SHORT_MS;
	measure_ok(lab, DIR_DOWNLOAD, &call.result);
}

static void test_cancel_what_was_armed(void **state)
{
	struct lab *lab = *state;
	struct err err = ERR_INIT;

	arm(lab);
	assert_int_equal(lab_count_children(&lab->server), 1);
	assert_int_equal(runner_cancel(lab->server.runner, &err), 0);
	assert_int_equal(lab_count_children(&lab->server), 0);
	assert_int_equal(runner_cancel(lab->server.runner, &err), 0);
}

static void test_arming_ends_what_was_armed(void **state)
{
	struct lab *lab = *state;
	pid_t first;

	arm(lab);
	first = lab_await_child(&lab->server);
	arm(lab);
	assert_int_equal(lab_count_children(&lab->server), 1);
	assert_int_not_equal(lab_await_child(&lab->server), first);
}

static void test_child_killed(void **state)
{
	struct lab *lab = *state;
	struct call call;

	lab->call.duration_ms = lab->arm.duration_ms = 20000;
	arm(lab);
	call_start(&call, lab, -1);
	lab_sleep_ms(200);
	assert_int_equal(kill(lab_await_child(&lab->peer), SIGKILL), 0);
	call_join(&call);
	assert_result(&call, TEST_ERROR);
	assert_non_null(strstr(call.result.text, "killed by signal 9"));
}

static void test_other_end_killed(void **state)
{
	struct lab *lab = *state;
	struct call call;

	lab->call.duration_ms = lab->arm.duration_ms = 20000;
	arm(lab);
	call_start(&call, lab, -1);
	lab_sleep_ms(200);
	assert_int_equal(kill(lab_await_child(&lab->server), SIGKILL), 0);
	call_join(&call);
	assert_result(&call, TEST_ERROR);
	assert_non_null(strstr(call.result.text, "libiperf: "));
}

static void test_runner_killed(void **state)
{
	struct lab *lab = *state;
	struct err err = ERR_INIT;
	struct call call;
	pid_t child;
	int status;

	lab->call.duration_ms = lab->arm.duration_ms = 20000;
	arm(lab);
	call_start(&call, lab, -1);
	lab_sleep_ms(200);
	child = lab_await_child(&lab->peer);
	assert_int_equal(kill(lab->peer.pid, SIGKILL), 0);
	call_join(&call);
	assert_int_equal(call.code, -EPIPE);
	assert_int_equal(waitpid(lab->peer.pid, &status, 0), lab->peer.pid);
	lab->peer.pid = 0;
	assert_int_equal(runner_cancel(lab->peer.runner, &err), -EPIPE);
	/* Its child ended with it. */
	lab_await_death(child);
}

static void test_main_gone(void **state)
{
	struct lab *lab = *state;
	int64_t before_ms = clock_boot_ms();
	int status = -1;
	pid_t child;

	arm(lab);
	child = lab_await_child(&lab->server);
	/* The other runner was forked with the same socket open. */
	runner_free(lab->peer.runner);
	lab->peer.runner = NULL;
	assert_int_equal(waitpid(lab->peer.pid, &status, 0), lab->peer.pid);
	lab->peer.pid = 0;
	assert_int_equal(status, 0);
	runner_free(lab->server.runner);
	lab->server.runner = NULL;
	assert_int_equal(waitpid(lab->server.pid, &status, 0), lab->server.pid);
	lab->server.pid = 0;
	assert_int_equal(status, 0);
	assert_int_equal(kill(child, 0), -1);
	assert_in_range(clock_boot_ms() - before_ms, 0, 300);
}

static void test_port_in_use(void **state)
{
	struct lab *lab = *state;
	struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(LAB_PORT)};
	struct err err = ERR_INIT;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&here, sizeof(here)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(runner_arm(lab->server.runner, &lab->arm, &err), -EADDRINUSE);
	assert_non_null(strstr(err.text, "in use"));
	close(fd);
	arm(lab);
}

static void test_what_cannot_be_run(void **state)
{
	struct lab *lab = *state;
	struct err err = ERR_INIT;
	struct call call = {.lab = lab, .stop_fd = -1};

	text_copy(lab->arm.local, sizeof(lab->arm.local), "127.0.0");
	assert_int_equal(runner_arm(lab->server.runner, &lab->arm, &err), -EINVAL);
	assert_non_null(strstr(err.text, "'127.0.0'"));
	text_copy(lab->arm.local, sizeof(lab->arm.local), "192.0.2.1");
	assert_int_equal(runner_arm(lab->server.runner, &lab->arm, &err),
			 -EADDRNOTAVAIL);
	text_copy(lab->call.interface, sizeof(lab->call.interface), "nosuch0");
	call_main(&call);
	assert_result(&call, TEST_ERROR);
}

static void test_nothing_piles_up(void **state)
{
	struct lab *lab = *state;
	struct dir_result result;
	int server_fds, peer_fds;

	lab->call.duration_ms = lab->arm.duration_ms = 100;
	measure_ok(lab, DIR_UPLOAD, &result);
	server_fds = lab_count_descriptors(&lab->server);
	peer_fds = lab_count_descriptors(&lab->peer);
	for (int i = 0; i < 50; i++)
		measure_ok(lab, (enum direction)(i % DIR_COUNT), &result);
	assert_int_equal(runner_cancel(lab->server.runner, NULL), 0);
	assert_int_equal(lab_count_children(&lab->server), 0);
	assert_int_equal(lab_count_children(&lab->peer), 0);
	assert_true(lab_count_descriptors(&lab->server) <= server_fds);
	assert_int_equal(lab_count_descriptors(&lab->peer), peer_fds);
}

static void test_version(void **state)
{
	(void)state;
	assert_int_equal(strncmp(iperf_test_version(), "3.", 2), 0);
}

#define ON_LAB(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_LAB(test_both_directions),
		ON_LAB(test_short_tests),
		ON_LAB(test_refused_until_listening),
		ON_LAB(test_stop_in_mid_test),
		ON_LAB(test_cancel_what_was_armed),
		ON_LAB(test_arming_ends_what_was_armed),
		ON_LAB(test_child_killed),
		ON_LAB(test_other_end_killed),
		ON_LAB(test_runner_killed),
		ON_LAB(test_main_gone),
		ON_LAB(test_port_in_use),
		ON_LAB(test_what_cannot_be_run),
		ON_LAB(test_nothing_piles_up),
		ON_LAB(test_no_echoes),
		cmocka_unit_test(test_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Two tests that follow one another, the second set up beside the first one's data: two
 * namespaces joined by a veth pair.
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
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "runner_lab.h"

#define LONG_MS 1500
/* The begin of the data is noticed late. */
#define POLL_MS   5
#define TRIES_MAX 5

static int next_port;

static int setup(void **state)
{
	static struct lab lab;

	lab_setup(&lab, LAB_VETH, LONG_MS);
	lab.call.id = lab.arm.id = 1;
	lab.arm.client_port = runner_reserve(lab.peer.runner, lab.call.local, "");
	lab.call.client_port = lab.arm.client_port;
	next_port = runner_reserve(lab.peer.runner, lab.call.local, "");
	*state = &lab;
	return 0;
}

static int teardown(void **state)
{
	lab_teardown(*state);
	return 0;
}

static struct test_spec next_of(const struct test_spec *spec)
{
	struct test_spec next = *spec;

	next.id = spec->id + 1;
	next.dir = DIR_DOWNLOAD;
	next.client_port = next_port;
	return next;
}

static void arm_first(struct lab *lab)
{
	struct test_spec next = next_of(&lab->arm);
	struct err err = ERR_INIT;

	if (runner_arm_first(lab->server.runner, &lab->arm, &next, &err) < 0)
		fail_msg("arming failed: %s", err.text);
}

static void measure_first(struct lab *lab, enum test_status status,
			  struct dir_result *ret)
{
	struct test_spec next = next_of(&lab->call);
	struct err err = ERR_INIT;

	if (runner_measure_first(lab->peer.runner, &lab->call, &next, -1, ret, &err) <
	    0)
		fail_msg("no result: %s", err.text);
	if (ret->status != status)
		fail_msg("%s: %s", test_status_name(ret->status), ret->text);
}

static int measure_next(struct lab *lab, struct dir_result *ret)
{
	struct test_spec next = next_of(&lab->call);

	return runner_measure_next(lab->peer.runner, &next, -1, ret, NULL);
}

static void the_next_test_waits_for_the_end_of_the_first(void **state)
{
	struct lab *lab = *state;
	struct dir_result first, next, there;
	int64_t released_ms = 0;

	for (int done = 0; done < 3; done++) {
		/* On a busy machine the setup may take longer than the first test. */
		for (int i = 0, r = -ENOENT; r == -ENOENT; i++) {
			arm_first(lab);
			measure_first(lab, TEST_OK, &first);
			released_ms = clock_wall_ms();
			r = measure_next(lab, &next);
			assert_true(r == 0 || (r == -ENOENT && i < TRIES_MAX));
		}
		assert_int_equal(next.status, TEST_OK);
		if (next.started_at_ms <
		    first.started_at_ms + first.duration_ms - POLL_MS)
			fail_msg("data flowed %d ms before the end of the first",
				 (int)(first.started_at_ms + first.duration_ms -
				       next.started_at_ms));
		assert_in_range(next.started_at_ms, released_ms - 500,
				released_ms + 500);
		assert_in_range(next.duration_ms, LONG_MS - 50, LONG_MS + 700);
		assert_true(next.received_bps > 0);
		/* The server's figures are those of the test that it sent. */
		assert_int_equal(runner_result(lab->server.runner, 2, &there, NULL), 0);
		assert_true(there.packet_bytes > 0);
		lab_await_no_child(&lab->server);
		lab_await_no_child(&lab->peer);
		lab_await_silence(&lab->server);
	}
}

/* The first test's data flows by now, and the second one's process has its connections. */
static void await_next(const struct lab *lab)
{
	int64_t deadline_ms = clock_boot_ms() + lab->call.duration_ms;

	while (lab_count_children(&lab->server) < 2 ||
	       lab_count_children(&lab->peer) < 2) {
		assert_true(clock_left_ms(deadline_ms) > 0);
		lab_sleep_ms(1);
	}
}

static void assert_no_child(const struct lab *lab)
{
	lab_await_no_child(&lab->server);
	lab_await_no_child(&lab->peer);
	lab_await_silence(&lab->server);
	lab_await_silence(&lab->peer);
}

static void the_next_test_ends_with_a_first_that_fails(void **state)
{
	struct lab *lab = *state;
	struct dir_result result;

	/* Its data is lost, but not the second one's few bytes. */
	lab_drop(&lab->server, "tcp dport 5201 meta length > 1000");
	arm_first(lab);
	measure_first(lab, TEST_BLACKHOLE, &result);
	assert_int_equal(measure_next(lab, &result), -ENOENT);
	assert_no_child(lab);
}

static void a_test_that_was_not_set_up_is_not_measured(void **state)
{
	struct lab *lab = *state;
	struct dir_result result;
	struct err err = ERR_INIT;

	/* A server that knows of no second test. */
	assert_int_equal(runner_arm(lab->server.runner, &lab->arm, &err), 0);
	measure_first(lab, TEST_OK, &result);
	assert_int_equal(measure_next(lab, &result), -ENOENT);
	assert_no_child(lab);
	/* It is not kept for another's number. */
	arm_first(lab);
	measure_first(lab, TEST_OK, &result);
	lab->call.id++;
	assert_int_equal(measure_next(lab, &result), -ENOENT);
	lab_await_no_child(&lab->peer);
}

struct call {
	struct lab *lab;
	struct dir_result result;
	pthread_t thread;
};

static void *call_main(void *arg)
{
	struct call *call = arg;
	struct test_spec next = next_of(&call->lab->call);

	runner_measure_first(call->lab->peer.runner, &call->lab->call, &next, -1,
			     &call->result, NULL);
	return NULL;
}

static void call_start(struct call *call, struct lab *lab)
{
	*call = (struct call){.lab = lab};
	dir_result_init(&call->result, TEST_ERROR, "%s", "");
	assert_int_equal(pthread_create(&call->thread, NULL, call_main, call), 0);
}

/* A client that measures something else, or nothing more, ends what is held. */
static void cancelling_ends_both_tests(void **state)
{
	struct lab *lab = *state;
	struct call call;

	lab->call.duration_ms = lab->arm.duration_ms = 2 * LONG_MS;
	arm_first(lab);
	call_start(&call, lab);
	await_next(lab);
	pthread_join(call.thread, NULL);
	assert_int_equal(call.result.status, TEST_OK);
	assert_int_equal(runner_cancel(lab->peer.runner, NULL), 0);
	assert_int_equal(runner_cancel(lab->server.runner, NULL), 0);
	assert_no_child(lab);
}

/* Its loss spoils nothing: the first test goes on, and the second is armed as usual. */
static void a_held_test_that_dies_is_left_out(void **state)
{
	struct lab *lab = *state;
	struct dir_result result;
	struct call call;
	pid_t last;

	lab->call.duration_ms = lab->arm.duration_ms = 2 * LONG_MS;
	arm_first(lab);
	call_start(&call, lab);
	await_next(lab);
	/* The last child that was forked. */
	last = lab_await_child(&lab->server);
	kill(last, SIGKILL);
	pthread_join(call.thread, NULL);
	assert_int_equal(call.result.status, TEST_OK);
	assert_int_equal(measure_next(lab, &result), -ENOENT);
	assert_no_child(lab);
}

/* A connection from the peer's host, which is where this process is. The one test may
 * listen no more, and the other not yet. */
static void knock(void)
{
	struct sockaddr_in server = {.sin_family = AF_INET,
				     .sin_port = htons(LAB_PORT)};
	int r = -1;

	inet_pton(AF_INET, LAB_SERVER, &server.sin_addr);
	for (int i = 0; r < 0 && i < 300; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		r = connect(fd, (struct sockaddr *)&server, sizeof(server));
		close(fd);
		if (r < 0)
			lab_sleep_ms(1);
	}
	assert_int_equal(r, 0);
}

/* Others that connect while one test runs and the next is held disturb neither. */
static void a_stranger_disturbs_neither(void **state)
{
	struct lab *lab = *state;
	struct dir_result result;
	struct call call;

	lab->call.duration_ms = lab->arm.duration_ms = 2 * LONG_MS;
	arm_first(lab);
	call_start(&call, lab);
	await_next(lab);
	for (int i = 0; i < 5; i++)
		knock();
	pthread_join(call.thread, NULL);
	assert_int_equal(call.result.status, TEST_OK);
	/* The setup may take longer than the first test. */
	if (measure_next(lab, &result) == 0)
		assert_int_equal(result.status, TEST_OK);
	assert_no_child(lab);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_next_test_waits_for_the_end_of_the_first),
		TEST(the_next_test_ends_with_a_first_that_fails),
		TEST(a_test_that_was_not_set_up_is_not_measured),
		TEST(cancelling_ends_both_tests),
		TEST(a_held_test_that_dies_is_left_out),
		TEST(a_stranger_disturbs_neither),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

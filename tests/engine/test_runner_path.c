/* SPDX-License-Identifier: MIT */
/*
 * The runner over a path that loses packets, and with a server that does not answer:
 * two namespaces joined by a veth pair, and nftables that drops at the receiver.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "runner_lab.h"

#define SHORT_MS 300

static int setup(void **state)
{
	static struct lab lab;

	lab_setup(&lab, LAB_VETH, SHORT_MS);
	*state = &lab;
	return 0;
}

static int teardown(void **state)
{
	lab_teardown(*state);
	return 0;
}

static int64_t measure(struct lab *lab, enum direction dir, struct dir_result *ret)
{
	int64_t before_ms = clock_boot_ms();
	struct err err = ERR_INIT;

	lab->call.dir = dir;
	if (runner_measure(lab->peer.runner, &lab->call, -1, ret, &err) < 0)
		fail_msg("no result: %s", err.text);
	return clock_boot_ms() - before_ms;
}

static void arm(struct lab *lab)
{
	struct err err = ERR_INIT;

	if (runner_arm(lab->server.runner, &lab->arm, &err) < 0)
		fail_msg("arming failed: %s", err.text);
}

static void assert_status(const struct dir_result *result, enum test_status status)
{
	if (result->status != status)
		fail_msg("status '%s' (%s) instead of '%s'",
			 test_status_name(result->status), result->text,
			 test_status_name(status));
}

static void test_clean_path(void **state)
{
	struct lab *lab = *state;
	struct dir_result result;

	for (int dir = 0; dir < DIR_COUNT; dir++) {
		arm(lab);
		measure(lab, (enum direction)dir, &result);
		assert_status(&result, TEST_OK);
	}
}

static void slow_down(const struct lab_end *end, const char *link)
{
	const char *const args[] = {"tc",   "qdisc",   "add",  "dev",   link,
				    "root", "tbf",     "rate", "1mbit", "burst",
				    "4kb",  "latency", "50ms", NULL};

	lab_run(end, "tc", args);
}

/* The path carries less in the whole test than libiperf reads or writes at a time. */
static void test_short_on_a_slow_path(void **state)
{
	struct lab *lab = *state;
	struct dir_result result;

	slow_down(&lab->server, "v0");
	slow_down(&lab->peer, "v1");
	lab->arm.duration_ms = lab->call.duration_ms = 100;
	for (int i = 0; i < 3 * DIR_COUNT; i++) {
		arm(lab);
		assert_in_range(measure(lab, (enum direction)(i % DIR_COUNT), &result),
				100, 3000);
		assert_status(&result, TEST_OK);
		assert_in_range(result.duration_ms, 90, 1000);
		assert_in_range(result.received_bps, 300000, 4000000);
	}
}

/* Data is lost in the direction of the test: a black hole, and soon after both ends are
 * free and silent. The other direction still works. */
static void check_blackhole(struct lab *lab, enum direction dir, int64_t duration_ms,
			    bool expected)
{
	bool upload = dir == DIR_UPLOAD;
	struct dir_result result;

	lab->arm.duration_ms = lab->call.duration_ms = duration_ms;
	lab_drop(upload ? &lab->server : &lab->peer,
		 "tcp dport 1-65535 meta length > 500");
	arm(lab);
	lab->call.lost = expected;
	if (expected)
		assert_in_range(measure(lab, dir, &result), 490, 1400);
	else
		assert_in_range(measure(lab, dir, &result), 1450, 2500);
	lab->call.lost = false;
	assert_status(&result, TEST_BLACKHOLE);
	assert_true(result.text[0] != '\0');
	assert_int_equal(result.sent_bps, NO_FIGURE);
	assert_int_equal(result.received_bps, NO_FIGURE);
	assert_int_equal(result.goodput_bps, NO_FIGURE);
	assert_int_equal(lab_count_children(&lab->peer), 0);
	lab_await_no_child(&lab->server);
	lab_await_silence(&lab->peer);
	lab_await_silence(&lab->server);
	lab->arm.duration_ms = lab->call.duration_ms = SHORT_MS;
	arm(lab);
	measure(lab, upload ? DIR_DOWNLOAD : DIR_UPLOAD, &result);
	assert_status(&result, TEST_OK);
}

static void test_upload_blackhole(void **state)
{
	check_blackhole(*state, DIR_UPLOAD, 5000, false);
}

static void test_download_blackhole(void **state)
{
	check_blackhole(*state, DIR_DOWNLOAD, 5000, false);
}

/* The probes know it: the test ends as soon as it is no accident. */
static void test_expected_upload_blackhole(void **state)
{
	check_blackhole(*state, DIR_UPLOAD, 5000, true);
}

static void test_expected_download_blackhole(void **state)
{
	check_blackhole(*state, DIR_DOWNLOAD, 5000, true);
}

static void test_blackhole_in_a_short_test(void **state)
{
	check_blackhole(*state, DIR_UPLOAD, SHORT_MS, false);
}

/* On a slow path certainty takes longer than the test; libiperf must not finish before
 * it. */
static void test_blackhole_on_a_slow_path(void **state)
{
	struct lab *lab = *state;
	struct dir_result result;

	lab->arm.rtt_us = lab->call.rtt_us = 400000;
	lab->arm.duration_ms = lab->call.duration_ms = SHORT_MS;
	lab_drop(&lab->server, "tcp dport 1-65535 meta length > 500");
	arm(lab);
	assert_in_range(measure(lab, DIR_UPLOAD, &result), 3150, 4200);
	assert_status(&result, TEST_BLACKHOLE);
	assert_int_equal(result.received_bps, NO_FIGURE);
}

static void test_nobody_answers(void **state)
{
	struct lab *lab = *state;
	struct dir_result result;

	lab_drop(&lab->server, "ip protocol tcp");
	arm(lab);
	assert_in_range(measure(lab, DIR_UPLOAD, &result), 1450, 2000);
	assert_status(&result, TEST_UNREACHABLE);
}

/* The control connection succeeds, the data connection does not. */
static void test_only_control_answers(void **state)
{
	struct lab *lab = *state;
	struct dir_result result;

	lab_drop(&lab->server, "tcp flags syn limit rate over 1/day burst 1 packets");
	arm(lab);
	assert_in_range(measure(lab, DIR_UPLOAD, &result), 1450, 2500);
	assert_status(&result, TEST_UNREACHABLE);
	assert_non_null(strstr(result.text, "data connection"));
}

/* As by a firewall that refuses more new connections than it allows. */
static void test_only_data_is_refused(void **state)
{
	struct lab *lab = *state;
	struct dir_result result;

	lab_reject(&lab->server, "tcp flags & (syn | ack) == syn limit rate over 1/day "
				 "burst 1 packets");
	arm(lab);
	measure(lab, DIR_UPLOAD, &result);
	assert_status(&result, TEST_REFUSED);
	assert_non_null(strstr(result.text, "data connection"));
}

static void test_no_route(void **state)
{
	static const char *const unreachable[] = {"ip",          "route",        "add",
						  "unreachable", "198.51.100.1", NULL};
	struct lab *lab = *state;
	struct dir_result result;

	text_copy(lab->call.remote, sizeof(lab->call.remote), "198.51.100.1");
	lab->call.interface[0] = '\0';
	assert_in_range(measure(lab, DIR_UPLOAD, &result), 1300, 2000);
	assert_status(&result, TEST_UNREACHABLE);
	assert_non_null(strstr(result.text, "Network is unreachable"));
	lab_run(&lab->peer, "ip", unreachable);
	assert_in_range(measure(lab, DIR_UPLOAD, &result), 1300, 2000);
	assert_status(&result, TEST_UNREACHABLE);
	assert_non_null(strstr(result.text, "No route to host"));
}

static void test_refused_to_the_end(void **state)
{
	struct lab *lab = *state;
	int64_t deadline_ms = testspec_refused_ms(&lab->call);
	struct dir_result result;

	assert_in_range(measure(lab, DIR_UPLOAD, &result), deadline_ms - 200,
			deadline_ms + 500);
	assert_status(&result, TEST_REFUSED);
	assert_non_null(strstr(result.text, LAB_SERVER));
	assert_int_equal(result.received_bps, NO_FIGURE);
}

/* The first test of a run finds out soon that the port is closed. */
static void test_refused_first(void **state)
{
	struct lab *lab = *state;
	struct dir_result result;

	lab->call.first = true;
	assert_in_range(measure(lab, DIR_UPLOAD, &result), 800, 1700);
	assert_status(&result, TEST_REFUSED);
}

static void hang_server_after(struct lab *lab, int ms)
{
	arm(lab);
	lab_signal_later(lab_await_child(&lab->server), SIGSTOP, ms);
}

static void test_deadline(void **state)
{
	struct lab *lab = *state;
	struct dir_result result;

	/* The data must flow by then, on a busy machine too. */
	lab->call.duration_ms = lab->arm.duration_ms = 1200;
	hang_server_after(lab, 600);
	assert_in_range(measure(lab, DIR_UPLOAD, &result), 11000, 12000);
	assert_status(&result, TEST_TIMEOUT);
	assert_string_equal(result.text, "the test did not end by its deadline");
	assert_int_equal(result.received_bps, NO_FIGURE);
	/* Arming ends the hung server: SIGTERM waits until it continues, SIGKILL does
	 * not. */
	arm(lab);
	measure(lab, DIR_UPLOAD, &result);
	assert_status(&result, TEST_OK);
}

/* The path pauses over the end of the test: the test's length is the requested one. */
static void test_pause_at_the_end(void **state)
{
	struct lab *lab = *state;
	struct dir_result result;
	pid_t server;

	arm(lab);
	server = lab_await_child(&lab->server);
	lab_signal_later(server, SIGSTOP, SHORT_MS - 150);
	lab_signal_later(server, SIGCONT, SHORT_MS + 300);
	assert_in_range(measure(lab, DIR_UPLOAD, &result), SHORT_MS + 200,
			SHORT_MS + 500);
	assert_status(&result, TEST_OK);
	assert_in_range(result.duration_ms, SHORT_MS - 10, SHORT_MS + 100);
}

static void test_stall(void **state)
{
	struct lab *lab = *state;
	struct dir_result result;

	lab->call.duration_ms = lab->arm.duration_ms = 20000;
	hang_server_after(lab, SHORT_MS);
	assert_in_range(measure(lab, DIR_DOWNLOAD, &result), 5000, 6000);
	assert_status(&result, TEST_TIMEOUT);
	assert_non_null(strstr(result.text, "stopped"));
}

#define ON_LAB(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_LAB(test_clean_path),
		ON_LAB(test_short_on_a_slow_path),
		ON_LAB(test_upload_blackhole),
		ON_LAB(test_download_blackhole),
		ON_LAB(test_expected_upload_blackhole),
		ON_LAB(test_expected_download_blackhole),
		ON_LAB(test_blackhole_in_a_short_test),
		ON_LAB(test_blackhole_on_a_slow_path),
		ON_LAB(test_nobody_answers),
		ON_LAB(test_only_control_answers),
		ON_LAB(test_only_data_is_refused),
		ON_LAB(test_no_route),
		ON_LAB(test_refused_to_the_end),
		ON_LAB(test_refused_first),
		ON_LAB(test_deadline),
		ON_LAB(test_pause_at_the_end),
		ON_LAB(test_stall),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

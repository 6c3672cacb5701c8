/* SPDX-License-Identifier: MIT */
/*
 * Tests that end as soon as their goodput is known, behind bottlenecks: two namespaces
 * joined by a veth pair, with a token bucket at each end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "runner_lab.h"

#define LONG_MS 6000

static void limit(const struct lab_end *end, const char *link)
{
	const char *const tbf[] = {"tc",   "qdisc",   "add",  "dev",    link,
				   "root", "tbf",     "rate", "40mbit", "burst",
				   "16kb", "latency", "30ms", NULL};
	/* Queue packets, not the larger ones of segmentation offload. */
	const char *const plain[] = {"ip", "link",         "set", "dev",
				     link, "gso_max_segs", "1",   NULL};

	lab_run(end, "ip", plain);
	lab_run(end, "tc", tbf);
}

static int setup(void **state)
{
	static struct lab lab;

	lab_setup(&lab, LAB_VETH, LONG_MS);
	/* Every user may use reno, and it fills so short a path completely. */
	text_copy(lab.call.congestion, sizeof(lab.call.congestion), "reno");
	limit(&lab.server, "v0");
	limit(&lab.peer, "v1");
	*state = &lab;
	return 0;
}

static int teardown(void **state)
{
	lab_teardown(*state);
	return 0;
}

static void measure(struct lab *lab, enum direction dir, struct dir_result *ret)
{
	struct err err = ERR_INIT;

	lab->call.id = ++lab->arm.id;
	lab->call.dir = dir;
	if (runner_arm(lab->server.runner, &lab->arm, &err) < 0)
		fail_msg("arming failed: %s", err.text);
	if (runner_measure(lab->peer.runner, &lab->call, -1, ret, &err) < 0)
		fail_msg("no result: %s", err.text);
	if (ret->status != TEST_OK)
		fail_msg("%s: %s", test_status_name(ret->status), ret->text);
}

/* Ask the server for its figures of the last test. */
static void ask(struct lab *lab, struct dir_result *ret)
{
	struct err err = ERR_INIT;

	if (runner_result(lab->server.runner, lab->arm.id, ret, &err) < 0)
		fail_msg("no figures: %s", err.text);
}

static void assert_near(int64_t a_bps, int64_t b_bps, int percent)
{
	assert_true(a_bps > 0 && b_bps > 0);
	if (llabs(a_bps - b_bps) * 100 > b_bps * percent)
		fail_msg("%lld and %lld bit/s differ by more than %d %%",
			 (long long)a_bps, (long long)b_bps, percent);
}

/* On a busy machine a rate is not always steady to 3 % in time. */
static void measure_early(struct lab *lab, enum direction dir, struct dir_result *ret)
{
	for (int i = 0; i < 5; i++) {
		measure(lab, dir, ret);
		if (ret->duration_ms <= LONG_MS / 2)
			break;
	}
	assert_in_range(ret->duration_ms, TESTSPEC_EARLIEST_MS, LONG_MS / 2);
}

static void check_early(struct lab *lab, enum direction dir)
{
	struct dir_result whole, early, seen;

	lab->call.precision = lab->arm.precision = 0;
	measure(lab, dir, &whole);
	assert_in_range(whole.duration_ms, LONG_MS - 50, LONG_MS + 500);
	lab->call.precision = lab->arm.precision = 3;
	measure_early(lab, dir, &early);
	assert_true(early.sent_bps > 0 && early.received_bps > 0);
	ask(lab, &seen);
	print_message("%s: %lld ms, %lld bit/s here, %lld there; whole: %lld\n",
		      direction_name(dir), (long long)early.duration_ms,
		      (long long)early.goodput_bps, (long long)seen.goodput_bps,
		      (long long)whole.goodput_bps);
	if (dir == DIR_UPLOAD) {
		assert_int_equal(seen.goodput_bps, NO_FIGURE);
		assert_near(early.goodput_bps, whole.goodput_bps, 3);
		return;
	}
	assert_near(seen.goodput_bps, whole.goodput_bps, 3);
	assert_in_range(seen.goodput_low_bps, 1, seen.goodput_bps);
	assert_in_range(seen.goodput_high_bps, seen.goodput_bps,
			seen.goodput_bps * 103 / 100);
	assert_in_range(seen.rtt_us, 1, 1000000);
}

static void test_upload(void **state)
{
	check_early(*state, DIR_UPLOAD);
}

static void test_download(void **state)
{
	check_early(*state, DIR_DOWNLOAD);
}

/* One end does not know the early end: neither disturbs the other. */
static void test_one_end_alone(void **state)
{
	struct lab *lab = *state;
	struct dir_result result;

	lab->arm.duration_ms = lab->call.duration_ms = 2500;
	lab->arm.precision = 3;
	measure(lab, DIR_DOWNLOAD, &result);
	assert_in_range(result.duration_ms, 2450, 3000);
	lab->arm.precision = 0;
	lab->call.precision = 3;
	measure(lab, DIR_DOWNLOAD, &result);
	assert_in_range(result.duration_ms, 2450, 3000);
}

static void test_result_of_another(void **state)
{
	struct lab *lab = *state;
	struct err err = ERR_INIT;
	struct dir_result result;

	assert_int_equal(runner_result(lab->server.runner, 7, &result, &err), -ENOENT);
	lab->arm.id = 7;
	assert_int_equal(runner_arm(lab->server.runner, &lab->arm, &err), 0);
	assert_int_equal(runner_result(lab->server.runner, 6, &result, &err), -ENOENT);
	/* Nobody came: waiting for its end is in vain, and the test stays armed. */
	assert_int_equal(runner_result(lab->server.runner, 7, &result, &err),
			 -ETIMEDOUT);
	assert_int_equal(lab_count_children(&lab->server), 1);
}

#define ON_LAB(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_LAB(test_upload),
		ON_LAB(test_download),
		ON_LAB(test_one_end_alone),
		ON_LAB(test_result_of_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

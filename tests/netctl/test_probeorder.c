/* SPDX-License-Identifier: MIT */
/* How long to wait for probes that others overtook. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "netctl/probeorder.h"

#define SHORT_US 3000

static int64_t wait_us(const struct probeorder *order)
{
	return probeorder_deadline_us(order) - order->ended_us;
}

/* A slow line spreads a round, and a lossy one drops probes: neither costs a longer
 * wait. */
static void test_in_order(void **unused)
{
	struct probeorder order = {0};

	(void)unused;
	for (int round = 1; round < 9; round++) {
		probeorder_begin(&order, round);
		for (int i = round % 2; i < 20; i += 1 + round % 3)
			assert_true(probeorder_arrived(&order, i,
						       round * 1000000 + i * 40000));
		probeorder_ended(&order, round * 1000000 + 900000);
		assert_int_equal(wait_us(&order), SHORT_US);
	}
}

/* Three probes have overtaken the first one, by 20 ms at most. */
static void test_overtaken(void **unused)
{
	struct probeorder order = {0};

	(void)unused;
	probeorder_begin(&order, 1);
	probeorder_arrived(&order, 2, 1000000);
	probeorder_arrived(&order, 1, 1010000);
	probeorder_arrived(&order, 0, 1020000);
	probeorder_ended(&order, 1021000);
	assert_int_equal(wait_us(&order), SHORT_US + 30000);
	/* The next rounds wait so long from the start. */
	probeorder_begin(&order, 2);
	probeorder_ended(&order, 2000000);
	assert_int_equal(wait_us(&order), SHORT_US + 30000);
}

/* END comes first: each probe that follows shows that the wait must be longer. */
static void test_overtaken_by_end(void **unused)
{
	struct probeorder order = {0};

	(void)unused;
	probeorder_begin(&order, 1);
	probeorder_ended(&order, 1000000);
	probeorder_ended(&order, 1002000);
	assert_int_equal(order.ended_us, 1000000);
	probeorder_arrived(&order, 0, 1002000);
	assert_int_equal(wait_us(&order), SHORT_US + 3000);
	probeorder_arrived(&order, 7, 1005000);
	assert_int_equal(wait_us(&order), SHORT_US + 7500);
}

/* After its round: as long as after its END. */
static void test_late(void **unused)
{
	struct probeorder order = {0};

	(void)unused;
	probeorder_begin(&order, 1);
	assert_false(probeorder_late(&order, 0, 3, 900000));
	assert_int_equal(order.disorder_us, 0);
	probeorder_ended(&order, 1000000);
	probeorder_begin(&order, 2);
	assert_true(probeorder_late(&order, 1, 3, 1040000));
	probeorder_ended(&order, 1100000);
	assert_int_equal(wait_us(&order), SHORT_US + 60000);
	assert_true(probeorder_late(&order, 1, 4, 9000000));
	assert_int_equal(wait_us(&order), 250000);
}

/* The path delivers a probe again after its round: that is no late probe. */
static void test_late_duplicates(void **unused)
{
	struct probeorder order = {0};

	(void)unused;
	probeorder_begin(&order, 1);
	assert_true(probeorder_arrived(&order, 0, 1000000));
	probeorder_ended(&order, 1001000);
	probeorder_begin(&order, 2);
	assert_false(probeorder_late(&order, 1, 0, 1100000));
	assert_int_equal(order.disorder_us, 0);
	assert_true(probeorder_late(&order, 1, 1, 1002000));
	assert_false(probeorder_late(&order, 1, 1, 1003000));
	assert_int_equal(order.disorder_us, 1000);
	assert_false(probeorder_late(&order, 1, PROBEORDER_MAX, 1003000));
	/* A round was skipped. */
	probeorder_begin(&order, 4);
	assert_false(probeorder_late(&order, 3, 0, 1004000));
	assert_false(probeorder_late(&order, 1, 1, 1004000));
	assert_true(probeorder_late(&order, 2, 0, 1004000));
	/* Its place is another's now. */
	probeorder_begin(&order, 1 + PROBEORDER_ROUNDS);
	assert_false(probeorder_late(&order, 1, 2, 1005000));
	assert_true(probeorder_arrived(&order, 2, 1005000));
}

static void test_numbers(void **unused)
{
	struct probeorder order = {0};

	(void)unused;
	probeorder_begin(&order, 1);
	assert_true(probeorder_arrived(&order, 5, 1000000));
	assert_false(probeorder_arrived(&order, 5, 1001000));
	assert_false(probeorder_arrived(&order, -1, 1001000));
	assert_false(probeorder_arrived(&order, PROBEORDER_MAX, 1001000));
	assert_true(probeorder_arrived(&order, PROBEORDER_MAX - 1, 1002000));
	probeorder_begin(&order, 2);
	assert_true(probeorder_arrived(&order, 5, 1003000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_order),
		cmocka_unit_test(test_overtaken),
		cmocka_unit_test(test_overtaken_by_end),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_late_duplicates),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

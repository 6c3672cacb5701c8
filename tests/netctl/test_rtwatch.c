/* SPDX-License-Identifier: MIT */
/* Link events, of real links in a namespace of the test's own. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "netctl/rtwatch.h"
#include "netlab.h"

static void test_down(void **state)
{
	struct rtwatch *watch;

	(void)state;
	netlab_enter();
	netlab_run("ip link add mtw0 type veth peer name mtw1");
	netlab_run("ip link set mtw0 up");
	assert_int_equal(rtwatch_new("mtw0", &watch, NULL), 0);
	assert_false(rtwatch_was_down(watch));
	netlab_run("ip link set mtw0 mtu 1300");
	netlab_run("ip link set mtw1 up");
	netlab_run("ip link set mtw1 down");
	assert_false(rtwatch_was_down(watch));
	netlab_run("ip link set mtw0 down");
	netlab_run("ip link set mtw0 up");
	assert_true(rtwatch_was_down(watch));
	assert_false(rtwatch_was_down(watch));
	netlab_run("ip link del mtw0");
	assert_true(rtwatch_was_down(watch));
	rtwatch_free(watch);
	rtwatch_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_down)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

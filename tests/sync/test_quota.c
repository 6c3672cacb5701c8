/* SPDX-License-Identifier: MIT */
/* How much one peer may store within a day. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sync/quota.h"

static void a_day_has_its_limits(void **state)
{
	static struct quota quota;
	struct quota_peer *peer = quota_find(&quota, "key", 5000);
	struct err err = ERR_INIT;

	(void)state;
	peer->runs = QUOTA_RUNS - 1;
	peer->rows = QUOTA_ROWS - 1;
	assert_int_equal(quota_check_run(peer, &err), 0);
	assert_int_equal(quota_check_row(peer, &err), 0);
	peer->runs++;
	peer->rows++;
	assert_int_equal(quota_check_run(peer, &err), -EDQUOT);
	assert_non_null(strstr(err.text, "2000"));
	assert_int_equal(quota_check_row(peer, &err), -EDQUOT);
	assert_non_null(strstr(err.text, "200000"));
	/* Another peer has its own. */
	assert_int_equal(quota_find(&quota, "other", 5000)->runs, 0);
	assert_int_equal(quota_find(&quota, "key", 5000 + QUOTA_DAY_MS - 1)->runs,
			 QUOTA_RUNS);
	peer = quota_find(&quota, "key", 5000 + QUOTA_DAY_MS);
	assert_int_equal(quota_check_run(peer, &err), 0);
	assert_int_equal(quota_check_row(peer, &err), 0);
}

static void the_oldest_is_forgotten(void **state)
{
	static struct quota quota;
	char name[16];

	(void)state;
	for (int i = 0; i < QUOTA_PEERS; i++) {
		snprintf(name, sizeof(name), "peer%d", i);
		quota_find(&quota, name, 1000 + i)->runs = i + 1;
	}
	assert_int_equal(quota_find(&quota, "one more", 9000)->runs, 0);
	assert_int_equal(quota_find(&quota, "peer1", 9000)->runs, 2);
	assert_int_equal(quota_find(&quota, "peer255", 9000)->runs, 256);
	assert_int_equal(quota_find(&quota, "peer0", 9000)->runs, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_day_has_its_limits),
		cmocka_unit_test(the_oldest_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

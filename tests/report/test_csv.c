/* SPDX-License-Identifier: MIT */
/* report/csv.c: the exact bytes. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../store/fixture.h"
#include "report/csv.h"

/* Four measurements: ok, with rates that need rounding, half failed, without a
 * figure. */
static int64_t make_run(struct fixture *fixture)
{
	struct measurement m[4] = {
		fixture_visit(1, (struct mtu_pair){1420, 1400}, 36.5, 55),
		fixture_visit(2, (struct mtu_pair){1280, 1500}, 1234.5678, 0.002),
		fixture_visit(3, (struct mtu_pair){1420, 1400}, -TEST_BLACKHOLE, 2),
		fixture_visit(4, (struct mtu_pair){1500, 1500}, 3, 4),
	};
	int64_t run;
	struct store *store = fixture_open(fixture, 0, &run);

	m[1].dir[DIR_UPLOAD].received_bps = 1234567890;
	/* Data had flowed before the failure: it is still a failure. */
	m[2].dir[DIR_UPLOAD].sent_bps = 5000000;
	m[3].dir[DIR_DOWNLOAD].sent_bps = NO_FIGURE;
	for (int i = 0; i < 4; i++)
		assert_int_equal(store_record(store, run, &m[i], NULL), 0);
	fixture_close(store);
	return run;
}

static void export_is_exact(void **state)
{
	static const char expected[] =
		"server_mtu,peer_mtu,upload_rcv_mbps,upload_send_mbps,"
		"download_rcv_mbps,download_send_mbps\n"
		"1420,1400,36.499,36.501,54.999,55.001\n"
		"1280,1500,1234.568,1234.569,0.001,0.003\n"
		"1420,1400,-1.000,-1.000,1.999,2.001\n"
		"1500,1500,2.999,3.001,3.999,-1.000\n";
	struct fixture *fixture = *state;
	int64_t run = make_run(fixture);
	struct query *query;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(query_open(fixture->db, &query, NULL), 0);
	assert_int_equal(csv_export(query, run, out, NULL), 0);
	query_close(query);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static void full_output_is_an_error(void **state)
{
	struct fixture *fixture = *state;
	int64_t run = make_run(fixture);
	struct err err = ERR_INIT;
	struct query *query;
	FILE *out = fopen("/dev/full", "w");

	assert_non_null(out);
	assert_int_equal(query_open(fixture->db, &query, NULL), 0);
	assert_int_equal(csv_export(query, run, out, &err), -ENOSPC);
	query_close(query);
	fclose(out);
	assert_non_null(strstr(err.text, "cannot write the table: No space left"));
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(export_is_exact),
		TEST(full_output_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

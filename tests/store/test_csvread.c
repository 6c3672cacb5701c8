/* SPDX-License-Identifier: MIT */
/* store/csvread.c: accepted logs, and refused ones with the place of the error. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"
#include "report/csv.h"
#include "store/csvread.h"

#define HEADER CSV_HEADER "\n"

static void parse(const char *text, struct csv_log *ret)
{
	struct err err = ERR_INIT;

	assert_int_equal(csvread_parse(text, strlen(text), ret, &err), 0);
	assert_string_equal(err.text, "");
}

static void assert_rates(const struct dir_result *r, int64_t received, int64_t sent)
{
	assert_int_equal(r->status, TEST_OK);
	if (sent != NO_FIGURE)
		assert_string_equal(r->text, "");
	assert_int_equal(r->received_bps, received);
	assert_int_equal(r->sent_bps, sent);
	assert_int_equal(r->goodput_bps, NO_FIGURE);
	assert_int_equal(r->duration_ms, NO_FIGURE);
}

static void rates_are_exact(void **state)
{
	struct csv_log log;

	(void)state;
	parse(HEADER "1280,1500,20.737,21.706,357.680,361.111\n"
		     "576,65535,0.002,0.116,999999999.999,0.000\n",
	      &log);
	assert_int_equal(log.count, 2);
	assert_int_equal(log.cut_line, 0);
	assert_int_equal(log.m[0].seq, 1);
	assert_int_equal(log.m[0].mtu.server, 1280);
	assert_int_equal(log.m[0].mtu.peer, 1500);
	assert_rates(&log.m[0].dir[DIR_UPLOAD], 20737000, 21706000);
	assert_rates(&log.m[0].dir[DIR_DOWNLOAD], 357680000, 361111000);
	assert_int_equal(log.m[1].seq, 2);
	assert_int_equal(log.m[1].mtu.server, 576);
	assert_int_equal(log.m[1].mtu.peer, 65535);
	assert_rates(&log.m[1].dir[DIR_UPLOAD], 2000, 116000);
	assert_rates(&log.m[1].dir[DIR_DOWNLOAD], INT64_C(999999999999000), 0);
	csvread_release(&log);
}

static void assert_failed(const struct dir_result *r, const char *text)
{
	assert_int_equal(r->status, TEST_BLACKHOLE);
	assert_string_equal(r->text, text);
	assert_int_equal(r->received_bps, NO_FIGURE);
	assert_int_equal(r->sent_bps, NO_FIGURE);
}

static void failures_are_failures(void **state)
{
	struct csv_log log;

	(void)state;
	parse(HEADER "1400,1420,-1.000,-1.000,48.649,59.231\n"
		     "1400,1440,-0.000,-0.000,-0.000,-0.000\n"
		     "1400,1460,-1,-1,-1,-1\n"
		     "1400,1480,3.000,-1.000,-1.000,4.000\n",
	      &log);
	assert_int_equal(log.count, 4);
	assert_failed(&log.m[0].dir[DIR_UPLOAD], "recorded as -1.000,-1.000");
	assert_rates(&log.m[0].dir[DIR_DOWNLOAD], 48649000, 59231000);
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		assert_failed(&log.m[1].dir[dir], "recorded as -0.000,-0.000");
		assert_failed(&log.m[2].dir[dir], "recorded as -1,-1");
	}
	assert_rates(&log.m[3].dir[DIR_UPLOAD], 3000000, NO_FIGURE);
	assert_string_equal(log.m[3].dir[DIR_UPLOAD].text, "recorded as 3.000,-1.000");
	/* No data was received. */
	assert_failed(&log.m[3].dir[DIR_DOWNLOAD], "recorded as -1.000,4.000");
	csvread_release(&log);
}

static void passes_and_ranges(void **state)
{
	struct mtu_range server, peer;
	struct csv_log log;

	(void)state;
	parse(HEADER "1400,1492,1.000,1.000,1.000,1.000\n"
		     "1340,1492,1.000,1.000,1.000,1.000\n"
		     "1400,1492,1.000,1.000,1.000,1.000\n"
		     "1430,1492,1.000,1.000,1.000,1.000\n"
		     "1400,1492,1.000,1.000,1.000,1.000\n",
	      &log);
	assert_int_equal(log.m[0].pass, 1);
	assert_int_equal(log.m[1].pass, 1);
	assert_int_equal(log.m[2].pass, 2);
	assert_int_equal(log.m[3].pass, 1);
	assert_int_equal(log.m[4].pass, 3);
	csvread_ranges(&log, &server, &peer);
	assert_int_equal(server.min, 1340);
	assert_int_equal(server.max, 1430);
	assert_int_equal(server.step, 30);
	assert_int_equal(peer.min, 1492);
	assert_int_equal(peer.max, 1492);
	assert_int_equal(peer.step, 1);
	csvread_release(&log);
}

/* Wherever the last line is cut: only that line is missing. */
static void half_written_line(void **state)
{
	static const char rows[] = HEADER "1280,1280,1.000,2.000,3.000,4.000\n";
	static const char last[] = "1280,1300,-1.000,-0.000,7.000,8.125";
	char text[sizeof(rows) + sizeof(last)];

	(void)state;
	for (size_t length = 0; length < sizeof(last); length++) {
		bool whole = length == 0 || length == strlen(last);
		struct csv_log log;

		snprintf(text, sizeof(text), "%s%.*s", rows, (int)length, last);
		parse(text, &log);
		assert_int_equal(log.cut_line, whole ? 0 : 3);
		assert_int_equal(log.count, length == strlen(last) ? 2 : 1);
		csvread_release(&log);
	}
}

struct refusal {
	const char *text;
	const char *err;
};

static const struct refusal refusals[] = {
	{"", "line 1, column 1: expected the header '" CSV_HEADER "'"},
	{CSV_HEADER, "line 1, column 90: expected the header '" CSV_HEADER "'"},
	{"server_mtu;peer_mtu\n", "line 1, column 11: expected the header"},
	{CSV_HEADER "\r\n",
	 "line 1, column 90: the line ends with a carriage return: "},
	{CSV_HEADER "\r1", "line 1, column 90: expected the header"},
	{CSV_HEADER "\r", "line 1, column 90: expected the header"},
	{"\xef\xbb\xbf" HEADER,
	 "line 1, column 1: a byte order mark before the header"},
	{"\xff\xfes", "line 1, column 1: UTF-16 text"},
	{"\n" HEADER, "line 1, column 1: an empty line: remove it"},
	{HEADER "\n", "line 2, column 1: an empty line: remove it"},
	{HEADER "\xef\xbb\xbf", "line 2, column 1: expected an MTU"},
	{HEADER "1280,1280,1.000,1.000,-1,-1\r\n",
	 "line 2, column 28: the line ends with a carriage return: "},
	{HEADER "1280,1280,1.000,1.000,1.000,1.000\n\n",
	 "line 3, column 1: an empty line"},
	{HEADER "1280,1280,1.000,1.000,1.000,1.000\n\r\n",
	 "line 3, column 1: the line ends with a carriage return: "},
	{HEADER " 1280,1280,1.000,1.000,1.000,1.000\n",
	 "line 2, column 1: expected an MTU"},
	{HEADER "1280,-1,1.000,1.000,1.000,1.000\n",
	 "line 2, column 6: expected an MTU"},
	{HEADER "1280;1280,1.000,1.000,1.000,1.000\n",
	 "line 2, column 5: expected a comma"},
	{HEADER "575,1280,1.000,1.000,1.000,1.000\n",
	 "line 2, column 1: expected an MTU from 576 to 65535"},
	{HEADER "1280,65536,", "line 2, column 6: expected an MTU from 576 to 65535"},
	{HEADER "1280,01280,1.000,1.000,1.000,1.000\n",
	 "line 2, column 6: expected an MTU from 576 to 65535"},
	{HEADER "1280,12800000000,1.000,1.000,1.000,1.000\n",
	 "line 2, column 15: expected a comma"},
	{HEADER "1280,1280,,1.000,1.000,1.000\n",
	 "line 2, column 11: expected a rate in Mbit/s"},
	{HEADER "1280,1280,nan,1.000,1.000,1.000\n",
	 "line 2, column 11: expected a rate in Mbit/s"},
	{HEADER "1280,1280,01.000,1.000,1.000,1.000\n",
	 "line 2, column 11: expected a rate in Mbit/s"},
	{HEADER "1280,1280,1e3,1.000,1.000,1.000\n",
	 "line 2, column 12: expected a point, and the rate's three decimals"},
	{HEADER "1280,1280,1.00,1.000,1.000,1.000\n",
	 "line 2, column 15: expected the rate's three decimals"},
	{HEADER "1280,1280,1.0000,1.000,1.000,1.000\n",
	 "line 2, column 16: expected a comma"},
	{HEADER "1280,1280,-2.000,1.000,1.000,1.000\n",
	 "line 2, column 11: expected a rate, or -1.000 or -0.000 where it failed"},
	{HEADER "1280,1280,-0.001,1.000,1.000,1.000\n",
	 "line 2, column 16: expected -1.000 or -0.000 where it failed"},
	{HEADER "1280,1280,1.000,1.000,1.000\n", "line 2, column 28: expected a comma"},
	{HEADER "1280,1280,1.000,1.000,1.000,1.000,1.000\n",
	 "line 2, column 34: expected the line's end"},
	{HEADER "1280,1280,1.000,1.000,1.000,1.000\r\n",
	 "line 2, column 34: the line ends with a carriage return: "},
	/* An incomplete line is distinguished from one that could not become valid. */
	{HEADER "1280,1280,1.000,1.000,1.000,1.000\n1280,x",
	 "line 3, column 6: expected an MTU"},
	{HEADER "1280,1280,1.000,1.000,1.000,1.000\n1280,1280\n"
		"1280,1280,1.000,1.000,1.000,1.000\n",
	 "line 3, column 10: expected a comma"},
};

static void refused_with_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct refusal *r = &refusals[i];
		struct csv_log log = {.cut_line = 77};
		struct err err = ERR_INIT;

		assert_int_equal(csvread_parse(r->text, strlen(r->text), &log, &err),
				 -EINVAL);
		if (strncmp(err.text, r->err, strlen(r->err)) != 0)
			fail_msg("'%s': expected '%s', got '%s'", r->text, r->err,
				 err.text);
		assert_int_equal(log.cut_line, 77);
		assert_null(log.m);
		assert_int_equal(csvread_parse(r->text, strlen(r->text), &log, NULL),
				 -EINVAL);
	}
}

static void nul_is_refused(void **state)
{
	static const char text[] = HEADER "1280,1280,1.000\0,1.000,1.000,1.000\n";
	struct err err = ERR_INIT;
	struct csv_log log;

	(void)state;
	assert_int_equal(csvread_parse(text, sizeof(text) - 1, &log, &err), -EINVAL);
	assert_string_equal(err.text, "line 2, column 16: expected a comma");
}

/* An exported log can be read. */
static void own_export_is_read(void **state)
{
	struct fixture *fixture = *state;
	struct measurement m[2] = {
		fixture_visit(1, (struct mtu_pair){1420, 1400}, 36.5, 55),
		fixture_visit(2, (struct mtu_pair){1420, 1420}, -TEST_BLACKHOLE, 2),
	};
	int64_t run;
	struct store *store = fixture_open(fixture, 0, &run);
	struct query *query;
	struct csv_log log;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (int i = 0; i < 2; i++)
		fixture_record(store, run, &m[i]);
	fixture_close(store);
	query = fixture_query(fixture);
	assert_int_equal(csv_export(query, run, out, NULL), 0);
	query_close(query);
	fclose(out);
	parse(text, &log);
	free(text);
	assert_int_equal(log.count, 2);
	assert_int_equal(log.cut_line, 0);
	assert_rates(&log.m[0].dir[DIR_UPLOAD], 36499000, 36501000);
	assert_int_equal(log.m[1].dir[DIR_UPLOAD].status, TEST_BLACKHOLE);
	assert_rates(&log.m[1].dir[DIR_DOWNLOAD], 1999000, 2001000);
	csvread_release(&log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates_are_exact),
		cmocka_unit_test(failures_are_failures),
		cmocka_unit_test(passes_and_ranges),
		cmocka_unit_test(half_written_line),
		cmocka_unit_test(refused_with_place),
		cmocka_unit_test(nul_is_refused),
		cmocka_unit_test_setup_teardown(own_export_is_read, fixture_setup,
						fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

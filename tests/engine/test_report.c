/* SPDX-License-Identifier: MIT */
/* libiperf's reports: recorded ones (reports/), and those of a hostile far end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/text.h"
#include "engine/report.h"

static struct dir_result parse(const char *json, enum direction dir)
{
	struct dir_result result;

	dir_result_init(&result, TEST_ERROR, "not parsed");
	result.goodput_bps = 77;
	result.started_at_ms = 88;
	report_parse(json, dir, 0, &result);
	assert_int_equal(result.goodput_bps, 77);
	assert_int_equal(result.started_at_ms, 88);
	return result;
}

static struct dir_result parse_recorded(const char *path, enum direction dir)
{
	struct dir_result result;
	char *json;
	size_t size;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(io_read_file(fd, 1000000, &json, &size), 0);
	fd_close(&fd);
	result = parse(json, dir);
	free(json);
	return result;
}

static void test_recorded_upload(void **state)
{
	struct dir_result r = parse_recorded(REPORTS "/upload.json", DIR_UPLOAD);

	(void)state;
	assert_int_equal(r.status, TEST_OK);
	assert_string_equal(r.text, "");
	assert_int_equal(r.sent_bps, INT64_C(10068708744));
	assert_int_equal(r.received_bps, INT64_C(10020017438));
	assert_int_equal(r.retransmits, 12473);
	assert_int_equal(r.duration_ms, 703);
}

static void test_recorded_download(void **state)
{
	struct dir_result r = parse_recorded(REPORTS "/download.json", DIR_DOWNLOAD);

	(void)state;
	assert_int_equal(r.status, TEST_OK);
	assert_int_equal(r.sent_bps, INT64_C(10539556118));
	assert_int_equal(r.received_bps, INT64_C(10504298469));
	assert_int_equal(r.retransmits, 11607);
	assert_int_equal(r.duration_ms, 702);
}

static void test_recorded_error(void **state)
{
	struct dir_result r = parse_recorded(REPORTS "/error.json", DIR_UPLOAD);

	(void)state;
	assert_int_equal(r.status, TEST_ERROR);
	assert_string_equal(r.text, "libiperf: control socket has closed unexpectedly");
	assert_int_equal(r.sent_bps, NO_FIGURE);
	assert_int_equal(r.received_bps, NO_FIGURE);
	assert_int_equal(r.retransmits, NO_FIGURE);
}

#define SENT     "\"sum_sent\":{\"bits_per_second\":8e6,\"seconds\":5,\"retransmits\":3}"
#define RECEIVED "\"sum_received\":{\"bits_per_second\":7e6,\"seconds\":5}"

static const struct {
	const char *json;
	const char *word;
} hostile[] = {
	{NULL, "no report"},
	{"", "no report"},
	{" ", "not a JSON object"},
	{"{", "not a JSON object"},
	{"[]", "not a JSON object"},
	{"null", "not a JSON object"},
	{"5", "not a JSON object"},
	{"{}", "sum_sent.bits_per_second"},
	{"{\"end\":null}", "sum_sent.bits_per_second"},
	{"{\"end\":[" SENT "]}", "not a JSON object"},
	{"{\"end\":{" SENT "}}", "sum_received.bits_per_second"},
	{"{\"end\":{" RECEIVED "}}", "sum_sent.bits_per_second"},
	{"{\"end\":{" SENT "," RECEIVED "}} x", "not a JSON object"},
	{"{\"end\":{" SENT ",\"sum_received\":{\"bits_per_second\":\"7\"}}}",
	 "sum_received.bits_per_second"},
	{"{\"end\":{" SENT ",\"sum_received\":{\"bits_per_second\":-1}}}",
	 "sum_received.bits_per_second"},
	{"{\"end\":{" SENT ",\"sum_received\":{\"bits_per_second\":1e300}}}",
	 "sum_received.bits_per_second"},
	{"{\"end\":{" RECEIVED ",\"sum_sent\":{\"bits_per_second\":1}}}", "seconds"},
	{"{\"end\":{" RECEIVED ",\"sum_sent\":{\"bits_per_second\":1,\"seconds\":0}}}",
	 "seconds"},
	{"{\"end\":{" SENT "," RECEIVED "},\"error\":\"it broke\"}", "it broke"},
	{"{\"end\":{" SENT "," RECEIVED "},\"error\":5}", "an unnamed error"},
	{"{\"error\":null}", "an unnamed error"},
	{"{\"error\":\"a\\u001b[2Jb\\nc\"}", "libiperf: a?[2Jb?c"},
};

static void test_hostile(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		struct dir_result r = parse(hostile[i].json, DIR_UPLOAD);

		if (r.status != TEST_ERROR || !strstr(r.text, hostile[i].word))
			fail_msg("%s: '%s'", hostile[i].json, r.text);
		assert_int_equal(r.sent_bps, NO_FIGURE);
		assert_int_equal(r.received_bps, NO_FIGURE);
		assert_int_equal(r.retransmits, NO_FIGURE);
	}
}

static void test_nothing_received(void **state)
{
	struct dir_result r = parse("{\"end\":{" SENT
				    ",\"sum_received\":{\"bits_per_second\":0,"
				    "\"seconds\":5}}}",
				    DIR_UPLOAD);

	(void)state;
	assert_int_equal(r.status, TEST_BLACKHOLE);
	assert_int_equal(r.sent_bps, NO_FIGURE);
	assert_int_equal(r.received_bps, NO_FIGURE);
}

/* libiperf may omit a block that was not complete; the receiver's socket does not. */
static void test_more_arrived(void **state)
{
	static const char nothing[] = "{\"end\":{" SENT
				      ",\"sum_received\":{\"bits_per_second\":0,"
				      "\"seconds\":5}}}";
	static const struct {
		const char *json;
		uint64_t arrived;
		int64_t received_bps;
	} cases[] = {
		{nothing, 1000, 1600},
		{"{\"end\":{" SENT "," RECEIVED "}}", 4375000, 7000000},
		{"{\"end\":{" SENT "," RECEIVED "}}", 5000000, 8000000},
		{"{\"end\":{" SENT "," RECEIVED "}}", 1000, 7000000},
		{"{\"end\":{" SENT "," RECEIVED "}}", UINT64_MAX, 1000000000000000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dir_result r;

		dir_result_init(&r, TEST_ERROR, "not parsed");
		report_parse(cases[i].json, DIR_UPLOAD, cases[i].arrived, &r);
		assert_int_equal(r.status, TEST_OK);
		assert_int_equal(r.received_bps, cases[i].received_bps);
		assert_true(r.sent_bps >= r.received_bps);
	}
}

static void test_no_retransmits(void **state)
{
	static const char *const values[] = {"-1", "\"5\"", "null", "1e99"};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		char json[400];
		struct dir_result r;

		snprintf(json, sizeof(json),
			 "{\"end\":{" RECEIVED ",\"sum_sent\":{\"bits_per_second\":8e6,"
			 "\"retransmits\":%s}}}",
			 values[i]);
		r = parse(json, DIR_DOWNLOAD);
		assert_int_equal(r.status, TEST_OK);
		assert_int_equal(r.sent_bps, 8000000);
		assert_int_equal(r.received_bps, 7000000);
		assert_int_equal(r.retransmits, NO_FIGURE);
	}
}

static void test_huge(void **state)
{
	size_t size = 3 * 1024 * 1024;
	char *json = malloc(size + 1);
	struct dir_result r;

	(void)state;
	/* Deeply nested, within the limit. */
	memset(json, '[', size);
	json[500000] = '\0';
	r = parse(json, DIR_UPLOAD);
	assert_int_equal(r.status, TEST_ERROR);
	/* Sound, but longer than any report. */
	memset(json, ' ', size);
	text_copy(json + size - 200, 200, "{\"end\":{" SENT "," RECEIVED "}}");
	r = parse(json, DIR_UPLOAD);
	assert_int_equal(r.status, TEST_ERROR);
	assert_non_null(strstr(r.text, "longer than"));
	/* A long error is cut. */
	memset(json, 'x', 100000);
	memcpy(json, "{\"error\":\"", strlen("{\"error\":\""));
	text_copy(json + 100000, 3, "\"}");
	r = parse(json, DIR_UPLOAD);
	assert_int_equal(r.status, TEST_ERROR);
	assert_int_equal(strlen(r.text), RESULT_TEXT - 1);
	free(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recorded_upload),
		cmocka_unit_test(test_recorded_download),
		cmocka_unit_test(test_recorded_error),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_nothing_received),
		cmocka_unit_test(test_more_arrived),
		cmocka_unit_test(test_no_retransmits),
		cmocka_unit_test(test_huge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* A parser for the few figures that we need from libiperf's JSON. */
#include "engine/report.h"

#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* One stream and no intervals make about 5 KB. */
#define REPORT_LIMIT (1024 * 1024)

#define RATE_MAX    1e15
#define COUNT_MAX   1e15
#define SECONDS_MAX 1e5

static void json_drop(json_t **json)
{
	json_decref(*json);
}

#define cleanup_json __attribute__((cleanup(json_drop)))

static void set_error(struct dir_result *ret, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void set_error(struct dir_result *ret, const char *fmt, ...)
{
	va_list args;

	ret->status = TEST_ERROR;
	va_start(args, fmt);
	vsnprintf(ret->text, sizeof(ret->text), fmt, args);
	va_end(args);
	text_printable(ret->text);
}

/* The figure `sum`.`key`, or -1: missing, of another type or out of range. */
static double read_figure(const json_t *end, const char *sum, const char *key,
			  double max)
{
	const json_t *value = json_object_get(json_object_get(end, sum), key);
	double number;

	if (!json_is_number(value))
		return -1;
	number = json_number_value(value);
	return number >= 0 && number <= max ? number : -1;
}

static void fill_figures(const json_t *end, enum direction dir, uint64_t arrived,
			 struct dir_result *ret)
{
	const char *here = dir == DIR_UPLOAD ? "sum_sent" : "sum_received";
	double sent = read_figure(end, "sum_sent", "bits_per_second", RATE_MAX);
	double received = read_figure(end, "sum_received", "bits_per_second", RATE_MAX);
	double seconds = read_figure(end, here, "seconds", SECONDS_MAX);
	double retransmits = read_figure(end, "sum_sent", "retransmits", COUNT_MAX);

	if (sent < 0 || received < 0 || seconds <= 0) {
		set_error(ret, "libiperf's report lacks '%s'",
			  sent < 0       ? "end.sum_sent.bits_per_second"
			  : received < 0 ? "end.sum_received.bits_per_second"
					 : "end.sum_*.seconds");
		return;
	}
	received = fmax(received, fmin((double)arrived * 8 / seconds, RATE_MAX));
	sent = fmax(sent, received);
	/* Never report a rate of 0 in place of a failure. */
	if (received == 0) {
		set_error(ret, "no sent data arrived");
		ret->status = TEST_BLACKHOLE;
		return;
	}
	ret->status = TEST_OK;
	ret->text[0] = '\0';
	ret->sent_bps = llround(sent);
	ret->received_bps = llround(received);
	ret->duration_ms = llround(seconds * 1000);
	ret->retransmits = retransmits < 0 ? NO_FIGURE : llround(retransmits);
}

void report_parse(const char *json, enum direction dir, uint64_t arrived,
		  struct dir_result *ret)
{
	cleanup_json json_t *report = NULL;
	size_t size = json ? strnlen(json, REPORT_LIMIT) : 0;
	const json_t *error;

	if (size == 0 || size == REPORT_LIMIT) {
		set_error(ret, size == 0 ? "libiperf gave no report"
					 : "libiperf's report is longer than 1 MB");
		return;
	}
	report = json_loadb(json, size, 0, NULL);
	if (!json_is_object(report)) {
		set_error(ret, "libiperf's report is not a JSON object");
		return;
	}
	error = json_object_get(report, "error");
	if (error) {
		set_error(ret, "libiperf: %s",
			  json_is_string(error) ? json_string_value(error)
						: "an unnamed error");
		return;
	}
	fill_figures(json_object_get(report, "end"), dir, arrived, ret);
}

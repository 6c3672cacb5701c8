/* SPDX-License-Identifier: MIT */
#include "store/csvread.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/io.h"

/* Digits before a number's point: an MTU or a rate of a link needs no more. */
#define DIGITS_MAX          9
#define DECIMALS            3
#define BPS_OF_A_THOUSANDTH 1000

/* The text from `at` to `end`, of which `line` begins at `start`. */
struct reader {
	const char *at;
	const char *end;
	const char *start;
	size_t line;
	const char *refused; /* the place of the error */
	struct err *err;
};

static bool begins_with(const struct reader *r, const char *at, const char *word)
{
	size_t length = strlen(word);

	return (size_t)(r->end - at) >= length && memcmp(at, word, length) == 0;
}

/* Find marks that other programs put into a log and that do not show on a screen. NULL:
 * none. */
static const char *find_unseen(const struct reader *r, const char *at)
{
	if (begins_with(r, at, "\r\n"))
		return "the line ends with a carriage return: these are DOS line ends, "
		       "convert them to Unix's";
	if (at != r->start)
		return NULL;
	if (begins_with(r, at, "\n"))
		return "an empty line: remove it";
	if (r->line == 1 && begins_with(r, at, "\xef\xbb\xbf"))
		return "a byte order mark before the header: remove these three bytes";
	if (r->line == 1 &&
	    (begins_with(r, at, "\xff\xfe") || begins_with(r, at, "\xfe\xff")))
		return "UTF-16 text: convert it to ASCII";
	return NULL;
}

static int refuse_text(struct reader *r, const char *at, const char *expected)
{
	const char *unseen = find_unseen(r, at);

	r->refused = at;
	if (unseen)
		return err_set(r->err, -EINVAL, "line %zu, column %zu: %s", r->line,
			       (size_t)(at - r->start) + 1, unseen);
	return err_set(r->err, -EINVAL, "line %zu, column %zu: expected %s", r->line,
		       (size_t)(at - r->start) + 1, expected);
}

static int expect_word(struct reader *r, const char *word, const char *name)
{
	for (; *word; word++, r->at++) {
		if (r->at == r->end || *r->at != *word)
			return refuse_text(r, r->at, name);
	}
	return 0;
}

static bool next_is(const struct reader *r, char c)
{
	return r->at < r->end && *r->at == c;
}

/* Read 0 to `most` digits; return their number. */
static int take_digits(struct reader *r, int most, int64_t *value)
{
	int n = 0;

	while (n < most && r->at < r->end && *r->at >= '0' && *r->at <= '9') {
		*value = *value * 10 + (*r->at++ - '0');
		n++;
	}
	return n;
}

/* --- fields --- */

static int read_mtu(struct reader *r, int *ret)
{
	const char *begin = r->at;
	int64_t value = 0;
	int digits = take_digits(r, DIGITS_MAX, &value);

	if (digits == 0)
		return refuse_text(r, r->at, "an MTU");
	if (expect_word(r, ",", "a comma") < 0)
		return -EINVAL;
	if (value < MTU_MIN || value > MTU_MAX || *begin == '0')
		return refuse_text(r, begin, "an MTU from 576 to 65535");
	*ret = (int)value;
	return 0;
}

/* Read "-1", "-1.000" or "-0.000" after its dash. */
static int read_failure(struct reader *r, int64_t *ret_bps)
{
	const char *begin = r->at++;
	bool is_zero = next_is(r, '0');

	if (!is_zero && !next_is(r, '1'))
		return refuse_text(r, r->at == r->end ? r->at : begin,
				   "a rate, or -1.000 or -0.000 where it failed");
	r->at++;
	*ret_bps = NO_FIGURE;
	if (!is_zero && !next_is(r, '.'))
		return 0;
	return expect_word(r, ".000", "-1.000 or -0.000 where it failed");
}

/* NO_FIGURE: the test failed. */
static int read_rate(struct reader *r, int64_t *ret_bps)
{
	const char *begin = r->at;
	int64_t thousandths = 0;
	int digits;

	if (next_is(r, '-'))
		return read_failure(r, ret_bps);
	digits = take_digits(r, DIGITS_MAX, &thousandths);
	/* Refuse 01.000: no program writes it, and an export could not restore it. */
	if (digits == 0 || (digits > 1 && *begin == '0'))
		return refuse_text(r, digits ? begin : r->at, "a rate in Mbit/s");
	if (expect_word(r, ".", "a point, and the rate's three decimals") < 0)
		return -EINVAL;
	if (take_digits(r, DECIMALS, &thousandths) < DECIMALS)
		return refuse_text(r, r->at, "the rate's three decimals");
	*ret_bps = thousandths * BPS_OF_A_THOUSANDTH;
	return 0;
}

/* A direction that works has a received rate. */
static int read_direction(struct reader *r, struct dir_result *ret)
{
	const char *begin = r->at;
	int64_t received_bps, sent_bps;

	if (read_rate(r, &received_bps) < 0 || expect_word(r, ",", "a comma") < 0 ||
	    read_rate(r, &sent_bps) < 0)
		return -EINVAL;
	if (received_bps != NO_FIGURE && sent_bps != NO_FIGURE)
		dir_result_init(ret, TEST_OK, "%s", "");
	else
		dir_result_init(ret,
				received_bps == NO_FIGURE ? TEST_BLACKHOLE : TEST_OK,
				CSV_RECORDED "%.*s", (int)(r->at - begin), begin);
	ret->duration_ms = NO_FIGURE;
	if (ret->status != TEST_OK)
		return 0;
	ret->received_bps = received_bps;
	ret->sent_bps = sent_bps;
	return 0;
}

/* --- lines --- */

static int read_row(struct reader *r, struct measurement *ret)
{
	*ret = (struct measurement){.pass = 1};
	if (read_mtu(r, &ret->mtu.server) < 0 || read_mtu(r, &ret->mtu.peer) < 0 ||
	    read_direction(r, &ret->dir[DIR_UPLOAD]) < 0 ||
	    expect_word(r, ",", "a comma") < 0 ||
	    read_direction(r, &ret->dir[DIR_DOWNLOAD]) < 0)
		return -EINVAL;
	if (r->at < r->end && *r->at != '\n')
		return refuse_text(r, r->at, "the line's end");
	return 0;
}

static int read_rows(struct reader *r, struct csv_log *log)
{
	while (r->at < r->end) {
		struct measurement m;

		r->line++;
		r->start = r->at;
		if (read_row(r, &m) < 0) {
			if (r->refused < r->end)
				return -EINVAL;
			/* The text is valid up to its end. */
			if (r->err)
				r->err->text[0] = '\0';
			log->cut_line = r->line;
			return 0;
		}
		m.seq = (uint32_t)log->count + 1;
		if (array_append(&log->m, &log->count, &m, sizeof(m)) < 0)
			return err_set(r->err, -ENOMEM, "out of memory for the log");
		if (r->at < r->end)
			r->at++;
	}
	return 0;
}

/* --- passes --- */

static int compare_pairs(const void *a, const void *b)
{
	const struct measurement *x = *(struct measurement *const *)a;
	const struct measurement *y = *(struct measurement *const *)b;

	int order = mtu_pair_compare(&x->mtu, &y->mtu);

	return order ? order : (x->seq > y->seq) - (x->seq < y->seq);
}

/* A pass counts the measurements of one pair. */
static int count_passes(struct csv_log *log, struct err *err)
{
	cleanup_free struct measurement **sorted =
		calloc(log->count + 1, sizeof(struct measurement *));

	if (!sorted)
		return err_set(err, -ENOMEM, "out of memory for the log");
	for (size_t i = 0; i < log->count; i++)
		sorted[i] = &log->m[i];
	qsort(sorted, log->count, sizeof(sorted[0]), compare_pairs);
	for (size_t i = 1; i < log->count; i++) {
		if (mtu_pair_same(&sorted[i]->mtu, &sorted[i - 1]->mtu))
			sorted[i]->pass = sorted[i - 1]->pass + 1;
	}
	return 0;
}

int csvread_parse(const char *text, size_t size, struct csv_log *ret, struct err *err)
{
	cleanup_csv_log struct csv_log log = CSV_LOG_INIT;
	struct reader reader = {
		.at = text,
		.end = text + size,
		.start = text,
		.line = 1,
		.err = err,
	};
	int r = expect_word(&reader, CSV_HEADER "\n", "the header '" CSV_HEADER "'");

	if (r == 0)
		r = read_rows(&reader, &log);
	if (r == 0)
		r = count_passes(&log, err);
	if (r < 0)
		return r;
	*ret = log;
	log.m = NULL;
	return 0;
}

void csvread_release(struct csv_log *log)
{
	free(log->m);
	*log = (struct csv_log)CSV_LOG_INIT;
}

/* --- the grid --- */

static int common_divisor(int a, int b)
{
	while (b) {
		int rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* `step` is 0 until a second MTU is seen. */
static void widen_range(struct mtu_range *range, int mtu)
{
	range->step = common_divisor(range->step, abs(mtu - range->min));
	if (mtu < range->min)
		range->min = mtu;
	if (mtu > range->max)
		range->max = mtu;
}

void csvread_ranges(const struct csv_log *log, struct mtu_range *ret_server,
		    struct mtu_range *ret_peer)
{
	const struct mtu_pair *first = &log->m[0].mtu;
	struct mtu_range server = {first->server, first->server, 0};
	struct mtu_range peer = {first->peer, first->peer, 0};

	for (size_t i = 1; i < log->count; i++) {
		widen_range(&server, log->m[i].mtu.server);
		widen_range(&peer, log->m[i].mtu.peer);
	}
	server.step = server.step ? server.step : 1;
	peer.step = peer.step ? peer.step : 1;
	*ret_server = server;
	*ret_peer = peer;
}

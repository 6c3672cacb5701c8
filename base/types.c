/* SPDX-License-Identifier: MIT */
#include "base/types.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static const char *const status_names[TEST_STATUS_COUNT] = {
	[TEST_OK] = "ok",           [TEST_BLACKHOLE] = "blackhole",
	[TEST_TIMEOUT] = "timeout", [TEST_UNREACHABLE] = "unreachable",
	[TEST_REFUSED] = "refused", [TEST_ERROR] = "error",
};

static const char *const persist_names[PERSIST_COUNT] = {
	[PERSIST_NONE] = "none",
	[PERSIST_EACH] = "each",
	[PERSIST_BEST] = "best",
};

static const char *const backend_names[BACKEND_COUNT] = {
	[BACKEND_NONE] = "none",
	[BACKEND_KERNEL] = "kernel",
	[BACKEND_USERSPACE] = "userspace",
};

static const char *const outcome_names[RUN_OUTCOME_COUNT] = {
	[RUN_RUNNING] = "running",
	[RUN_DONE] = "done",
	[RUN_INTERRUPTED] = "interrupted",
	[RUN_FAILED] = "failed",
};

const char *test_status_words(enum test_status status)
{
	return status == TEST_ERROR ? "no result" : status_names[status];
}

const char *direction_name(enum direction dir)
{
	return dir == DIR_UPLOAD ? "upload" : "download";
}

const char *direction_sender(enum direction dir)
{
	return dir == DIR_UPLOAD ? "peer" : "server";
}

const char *direction_receiver(enum direction dir)
{
	return dir == DIR_UPLOAD ? "server" : "peer";
}

int mtu_pair_sender(const struct mtu_pair *mtu, enum direction dir)
{
	return dir == DIR_UPLOAD ? mtu->peer : mtu->server;
}

struct mtu_pair mtu_pair_of_sender(enum direction dir, int mtu)
{
	return dir == DIR_UPLOAD ? (struct mtu_pair){MTU_UNKNOWN, mtu}
				 : (struct mtu_pair){mtu, MTU_UNKNOWN};
}

enum direction direction_back(enum direction dir)
{
	return dir == DIR_UPLOAD ? DIR_DOWNLOAD : DIR_UPLOAD;
}

TEXT_DEFINE_WORDS(test_status, test_status, status_names, TEST_STATUS_COUNT)
TEXT_DEFINE_WORDS(persist, persist, persist_names, PERSIST_COUNT)
TEXT_DEFINE_WORDS(backend, backend, backend_names, BACKEND_COUNT)
TEXT_DEFINE_WORDS(run_outcome, run_outcome, outcome_names, RUN_OUTCOME_COUNT)

int mtu_range_count(const struct mtu_range *range)
{
	int64_t count;

	if (range->step < 1 || range->max < range->min)
		return 0;
	count = ((int64_t)range->max - range->min) / range->step + 1;
	return count > INT_MAX ? INT_MAX : (int)count;
}

int mtu_range_at(const struct mtu_range *range, int i)
{
	return (int)(range->min + (int64_t)i * range->step);
}

bool mtu_range_same(const struct mtu_range *a, const struct mtu_range *b)
{
	return a->min == b->min && a->max == b->max && a->step == b->step;
}

bool mtu_range_allows(const struct mtu_range *range, int mtu)
{
	return mtu >= range->min && mtu <= range->max;
}

static int parse_mtu(const char *text, int *ret)
{
	int64_t mtu;
	int r = text_to_int(text, MTU_MIN, MTU_MAX, &mtu);

	if (r == 0)
		*ret = (int)mtu;
	return r;
}

/* "-" is the MTU of an end that is not known. */
static int parse_mtu_or_none(const char *text, int *ret)
{
	if (strcmp(text, "-") != 0)
		return parse_mtu(text, ret);
	*ret = MTU_UNKNOWN;
	return 0;
}

static int parse_pair(const char *text, int (*parse)(const char *text, int *ret),
		      struct mtu_pair *ret)
{
	const char *separator = strpbrk(text, ",/");
	struct mtu_pair pair = {0};
	char server[8];

	if (!separator || (size_t)(separator - text) >= sizeof(server))
		return -EINVAL;
	text_copy(server, (size_t)(separator - text) + 1, text);
	if (parse(server, &pair.server) < 0 || parse(separator + 1, &pair.peer) < 0)
		return -EINVAL;
	*ret = pair;
	return 0;
}

int mtu_pair_parse(const char *text, struct mtu_pair *ret)
{
	return parse_pair(text, parse_mtu, ret);
}

int mtu_pair_parse_open(const char *text, struct mtu_pair *ret)
{
	struct mtu_pair pair = {0};

	if (parse_pair(text, parse_mtu_or_none, &pair) < 0 ||
	    (pair.server == MTU_UNKNOWN && pair.peer == MTU_UNKNOWN))
		return -EINVAL;
	*ret = pair;
	return 0;
}

const char *mtu_text(int mtu, char ret[MTU_TEXT_SIZE])
{
	if (mtu == MTU_UNKNOWN)
		text_copy(ret, MTU_TEXT_SIZE, "-");
	else
		snprintf(ret, MTU_TEXT_SIZE, "%d", mtu);
	return ret;
}

const char *mtu_pair_text(const struct mtu_pair *mtu, char ret[PAIR_TEXT_SIZE])
{
	char server[MTU_TEXT_SIZE];
	char peer[MTU_TEXT_SIZE];

	snprintf(ret, PAIR_TEXT_SIZE, "%s/%s", mtu_text(mtu->server, server),
		 mtu_text(mtu->peer, peer));
	return ret;
}

const char *mtu_pair_words(const struct mtu_pair *mtu, char ret[PAIR_WORDS_SIZE])
{
	if (mtu->server == MTU_UNKNOWN)
		snprintf(ret, PAIR_WORDS_SIZE, "peer MTU %d", mtu->peer);
	else if (mtu->peer == MTU_UNKNOWN)
		snprintf(ret, PAIR_WORDS_SIZE, "server MTU %d", mtu->server);
	else
		snprintf(ret, PAIR_WORDS_SIZE, "server MTU %d, peer MTU %d",
			 mtu->server, mtu->peer);
	return ret;
}

static bool is_unknown(const struct mtu_range *range)
{
	return range->min == MTU_UNKNOWN && range->max == MTU_UNKNOWN;
}

bool run_info_is_one_ended(const struct run_info *info)
{
	return is_unknown(&info->server_range) || is_unknown(&info->peer_range);
}

enum direction run_info_own_direction(const struct run_info *info)
{
	return is_unknown(&info->peer_range) ? DIR_DOWNLOAD : DIR_UPLOAD;
}

bool run_info_has_end(const struct run_info *info, enum direction sends)
{
	return !run_info_is_one_ended(info) || run_info_own_direction(info) == sends;
}

struct mtu_pair run_info_current(const struct run_info *info)
{
	struct mtu_pair pair = {info->server.link_mtu, info->peer.link_mtu};

	if (run_info_is_one_ended(info)) {
		enum direction own = run_info_own_direction(info);

		pair = mtu_pair_of_sender(own, mtu_pair_sender(&pair, own));
	}
	return pair.server && pair.peer ? pair : (struct mtu_pair){0};
}

bool mtu_pair_same(const struct mtu_pair *a, const struct mtu_pair *b)
{
	return a->server == b->server && a->peer == b->peer;
}

int mtu_pair_compare(const struct mtu_pair *a, const struct mtu_pair *b)
{
	if (a->server != b->server)
		return a->server < b->server ? -1 : 1;
	return (a->peer > b->peer) - (a->peer < b->peer);
}

void dir_result_init(struct dir_result *result, enum test_status status,
		     const char *fmt, ...)
{
	va_list args;

	memset(result, 0, sizeof(*result));
	result->status = status;
	for (int i = 0; i < FIGURE_COUNT; i++)
		figure_set(result, i, NO_FIGURE);
	va_start(args, fmt);
	vsnprintf(result->text, sizeof(result->text), fmt, args);
	va_end(args);
}

int64_t dir_result_rate(const struct dir_result *result)
{
	return result->goodput_bps != NO_FIGURE ? result->goodput_bps
						: result->received_bps;
}

bool rate_text(enum test_status status, int64_t rate_bps, int decimals,
	       char ret[RATE_TEXT_SIZE])
{
	bool known = status == TEST_OK && rate_bps != NO_FIGURE;

	if (known)
		snprintf(ret, RATE_TEXT_SIZE, "%.*f", decimals, (double)rate_bps / 1e6);
	else
		text_copy(ret, RATE_TEXT_SIZE,
			  status == TEST_OK ? "?" : test_status_words(status));
	return known;
}

/* Less is printed as "0.9 Mbit/s" or, rounded, as "1000 kbit/s". */
#define RATE_MBIT_FROM 999500
/* Less than that in kbit/s gets a decimal. */
#define RATE_DECIMAL_BELOW 99950

const char *rate_unit(int64_t of_bps)
{
	return of_bps < RATE_MBIT_FROM ? "kbit/s" : "Mbit/s";
}

void rate_number(int64_t rate_bps, int64_t of_bps, char ret[RATE_TEXT_SIZE])
{
	if (of_bps >= RATE_MBIT_FROM)
		snprintf(ret, RATE_TEXT_SIZE, "%.1f", (double)rate_bps / 1e6);
	else
		snprintf(ret, RATE_TEXT_SIZE, "%.*f", of_bps < RATE_DECIMAL_BELOW,
			 (double)rate_bps / 1e3);
}

enum test_status test_status_of_both(enum test_status upload, enum test_status download)
{
	if (upload == TEST_OK || (upload == TEST_ERROR && download != TEST_OK))
		return download;
	return upload;
}

enum test_status measurement_status(const struct measurement *m)
{
	return test_status_of_both(m->dir[DIR_UPLOAD].status,
				   m->dir[DIR_DOWNLOAD].status);
}

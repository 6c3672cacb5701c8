/* SPDX-License-Identifier: MIT */
#include "base/types.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

/* Index of `name` in the list, or -EINVAL. */
static int find_name(const char *const *names, int count, const char *name)
{
	for (int i = 0; i < count; i++) {
		if (strcmp(names[i], name) == 0)
			return i;
	}
	return -EINVAL;
}

const char *direction_name(enum direction dir)
{
	return dir == DIR_UPLOAD ? "upload" : "download";
}

const char *test_status_name(enum test_status status)
{
	return status_names[status];
}

const char *persist_name(enum persist persist)
{
	return persist_names[persist];
}

const char *backend_name(enum backend backend)
{
	return backend_names[backend];
}

const char *run_outcome_name(enum run_outcome outcome)
{
	return outcome_names[outcome];
}

int test_status_parse(const char *name, enum test_status *ret)
{
	int i = find_name(status_names, TEST_STATUS_COUNT, name);

	if (i < 0)
		return i;
	*ret = (enum test_status)i;
	return 0;
}

int persist_parse(const char *name, enum persist *ret)
{
	int i = find_name(persist_names, PERSIST_COUNT, name);

	if (i < 0)
		return i;
	*ret = (enum persist)i;
	return 0;
}

int backend_parse(const char *name, enum backend *ret)
{
	int i = find_name(backend_names, BACKEND_COUNT, name);

	if (i < 0)
		return i;
	*ret = (enum backend)i;
	return 0;
}

int run_outcome_parse(const char *name, enum run_outcome *ret)
{
	int i = find_name(outcome_names, RUN_OUTCOME_COUNT, name);

	if (i < 0)
		return i;
	*ret = (enum run_outcome)i;
	return 0;
}

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

bool mtu_range_allows(const struct mtu_range *range, int mtu)
{
	return mtu >= range->min && mtu <= range->max;
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

enum test_status measurement_status(const struct measurement *m)
{
	if (m->dir[DIR_UPLOAD].status != TEST_OK)
		return m->dir[DIR_UPLOAD].status;
	return m->dir[DIR_DOWNLOAD].status;
}

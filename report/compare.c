/* SPDX-License-Identifier: MIT */
#include "report/compare.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/io.h"

/* Scales a median absolute deviation to the standard deviation of a normal
 * distribution. */
#define MAD_TO_SIGMA 1.4826
/* The ratio of a median's standard error to a mean's. */
#define MEDIAN_ERROR 1.2533
#define NOISE_MIN    0.01
/* Latencies of the same line differ more from run to run than rates. */
#define NOISE_LATENCY 0.03
#define SIGMAS        3

struct results {
	struct query_result *row;
	size_t count;
};

static int add_result(void *ctx, const struct query_result *result)
{
	struct results *all = ctx;

	return array_append(&all->row, &all->count, result, sizeof(*result));
}

static struct compare_side side_of(const struct query_result *result,
				   enum direction dir)
{
	bool up = dir == DIR_UPLOAD;

	return (struct compare_side){
		.status = up ? result->upload_status : result->download_status,
		.rate_bps = up ? result->upload_bps : result->download_bps,
		.latency_us = result->latency_us[dir],
		.ok = up ? result->upload_ok : result->download_ok,
		.visits = result->visits,
	};
}

static struct compare_change make_change(const struct query_result *first,
					 const struct query_result *second,
					 enum direction dir)
{
	struct compare_change change = {
		.mtu = first->mtu,
		.dir = dir,
		.side = {side_of(first, dir), side_of(second, dir)},
		.ratio = NAN,
	};

	if (change.side[0].rate_bps > 0 && change.side[1].rate_bps > 0)
		change.ratio = (double)change.side[1].rate_bps /
			       (double)change.side[0].rate_bps;
	return change;
}

/* Join the two lists; both are sorted by server MTU, then peer MTU. */
static void join_results(const struct results *first, const struct results *second,
			 struct comparison *ret)
{
	size_t a = 0;
	size_t b = 0;

	while (a < first->count && b < second->count) {
		int order = mtu_pair_compare(&first->row[a].mtu, &second->row[b].mtu);

		if (order != 0) {
			ret->only[order > 0]++;
			*(order < 0 ? &a : &b) += 1;
			continue;
		}
		for (int d = 0; d < DIR_COUNT; d++)
			ret->change[ret->changes++] = make_change(
				&first->row[a], &second->row[b], (enum direction)d);
		ret->in_both++;
		a++;
		b++;
	}
	ret->only[0] += (int)(first->count - a);
	ret->only[1] += (int)(second->count - b);
}

static double median_of(double *values, int n)
{
	array_sort_doubles(values, (size_t)n);
	return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

/* `logs`: of the ratios; they are changed. */
static void summarize(double *logs, int n, double noise_min,
		      struct compare_summary *ret)
{
	double shift;

	*ret = (struct compare_summary){
		.compared = n,
		.shift = 1,
		.noise = noise_min,
	};
	if (n == 0)
		return;
	shift = median_of(logs, n);
	ret->shift = exp(shift);
	for (int i = 0; i < n; i++)
		logs[i] = fabs(logs[i] - shift);
	ret->noise = fmax(MAD_TO_SIGMA * median_of(logs, n), noise_min);
	ret->shifted = n >= COMPARE_MIN && fabs(shift) > SIGMAS * (1 + 4.0 / n) *
								 MEDIAN_ERROR *
								 ret->noise / sqrt(n);
}

/* `logs` has room for one value for each change. */
static void summarize_direction(struct comparison *all, enum direction dir,
				double *logs)
{
	int n = 0;

	for (int i = 0; i < all->changes; i++) {
		if (all->change[i].dir == dir && !isnan(all->change[i].ratio))
			logs[n++] = log(all->change[i].ratio);
	}
	summarize(logs, n, NOISE_MIN, &all->dir[dir]);
}

static int64_t round_median(double *values, int n)
{
	return n ? llround(median_of(values, n)) : NO_FIGURE;
}

/* `space` has room for three values for each change. */
static void summarize_latency(struct comparison *all, enum direction dir, double *space)
{
	struct compare_latency *ret = &all->latency[dir];
	double *logs = space;
	double *first = space + all->changes;
	double *second = first + all->changes;
	int n = 0;

	for (int i = 0; i < all->changes; i++) {
		const struct compare_change *change = &all->change[i];

		if (change->dir != dir || change->side[0].latency_us <= 0 ||
		    change->side[1].latency_us <= 0)
			continue;
		first[n] = (double)change->side[0].latency_us;
		second[n] = (double)change->side[1].latency_us;
		logs[n] = log(second[n] / first[n]);
		n++;
	}
	summarize(logs, n, NOISE_LATENCY, &ret->summary);
	ret->us[0] = round_median(first, n);
	ret->us[1] = round_median(second, n);
}

static bool is_beyond(const struct compare_change *change,
		      const struct compare_summary *summary)
{
	double n = summary->compared;
	double sigmas;

	if (change->side[0].status == TEST_ERROR ||
	    change->side[1].status == TEST_ERROR)
		return false;
	if (change->side[0].status != change->side[1].status)
		return true;
	if (isnan(change->ratio) || summary->compared < COMPARE_MIN)
		return false;
	/* The largest of n normal deviates is about sqrt(2 ln 2n). The other terms were
	 * fitted to simulated runs: fewer than one in twenty pairs of equal runs shows
	 * a change. */
	sigmas = fmax(SIGMAS, sqrt(2 * log(2 * n)) + 0.5) * (1 + 8 / n);
	return fabs(log(change->ratio / summary->shift)) > sigmas * summary->noise;
}

static int compare_results(const struct results *first, const struct results *second,
			   struct comparison *ret)
{
	size_t most = 2 * (first->count < second->count ? first->count : second->count);
	cleanup_free double *logs = calloc(3 * most + 1, sizeof(*logs));
	int kept = 0;

	ret->change = calloc(most + 1, sizeof(*ret->change));
	if (!logs || !ret->change)
		return -ENOMEM;
	join_results(first, second, ret);
	for (int d = 0; d < DIR_COUNT; d++) {
		summarize_direction(ret, (enum direction)d, logs);
		summarize_latency(ret, (enum direction)d, logs);
	}
	for (int i = 0; i < ret->changes; i++) {
		if (is_beyond(&ret->change[i], &ret->dir[ret->change[i].dir]))
			ret->change[kept++] = ret->change[i];
	}
	ret->changes = kept;
	return 0;
}

int compare_runs(struct query *query, int64_t first, int64_t second,
		 struct comparison *ret, struct err *err)
{
	struct results results[2] = {0};
	struct comparison comparison = {0};
	int r = query_result_latencies(query, first, add_result, &results[0], err);

	if (r == 0)
		r = query_result_latencies(query, second, add_result, &results[1], err);
	if (r == 0)
		r = compare_results(&results[0], &results[1], &comparison);
	free(results[0].row);
	free(results[1].row);
	if (r == -ENOMEM)
		err_set(err, r, "out of memory");
	if (r < 0)
		compare_release(&comparison);
	else
		*ret = comparison;
	return r;
}

void compare_release(struct comparison *comparison)
{
	free(comparison->change);
	*comparison = (struct comparison){0};
}

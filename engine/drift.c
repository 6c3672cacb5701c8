/* SPDX-License-Identifier: MIT */
/* The reference series, and the drift and noise computed from it. */
#include "engine/drift.h"

#include <math.h>
#include <stdlib.h>

#include "base/sort.h"

/* Normal distribution: 99.5 % quantile. */
#define CERTAIN   2.576
#define DRIFT_MIN 0.02

static int compare_times(const void *a, const void *b)
{
	const struct drift_sample *x = a;
	const struct drift_sample *y = b;

	return (x->at_ms > y->at_ms) - (x->at_ms < y->at_ms);
}

void drift_sort(struct drift_sample *series, size_t count)
{
	if (count > 1)
		qsort(series, count, sizeof(series[0]), compare_times);
}

/* Return the first sample after this time; `count` if there is none. */
static size_t first_after(const struct drift_sample *series, size_t count,
			  int64_t at_ms)
{
	size_t low = 0;

	while (low < count) {
		size_t middle = low + (count - low) / 2;

		if (series[middle].at_ms <= at_ms)
			low = middle + 1;
		else
			count = middle;
	}
	return low;
}

double drift_at(const struct drift_sample *series, size_t count, int64_t at_ms)
{
	size_t next = first_after(series, count, at_ms);
	const struct drift_sample *a, *b;
	double share;

	if (count == 0)
		return 0;
	if (next == 0)
		return series[0].rate;
	if (next == count)
		return series[count - 1].rate;
	a = &series[next - 1];
	b = &series[next];
	share = (double)(at_ms - a->at_ms) / (double)(b->at_ms - a->at_ms);
	return a->rate + (b->rate - a->rate) * share;
}

double drift_doubt(const struct drift_sample *series, size_t count, int64_t at_ms)
{
	size_t next = first_after(series, count, at_ms);

	if (next == 0 || next == count)
		return 0;
	return fabs(log(series[next].rate / series[next - 1].rate)) / 2;
}

/* --- noise --- */

/* The deviation of sample i from the line between its neighbours, as one sample's. */
static double residual(const struct drift_sample *series, size_t i)
{
	const struct drift_sample *s = &series[i];
	double span = (double)(s[1].at_ms - s[-1].at_ms);
	double share = span > 0 ? (double)(s->at_ms - s[-1].at_ms) / span : 0.5;
	double line = log(s[-1].rate) * (1 - share) + log(s[1].rate) * share;

	return fabs(log(s->rate) - line) /
	       sqrt(1 + share * share + (1 - share) * (1 - share));
}

double drift_noise(const struct drift_sample *series, size_t count)
{
	double *all;
	double noise;

	if (count < 3)
		return -1;
	if (count == 3)
		return residual(series, 1);
	all = calloc(count - 2, sizeof(*all));
	if (!all)
		return -1;
	for (size_t i = 1; i + 1 < count; i++)
		all[i - 1] = residual(series, i);
	sort_doubles(all, count - 2);
	/* Take the lower of the two middle values: a step spoils two. */
	noise = all[(count - 3) / 2] / MEDIAN_OF_NORMAL;
	free(all);
	return noise;
}

/* --- drift --- */

/* The mean logarithm of `count` samples. */
static double mean_log(const struct drift_sample *series, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += log(series[i].rate);
	return sum / (double)count;
}

struct drift drift_judge(const struct drift_sample *series, size_t count, double noise)
{
	struct drift drift = {0};
	size_t third = count / 3 > 0 ? count / 3 : 1;
	double change;

	if (count < 2)
		return drift;
	change = mean_log(series + count - third, third) - mean_log(series, third);
	drift.size = exp(change) - 1;
	drift.beyond_noise = fabs(change) >
				     CERTAIN * noise * sqrt(2.0 / (double)third) &&
			     fabs(drift.size) > DRIFT_MIN;
	return drift;
}

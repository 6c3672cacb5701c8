/* SPDX-License-Identifier: MIT */
/* The reference series, and the drift and noise computed from it. */
#include "engine/drift.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define DRIFT_MIN 0.02
/* Longer series are judged by the medians of so many equal parts. */
#define JUDGED_MAX 64
/* With fewer samples no change can be distinguished from one that is off. */
#define JUDGED_MIN 4
/* A sample further off than this, in standard deviations, is an outlier. */
#define OUTLIER 4
/* The least spread that is believed of few samples. */
#define SPREAD_MIN 0.01

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
	array_sort_doubles(all, count - 2);
	/* Take the lower of the two middle values: a step spoils two. */
	noise = all[(count - 3) / 2] / MEDIAN_OF_NORMAL;
	free(all);
	return noise;
}

/* --- drift --- */

/* A series of logarithms, ascending in time. */
struct course {
	int count;
	double value[JUDGED_MAX];
	int64_t at_ms[JUDGED_MAX];
};

static double median(const double *values, int count)
{
	double sorted[JUDGED_MAX];

	memcpy(sorted, values, (size_t)count * sizeof(values[0]));
	array_sort_doubles(sorted, (size_t)count);
	return count % 2 ? sorted[count / 2]
			 : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

/* Add the deviations of `count` values from their median to the cost. */
static void add_deviations(const double *values, int count, double *cost, double *most)
{
	double level = median(values, count);

	for (int i = 0; i < count; i++) {
		double by = fabs(values[i] - level);

		*cost += by;
		*most = fmax(*most, by);
	}
}

/* The sum of the deviations from a level that changes before value `at` (0: never).
 * The largest deviation, *ret_most, does not count: it may be an outlier. */
static double step_cost(const double *values, int count, int at, double *ret_most)
{
	double cost = 0;
	double most = 0;

	if (at > 0)
		add_deviations(values, at, &cost, &most);
	add_deviations(values + at, count - at, &cost, &most);
	*ret_most = most;
	return cost - most;
}

/* The median of the slopes between all pairs of values (Theil and Sen). */
static double slope_of(const struct course *c)
{
	double slopes[JUDGED_MAX * (JUDGED_MAX - 1) / 2];
	size_t n = 0;

	for (int i = 0; i < c->count; i++) {
		for (int j = i + 1; j < c->count; j++) {
			int64_t span = c->at_ms[j] - c->at_ms[i];

			if (span > 0)
				slopes[n++] =
					(c->value[j] - c->value[i]) / (double)span;
		}
	}
	if (n == 0)
		return 0;
	array_sort_doubles(slopes, n);
	return (slopes[(n - 1) / 2] + slopes[n / 2]) / 2;
}

static double line_cost(const struct course *c, double slope)
{
	double level[JUDGED_MAX];
	double most;

	for (int i = 0; i < c->count; i++)
		level[i] = c->value[i] - slope * (double)(c->at_ms[i] - c->at_ms[0]);
	return step_cost(level, c->count, 0, &most);
}

/* Join neighbours until at most JUDGED_MAX values are left. */
static void make_course(const struct drift_sample *series, size_t count,
			struct course *ret)
{
	ret->count = count < JUDGED_MAX ? (int)count : JUDGED_MAX;
	for (int i = 0; i < ret->count; i++) {
		size_t from = count * (size_t)i / (size_t)ret->count;
		size_t to = count * (size_t)(i + 1) / (size_t)ret->count;
		double part[JUDGED_MAX];
		int n = 0;

		for (; from < to && n < JUDGED_MAX; from++)
			part[n++] = log(series[from].rate);
		ret->value[i] = median(part, n);
		ret->at_ms[i] = series[from - 1].at_ms;
	}
}

/* The ratio of the costs of a steady level and of the best course that changes, which 1
 * of 100 steady series exceeds: simulated with tests/bench/drift. Its scale is the
 * series' own, so the spread does not matter; heavier tails and an outlier lower it. */
static double critical_ratio(int count)
{
	static const struct {
		int count;
		double ratio;
	} table[] = {
		{4, 76},    {5, 16.8},  {6, 8.6},   {7, 5.2},   {8, 4.1},   {10, 2.75},
		{12, 2.28}, {14, 1.97}, {18, 1.65}, {24, 1.44}, {32, 1.31}, {64, 1.16},
	};
	size_t i = 1;
	double share;

	while (table[i].count < count)
		i++;
	share = (double)(count - table[i - 1].count) /
		(double)(table[i].count - table[i - 1].count);
	return table[i - 1].ratio * pow(table[i].ratio / table[i - 1].ratio, share);
}

/* Fit a course with one step, of at least two values on each side. Return its cost. */
static double fit_step(const struct course *c, struct drift *ret)
{
	double least = INFINITY;
	double least_all = INFINITY;
	int best = 2;

	for (int at = 2; at <= c->count - 2; at++) {
		double most;
		double cost = step_cost(c->value, c->count, at, &most);

		least = fmin(least, cost);
		/* With all deviations, the step is not put beside its place. */
		if (cost + most >= least_all)
			continue;
		least_all = cost + most;
		best = at;
	}
	ret->at_ms = c->at_ms[best];
	ret->size =
		exp(median(c->value + best, c->count - best) - median(c->value, best)) -
		1;
	return least;
}

struct drift drift_judge(const struct drift_sample *series, size_t count)
{
	struct drift drift = {0};
	struct course c;
	double slope, line, step, steady, most;

	if (count < JUDGED_MIN)
		return drift;
	make_course(series, count, &c);
	step = fit_step(&c, &drift);
	slope = slope_of(&c);
	line = line_cost(&c, slope);
	if (line < step) {
		int64_t span = c.at_ms[c.count - 1] - c.at_ms[0];

		drift.at_ms = c.at_ms[0] + span / 2;
		drift.size = exp(slope * (double)span) - 1;
	}
	steady = step_cost(c.value, c.count, 0, &most);
	drift.beyond_noise = steady > critical_ratio(c.count) * fmin(line, step) &&
			     fabs(drift.size) > DRIFT_MIN;
	return drift;
}

/* --- outliers --- */

double drift_level(const struct drift_sample *series, size_t count)
{
	struct course c;

	if (count == 0)
		return 0;
	make_course(series, count, &c);
	return median(c.value, c.count);
}

bool drift_confirms(const struct drift_sample *series, size_t count,
		    const struct drift *drift)
{
	size_t next = first_after(series, count, drift->at_ms - 1);
	double by;

	if (next == 0 || next == count)
		return false;
	by = drift_level(series + next, count - next) - drift_level(series, next);
	return by / log(1 + drift->size) > 0.5;
}

/* With a drift, a sample is compared with its neighbours, else with all. */
static double usual_log(const struct drift_sample *series, size_t count, size_t i,
			bool drifted, double level)
{
	if (!drifted)
		return level;
	if (i == 0 || i + 1 == count)
		return log(series[i].rate);
	return drift_level(&series[i - 1], 3);
}

/* The median deviation from the median, as a standard deviation. */
static double spread_of(const struct drift_sample *series, size_t count)
{
	double level = drift_level(series, count);
	struct course c;

	make_course(series, count, &c);
	for (int i = 0; i < c.count; i++)
		c.value[i] = fabs(c.value[i] - level);
	return median(c.value, c.count) / MEDIAN_OF_NORMAL;
}

void drift_repair(struct drift_sample *series, size_t count, double noise, bool drifted)
{
	double level = drift_level(series, count);
	size_t most = 1 + count / 8;
	size_t off = 0;

	if (count < 3)
		return;
	if (!drifted)
		noise = fmin(noise, fmax(spread_of(series, count), SPREAD_MIN));
	for (size_t i = 0; i < count; i++)
		off += fabs(log(series[i].rate) - usual_log(series, count, i, drifted,
							    level)) > OUTLIER * noise;
	/* If so many are off, the line changes. */
	if (off > most)
		return;
	for (size_t i = 0; i < count; i++) {
		double usual = usual_log(series, count, i, drifted, level);

		if (fabs(log(series[i].rate) - usual) > OUTLIER * noise)
			series[i].rate = exp(usual);
	}
}

int64_t drift_percent(const struct drift *drift)
{
	return 100 + llround(100 * drift->size);
}

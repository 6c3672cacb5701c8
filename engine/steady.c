/* SPDX-License-Identifier: MIT */
/* The steady part of a transfer, its goodput, and the goodput's interval. */
#include "engine/steady.h"

#include <math.h>

#include "base/array.h"
#include "base/types.h"

#define MEAN_US   300000
#define STEADY_US 500000
/* The time for which the best mean must not have improved, and the improvement that
 * counts. */
#define SETTLED_US   800000
#define SETTLED_RISE 1.01

/* The spread of fewer batches means nothing. */
#define BATCHES_MIN 3
/* The least half-width of an interval, as a share of the goodput: counters count whole
 * packets, and a sample is read some time after its clock. */
#define HALF_MIN 0.005

void steady_init(struct steady *s)
{
	s->count = 0;
}

static void thin_out(struct steady *s)
{
	for (int i = 1; i < STEADY_SAMPLES / 2; i++) {
		s->at_us[i] = s->at_us[2 * i];
		s->bytes[i] = s->bytes[2 * i];
	}
	s->count = STEADY_SAMPLES / 2;
}

void steady_add(struct steady *s, int64_t at_us, uint64_t bytes)
{
	if (s->count > 0 &&
	    (at_us <= s->at_us[s->count - 1] || bytes < s->bytes[s->count - 1]))
		return;
	if (s->count == STEADY_SAMPLES)
		thin_out(s);
	s->at_us[s->count] = at_us;
	s->bytes[s->count] = bytes;
	s->count++;
}

/* Bytes per second between two samples. */
static double rate_between(const struct steady *s, int from, int to)
{
	return (double)(s->bytes[to] - s->bytes[from]) * 1e6 /
	       (double)(s->at_us[to] - s->at_us[from]);
}

static double upper_quartile(const double *values, int count)
{
	double sorted[STEADY_SAMPLES];

	for (int i = 0; i < count; i++)
		sorted[i] = values[i];
	array_sort_doubles(sorted, (size_t)count);
	return sorted[count - 1 - (count - 1) / 4];
}

/* Return the first sample at least `us` after sample `from`; count if there is none. */
static int sample_after(const struct steady *s, int from, int64_t us)
{
	int to = from;

	while (to < s->count && s->at_us[to] - s->at_us[from] < us)
		to++;
	return to;
}

/* The means over MEAN_US that begin with each sample; the last samples have none. */
static int mean_rates(const struct steady *s, double ret[STEADY_SAMPLES])
{
	int count = 0;

	for (int from = 0; from < s->count; from++) {
		int to = sample_after(s, from, MEAN_US);

		if (to == s->count)
			break;
		ret[count++] = rate_between(s, from, to);
	}
	return count;
}

/* Return the first sample of the steady part; -1 if there is none, or it is too
 * short. */
static int find_begin(const struct steady *s)
{
	double rates[STEADY_SAMPLES] = {0};
	int count = mean_rates(s, rates);
	int begin = 0;
	double level;

	if (count == 0)
		return -1;
	level = upper_quartile(rates, count) * 0.95;
	while (rates[begin] < level)
		begin++;
	begin = sample_after(s, begin, STEADY_WINDOW_US);
	if (s->at_us[s->count - 1] - s->at_us[begin] < STEADY_US)
		return -1;
	return begin;
}

/* Student's t for 95 % on both sides. */
static double student_95(int freedom)
{
	static const double few[] = {0,    12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36,
				     2.31, 2.26,  2.23, 2.20, 2.18, 2.16, 2.14, 2.13};

	return freedom < 16 ? few[freedom] : 1.96 + 2.5 / freedom;
}

/* Half the interval's width, from means over `length` samples each, counted backwards
 * from the last sample. */
static double half_of_batches(const struct steady *s, int begin, int length)
{
	int last = s->count - 1;
	int batches = (last - begin) / length;
	double sum = 0;
	double squares = 0;
	double mean;

	for (int i = 0; i < batches; i++)
		sum += rate_between(s, last - (i + 1) * length, last - i * length);
	mean = sum / batches;
	for (int i = 0; i < batches; i++) {
		double off =
			rate_between(s, last - (i + 1) * length, last - i * length) -
			mean;

		squares += off * off;
	}
	return student_95(batches - 1) * sqrt(squares / (batches - 1) / batches);
}

static double half_width(const struct steady *s, int begin, double goodput)
{
	double half = goodput * HALF_MIN;

	for (int length = 1; (s->count - 1 - begin) / length >= BATCHES_MIN;
	     length = (length * 3 + 1) / 2)
		half = fmax(half, half_of_batches(s, begin, length));
	return half;
}

static int64_t to_bps(double bytes_per_s)
{
	return bytes_per_s > 0 ? (int64_t)(bytes_per_s * 8 + 0.5) : 0;
}

void steady_measure(const struct steady *s, struct steady_figure *ret)
{
	int begin = find_begin(s);
	double goodput, half;

	ret->goodput_bps = ret->low_bps = ret->high_bps = NO_FIGURE;
	if (begin < 0)
		return;
	goodput = rate_between(s, begin, s->count - 1);
	half = half_width(s, begin, goodput);
	ret->goodput_bps = to_bps(goodput);
	ret->low_bps = to_bps(goodput - half);
	ret->high_bps = to_bps(goodput + half);
}

/* The best mean over MEAN_US that ended by `at_us`; 0 if there is none. */
static double best_until(const struct steady *s, int64_t at_us)
{
	double best = 0;

	for (int from = 0; from < s->count; from++) {
		int to = sample_after(s, from, MEAN_US);

		if (to == s->count || s->at_us[to] > at_us)
			break;
		best = fmax(best, rate_between(s, from, to));
	}
	return best;
}

static bool is_settled(const struct steady *s)
{
	int64_t now_us = s->at_us[s->count - 1];

	return best_until(s, now_us) <=
	       best_until(s, now_us - SETTLED_US) * SETTLED_RISE;
}

bool steady_is_known(const struct steady *s, int precision_percent)
{
	struct steady_figure figure;
	int64_t off_bps;

	steady_measure(s, &figure);
	if (figure.goodput_bps == NO_FIGURE || figure.goodput_bps == 0)
		return false;
	off_bps = figure.high_bps - figure.goodput_bps;
	return off_bps * 100 <= figure.goodput_bps * precision_percent && is_settled(s);
}

/* SPDX-License-Identifier: MIT */
/* The rules that stoprule compares with engine/steady. */
#include "rules.h"

#include <math.h>
#include <string.h>

#include "base/array.h"
#include "base/types.h"

#define PRECISION  0.03
#define WINDOW_US  INT64_C(100000)
#define ROUND_US   INT64_C(10000) /* a sample may be early by this */
#define BEST       3
#define SETTLED_US INT64_C(800000)
#define RISE       1.01

/* 100 ms windows. */
struct windows {
	int count;
	double at_us[TRACE_SAMPLES];
	double bytes[TRACE_SAMPLES];
};

static void make_windows(const struct trace *trace, int count, struct windows *ret)
{
	int64_t next_us = 0;

	ret->count = 0;
	for (int i = 0; i < count; i++) {
		const struct steady_sample *sample = &trace->samples[i];

		if (sample->at_us < next_us - ROUND_US)
			continue;
		ret->at_us[ret->count] = (double)sample->at_us;
		ret->bytes[ret->count] = (double)sample->bytes;
		ret->count++;
		next_us = sample->at_us + WINDOW_US;
	}
}

/* bit/s */
static double rate_between(const struct windows *w, int from, int to)
{
	return (w->bytes[to] - w->bytes[from]) * 8e6 / (w->at_us[to] - w->at_us[from]);
}

/* The best mean of 300 ms up to a time. */
static double best_until(const struct windows *w, double at_us)
{
	double best = 0;

	for (int to = BEST; to < w->count && w->at_us[to] <= at_us + ROUND_US; to++)
		best = fmax(best, rate_between(w, to - BEST, to));
	return best;
}

static bool is_settled(const struct windows *w)
{
	double now_us = w->at_us[w->count - 1];
	double before = best_until(w, now_us - SETTLED_US);

	return before > 0 && best_until(w, now_us) <= before * RISE;
}

static bool report(double goodput, double half, struct steady_figure *ret)
{
	ret->goodput_bps = (int64_t)goodput;
	ret->low_bps = (int64_t)fmax(goodput - half, 0);
	ret->high_bps = (int64_t)(goodput + half);
	return true;
}

static double student_95(int freedom)
{
	static const double few[] = {0,    12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36,
				     2.31, 2.26,  2.23, 2.20, 2.18, 2.16, 2.14, 2.13};

	return freedom < 16 ? few[freedom] : 1.96 + 2.5 / freedom;
}

/* --- settled --- */

static double half_of_batches(const struct windows *w, int begin, int length)
{
	int last = w->count - 1;
	int count = (last - begin) / length;
	double sum = 0, squares = 0;

	for (int i = 0; i < count; i++)
		sum += rate_between(w, last - (i + 1) * length, last - i * length);
	for (int i = 0; i < count; i++) {
		double off =
			rate_between(w, last - (i + 1) * length, last - i * length) -
			sum / count;

		squares += off * off;
	}
	return student_95(count - 1) * sqrt(squares / (count - 1) / count);
}

/* The window with which the steady part begins; -1 for none. */
static int find_begin(const struct windows *w)
{
	double sorted[TRACE_SAMPLES];
	int count = w->count - BEST;
	int begin = 0;
	double level;

	if (count <= 0)
		return -1;
	for (int i = 0; i < count; i++)
		sorted[i] = rate_between(w, i, i + BEST);
	array_sort_doubles(sorted, (size_t)count);
	level = sorted[count - 1 - (count - 1) / 4] * 0.95;
	while (rate_between(w, begin, begin + BEST) < level)
		begin++;
	return w->count - 1 - (begin + 1) < 5 ? -1 : begin + 1;
}

static bool measure_settled(const struct trace *trace, int count, bool *ret_known,
			    struct steady_figure *ret)
{
	static struct windows w;
	double goodput, half;
	int begin;

	make_windows(trace, count, &w);
	begin = find_begin(&w);
	if (begin < 0)
		return false;
	goodput = rate_between(&w, begin, w.count - 1);
	half = goodput * 0.005;
	for (int length = 1; (w.count - 1 - begin) / length >= 3;
	     length = (length * 3 + 1) / 2)
		half = fmax(half, half_of_batches(&w, begin, length));
	*ret_known = half <= goodput * PRECISION && is_settled(&w);
	return report(goodput, half, ret);
}

/* --- plain --- */

static bool measure_plain(const struct trace *trace, int count, bool *ret_known,
			  struct steady_figure *ret)
{
	static struct windows w;
	double near[TRACE_SAMPLES];
	size_t n = 0;
	double best;

	make_windows(trace, count, &w);
	best = best_until(&w, INFINITY);
	if (best <= 0)
		return false;
	for (int i = w.count - 1; i > 0 && i > w.count - 9; i--) {
		double rate = rate_between(&w, i - 1, i);

		if (fabs(rate / best - 1) <= 0.05)
			near[n++] = rate;
	}
	array_sort_doubles(near, n);
	*ret_known = is_settled(&w);
	return report(n > 0 ? near[n / 2] : best, 0, ret);
}

/* --- windows --- */

static bool measure_windows(const struct trace *trace, int count, bool *ret_known,
			    struct steady_figure *ret)
{
	static struct windows w;
	double mean, off = 0;

	make_windows(trace, count, &w);
	if (w.count <= BEST)
		return false;
	mean = rate_between(&w, w.count - 1 - BEST, w.count - 1);
	for (int i = w.count - BEST; i < w.count; i++)
		off = fmax(off, fabs(rate_between(&w, i - 1, i) - mean));
	*ret_known = off <= mean * PRECISION;
	return report(mean, off, ret);
}

/* --- slope --- */

static bool measure_slope(const struct trace *trace, int count, bool *ret_known,
			  struct steady_figure *ret)
{
	const struct steady_sample *last = &trace->samples[count - 1];
	double t = 0, b = 0, tt = 0, tb = 0, bb = 0;
	double slope, rest, half;
	int n = 0;

	for (int i = count - 1;
	     i >= 0 && last->at_us - trace->samples[i].at_us <= 500000; i--, n++) {
		double x = (double)(trace->samples[i].at_us - last->at_us) / 1e6;
		double y = ((double)trace->samples[i].bytes - (double)last->bytes) * 8;

		t += x;
		b += y;
		tt += x * x;
		tb += x * y;
		bb += y * y;
	}
	if (n < 20)
		return false;
	slope = (tb - t * b / n) / (tt - t * t / n);
	rest = fmax(bb - b * b / n - slope * (tb - t * b / n), 0) / (n - 2);
	half = student_95(n - 2) * sqrt(rest / (tt - t * t / n));
	*ret_known = slope > 0 && half <= slope * PRECISION;
	return report(slope, half, ret);
}

/* --- kernel --- */

static bool measure_kernel(const struct trace *trace, int count, bool *ret_known,
			   struct steady_figure *ret)
{
	int64_t end_us = trace->samples[count - 1].at_us;
	double best = 0, before = 0;

	for (int i = 0; i < count; i++) {
		best = fmax(best, (double)trace->samples[i].rate_bps);
		if (trace->samples[i].at_us <= end_us - 300000)
			before = best;
	}
	*ret_known = before > 0 && best <= before * RISE;
	return best > 0 && report(best, best * PRECISION, ret);
}

/* --- queue --- */

static bool measure_queue(const struct trace *trace, int count, bool *ret_known,
			  struct steady_figure *ret)
{
	static struct steady s;

	steady_init(&s);
	for (int i = 0; i < count; i++)
		steady_add(&s, &trace->samples[i]);
	*ret_known = steady_is_known(&s, (int)(PRECISION * 100 + 0.5));
	steady_measure(&s, ret);
	return ret->goodput_bps != NO_FIGURE;
}

const struct rule rules[] = {
	{"settled", measure_settled}, {"plain", measure_plain},
	{"windows", measure_windows}, {"slope", measure_slope},
	{"kernel", measure_kernel},   {"queue", measure_queue},
};
const int rule_count = sizeof(rules) / sizeof(rules[0]);

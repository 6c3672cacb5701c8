/* SPDX-License-Identifier: MIT */
/* The steady part of a transfer, its goodput, and the goodput's interval. */
#include "engine/steady.h"

#include <math.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/types.h"

/* The mean that finds the steady part: over this time, or one round trip if longer. */
#define MEAN_US INT64_C(100000)
/* The least steady part: this, or two round trips. */
#define STEADY_US    INT64_C(250000)
#define STEADY_TRIPS 2
#define STEADY_LEVEL 0.96
/* Without a queue: the time for which the best mean must not have improved, and the
 * improvement that counts. */
#define SETTLED_US   INT64_C(800000)
#define SETTLED_RISE 1.02

/* A standing queue: the round trip exceeds the shortest, which may be a small packet's, by
 * this share, and by the time that two segments take on the line, its own and another. */
#define QUEUE_SHARE    0.02
#define QUEUE_SEGMENTS 2
#define QUEUE_SPAN     0.85
/* A gap: over this time, or that of a few segments, less than this share of the rate. */
#define GAP_US       INT64_C(40000)
#define GAP_SEGMENTS 4
#define GAP_LEVEL    0.6

/* A fall to this share of a mean that was above this share of the best. */
#define FALL      0.9
#define FALL_FROM 0.5

/* The shortest batch, and the spread of fewer batches means nothing. */
#define BATCH_US    INT64_C(60000)
#define BATCHES_MIN 3
/* The least half-width of an interval, as a share of the goodput: a sample is read some
 * time after its clock. */
#define HALF_MIN 0.005
/* A steady part of a time for which batch means alone say too little, and an interval that
 * is wide, to either side. */
#define SHORT_US INT64_C(3000000)
#define UNEVEN   0.05
/* An unsteady transfer may end at a rate that exceeds its last by half. */
#define RISE_MAX    1.5
#define UNSTEADY_US INT64_C(400000)

/* The time, and round trips, in which repeated loss would empty the queue. */
#define LOSS_US    SETTLED_US
#define LOSS_TRIPS 3
/* Cubic's (RFC 9438, 4.6); others reduce it to less. */
#define REDUCTION 0.7

#define LATEST_NEAR_US INT64_C(1400000)
#define LATEST_FAR_US  INT64_C(2000000)
#define LATEST_TRIPS   8

struct part {
	int begin;
	double goodput; /* bytes per second, as the next */
	double half;
	double lowest; /* mean, as the next */
	double highest;
	int64_t fell_us; /* time of the first mean far below the goodput; 0: none */
	bool credible;   /* the line is full, or has shown what it gives */
};

void steady_init(struct steady *s)
{
	s->count = 0;
	s->min_rtt_us = 0;
	s->mss = 0;
	s->peak_bps = 0;
	s->lost_us = 0;
}

static void thin_out(struct steady *s)
{
	for (int i = 1; i < STEADY_SAMPLES / 2; i++) {
		s->at_us[i] = s->at_us[2 * i];
		s->bytes[i] = s->bytes[2 * i];
		s->rtt_us[i] = s->rtt_us[2 * i];
	}
	s->count = STEADY_SAMPLES / 2;
}

/* Slow start's first packets come as a burst, which the line spreads to its own rate. */
static void note_peak(struct steady *s, const struct steady_sample *sample)
{
	int last = s->count - 1;
	int64_t us = last < 0 ? 0 : sample->at_us - s->at_us[last];

	if (sample->rate_bps > s->peak_bps)
		s->peak_bps = sample->rate_bps;
	if (us >= STEADY_WINDOW_US / 2) {
		double bits = (double)(sample->bytes - s->bytes[last]) * 8;

		s->peak_bps =
			(int64_t)fmax((double)s->peak_bps, bits * 1e6 / (double)us);
	}
}

void steady_add(struct steady *s, const struct steady_sample *sample)
{
	if (s->count > 0 && (sample->at_us <= s->at_us[s->count - 1] ||
			     sample->bytes < s->bytes[s->count - 1]))
		return;
	if (s->count == STEADY_SAMPLES)
		thin_out(s);
	note_peak(s, sample);
	s->at_us[s->count] = sample->at_us;
	s->bytes[s->count] = sample->bytes;
	s->rtt_us[s->count] = sample->rtt_us;
	s->count++;
	s->min_rtt_us = sample->min_rtt_us;
	s->mss = sample->mss;
	if (s->lost_us == 0 && sample->retransmits > 0)
		s->lost_us = sample->at_us;
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

static int64_t mean_us(const struct steady *s)
{
	return s->min_rtt_us > MEAN_US ? s->min_rtt_us : MEAN_US;
}

/* The means that end with each sample; the first samples have none. Return the first
 * sample that has one; count if there is none. */
static int mean_rates(const struct steady *s, double ret[STEADY_SAMPLES])
{
	int64_t us = mean_us(s) - STEADY_WINDOW_US / 2;
	int first = s->count;
	int from = 0;

	for (int to = 1; to < s->count; to++) {
		while (from + 1 < to && s->at_us[to] - s->at_us[from + 1] >= us)
			from++;
		if (s->at_us[to] - s->at_us[from] < us)
			continue;
		if (first == s->count)
			first = to;
		ret[to] = rate_between(s, from, to);
	}
	return first;
}

/* Return the first sample of the steady part; -1 if there is none, or it is too
 * short. */
static int find_begin(const struct steady *s, const double *rates, int first)
{
	int64_t least_us = s->min_rtt_us * INT64_C(1) * STEADY_TRIPS;
	int begin = first;
	double level;

	if (least_us < STEADY_US)
		least_us = STEADY_US;
	if (first >= s->count)
		return -1;
	level = upper_quartile(rates + first, s->count - first) * STEADY_LEVEL;
	while (rates[begin] < level)
		begin++;
	return s->at_us[s->count - 1] - s->at_us[begin] < least_us ? -1 : begin;
}

/* Student's t for 95 % on both sides. */
static double student_95(int freedom)
{
	static const double few[] = {0,    12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36,
				     2.31, 2.26,  2.23, 2.20, 2.18, 2.16, 2.14, 2.13};

	return freedom < 16 ? few[freedom] : 1.96 + 2.5 / freedom;
}

/* The means over `us` each, counted backwards from the last sample to `begin`. */
static int batch_rates(const struct steady *s, int begin, int64_t us,
		       double ret[STEADY_SAMPLES])
{
	int64_t end_us = s->at_us[s->count - 1];
	int to = s->count - 1;
	int count = 0;

	for (int from = to - 1; from >= begin; from--) {
		if (end_us - s->at_us[from] < us * (count + 1) - STEADY_WINDOW_US / 2)
			continue;
		ret[count++] = rate_between(s, from, to);
		to = from;
	}
	return count;
}

/* Half the interval's width, from such means. */
static double half_of_batches(const double *rates, int count)
{
	double sum = 0;
	double squares = 0;
	double mean;

	for (int i = 0; i < count; i++)
		sum += rates[i];
	mean = sum / count;
	for (int i = 0; i < count; i++)
		squares += (rates[i] - mean) * (rates[i] - mean);
	return student_95(count - 1) * sqrt(squares / (count - 1) / count);
}

static double half_width(const struct steady *s, int begin, double goodput)
{
	int64_t span_us = s->at_us[s->count - 1] - s->at_us[begin];
	double half = fmax(goodput * HALF_MIN, (double)s->mss * 1e6 / (double)span_us);
	double rates[STEADY_SAMPLES];
	int64_t us = mean_us(s) * 6 / 10;

	for (us = us > BATCH_US ? us : BATCH_US; span_us / us >= BATCHES_MIN;
	     us = us * 3 / 2) {
		int count = batch_rates(s, begin, us, rates);

		if (count >= BATCHES_MIN)
			half = fmax(half, half_of_batches(rates, count));
	}
	return half;
}

/* True if a queue stood before the bottleneck when sample `i` was taken, and the line was
 * busy before: neither a pause nor a burst that leaves the line idle. */
static bool was_busy(const struct steady *s, int i, double goodput)
{
	double least_us = fmax(s->min_rtt_us * (1 + QUEUE_SHARE),
			       s->min_rtt_us + QUEUE_SEGMENTS * s->mss / goodput * 1e6);
	int from = i - 1;

	if (s->rtt_us[i] <= least_us)
		return false;
	while (from > 0 && (s->at_us[i] - s->at_us[from] < GAP_US ||
			    (double)(s->at_us[i] - s->at_us[from]) * goodput / 1e6 <
				    GAP_SEGMENTS * s->mss))
		from--;
	return rate_between(s, from, i) >= goodput * GAP_LEVEL;
}

/* True for almost all samples since `begin`. */
static bool was_queued(const struct steady *s, int begin, double goodput)
{
	int queued = 0;

	if (s->min_rtt_us == 0)
		return false;
	for (int i = begin + 1; i < s->count; i++)
		queued += was_busy(s, i, goodput);
	return queued >= (s->count - 1 - begin) * QUEUE_SPAN;
}

/* Return the beginning of the first time of STEADY_US for which the line was busy, which
 * goes at the rate of the line even in slow start; -1 if there is none. */
static int find_busy(const struct steady *s, double level)
{
	int begin = -1;

	if (s->min_rtt_us == 0 || level <= 0)
		return -1;
	for (int i = 1; i < s->count; i++) {
		if (!was_busy(s, i, level))
			begin = -1;
		else if (begin < 0)
			begin = i;
		if (begin >= 0 && s->at_us[i] - s->at_us[begin] >= STEADY_US)
			return begin;
	}
	return -1;
}

/* True if the best mean is not new. */
static bool is_settled(const struct steady *s, const double *rates, int first)
{
	int64_t until_us = s->at_us[s->count - 1] - SETTLED_US;
	double before = 0;
	double best = 0;

	for (int i = first; i < s->count; i++) {
		best = fmax(best, rates[i]);
		if (s->at_us[i] <= until_us)
			before = best;
	}
	return best <= before * SETTLED_RISE;
}

/* True if the mean fell before sample `to`, which slow start's does not. */
static bool has_fallen(const double *rates, int from, int to, double level)
{
	double best = level * FALL_FROM;

	for (int i = from; i < to; i++) {
		if (rates[i] < best * FALL && best > level * FALL_FROM)
			return true;
		best = fmax(best, rates[i]);
	}
	return false;
}

/* True if the queue at sample `i` is long enough for a reduction of the congestion window:
 * it does not empty, and the line stays full. */
static bool has_room(const struct steady *s, int i)
{
	return s->rtt_us[i] * REDUCTION >= s->min_rtt_us;
}

/* True if `since_us` (0: never) is so recent that what follows from it is not seen yet. */
static bool is_recent(const struct steady *s, int64_t since_us)
{
	int64_t us = s->min_rtt_us * INT64_C(1) * LOSS_TRIPS;

	if (us < LOSS_US)
		us = LOSS_US;
	return since_us > 0 && s->at_us[s->count - 1] - since_us < us;
}

/* True if losses did not stop the line from being full, or, where they do, have shown for
 * some time what they cost. */
static bool bears_loss(const struct steady *s, const struct part *part, bool queued)
{
	int i = s->count - 1;
	int64_t from_us = s->at_us[i] - SETTLED_US;

	if (s->lost_us == 0 || s->at_us[i] - s->lost_us >= SHORT_US)
		return true;
	if (is_recent(s, s->lost_us) || is_recent(s, part->fell_us))
		return false;
	if (queued && has_room(s, i))
		return true;
	while (i > 0 && s->at_us[i] > from_us && !has_room(s, i))
		i--;
	return s->at_us[i] <= from_us;
}

/* The lowest and the highest mean that lie in the steady part. */
static void find_range(const struct steady *s, const double *rates, int first,
		       struct part *part)
{
	int64_t from_us = s->at_us[part->begin] + mean_us(s) - STEADY_WINDOW_US / 2;

	part->lowest = part->highest = part->goodput;
	part->fell_us = 0;
	for (int i = first; i < s->count; i++) {
		if (s->at_us[i] < from_us)
			continue;
		part->lowest = fmin(part->lowest, rates[i]);
		part->highest = fmax(part->highest, rates[i]);
		if (part->fell_us == 0 && rates[i] < part->goodput * FALL)
			part->fell_us = s->at_us[i];
	}
}

static bool find_part(const struct steady *s, struct part *ret)
{
	double rates[STEADY_SAMPLES];
	int first = mean_rates(s, rates);
	double level = 0;
	bool queued;
	int busy;

	ret->begin = find_begin(s, rates, first);
	for (int i = first; i < s->count; i++)
		level = fmax(level, rates[i]);
	busy = find_busy(s, level);
	if (busy >= 0 && (ret->begin < 0 || busy < ret->begin ||
			  !has_fallen(rates, first, busy, level)))
		ret->begin = busy;
	if (ret->begin < 0)
		return false;
	ret->goodput = rate_between(s, ret->begin, s->count - 1);
	ret->half = half_width(s, ret->begin, ret->goodput);
	find_range(s, rates, first, ret);
	queued = ret->goodput > 0 && was_queued(s, ret->begin, ret->goodput);
	ret->credible = (queued || is_settled(s, rates, first)) &&
			bears_loss(s, ret, queued);
	return true;
}

static int64_t to_bps(double bytes_per_s)
{
	return bytes_per_s > 0 ? (int64_t)(bytes_per_s * 8 + 0.5) : 0;
}

/* The last third of a transfer that is not steady yet. */
static void measure_unsteady(const struct steady *s, struct steady_figure *ret)
{
	int from = s->count - 1;
	int64_t us = s->count > 0 ? s->at_us[from] - s->at_us[0] : 0;

	if (us < UNSTEADY_US)
		return;
	while (s->at_us[s->count - 1] - s->at_us[from] < us / 3)
		from--;
	ret->goodput_bps = to_bps(rate_between(s, from, s->count - 1));
	ret->low_bps = 0;
	ret->high_bps =
		(int64_t)fmax((double)ret->goodput_bps * RISE_MAX, (double)s->peak_bps);
}

/* The line may carry on what it carried once; losses may cost again what they
 * cost. */
static void widen(const struct steady *s, const struct part *part,
		  struct steady_figure *ret)
{
	int64_t low_bps = to_bps(part->lowest * REDUCTION);

	if (s->peak_bps > ret->high_bps)
		ret->high_bps = s->peak_bps;
	if (is_recent(s, s->lost_us))
		low_bps = 0;
	if (s->lost_us > 0 && low_bps < ret->low_bps)
		ret->low_bps = low_bps;
}

static bool is_short(const struct steady *s, const struct part *part)
{
	return s->at_us[s->count - 1] - s->at_us[part->begin] < SHORT_US;
}

void steady_measure(const struct steady *s, struct steady_figure *ret)
{
	struct part part;
	double low, high;

	ret->goodput_bps = ret->low_bps = ret->high_bps = NO_FIGURE;
	if (!find_part(s, &part)) {
		measure_unsteady(s, ret);
		return;
	}
	ret->goodput_bps = to_bps(part.goodput);
	low = part.goodput - part.half;
	high = part.goodput + part.half;
	/* The rate varies too slowly for the few batches of a short test. */
	if (part.half > part.goodput * UNEVEN && is_short(s, &part)) {
		low = fmin(low, part.lowest);
		high = fmax(high, part.highest);
	}
	ret->low_bps = to_bps(low);
	ret->high_bps = to_bps(high);
	if (!part.credible && is_short(s, &part))
		widen(s, &part, ret);
}

static int by_rtt(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left;
	uint32_t b = *(const uint32_t *)right;

	return (a > b) - (a < b);
}

int64_t steady_rtt_us(const struct steady *s, int percent)
{
	uint32_t sorted[STEADY_SAMPLES];
	int n = 0;

	/* Before the first data arrives, the round trip is that of the idle path. */
	for (int i = 0; i < s->count; i++) {
		if (s->bytes[i] > s->bytes[0] && s->rtt_us[i] > 0)
			sorted[n++] = s->rtt_us[i];
	}
	if (n == 0)
		return NO_FIGURE;
	qsort(sorted, (size_t)n, sizeof(*sorted), by_rtt);
	return sorted[(n * percent + 99) / 100 - 1];
}

bool steady_is_known(const struct steady *s, int precision_percent)
{
	struct part part;

	if (!find_part(s, &part) || part.goodput <= 0)
		return false;
	return part.half * 100 <= part.goodput * precision_percent && part.credible;
}

int64_t steady_latest_us(int64_t rtt_us)
{
	int64_t trips_us = rtt_us * LATEST_TRIPS;

	if (rtt_us <= STEADY_NEAR_US)
		return LATEST_NEAR_US;
	return trips_us > LATEST_FAR_US ? trips_us : LATEST_FAR_US;
}

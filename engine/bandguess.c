/* SPDX-License-Identifier: MIT */
/* Bands derived from rates. */
#include "engine/bandguess.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/io.h"
#include "engine/pathmodel.h"
#include "engine/quantile.h"

/* A rate below this share of the median counts as no data at all. */
#define LOST_SHARE 0.01
/* One more fragment costs about 4 %; half of that separates the two cases. */
#define FRAGMENT_COST 0.02
/* The least cost of a fall at smaller sizes than the clearest one: noise often looks
 * like a smaller cost. */
#define HEAVY_COST 0.10
#define CERTAIN    2.576
/* The share of steady lines without an edge whose noise may look like one: half of what
 * the confidence allows, since rates are not quite normal, and half of that for each
 * direction. */
#define FALSE_EDGES ((1 - PATH_GUESS_CONFIDENCE / 100.0) / 4)
/* Tests on each side of an edge: a single one may be an outlier. */
#define SIDE_MIN 2
/* With fewer degrees of freedom the spread of the rates is hardly known. */
#define FREEDOM_MIN 4
#define ETHERNET    1500

struct size {
	int outer;
	int arrived; /* tests */
	int lost;
	/* sum of the logarithms of the rates, each as a share of the bytes sent, and of
	 * their squares */
	double sum;
	double squares;
	enum fate fate;
};

int64_t bandguess_rate(const struct dir_result *result)
{
	switch (result->status) {
	case TEST_OK:
		return dir_result_rate(result);
	case TEST_BLACKHOLE:
	case TEST_TIMEOUT:
		return 0;
	case TEST_UNREACHABLE:
	case TEST_REFUSED:
	case TEST_ERROR:
	case TEST_STATUS_COUNT:
		break;
	}
	return NO_FIGURE;
}

static int compare_rates(const void *a, const void *b)
{
	const int64_t *x = a;
	const int64_t *y = b;

	return (*x > *y) - (*x < *y);
}

static int compare_sizes(const void *a, const void *b)
{
	return ((const struct size *)a)->outer - ((const struct size *)b)->outer;
}

/* The median of the rates above 0; 0: there is none. */
static int64_t median_rate(const struct measurement *m, size_t count,
			   enum direction dir, int64_t *space)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		int64_t rate = bandguess_rate(&m[i].dir[dir]);

		if (rate > 0)
			space[n++] = rate;
	}
	if (n == 0)
		return 0;
	qsort(space, n, sizeof(space[0]), compare_rates);
	return space[n / 2];
}

/* The relative rate of segments whose packets have these sizes if they arrive whole. */
static double whole_share(int inner, int outer)
{
	return (double)(inner - 52) / (outer + 38);
}

/* Sort the sizes and join equal ones. Return the number of sizes. */
static int join_sizes(struct size *size, int count)
{
	int kept = 0;

	for (int i = 0; i < count; i++)
		size[i].squares = size[i].sum * size[i].sum;
	qsort(size, (size_t)count, sizeof(size[0]), compare_sizes);
	for (int i = 0; i < count; i++) {
		if (kept > 0 && size[kept - 1].outer == size[i].outer) {
			size[kept - 1].arrived += size[i].arrived;
			size[kept - 1].lost += size[i].lost;
			size[kept - 1].sum += size[i].sum;
			size[kept - 1].squares += size[i].squares;
			continue;
		}
		size[kept++] = size[i];
	}
	return kept;
}

static int collect_sizes(const struct measurement *m, size_t count, int overhead,
			 enum direction dir, struct size *size, int64_t *space)
{
	double floor = LOST_SHARE * (double)median_rate(m, count, dir, space);
	const struct path path = {.overhead = {overhead, overhead}};
	int n = 0;

	for (size_t i = 0; i < count; i++) {
		int64_t rate = bandguess_rate(&m[i].dir[dir]);
		struct size *s = &size[n];

		if (rate == NO_FIGURE)
			continue;
		*s = (struct size){
			.outer = pathmodel_predict_test(&path, &m[i], dir).tcp_outer,
		};
		s->arrived = rate > 0 && (double)rate >= floor;
		s->lost = !s->arrived;
		if (s->arrived)
			s->sum = log(
				(double)rate /
				whole_share(pathmodel_sent_size(&m[i], dir), s->outer));
		n++;
	}
	return join_sizes(size, n);
}

/* --- whole or in fragments --- */

/* The mean logarithm of the sizes with data, from `from` to before `to`. Return their
 * number. */
static int mean_rate(const struct size *size, int from, int to, double *ret)
{
	double sum = 0;
	int n = 0;

	for (int i = from; i < to; i++) {
		sum += size[i].sum;
		n += size[i].arrived;
	}
	*ret = n ? sum / n : 0;
	return n;
}

/* The sum of the squares of the deviations from that mean. */
static double deviations(const struct size *size, int from, int to, double mean)
{
	double squares = 0;
	int n = 0;

	for (int i = from; i < to; i++) {
		squares += size[i].squares;
		n += size[i].arrived;
	}
	return fmax(squares - n * mean * mean, 0);
}

/* How far the sizes from `at` on are below those before it. */
struct fall {
	double size;    /* of the logarithm */
	double error;   /* its standard error */
	double freedom; /* degrees of freedom of that */
};

/* The noise is that of these rates around the two levels, since tests differ more than
 * each of them claims; `noise` at least. */
static struct fall fall_at(const struct size *size, int count, int at, double noise)
{
	double below, above, spread;
	int n = mean_rate(size, 0, at, &below);
	int k = mean_rate(size, at, count, &above);
	struct fall fall = {.size = below - above, .freedom = n + k - 2};

	if (n < SIDE_MIN || k < SIDE_MIN || fall.freedom < FREEDOM_MIN)
		return (struct fall){0};
	spread = sqrt(
		(deviations(size, 0, at, below) + deviations(size, at, count, above)) /
		fall.freedom);
	fall.error = fmax(spread, noise) * sqrt(1.0 / n + 1.0 / k);
	return fall;
}

/* Return the index of the clearest fall of at least this size, or `count`. The clearest
 * of many falls must be the clearer. */
static int find_fall(const struct size *size, int count, double noise, double least)
{
	double certain = quantile_normal(FALSE_EDGES / (count > 1 ? count - 1 : 1));
	double most = 0;
	int found = count;

	for (int at = 1; at < count; at++) {
		struct fall fall = fall_at(size, count, at, noise);
		double clear = fall.error > 0 ? fall.size / fall.error : 0;

		if (clear <= most || fall.size < least ||
		    clear < quantile_student(certain, fall.freedom))
			continue;
		most = clear;
		found = at;
	}
	return found;
}

/* Return the index where fragments begin, or `count`. Larger sizes may be cut once
 * more, or slowed down otherwise, so a later fall may be the clearer one. */
static int find_fragments(const struct size *size, int count, double noise)
{
	int found = find_fall(size, count, noise, FRAGMENT_COST);
	int lower = find_fall(size, found, noise, HEAVY_COST);

	while (lower < found) {
		found = lower;
		lower = find_fall(size, found, noise, HEAVY_COST);
	}
	return found;
}

/* True when the rates show that sizes above Ethernet's cost nothing. */
static bool jumbo_is_whole(const struct size *size, int count, double noise)
{
	struct fall fall;
	int at = 0;

	while (at < count && size[at].outer <= ETHERNET)
		at++;
	if (at == 0 || at == count)
		return false;
	fall = fall_at(size, count, at, noise);
	return fall.error > 0 && fall.size + CERTAIN * fall.error < FRAGMENT_COST;
}

static void judge_sizes(struct size *size, int count, double noise)
{
	int fragments = find_fragments(size, count, noise);
	bool jumbo = jumbo_is_whole(size, count, noise);
	bool after_loss = false;

	for (int i = 0; i < count; i++) {
		if (!size[i].arrived) {
			size[i].fate = FATE_LOST;
			after_loss = true;
		} else if (i >= fragments || after_loss) {
			/* Sizes that fit whole are smaller than those that do not. */
			size[i].fate = FATE_FRAGMENTED;
		} else if (size[i].outer <= ETHERNET || jumbo) {
			size[i].fate = FATE_WHOLE;
		} else {
			size[i].fate = FATE_UNKNOWN;
		}
	}
}

static int write_bands(const struct size *size, int count, struct path_bands *ret)
{
	struct path_bands bands = {0};
	int r = 0;

	if (count > 0 && size[0].fate != FATE_WHOLE && size[0].outer > 1)
		r = path_bands_add(&bands, size[0].outer - 1, FATE_UNKNOWN);
	for (int i = 0; r == 0 && i < count; i++) {
		bool last = i + 1 == count;

		r = path_bands_add(&bands, size[i].outer, size[i].fate);
		if (r == 0 && !last && size[i].fate != size[i + 1].fate &&
		    size[i + 1].outer - size[i].outer > 1)
			r = path_bands_add(&bands, size[i + 1].outer - 1, FATE_UNKNOWN);
	}
	/* A size that does not fit whole excludes all larger sizes. */
	if (r == 0 && count > 0 && size[count - 1].outer < OUTER_SIZE_MAX)
		r = path_bands_add(&bands, OUTER_SIZE_MAX,
				   size[count - 1].fate == FATE_FRAGMENTED
					   ? FATE_FRAGMENTED
					   : FATE_UNKNOWN);
	if (r == -ENOSPC)
		bands.band[bands.count - 1].max = OUTER_SIZE_MAX;
	*ret = bands;
	return r == -ENOSPC ? 0 : r;
}

int bandguess(const struct measurement *m, size_t count, int overhead,
	      enum direction dir, double noise, struct path_bands *ret)
{
	cleanup_free struct size *size = calloc(count + 1, sizeof(*size));
	cleanup_free int64_t *space = calloc(count + 1, sizeof(*space));
	int n;

	if (!size || !space)
		return -ENOMEM;
	n = collect_sizes(m, count, overhead, dir, size, space);
	judge_sizes(size, n, noise > 0.001 ? noise : 0.001);
	return write_bands(size, n, ret);
}

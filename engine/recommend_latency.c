/* SPDX-License-Identifier: MIT */
#include "engine/recommend_latency.h"

#include <math.h>

#include "engine/quantile.h"

/* The tests of a pair that can be compared. */
#define TESTS_MIN   2
#define FREEDOM_MIN 4
/* Tests on a quiet line are alike; other tests of it need not be. */
#define NOISE_MIN   0.03
#define PROBABILITY 0.001
#define LEAST_RATIO 1.1
#define LEAST_US    2000

/* The logarithms of a pair's latencies. */
struct latencies {
	int count;
	double mean;
	double squares; /* sum of squared deviations from the mean */
};

/* Noise of one test, its degrees of freedom, and the number of pairs with enough tests. */
struct latency_noise {
	double deviation;
	double freedom;
	int pairs;
};

static struct latencies read_pair(const struct recommend_input *in,
				  const struct pair_visits *pair, enum direction dir)
{
	struct latencies l = {0};

	for (size_t i = 0; i < pair->count; i++) {
		const struct dir_result *r = &in->m[pair->visit[i]].dir[dir];
		double before = l.mean;
		double value;

		if (r->status != TEST_OK || r->latency_us <= 0)
			continue;
		value = log((double)r->latency_us);
		l.count++;
		l.mean += (value - before) / l.count;
		l.squares += (value - before) * (value - l.mean);
	}
	return l;
}

static struct latency_noise find_noise(const struct recommend_input *in,
				       const struct pairs *pairs, enum direction dir)
{
	struct latency_noise noise = {0};
	double squares = 0;

	for (size_t i = 0; i < pairs->count; i++) {
		struct latencies l = read_pair(in, &pairs->pair[i], dir);

		if (l.count < TESTS_MIN)
			continue;
		noise.pairs++;
		noise.freedom += l.count - 1;
		squares += l.squares;
	}
	if (noise.freedom > 0)
		noise.deviation = fmax(sqrt(squares / noise.freedom), NOISE_MIN);
	return noise;
}

static bool differs(const struct latencies *a, const struct latencies *b,
		    const struct latency_noise *noise)
{
	double by = fabs(a->mean - b->mean);
	double error = noise->deviation * sqrt(1.0 / a->count + 1.0 / b->count);
	double normal = quantile_normal(PROBABILITY / 2 / (noise->pairs - 1));

	return by >= log(LEAST_RATIO) &&
	       fabs(exp(a->mean) - exp(b->mean)) >= LEAST_US &&
	       by > error * quantile_student(normal, noise->freedom);
}

/* True if `next` is to be mentioned rather than `last`, which differs from `best` too. */
static bool comes_first(const struct latencies *next, bool next_is_current,
			const struct latencies *last, bool last_is_current,
			const struct latencies *best)
{
	if (next->mean < best->mean || last->mean < best->mean)
		return next->mean < last->mean;
	if (next_is_current || last_is_current)
		return next_is_current;
	return next->mean > last->mean;
}

void recommend_compare_latency(const struct recommend_input *in,
			       const struct pairs *pairs, const struct mtu_pair *best,
			       enum direction dir, struct latency_difference *ret)
{
	const struct pair_visits *own = pairs_find(pairs, best);
	const struct latency_noise noise = find_noise(in, pairs, dir);
	struct latencies chosen = {0};
	struct latencies of_best;

	*ret = (struct latency_difference){0};
	if (!own || noise.freedom < FREEDOM_MIN || noise.pairs < 2)
		return;
	of_best = read_pair(in, own, dir);
	if (of_best.count < TESTS_MIN)
		return;
	for (size_t i = 0; i < pairs->count; i++) {
		const struct mtu_pair *mtu = &pairs->pair[i].mtu;
		struct latencies l = read_pair(in, &pairs->pair[i], dir);

		if (mtu_pair_same(mtu, best) || l.count < TESTS_MIN ||
		    !differs(&l, &of_best, &noise))
			continue;
		if (ret->mtu.server &&
		    !comes_first(&l, mtu_pair_same(mtu, &in->current), &chosen,
				 mtu_pair_same(&ret->mtu, &in->current), &of_best))
			continue;
		chosen = l;
		ret->mtu = *mtu;
		ret->us = exp(l.mean);
	}
	ret->best_us = exp(of_best.mean);
}

/* SPDX-License-Identifier: MIT */
/* Rates of pairs, corrected for drift. */
#include "engine/recommend_stats.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/io.h"
#include "engine/bandguess.h"
#include "engine/quantile.h"

/* The prior for the noise: its weight in visits; its deviation if tests claim none; and
 * the least deviation that is believed, because tests that are steady each still
 * differ. */
#define PRIOR           3.0
#define PRIOR_NOISE     0.01
#define PRIOR_NOISE_MIN 0.005
#define NORMAL_95       1.96
/* The least number of repeats of pairs that estimates the noise better than all visits
 * together. */
#define REPEATS_MIN 3
/* Degrees of freedom of each difference when their median is taken: about half those of
 * a mean square. */
#define MEDIAN_WORTH 0.5
/* A reference series of so many samples shows a drift by itself. */
#define SERIES_ENOUGH 8
/* A visit further off than this from the median of its pair, in standard deviations,
 * counts as if it were this far off. */
#define FAR 3

/* The mean of the logarithms, and its variance. */
struct pair_level {
	int count;
	int lost;
	double mean;
	double variance;
	/* rates measured, bit/s */
	double least;
	double most;
};

static bool worked(const struct measurement *m, enum direction dir)
{
	return bandguess_rate(&m->dir[dir]) > 0;
}

/* The pair with most visits in the series; among equals the one visited first. */
static const struct pair_visits *reference_pair(const struct stats *s,
						enum direction dir)
{
	const struct pair_visits *best = NULL;
	int most = 0;

	for (size_t i = 0; i < s->pairs->count; i++) {
		const struct pair_visits *p = &s->pairs->pair[i];
		int n = 0;

		for (size_t j = 0; j < p->count; j++) {
			const struct measurement *m = &s->input->m[p->visit[j]];

			n += m->reference && worked(m, dir);
		}
		if (n < most || n == 0 || (n == most && p->visit[0] > best->visit[0]))
			continue;
		most = n;
		best = p;
	}
	return best;
}

static void fill_reference(struct stats *s, enum direction dir)
{
	const struct pair_visits *p = reference_pair(s, dir);
	struct stats_dir *d = &s->dir[dir];

	for (size_t i = 0; p && i < p->count; i++) {
		const struct measurement *m = &s->input->m[p->visit[i]];
		double rate = (double)bandguess_rate(&m->dir[dir]);

		if (!m->reference || rate <= 0)
			continue;
		d->reference[d->reference_count++] =
			(struct drift_sample){m->dir[dir].started_at_ms, rate};
	}
	drift_sort(d->reference, d->reference_count);
	if (d->reference_count < 2)
		d->reference_count = 0;
}

/* Fill the series with every visit that worked, as a share of its prediction. */
static size_t fill_series(const struct stats *s, const struct path *path,
			  enum direction dir, struct drift_sample *series)
{
	const struct recommend_input *in = s->input;
	size_t n = 0;

	for (size_t i = 0; i < in->count; i++) {
		const struct measurement *m = &in->m[i];
		double rate = (double)bandguess_rate(&m->dir[dir]);
		double share = pathmodel_predict_test(path, m, dir).goodput;

		if (rate > 0 && share != 0)
			series[n++] =
				(struct drift_sample){m->dir[dir].started_at_ms,
						      share > 0 ? rate / share : rate};
	}
	drift_sort(series, n);
	return n;
}

/* The deviation that a test itself claims; negative if it claims none. */
static double claimed_noise(const struct dir_result *r)
{
	int64_t rate = bandguess_rate(r);
	int64_t low = r->goodput_low_bps;
	int64_t high = r->goodput_high_bps;

	if (rate <= 0 || rate != r->goodput_bps || low < 0 || low > rate || high < rate)
		return -1;
	/* Use the wider side: the lower one may have been cut off at 0. */
	return fmax((double)(rate - low), (double)(high - rate)) /
	       (NORMAL_95 * (double)rate);
}

/* The median deviation that the tests of a direction claim, so that one disturbed test
 * does not decide. `space` holds as many values as there are measurements. */
static double own_noise(const struct recommend_input *in, enum direction dir,
			double *space)
{
	size_t n = 0;

	for (size_t i = 0; i < in->count; i++) {
		double noise = claimed_noise(&in->m[i].dir[dir]);

		if (noise >= 0)
			space[n++] = noise;
	}
	if (n == 0)
		return PRIOR_NOISE;
	array_sort_doubles(space, n);
	return fmax(space[n / 2], PRIOR_NOISE_MIN);
}

/* A deviation and its degrees of freedom. */
struct seen {
	double noise;
	double worth;
};

/* List the differences between successive working visits of one pair. Return their
 * number. */
static size_t list_repeats(const struct stats *s, const struct pair_visits *p,
			   enum direction dir, double *ret)
{
	int64_t before = 0;
	size_t n = 0;

	for (size_t i = 0; i < p->count; i++) {
		const struct measurement *m = &s->input->m[p->visit[i]];
		int64_t rate = bandguess_rate(&m->dir[dir]);

		if (rate <= 0)
			continue;
		if (before)
			ret[n++] = fabs(log((double)rate / (double)before));
		before = rate;
	}
	return n;
}

/* Estimate noise from successive visits of the same pair, which does not depend on the
 * fate of its packets. It is the median, since some visits contain drift. Freedom 0 if
 * there are too few. `space` holds as many values as there are measurements. */
static struct seen see_repeats(const struct stats *s, enum direction dir, double *space)
{
	size_t n = 0;

	for (size_t i = 0; i < s->pairs->count; i++)
		n += list_repeats(s, &s->pairs->pair[i], dir, &space[n]);
	if (n < REPEATS_MIN)
		return (struct seen){0};
	array_sort_doubles(space, n);
	return (struct seen){
		/* Take the lower of two middle values: an outlier spoils two. */
		.noise = space[(n - 1) / 2] / (MEDIAN_OF_NORMAL * M_SQRT2),
		.worth = (double)n * MEDIAN_WORTH,
	};
}

/* Estimate noise from the difference between each visit and its neighbours in time. */
static struct seen see_series(const struct drift_sample *series, size_t count)
{
	double noise = drift_noise(series, count);

	if (noise < 0)
		return (struct seen){0};
	return (struct seen){
		.noise = noise,
		.worth = count == 3 ? 1 : (double)(count - 2) * MEDIAN_WORTH,
	};
}

/* The tests' own claims cover one test each; the differences between visits also
 * contain the changes from one visit to the next. */
static void set_noise(struct stats_dir *d, double own, const struct seen *seen)
{
	d->freedom = PRIOR + seen->worth;
	d->noise = sqrt((PRIOR * own * own + seen->worth * seen->noise * seen->noise) /
			d->freedom);
}

/* Without bands there is no prediction, and visits differ by the fate of their
 * packets. */
static void fill_noise(struct stats *s, const struct path *path, enum direction dir,
		       const struct drift_sample *series, size_t n, double *space)
{
	double own = own_noise(s->input, dir, space);
	struct seen seen = {0};

	if (path->dir[dir].count == 0)
		seen = see_repeats(s, dir, space);
	if (seen.worth == 0)
		seen = see_series(series, n);
	set_noise(&s->dir[dir], own, &seen);
}

static void fill_drift(struct stats_dir *d, const struct drift_sample *series, size_t n)
{
	if (d->reference_count >= SERIES_ENOUGH || n <= d->reference_count) {
		d->drift = drift_judge(d->reference, d->reference_count);
	} else if (d->reference_count) {
		d->drift = drift_judge(series, n);
		d->drift.beyond_noise &=
			drift_confirms(d->reference, d->reference_count, &d->drift);
	}
	drift_repair(d->reference, d->reference_count, d->noise, d->drift.beyond_noise);
	d->level = drift_level(d->reference, d->reference_count);
}

/* The variance of one visit. A test that claims much more than the others was
 * disturbed. */
static double visit_variance(const struct stats_dir *d, const struct dir_result *r)
{
	double claimed = claimed_noise(r);

	return claimed > 2 * d->noise ? claimed * claimed : d->noise * d->noise;
}

/* The logarithm of a working visit's rate, corrected for drift. */
static double level_log(const struct stats_dir *d, const struct dir_result *r)
{
	double rate = log((double)bandguess_rate(r));

	if (!d->reference_count)
		return rate;
	return rate + d->level -
	       log(drift_at(d->reference, d->reference_count, r->started_at_ms));
}

/* Add one working visit. Return the uncertainty of its correction for drift. */
static double add_visit(const struct stats_dir *d, const struct dir_result *r,
			struct pair_level *level)
{
	double rate = (double)bandguess_rate(r);

	level->least = level->count ? fmin(level->least, rate) : rate;
	level->most = fmax(level->most, rate);
	level->count++;
	level->variance += visit_variance(d, r);
	return d->reference_count
		       ? drift_doubt(d->reference, d->reference_count, r->started_at_ms)
		       : 0;
}

/* The mean of the logarithms. From three on, a value that is far off counts as if it
 * were FAR off. */
static double robust_mean(double *logs, int count, double noise)
{
	double sum = 0;
	double middle;

	array_sort_doubles(logs, (size_t)count);
	middle = (logs[(count - 1) / 2] + logs[count / 2]) / 2;
	for (int i = 0; i < count; i++)
		sum += count < 3 ? logs[i]
				 : fmax(fmin(logs[i], middle + FAR * noise),
					middle - FAR * noise);
	return sum / count;
}

/* `space` holds as many values as there are measurements. */
static struct pair_level find_level(const struct stats *s, const struct pair_visits *p,
				    enum direction dir, double *space)
{
	const struct stats_dir *d = &s->dir[dir];
	struct pair_level level = {0};
	double doubt = 0;

	for (size_t i = 0; i < p->count; i++) {
		const struct dir_result *r = &s->input->m[p->visit[i]].dir[dir];
		int64_t rate = bandguess_rate(r);

		if (rate == 0)
			level.lost++;
		if (rate <= 0)
			continue;
		space[level.count] = level_log(d, r);
		doubt += add_visit(d, r, &level);
	}
	if (!level.count)
		return level;
	level.mean = robust_mean(space, level.count, d->noise);
	doubt /= level.count;
	level.variance /= (double)level.count * level.count;
	/* Uncertainty of the reference between two neighbours: most visits share half
	 * of it, and a doubt is the half-width of a uniform distribution. */
	if (d->reference_count)
		level.variance +=
			d->noise * d->noise / (2 * (double)d->reference_count) +
			(doubt > 2 * d->noise ? doubt * doubt / 3 : 0) / level.count;
	return level;
}

/* --- all pairs --- */

static int allocate(struct stats *s)
{
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		struct stats_dir *d = &s->dir[dir];

		d->reference = calloc(s->input->count + 1, sizeof(*d->reference));
		d->level_of = calloc(s->pairs->count + 1, sizeof(*d->level_of));
		if (!d->reference || !d->level_of)
			return -ENOMEM;
	}
	return 0;
}

int stats_init(struct stats *s, const struct recommend_input *input,
	       const struct pairs *pairs, const struct path *path)
{
	cleanup_free struct drift_sample *series =
		calloc(input->count + 1, sizeof(*series));
	cleanup_free double *space = calloc(input->count + 1, sizeof(*space));

	*s = (struct stats){.input = input, .pairs = pairs};
	if (!series || !space || allocate(s) < 0) {
		stats_release(s);
		return -ENOMEM;
	}
	for (int i = 0; i < DIR_COUNT; i++) {
		enum direction dir = (enum direction)i;

		struct stats_dir *d = &s->dir[dir];
		size_t n = fill_series(s, path, dir, series);

		fill_reference(s, dir);
		fill_noise(s, path, dir, series, n, space);
		fill_drift(d, series, n);
		for (size_t at = 0; at < pairs->count; at++) {
			struct pair_level *level = &d->level_of[at];

			*level = find_level(s, &pairs->pair[at], dir, space);
			if (!level->count)
				continue;
			d->least = d->least > 0 ? fmin(d->least, level->least)
						: level->least;
			d->most = fmax(d->most, level->most);
		}
	}
	return 0;
}

void stats_release(struct stats *s)
{
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		free(s->dir[dir].reference);
		free(s->dir[dir].level_of);
		s->dir[dir].reference = NULL;
		s->dir[dir].level_of = NULL;
	}
}

static struct pair_level level_of(const struct stats *s, const struct mtu_pair *mtu,
				  enum direction dir)
{
	const struct pair_visits *p = pairs_find(s->pairs, mtu);

	return p ? s->dir[dir].level_of[p - s->pairs->pair] : (struct pair_level){0};
}

static struct estimate make_estimate(const struct pair_level *level, double t)
{
	double half = t * sqrt(level->variance);

	return (struct estimate){
		.count = level->count,
		.value = exp(level->mean),
		.low = exp(level->mean - half),
		.high = exp(level->mean + half),
	};
}

struct estimate stats_rate(const struct stats *s, const struct mtu_pair *mtu,
			   enum direction dir)
{
	const struct stats_dir *d = &s->dir[dir];
	struct pair_level level = level_of(s, mtu, dir);
	bool drifted = d->drift.beyond_noise;

	if (!level.count)
		return (struct estimate){.count = level.lost};
	level.mean = fmax(level.mean, log(drifted ? d->least : level.least));
	level.mean = fmin(level.mean, log(drifted ? d->most : level.most));
	return make_estimate(&level, quantile_student(NORMAL_95, d->freedom));
}

struct estimate stats_ratio(const struct stats *s, const struct mtu_pair *mtu,
			    const struct mtu_pair *base, enum direction dir,
			    double certain)
{
	struct pair_level a = level_of(s, mtu, dir);
	struct pair_level b = level_of(s, base, dir);

	if (mtu_pair_same(mtu, base) && a.count)
		return (struct estimate){a.count, 1, 1, 1};
	if (!b.count || (!a.count && !a.lost))
		return (struct estimate){0};
	if (!a.count)
		return (struct estimate){.count = a.lost};
	a.mean -= b.mean;
	a.variance += b.variance;
	return make_estimate(&a, quantile_student(certain, s->dir[dir].freedom));
}

void stats_level(const struct stats *s, struct measurement *ret)
{
	const struct recommend_input *in = s->input;

	for (size_t i = 0; i < in->count * DIR_COUNT; i++) {
		size_t at = i / DIR_COUNT;
		enum direction dir = (enum direction)(i % DIR_COUNT);
		const struct stats_dir *d = &s->dir[dir];
		struct dir_result *r = &ret[at].dir[dir];
		int64_t rate = bandguess_rate(&in->m[at].dir[dir]);

		if (dir == DIR_UPLOAD)
			ret[at] = in->m[at];
		/* The reference has noise, too: on a steady line it would be added. */
		if (rate <= 0 || !d->reference_count || !d->drift.beyond_noise)
			continue;
		r->goodput_bps = (int64_t)((double)rate * exp(d->level) /
					   drift_at(d->reference, d->reference_count,
						    r->started_at_ms));
	}
}

/* Rates of pairs, freed of drift. */
#include "engine/verdict_stats.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/io.h"
#include "base/sort.h"
#include "engine/bandguess.h"

/* Visits that the tests' own intervals are worth; their deviation where they have none,
 * and the least that is believed: tests that are steady each still differ. */
#define PRIOR           3.0
#define PRIOR_NOISE     0.01
#define PRIOR_NOISE_MIN 0.005
#define NORMAL_95       1.96
/* Median of |x| over the standard deviation. */
#define MEDIAN_OF_NORMAL 0.6745
/* Pairs of visits that tell the noise better than all visits together. */
#define REPEATS_MIN 3
/* Degrees of freedom of each difference, where their median is taken: about half of what
 * a mean square has. */
#define MEDIAN_WORTH 0.5

bool same_pair(const struct mtu_pair *a, const struct mtu_pair *b)
{
	return a->server == b->server && a->peer == b->peer;
}

/* Student's t from the normal quantile (Abramowitz and Stegun 26.7.5). */
static double student(double z, double freedom)
{
	double z3 = z * z * z;
	double z5 = z3 * z * z;
	double z7 = z5 * z * z;

	return z + (z3 + z) / (4 * freedom) +
	       (5 * z5 + 16 * z3 + 3 * z) / (96 * freedom * freedom) +
	       (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) /
		       (384 * freedom * freedom * freedom);
}

static bool worked(const struct measurement *m, enum direction dir)
{
	return bandguess_rate(&m->dir[dir]) > 0;
}

/* The pair that most visits of the series have. */
static struct mtu_pair reference_pair(const struct verdict_input *in,
				      enum direction dir)
{
	struct mtu_pair best = {0};
	int most = 0;

	for (size_t i = 0; i < in->count; i++) {
		int n = 0;

		if (!in->m[i].reference || same_pair(&in->m[i].mtu, &best))
			continue;
		for (size_t j = 0; j < in->count; j++)
			n += in->m[j].reference && worked(&in->m[j], dir) &&
			     same_pair(&in->m[j].mtu, &in->m[i].mtu);
		if (n <= most)
			continue;
		most = n;
		best = in->m[i].mtu;
	}
	return best;
}

static void fill_reference(struct stats *s, enum direction dir)
{
	const struct verdict_input *in = s->input;
	struct mtu_pair mtu = reference_pair(in, dir);
	struct stats_dir *d = &s->dir[dir];
	double sum = 0;

	for (size_t i = 0; i < in->count; i++) {
		const struct measurement *m = &in->m[i];
		double rate = (double)bandguess_rate(&m->dir[dir]);

		if (!m->reference || rate <= 0 || !same_pair(&m->mtu, &mtu))
			continue;
		d->reference[d->reference_count++] =
			(struct drift_sample){m->dir[dir].started_at_ms, rate};
		sum += log(rate);
	}
	drift_sort(d->reference, d->reference_count);
	if (d->reference_count < 2)
		d->reference_count = 0;
	else
		d->level = sum / (double)d->reference_count;
}

/* Every visit that got through, as a share of what is predicted of it. */
static size_t fill_series(const struct stats *s, const struct path *path,
			  enum direction dir, struct drift_sample *series)
{
	const struct verdict_input *in = s->input;
	size_t n = 0;

	for (size_t i = 0; i < in->count; i++) {
		const struct measurement *m = &in->m[i];
		double rate = (double)bandguess_rate(&m->dir[dir]);
		double share = pathmodel_predict(path, &m->mtu, dir).goodput;

		if (rate > 0 && share != 0)
			series[n++] =
				(struct drift_sample){m->dir[dir].started_at_ms,
						      share > 0 ? rate / share : rate};
	}
	drift_sort(series, n);
	return n;
}

/* The deviation that a test itself claims; negative where it does not say. */
static double claimed_noise(const struct dir_result *r)
{
	int64_t rate = bandguess_rate(r);
	int64_t low = r->goodput_low_bps;
	int64_t high = r->goodput_high_bps;

	if (rate <= 0 || rate != r->goodput_bps || low < 0 || low > rate || high < rate)
		return -1;
	/* The wider side: the lower one may have been cut at 0. */
	return fmax((double)(rate - low), (double)(high - rate)) /
	       (NORMAL_95 * (double)rate);
}

/* What the tests of a direction claim: of most of them, so that one that was disturbed
 * does not speak for all. `space` holds as many as there are measurements. */
static double own_noise(const struct verdict_input *in, enum direction dir,
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
	sort_doubles(space, n);
	return fmax(space[n / 2], PRIOR_NOISE_MIN);
}

static int compare_visits(const void *a, const void *b)
{
	const struct measurement *x = *(const struct measurement *const *)a;
	const struct measurement *y = *(const struct measurement *const *)b;

	if (x->mtu.server != y->mtu.server)
		return x->mtu.server - y->mtu.server;
	if (x->mtu.peer != y->mtu.peer)
		return x->mtu.peer - y->mtu.peer;
	return (x->seq > y->seq) - (x->seq < y->seq);
}

/* A deviation, and how many degrees of freedom it has. */
struct seen {
	double noise;
	double worth;
};

/* From how the next visit of the same pair differs: that holds whatever becomes of its
 * packets. The median, since drift is in some. Worth 0 where there are too few. `space`
 * holds as many as there are measurements. */
static struct seen see_repeats(const struct verdict_input *in, enum direction dir,
			       double *space)
{
	cleanup_free const struct measurement **visit =
		calloc(in->count + 1, sizeof(struct measurement *));
	size_t visits = 0, n = 0;

	if (!visit)
		return (struct seen){0};
	for (size_t i = 0; i < in->count; i++) {
		if (worked(&in->m[i], dir))
			visit[visits++] = &in->m[i];
	}
	qsort(visit, visits, sizeof(visit[0]), compare_visits);
	for (size_t i = 1; i < visits; i++) {
		if (same_pair(&visit[i]->mtu, &visit[i - 1]->mtu))
			space[n++] = fabs(
				log((double)bandguess_rate(&visit[i]->dir[dir]) /
				    (double)bandguess_rate(&visit[i - 1]->dir[dir])));
	}
	if (n < REPEATS_MIN)
		return (struct seen){0};
	sort_doubles(space, n);
	return (struct seen){
		.noise = space[n / 2] / (MEDIAN_OF_NORMAL * M_SQRT2),
		.worth = (double)n * MEDIAN_WORTH,
	};
}

/* From how each visit differs from those before and after it. */
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

/* What the tests claim holds for each of them alone; how visits differ has in it what
 * changes from one to the next as well. */
static void set_noise(struct stats_dir *d, double own, const struct seen *seen)
{
	d->freedom = PRIOR + seen->worth;
	d->noise = sqrt((PRIOR * own * own + seen->worth * seen->noise * seen->noise) /
			d->freedom);
}

/* Without bands nothing is predicted, and visits differ by what becomes of packets. */
static void fill_noise(struct stats *s, const struct path *path, enum direction dir,
		       struct drift_sample *series, double *space)
{
	size_t n = fill_series(s, path, dir, series);
	double own = own_noise(s->input, dir, space);
	struct seen seen = {0};

	if (path->dir[dir].count == 0)
		seen = see_repeats(s->input, dir, space);
	if (seen.worth == 0)
		seen = see_series(series, n);
	set_noise(&s->dir[dir], own, &seen);
}

int stats_init(struct stats *s, const struct verdict_input *input,
	       const struct path *path)
{
	cleanup_free struct drift_sample *series =
		calloc(input->count + 1, sizeof(*series));
	cleanup_free double *space = calloc(input->count + 1, sizeof(*space));

	*s = (struct stats){.input = input};
	for (int dir = 0; dir < DIR_COUNT; dir++)
		s->dir[dir].reference =
			calloc(input->count + 1, sizeof(*s->dir[dir].reference));
	if (!series || !space || !s->dir[0].reference || !s->dir[1].reference) {
		stats_release(s);
		return -ENOMEM;
	}
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		fill_reference(s, (enum direction)dir);
		fill_noise(s, path, (enum direction)dir, series, space);
	}
	return 0;
}

void stats_release(struct stats *s)
{
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		free(s->dir[dir].reference);
		s->dir[dir].reference = NULL;
	}
}

/* Of one visit. A test that claims much more than the others was disturbed. */
static double visit_variance(const struct stats_dir *d, const struct dir_result *r)
{
	double claimed = claimed_noise(r);

	return claimed > 2 * d->noise ? claimed * claimed : d->noise * d->noise;
}

/* A mean of logarithms and its variance. */
struct level {
	int count;
	int lost;
	double mean;
	double variance;
};

static struct level pair_level(const struct stats *s, const struct mtu_pair *mtu,
			       enum direction dir)
{
	const struct verdict_input *in = s->input;
	const struct stats_dir *d = &s->dir[dir];
	struct level level = {0};
	double doubt = 0;

	for (size_t i = 0; i < in->count; i++) {
		const struct dir_result *r = &in->m[i].dir[dir];
		double rate = (double)bandguess_rate(r);

		if (!same_pair(&in->m[i].mtu, mtu) || rate < 0)
			continue;
		if (rate == 0) {
			level.lost++;
			continue;
		}
		level.count++;
		level.mean += log(rate);
		level.variance += visit_variance(d, r);
		if (!d->reference_count)
			continue;
		level.mean += d->level - log(drift_at(d->reference, d->reference_count,
						      r->started_at_ms));
		doubt +=
			drift_doubt(d->reference, d->reference_count, r->started_at_ms);
	}
	if (!level.count)
		return level;
	level.mean /= level.count;
	doubt /= level.count;
	level.variance /= (double)level.count * level.count;
	/* That of the reference between two neighbours, half of it shared by most; and
	 * a doubt is the half of an even distribution. */
	if (d->reference_count)
		level.variance +=
			d->noise * d->noise / (2 * (double)d->reference_count) +
			(doubt > 2 * d->noise ? doubt * doubt / 3 : 0) / level.count;
	return level;
}

static struct estimate make_estimate(const struct level *level, double t)
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
	struct level level = pair_level(s, mtu, dir);

	if (level.count)
		return make_estimate(&level, student(NORMAL_95, s->dir[dir].freedom));
	return (struct estimate){.count = level.lost};
}

struct estimate stats_ratio(const struct stats *s, const struct mtu_pair *mtu,
			    const struct mtu_pair *base, enum direction dir,
			    double certain)
{
	struct level a = pair_level(s, mtu, dir);
	struct level b = pair_level(s, base, dir);

	if (same_pair(mtu, base) && a.count)
		return (struct estimate){a.count, 1, 1, 1};
	if (!b.count || (!a.count && !a.lost))
		return (struct estimate){0};
	if (!a.count)
		return (struct estimate){.count = a.lost};
	a.mean -= b.mean;
	a.variance += b.variance;
	return make_estimate(&a, student(certain, s->dir[dir].freedom));
}

void stats_level(const struct stats *s, struct measurement *ret)
{
	const struct verdict_input *in = s->input;

	for (size_t i = 0; i < in->count * DIR_COUNT; i++) {
		size_t at = i / DIR_COUNT;
		enum direction dir = (enum direction)(i % DIR_COUNT);
		const struct stats_dir *d = &s->dir[dir];
		struct dir_result *r = &ret[at].dir[dir];
		int64_t rate = bandguess_rate(&in->m[at].dir[dir]);

		if (dir == DIR_UPLOAD)
			ret[at] = in->m[at];
		if (rate <= 0 || !d->reference_count)
			continue;
		r->goodput_bps = (int64_t)((double)rate * exp(d->level) /
					   drift_at(d->reference, d->reference_count,
						    r->started_at_ms));
	}
}

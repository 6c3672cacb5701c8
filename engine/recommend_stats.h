/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_RECOMMEND_STATS_H
#define ENGINE_RECOMMEND_STATS_H

#include "engine/recommend.h"
#include "engine/recommend_pairs.h"

/*
 * Rates of pairs, corrected for drift: the statistics of a recommendation. Part of
 * recommend.c.
 *
 * Everything is done in logarithms. A visit is compared with the reference as it was at
 * its time. A rate's noise comes from how successive visits differ once their predicted
 * ratio is taken away, or, where no bands predict any, from how visits of the same pair
 * do, pooled with the median of what the tests' own intervals claim, which counts as PRIOR
 * visits. A single test that claims much more than that counts as it says. A single
 * reference, or one of three or more visits of a pair, that is far off counts less.
 *
 * A drift is judged from the reference series; from all visits, if the series is short:
 * the reference series must then show at least half of the change, so that a pair whose
 * prediction is wrong does not look like a drift.
 */

struct pair_level;

struct stats_dir {
	struct drift_sample *reference; /* NULL or empty: no series */
	size_t reference_count;
	struct drift drift;
	double level; /* logarithm of the series' median rate */
	/* range of all rates measured in this direction, bit/s */
	double least;
	double most;
	double noise;
	double freedom;              /* degrees of freedom of the noise */
	struct pair_level *level_of; /* one for each of the pairs */
};

struct stats {
	const struct recommend_input *input;
	const struct pairs *pairs; /* pairs of the same measurements */
	struct stats_dir dir[DIR_COUNT];
};

/* -ENOMEM. Predictions use `path`; bands of count 0 predict nothing. The arguments must
 * outlive *stats. */
int stats_init(struct stats *stats, const struct recommend_input *input,
	       const struct pairs *pairs, const struct path *path);
void stats_release(struct stats *stats);

/* The pair's rate in bit/s, as if it had been measured at the reference series'
 * median. It is within what was measured: of the pair itself while the line did not
 * drift, else of all pairs. */
struct estimate stats_rate(const struct stats *stats, const struct mtu_pair *mtu,
			   enum direction dir);

/* The ratio of two pairs' rates. `certain` is the normal quantile, 1.96 for 95 %. */
struct estimate stats_ratio(const struct stats *stats, const struct mtu_pair *mtu,
			    const struct mtu_pair *base, enum direction dir,
			    double certain);

/* Copy the measurements with their rates (as goodput) corrected for drift. */
void stats_level(const struct stats *stats, struct measurement *ret);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_VERDICT_STATS_H
#define ENGINE_VERDICT_STATS_H

#include "engine/verdict.h"
#include "engine/verdict_pairs.h"

/*
 * Rates of pairs, corrected for drift: the statistics of a recommendation. Part of
 * verdict.c.
 *
 * Everything is done in logarithms. A visit is compared with the reference as it was at
 * its time. A rate's noise comes from how successive visits differ once their predicted
 * ratio is taken away, or, where no bands predict any, from how visits of the same pair
 * do, pooled with the median of what the tests' own intervals claim, which counts as PRIOR
 * visits. A single test that claims much more than that counts as it says.
 */

struct pair_level;

struct stats_dir {
	struct drift_sample *reference; /* NULL or empty: no series */
	size_t reference_count;
	double level; /* logarithm of the series' mean rate */
	double noise;
	double freedom;              /* degrees of freedom of the noise */
	struct pair_level *level_of; /* one for each of the pairs */
};

struct stats {
	const struct verdict_input *input;
	const struct pairs *pairs; /* pairs of the same measurements */
	struct stats_dir dir[DIR_COUNT];
};

/* -ENOMEM. Predictions use `path`; bands of count 0 predict nothing. The arguments must
 * outlive *stats. */
int stats_init(struct stats *stats, const struct verdict_input *input,
	       const struct pairs *pairs, const struct path *path);
void stats_release(struct stats *stats);

/* The pair's rate in bit/s, as if it had been measured at the reference series'
 * mean. */
struct estimate stats_rate(const struct stats *stats, const struct mtu_pair *mtu,
			   enum direction dir);

/* The ratio of two pairs' rates. `certain` is the normal quantile, 1.96 for 95 %. */
struct estimate stats_ratio(const struct stats *stats, const struct mtu_pair *mtu,
			    const struct mtu_pair *base, enum direction dir,
			    double certain);

/* Copy the measurements with their rates (as goodput) corrected for drift. */
void stats_level(const struct stats *stats, struct measurement *ret);

#endif

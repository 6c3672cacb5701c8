/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_RECOMMEND_PAIRS_H
#define ENGINE_RECOMMEND_PAIRS_H

#include <stddef.h>

#include "base/types.h"

/*
 * Measurements grouped by pair, so that a large grid is searched once and not for each
 * of its pairs. Part of recommend.c.
 */

struct pair_visits {
	struct mtu_pair mtu;
	const size_t *visit; /* indices of the measurements, ascending */
	size_t count;        /* 1 at least */
};

struct pairs {
	size_t *order;            /* all indices, grouped by pair */
	struct pair_visits *pair; /* each pair once, sorted by MTUs */
	size_t count;
};

/* -ENOMEM. */
int pairs_init(struct pairs *pairs, const struct measurement *m, size_t count);
void pairs_release(struct pairs *pairs);

/* NULL: the pair was not measured. */
const struct pair_visits *pairs_find(const struct pairs *pairs,
				     const struct mtu_pair *mtu);

#endif

#ifndef ENGINE_VERDICT_PAIRS_H
#define ENGINE_VERDICT_PAIRS_H

#include <stddef.h>

#include "base/types.h"

/*
 * Measurements by the pair they are of, so that a large lattice is gone through once and
 * not for each of its pairs. Belongs to verdict.c.
 */

struct pair_visits {
	struct mtu_pair mtu;
	const size_t *visit; /* indices of the measurements, ascending */
	size_t count;        /* 1 at least */
};

struct pairs {
	size_t *order;            /* all indices, by pair */
	struct pair_visits *pair; /* each once, by its MTUs */
	size_t count;
};

/* -ENOMEM. */
int pairs_init(struct pairs *pairs, const struct measurement *m, size_t count);
void pairs_release(struct pairs *pairs);

/* NULL: not visited. */
const struct pair_visits *pairs_find(const struct pairs *pairs,
				     const struct mtu_pair *mtu);

#endif

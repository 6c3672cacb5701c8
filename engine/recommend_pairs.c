/* SPDX-License-Identifier: MIT */
/* Measurements grouped by pair. */
#include "engine/recommend_pairs.h"

#include <errno.h>
#include <stdlib.h>

static int compare_visits(const void *a, const void *b, void *ctx)
{
	const struct measurement *m = ctx;
	size_t x = *(const size_t *)a;
	size_t y = *(const size_t *)b;
	int by_pair = mtu_pair_compare(&m[x].mtu, &m[y].mtu);

	return by_pair ? by_pair : (x > y) - (x < y);
}

static int compare_pairs(const void *a, const void *b)
{
	return mtu_pair_compare(&((const struct pair_visits *)a)->mtu,
				&((const struct pair_visits *)b)->mtu);
}

int pairs_init(struct pairs *pairs, const struct measurement *m, size_t count)
{
	*pairs = (struct pairs){
		.order = calloc(count + 1, sizeof(*pairs->order)),
		.pair = calloc(count + 1, sizeof(*pairs->pair)),
	};
	if (!pairs->order || !pairs->pair) {
		pairs_release(pairs);
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++)
		pairs->order[i] = i;
	if (count > 1)
		qsort_r(pairs->order, count, sizeof(pairs->order[0]), compare_visits,
			(void *)m);
	for (size_t i = 0; i < count; i++) {
		const struct mtu_pair *mtu = &m[pairs->order[i]].mtu;
		struct pair_visits *last = &pairs->pair[pairs->count];

		if (i == 0 || !mtu_pair_same(&last[-1].mtu, mtu)) {
			*last = (struct pair_visits){*mtu, &pairs->order[i], 0};
			pairs->count++;
		}
		pairs->pair[pairs->count - 1].count++;
	}
	return 0;
}

void pairs_release(struct pairs *pairs)
{
	free(pairs->order);
	free(pairs->pair);
	*pairs = (struct pairs){0};
}

const struct pair_visits *pairs_find(const struct pairs *pairs,
				     const struct mtu_pair *mtu)
{
	const struct pair_visits key = {.mtu = *mtu};

	return pairs->count ? bsearch(&key, pairs->pair, pairs->count,
				      sizeof(pairs->pair[0]), compare_pairs)
			    : NULL;
}

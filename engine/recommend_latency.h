/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_RECOMMEND_LATENCY_H
#define ENGINE_RECOMMEND_LATENCY_H

#include "engine/recommend.h"
#include "engine/recommend_pairs.h"

/*
 * Latency under load: whether another pair's differs from the recommended pair's. Part of
 * recommend.c. Latency never chooses a pair.
 *
 * The logarithms of the tests' medians (latency_us of base/figures.h) are compared. The
 * noise is how tests of one pair differ, pooled over all pairs, so a run that tests each
 * pair once has no answer. A difference counts if it is 10 % and 2 ms at least, and if
 * chance explains it in fewer than one run in a thousand, all pairs considered.
 */

/*
 * Find the pair to mention beside `best` in one direction: the one with the lowest latency,
 * if that is lower than best's; else the current pair, if its latency is higher; else the
 * one with the highest. ret->mtu 0, 0: none differs.
 */
void recommend_compare_latency(const struct recommend_input *input,
			       const struct pairs *pairs, const struct mtu_pair *best,
			       enum direction dir, struct latency_difference *ret);

#endif

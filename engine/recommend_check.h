/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_RECOMMEND_CHECK_H
#define ENGINE_RECOMMEND_CHECK_H

#include "engine/recommend.h"
#include "engine/recommend_pairs.h"

/*
 * The measurements of a run against the bands that its probes found. A test that could
 * not be done gives no evidence; a rate below 1 % of the fastest counts as no data. Part
 * of recommend.c. Pure.
 */

/* Set v's path, guessed, contradicted, contradiction_confirmed, chosen_fails and
 * only_fragments_fail. Bands that measurements contradict twice are discarded: they predict
 * nothing. */
void recommend_check_path(const struct recommend_input *in, const struct pairs *pairs,
			  struct recommendation *v);

/* 1 if the measurement, whose data was `lost` in this direction, contradicts the bands, -1
 * if it agrees, 0 if it says nothing: no test was done, or no probe tells. Nor does data of
 * an end out of reach that arrives: its packets have at most the size predicted. */
int recommend_contradicts(const struct path *path, const struct measurement *m,
			  enum direction dir, bool lost);

/* Return the largest outer size of TCP's packets at which data arrived; 0: none. */
int recommend_largest_arrived(const struct recommend_input *in, enum direction dir);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_BANDGUESS_H
#define ENGINE_BANDGUESS_H

#include <stddef.h>

#include "base/path.h"
#include "base/types.h"

/*
 * The fate of packets by size, derived from throughput alone: for a direction whose
 * probes are filtered, or whose bands a measurement contradicts. Pure.
 *
 * A test gives evidence about one size, that of its full-size segments. Data that
 * arrives proves that the size is not lost; it does not always prove that it arrives
 * whole. The following stays FATE_UNKNOWN: sizes between two of different fates; sizes
 * above the largest tested one, unless that is fragmented; sizes above Ethernet's 1500
 * bytes, unless the rate shows no cost.
 */

/* dir_result_rate(), in bit/s. 0 if no data arrived; NO_FIGURE if the test gives no
 * evidence about the path, because it did not get that far (TEST_REFUSED,
 * TEST_ERROR). */
int64_t bandguess_rate(const struct dir_result *result);

/* Compute the bands of one direction; count 0 without measurements. `noise` is the
 * standard deviation of a rate's logarithm. -ENOMEM. */
int bandguess(const struct measurement *m, size_t count, int overhead,
	      enum direction dir, double noise, struct path_bands *ret);

#endif

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
 * A test gives evidence about one size, that of its segments as they were really sent
 * (pathmodel_sent_size()). Data that arrives proves that the size is not lost. FATE_WHOLE
 * says that the rates show no cost of fragments, not that there are none;
 * FATE_FRAGMENTED, that they show it with PATH_GUESS_CONFIDENCE. The following stays
 * FATE_UNKNOWN: sizes between two of different fates; sizes below the smallest tested one,
 * unless that is whole; sizes above the largest tested one, unless that is fragmented;
 * sizes above Ethernet's 1500 bytes, unless the rate shows no cost.
 */

/* dir_result_rate(), in bit/s. 0 if the path swallowed a test's data; NO_FIGURE if the
 * test gives no evidence about the path, because it did not get that far
 * (TEST_UNREACHABLE, which also a firewall's limit of connections causes; TEST_REFUSED,
 * TEST_ERROR). */
int64_t bandguess_rate(const struct dir_result *result);

/* Compute the bands of one direction; count 0 without measurements. `noise` is the
 * standard deviation of a rate's logarithm. -ENOMEM. */
int bandguess(const struct measurement *m, size_t count, int overhead,
	      enum direction dir, double noise, struct path_bands *ret);

#endif

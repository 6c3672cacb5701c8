#ifndef ENGINE_BANDGUESS_H
#define ENGINE_BANDGUESS_H

#include <stddef.h>

#include "base/path.h"
#include "base/types.h"

/*
 * What becomes of packets by size, told from throughput alone: for a direction whose probes
 * are filtered, or whose bands a measurement contradicts. Pure.
 *
 * A test tells of one size, that of its full-size segments. That data arrives says that the
 * size is not lost; whether it arrives whole cannot always be told. What stays open is
 * FATE_UNKNOWN: between two sizes of different fates, above the largest unless that is
 * fragmented, and above what Ethernet carries (1500) unless the rate shows that nothing was
 * lost by the size.
 */

/* dir_result_rate(), in bit/s. 0 where nothing got through, NO_FIGURE where the test says
 * nothing of the path: it never came to that (TEST_REFUSED, TEST_ERROR). */
int64_t bandguess_rate(const struct dir_result *result);

/* Bands of one direction; count 0 where nothing was measured. `noise` is the standard
 * deviation of a rate's logarithm. -ENOMEM. */
int bandguess(const struct measurement *m, size_t count, int overhead,
	      enum direction dir, double noise, struct path_bands *ret);

#endif

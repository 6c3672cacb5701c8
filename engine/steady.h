/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_STEADY_H
#define ENGINE_STEADY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Goodput over the steady part of a transfer, from (time, bytes) samples of one TCP
 * socket, about STEADY_WINDOW_US apart. Pure.
 *
 * The steady part begins one window after the first 300 ms whose mean comes within 5 %
 * of the upper quartile of the transfer's 300 ms means, and ends with the last sample.
 * This excludes slow start, and the burst that may end it. (The best mean would be
 * wrong: a receiver's counter freezes in loss recovery and jumps after it, and the one
 * window with a jump would pass for the rate.) A transfer whose steady part is shorter
 * than 500 ms has no steady goodput.
 *
 * The interval is one of batch means. Neighbouring samples are correlated, so the
 * spread is computed between means over one window, over two, over three and so on, and
 * the widest interval counts. It is the interval for the mean of a transfer that
 * continues like this one; it cannot include events that have not happened yet, such as
 * the cost of the next loss to cubic.
 */

#define STEADY_WINDOW_US INT64_C(100000)
#define STEADY_SAMPLES   4096

struct steady {
	int count;
	int64_t at_us[STEADY_SAMPLES];
	/* since the connection began, never decreasing */
	uint64_t bytes[STEADY_SAMPLES];
};

/* bit/s; low <= goodput <= high, the 95 % interval. All NO_FIGURE or none. */
struct steady_figure {
	int64_t goodput_bps;
	int64_t low_bps;
	int64_t high_bps;
};

void steady_init(struct steady *s);
/* Add a sample. Beyond STEADY_SAMPLES, earlier samples are thinned out. A sample that
 * is not later than the last, or has fewer bytes, is ignored. */
void steady_add(struct steady *s, int64_t at_us, uint64_t bytes);

void steady_measure(const struct steady *s, struct steady_figure *ret);

/*
 * True when the goodput is known to `precision_percent` (of itself, at least 1) and is
 * credible: the interval is no wider to either side, and the best 300 ms have not
 * improved by more than 1 % for 0.8 s. If slow start ends too early, the rate stays
 * below the path's for some time, and would otherwise be taken for it.
 */
bool steady_is_known(const struct steady *s, int precision_percent);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_STEADY_H
#define ENGINE_STEADY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Goodput over the steady part of a transfer, from samples of one TCP socket about
 * STEADY_WINDOW_US apart. Pure.
 *
 * Full line: while a queue stands before the bottleneck, the round trip exceeds the
 * shortest one, and segments arrive without gaps, at the line's rate, in slow start as well
 * as after it. The steady part begins with the first 250 ms of that, unless the rate had
 * fallen before. Without such a time, on a line with a short queue or at an end that knows
 * the bytes only, it begins with the first mean over 100 ms (one round trip, if longer)
 * within 4 % of the upper quartile of these means. It ends with the last sample.
 *
 * Interval: batch means. Neighbouring samples are correlated, so the spread is computed
 * between means over 60 ms, 90 ms and so on, and the widest interval counts. It is the
 * interval for the mean of a transfer that continues like this one. That is credible if a
 * queue stood for almost all of the steady part, or the best mean has not risen for 0.8 s;
 * and if losses, where the congestion control slows down for them, did not empty the queue,
 * or have shown for 0.8 s what they cost. Else the interval is widened: up to the highest
 * rate seen, down to what further losses may leave. A transfer without a steady part has
 * the goodput of its last third after 0.4 s, and such an interval. No interval includes
 * events that have not happened yet, such as the first loss.
 *
 * Chosen among six rules on half of 149 recorded transfers (docs/decisions.md). Where TCP
 * fills the line, to 100 ms, the goodput is within 1 % of its capacity in 35 of 35, and in
 * 29 of 31 of the other half; a test of 3 % ends after 0.5 s (median, to 20 ms). The rule
 * before, which waited for 0.8 s without a rise, took 1.2 s for 32 and 30. Where the line
 * varies, the interval contains the later rate in 50 of 52 (before: 44).
 */

#define STEADY_WINDOW_US INT64_C(20000)
#define STEADY_SAMPLES   4096
/* The round trip of a path of 20 ms, as an end measures it. */
#define STEADY_NEAR_US 25000

/* All but the first two are known at the sender only; else 0. */
struct steady_sample {
	int64_t at_us;
	uint64_t bytes;  /* since the connection began, never decreasing */
	uint32_t rtt_us; /* smoothed */
	uint32_t min_rtt_us;
	uint32_t mss;
	int64_t rate_bps; /* the kernel's delivery rate, unless the sender had no data */
	/* since the connection began; 0 where the congestion control does not slow down
	 * for them (bbr) */
	uint32_t retransmits;
};

struct steady {
	int count;
	int64_t at_us[STEADY_SAMPLES];
	uint64_t bytes[STEADY_SAMPLES];
	uint32_t rtt_us[STEADY_SAMPLES];
	uint32_t min_rtt_us;
	uint32_t mss;
	int64_t peak_bps; /* the highest delivery rate */
	int64_t lost_us;  /* time of the first retransmit; 0: none */
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
void steady_add(struct steady *s, const struct steady_sample *sample);

void steady_measure(const struct steady *s, struct steady_figure *ret);

/* The round trip that `percent` (1 to 100) of the samples do not exceed, as the sender saw
 * it in the whole transfer, from the first data that arrived; NO_FIGURE at the receiver or
 * without such a sample. The kernel's smoothed round trip follows the line within one
 * round trip (RFC 6298), as the sender has many acknowledgements in each. */
int64_t steady_rtt_us(const struct steady *s, int percent);

/* True when the goodput is credible, and the interval no wider to either side than
 * `precision_percent` of it (at least 1). */
bool steady_is_known(const struct steady *s, int precision_percent);

/* The time by which a test's goodput is known to 3 %, if it is steady: 1.4 s for a round
 * trip up to STEADY_NEAR_US, else 2 s, or 8 round trips. */
int64_t steady_latest_us(int64_t rtt_us);

#endif

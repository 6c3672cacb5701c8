#ifndef ENGINE_STEADY_H
#define ENGINE_STEADY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Goodput over the steady part of a transfer, from a series of (time, bytes) samples of
 * one TCP socket, about STEADY_WINDOW_US apart. Pure.
 *
 * The steady part begins one window after the first 300 ms whose mean comes within 5 %
 * of the upper quartile of all the transfer's 300 ms means, and ends with the last
 * sample; slow start is thereby left out, and the burst that may end it. (Not of the
 * best: a receiver's counter freezes in loss recovery and jumps after it, and the one
 * window with a jump would pass for the rate.) A transfer with less than 500 ms of it
 * has no steady goodput.
 *
 * The interval is one of batch means: what follows closely is alike, so the spread is
 * taken between means over one window, over two, over three and so on, and the widest
 * answer counts. It says how well the mean of a transfer that goes on like this is known;
 * what has not shown itself yet, as the next loss's cost to cubic, it cannot hold.
 */

#define STEADY_WINDOW_US INT64_C(100000)
#define STEADY_SAMPLES   4096

struct steady {
	int count;
	int64_t at_us[STEADY_SAMPLES];
	uint64_t bytes[STEADY_SAMPLES]; /* since the connection began, never falling */
};

/* bit/s; low <= goodput <= high, the 95 % interval. All NO_FIGURE or none. */
struct steady_figure {
	int64_t goodput_bps;
	int64_t low_bps;
	int64_t high_bps;
};

void steady_init(struct steady *s);
/* A sample; those beyond STEADY_SAMPLES thin out the ones before. One that is not later
 * than the last, or has fewer bytes, is left out. */
void steady_add(struct steady *s, int64_t at_us, uint64_t bytes);

void steady_measure(const struct steady *s, struct steady_figure *ret);

/*
 * Whether the goodput is known to `precision_percent` (of itself, at least 1) and may be
 * believed: the interval is no wider to either side, and the best 300 ms have not become
 * better by more than 1 % for 0.8 s. Where slow start ended too early the rate rests on a
 * level below the path's for some time, and would be taken for it otherwise.
 */
bool steady_is_known(const struct steady *s, int precision_percent);

#endif

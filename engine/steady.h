#ifndef ENGINE_STEADY_H
#define ENGINE_STEADY_H

#include <stdint.h>

/*
 * Goodput over the steady part of a transfer, from a series of (time, bytes) samples of
 * one TCP socket. Pure. The steady part begins with the first 300 ms whose mean comes
 * within 5 % of the upper quartile of all the transfer's 300 ms means, and ends with
 * the last sample; slow start is thereby left out. (Not of the best: the counters
 * freeze in loss recovery and jump after it, and the one window with a jump would pass
 * for the rate.) A transfer with less than 500 ms of it has no steady goodput.
 */

#define STEADY_SAMPLES 4096

struct steady {
	int count;
	int64_t at_us[STEADY_SAMPLES];
	uint64_t bytes[STEADY_SAMPLES]; /* since the connection began, never falling */
};

void steady_init(struct steady *s);
/* A sample; those beyond STEADY_SAMPLES thin out the ones before. One that is not later
 * than the last, or has fewer bytes, is left out. */
void steady_add(struct steady *s, int64_t at_us, uint64_t bytes);
/* bit/s, or NO_FIGURE. */
int64_t steady_goodput_bps(const struct steady *s);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_DRIFT_H
#define ENGINE_DRIFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Drift: a change of the line's capacity during a run. One pair, the reference, is
 * measured at intervals; other pairs' rates are compared with the reference's rate at
 * their time. Pure.
 */

/* The median of |x| over the standard deviation, for a normal distribution. */
#define MEDIAN_OF_NORMAL 0.6745

struct drift_sample {
	int64_t at_ms;
	double rate; /* above 0; in any unit */
};

/* Sort by time. */
void drift_sort(struct drift_sample *series, size_t count);

/* The reference's rate at a time, interpolated between the neighbours in time; outside
 * the series, the rate of the nearest sample. 0 for an empty series. */
double drift_at(const struct drift_sample *series, size_t count, int64_t at_ms);

/* The uncertainty of drift_at() because the neighbours differ: half the difference of
 * their logarithms; 0 outside the series. */
double drift_doubt(const struct drift_sample *series, size_t count, int64_t at_ms);

/* The standard deviation of one sample's logarithm (0.05 is about 5 %), from the
 * differences between neighbours. Slow drift, a step and single outliers hardly change
 * it. Negative with fewer than 3 samples. */
double drift_noise(const struct drift_sample *series, size_t count);

struct drift {
	/* change from the series' beginning to its end: 0.25 is 25 % more */
	double size;
	int64_t at_ms; /* time of the change; its middle if it is gradual */
	/* false in 99 of 100 steady series; and the change is more than 2 % */
	bool beyond_noise;
};

/* The rate at the end, in percent of that at the beginning. */
int64_t drift_percent(const struct drift *drift);

/* Compare a steady level with one that has a step, and with a line. The noise is the
 * series' own, whatever its size, and one outlier does not matter. At least two samples
 * must show each level of a step; fewer than 4 samples show nothing. The series must be
 * sorted. */
struct drift drift_judge(const struct drift_sample *series, size_t count);

/* True when another series over the same time has at least half of this change. */
bool drift_confirms(const struct drift_sample *series, size_t count,
		    const struct drift *drift);

/* The median of the logarithms of the rates; 0 for an empty series. */
double drift_level(const struct drift_sample *series, size_t count);

/* Replace single samples that are off by more than 4 times the noise (a logarithm's
 * standard deviation; the series' own, if that is less). In a series that drifted,
 * compare with the neighbours in time, else with the median of all. */
void drift_repair(struct drift_sample *series, size_t count, double noise,
		  bool drifted);

#endif

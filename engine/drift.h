#ifndef ENGINE_DRIFT_H
#define ENGINE_DRIFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A line's capacity changes while it is measured. A pair that is visited again and again,
 * the reference, shows how; other pairs' rates are compared against it as it was when they
 * were measured. Pure.
 */

/* Of a normal distribution: the median of |x| over the standard deviation. */
#define MEDIAN_OF_NORMAL 0.6745

struct drift_sample {
	int64_t at_ms;
	double rate; /* above 0; of any unit */
};

/* Sort by time. */
void drift_sort(struct drift_sample *series, size_t count);

/* The reference's rate at a time: on the line between its neighbours in time, and that of
 * the nearest outside of the series. 0 for an empty one. */
double drift_at(const struct drift_sample *series, size_t count, int64_t at_ms);

/* How uncertain that is because the neighbours differ: half the difference of their
 * logarithms; 0 outside. */
double drift_doubt(const struct drift_sample *series, size_t count, int64_t at_ms);

/* The standard deviation of one sample's logarithm (0.05 is about 5 %), from how
 * neighbours differ: a drift that is slow against the series, a step, or single outliers
 * hardly matter. Negative with fewer than 3 samples. */
double drift_noise(const struct drift_sample *series, size_t count);

struct drift {
	double size; /* the series' end against its beginning: 0.25 is 25 % more */
	bool beyond_noise; /* with 99 % certainty, and more than 2 % */
};

/* `noise` is the standard deviation of one sample's logarithm. */
struct drift drift_judge(const struct drift_sample *series, size_t count, double noise);

#endif

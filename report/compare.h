#ifndef REPORT_COMPARE_H
#define REPORT_COMPARE_H

#include "store/query.h"

/*
 * Two runs, pair by pair: what is different beyond noise.
 *
 * Of the pairs that worked in both runs, each direction's median rates are compared as
 * ratios. Their median is the shift, what changed for all alike; how far they scatter
 * about it (median absolute deviation, scaled to a standard deviation; 1 % at least) is
 * the noise. A pair has changed when it is further from the shift than chance would put
 * one of so many: 3 deviations, more for many pairs, and more again for few, whose scatter
 * is known badly. With fewer than COMPARE_MIN pairs nothing is said of rates.
 */

#define COMPARE_MIN 5

struct compare_side {
	enum test_status status;
	int64_t rate_bps; /* NO_FIGURE unless ok */
	int ok;           /* of the visits */
	int visits;
};

struct compare_change {
	struct mtu_pair mtu;
	enum direction dir;
	struct compare_side side[2]; /* in the first run, in the second */
	double ratio;                /* second to first; NAN where one of them failed */
};

struct compare_summary {
	int compared; /* pairs that worked in both runs */
	double shift; /* ratio, second to first; 1 where there is none to compare */
	double noise; /* standard deviation of the ratios, relative */
	bool shifted; /* the shift is beyond noise */
};

struct comparison {
	int in_both; /* pairs */
	int only[2];
	struct compare_summary dir[DIR_COUNT];
	/* Pairs whose status changed in a direction, or whose rate did beyond noise; by
	 * server MTU, peer MTU, direction. */
	struct compare_change *change;
	int changes;
};

/* Runs by their ids. *ret is to be released after success. -ENOMEM; the errors of
 * reading. */
int compare_runs(struct query *query, int64_t first, int64_t second,
		 struct comparison *ret, struct err *err);
void compare_release(struct comparison *comparison);

#endif

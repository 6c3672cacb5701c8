/* SPDX-License-Identifier: MIT */
#ifndef REPORT_COMPARE_H
#define REPORT_COMPARE_H

#include "store/query.h"

/*
 * A comparison of two runs, pair by pair: the differences beyond noise.
 *
 * For the pairs that worked in both runs, each direction's median rates are compared as
 * ratios. The median ratio is the shift, a change common to all pairs. The scatter of
 * the ratios about it (median absolute deviation, scaled to a standard deviation; 1 %
 * at least) is the noise. A pair has changed when it is further from the shift than
 * chance explains among so many pairs: 3 deviations, more for many pairs, and more
 * again for few, whose scatter is uncertain. With fewer than COMPARE_MIN pairs, rates
 * are not compared. Of latencies under load only the shift is given.
 */

#define COMPARE_MIN 5

struct compare_side {
	enum test_status status;
	int64_t rate_bps;   /* NO_FIGURE unless ok */
	int64_t latency_us; /* under load; the same, or if it is not known */
	int ok;             /* number of measurements that are ok */
	int visits;
};

struct compare_change {
	struct mtu_pair mtu;
	enum direction dir;
	struct compare_side side[2]; /* side of the first run, of the second */
	double ratio;                /* second to first; NAN if one of them failed */
};

struct compare_summary {
	int compared; /* pairs that worked in both runs */
	double shift; /* median ratio, second to first; 1 without pairs to compare */
	double noise; /* standard deviation of the ratios, relative */
	bool shifted; /* the shift is beyond noise */
};

/* The same of latencies under load: of the pairs that have one in both runs. */
struct compare_latency {
	struct compare_summary summary;
	int64_t us
		[2]; /* median of these pairs in each run; NO_FIGURE: there are none */
};

struct comparison {
	int in_both; /* pairs */
	int only[2];
	struct compare_summary dir[DIR_COUNT];
	struct compare_latency latency[DIR_COUNT];
	/* Pairs with a direction whose status changed, or whose rate changed beyond
	 * noise; sorted by server MTU, peer MTU, direction. */
	struct compare_change *change;
	int changes;
};

/* Compare two runs by their ids. Release *ret after success. -ENOMEM; errors of
 * reading. */
int compare_runs(struct query *query, int64_t first, int64_t second,
		 struct comparison *ret, struct err *err);
void compare_release(struct comparison *comparison);

#endif

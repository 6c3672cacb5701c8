/* SPDX-License-Identifier: MIT */
#ifndef BENCH_RULES_H
#define BENCH_RULES_H

#include "traceread.h"

/*
 * Rules for the end of a test, compared by stoprule. A rule sees a transfer's samples up to
 * one of them, says whether the test may end there, and which goodput it reports. Each
 * returns false while it has no figure.
 *
 *   settled  the rule before this one: 100 ms windows; the steady part begins one window
 *            after the first 300 ms within 5 % of their upper quartile; known when its
 *            batch means give 3 % and the best 300 ms have not risen by 1 % for 0.8 s
 *   plain    the same condition of rise alone; the median of the windows within 5 % of the
 *            best; no interval
 *   windows  three 100 ms windows within 3 % of their mean
 *   slope    the regression of bytes on time over the last half second, known when its
 *            95 % interval is 3 %
 *   kernel   the kernel's highest delivery rate, known when it has not risen by 1 % for
 *            0.3 s
 *   queue    engine/steady.h
 */

struct rule {
	const char *name;
	bool (*measure)(const struct trace *trace, int count, bool *ret_known,
			struct steady_figure *ret);
};

extern const struct rule rules[];
extern const int rule_count;

#endif

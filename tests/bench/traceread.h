/* SPDX-License-Identifier: MIT */
#ifndef BENCH_TRACEREAD_H
#define BENCH_TRACEREAD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "engine/steady.h"

/*
 * Transfers recorded by tcptraces, as tests/bench/traces keeps them, and the rate that a
 * test of each should report.
 *
 * The truth is the rate at which the transfer goes on, in payload per second, and depends
 * on the line and on the congestion control:
 *
 *   filled    The line is steady, and the median of the transfer's means over half a
 *             second (two round trips, if longer), after 3 s and 12 round trips, is within
 *             1 % of the line's capacity: the capacity, computed from the line's rate and
 *             the headers. (The median leaves out bbr's pauses of 0.2 s in ten, in which it
 *             measures the round trip.)
 *   unfilled  The line is steady, but this congestion control does not fill it, because of
 *             loss or a queue too short for it: the transfer's mean after 3 s and 12 round
 *             trips.
 *   unsteady  The line varies, by its own capacity or others' transfers, or it is a
 *             policer, which lets a burst pass first: the same mean. Where it changes once
 *             (at changed_us): its capacity before that for a test that ended by then.
 */

enum trace_line {
	LINE_FILLED,
	LINE_UNFILLED,
	LINE_UNSTEADY,
	LINE_COUNT,
};

#define TRACE_SAMPLES 1024
#define TRACE_TEXT    160

struct trace {
	char class[32];
	char half[8]; /* "tune": estimators were chosen on it; "fresh" */
	char congestion[8];
	char text[TRACE_TEXT]; /* the whole condition */
	int rtt_ms;
	double capacity_bps;
	uint32_t mss;
	int64_t changed_us; /* 0: the line does not change once */
	int count;
	struct steady_sample samples[TRACE_SAMPLES];
};

/* Read the next transfer; false at the end of the file. */
bool trace_read(FILE *file, struct trace *ret);

enum trace_line trace_line(const struct trace *trace);
/* The truth for a test that ended at `stop_us`, bit/s. */
double trace_truth(const struct trace *trace, int64_t stop_us);

#endif

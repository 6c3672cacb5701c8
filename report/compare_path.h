/* SPDX-License-Identifier: MIT */
#ifndef REPORT_COMPARE_PATH_H
#define REPORT_COMPARE_PATH_H

#include "base/path.h"
#include "store/query.h"

/*
 * A comparison of the path as two runs know it: the edges that differ. An edge is the
 * limit between two bands with known fates. Sizes of unknown fate may lie at it, since an
 * edge is not always found to the byte: two edges with the same fates that may be at the
 * same size are the same edge. One with the same fates elsewhere has moved; others are in
 * one of the runs only.
 */

/* The size of an edge in one run: the largest outer packet below it. It is known to be
 * from `low` to `high`; low 0: the run has no such edge. */
struct compare_size {
	int low;
	int high;
};

struct compare_edge {
	enum direction dir;
	enum fate below;
	enum fate above;
	struct compare_size size[2]; /* in the first run, in the second */
};

#define COMPARE_EDGES_MAX (2 * DIR_COUNT * PATH_BANDS_MAX)

struct compare_path {
	bool known[2]; /* false: the run has no path, so no edges are compared */
	/* Nothing is known of a direction in one of the runs: it is not compared. */
	bool unknown[DIR_COUNT];
	/* The edges of a run in a direction follow from its rates alone. */
	bool guessed[2][DIR_COUNT];
	/* Fragments cannot be told from whole packets in a direction of one run only. */
	bool doubt_differs;
	/* Bytes that WireGuard adds, of each run. */
	int overhead[2][DIR_COUNT];
	int edges;
	struct compare_edge edge[COMPARE_EDGES_MAX]; /* those that differ */
};

/* Compare the paths of two runs by their ids. Errors of reading. */
int compare_paths(struct query *query, int64_t first, int64_t second,
		  struct compare_path *ret, struct err *err);

/* The same of two surveys; pure. NULL: the run has none. */
void compare_surveys(const struct path_survey *first, const struct path_survey *second,
		     struct compare_path *ret);

#endif

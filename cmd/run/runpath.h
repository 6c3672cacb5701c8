/* SPDX-License-Identifier: MIT */
#ifndef CMD_RUN_RUNPATH_H
#define CMD_RUN_RUNPATH_H

#include "base/path.h"
#include "store/query.h"

/* The path of a run, and the source of each fact. */
struct runpath {
	struct path path;
	bool guessed[DIR_COUNT]; /* told from throughput, where nothing was probed */
	bool family_assumed;     /* IPv4 outside: the run does not say */
};

/* Read the path of a run. Without probes, guess it from the measurements if there are
 * at most `guess_max`, since that reads them all. -ENODATA: no path is stored, and
 * there are no measurements, or too many; *ret is untouched. Else read errors. */
int runpath_read(struct query *query, const struct query_run *run, int guess_max,
		 struct runpath *ret, struct err *err);

/* The overhead of each direction in a run that was not probed: by the family of the
 * sender's endpoint, or by the other end's if that is unknown, or IPv4's. */
void runpath_assume_overhead(const struct run_info *info, int ret[DIR_COUNT]);

#endif

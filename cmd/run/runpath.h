#ifndef CMD_RUN_RUNPATH_H
#define CMD_RUN_RUNPATH_H

#include "base/path.h"
#include "store/query.h"

/* What is known of a run's path, and from what. */
struct runpath {
	struct path path;
	bool guessed[DIR_COUNT]; /* told from throughput, where nothing was probed */
	bool family_assumed;     /* IPv4 outside: the run does not say */
};

/* What was not probed is told from a run's visits where these are `guess_max` at most: all
 * of them have to be read for it. -ENODATA: nothing is stored of it, and nothing was
 * measured, or too much, *ret untouched; the errors of reading. */
int runpath_read(struct query *query, const struct query_run *run, int guess_max,
		 struct runpath *ret, struct err *err);

#endif

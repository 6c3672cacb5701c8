#ifndef CMD_READ_PATH_H
#define CMD_READ_PATH_H

#include "base/path.h"
#include "store/query.h"

/* What is known of a run's path, and from what. */
struct read_path {
	struct path path;
	bool guessed[DIR_COUNT]; /* told from throughput, where nothing was probed */
	bool family_assumed;     /* IPv4 outside: the run does not say */
};

/* -ENODATA: nothing is stored of it, and nothing was measured; the errors of reading. */
int read_path(struct query *query, const struct query_run *run, struct read_path *ret,
	      struct err *err);

#endif

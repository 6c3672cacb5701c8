/* SPDX-License-Identifier: MIT */
#ifndef CMD_RUN_RUNMETRICS_H
#define CMD_RUN_RUNMETRICS_H

#include "report/prometheus.h"

/*
 * The runs that Prometheus gets: of each tunnel of a database the newest with a result,
 * with the MTUs that are in force on this host now. runmetrics_release() follows in any
 * case; {0} is empty.
 */
struct runmetrics {
	struct prometheus_run *run;
	int count;
	int max;       /* no more tunnels than that; 0: all */
	int pair_rows; /* rows of runs whose pairs are shown; INT_MAX: all */
};

/* The newest tunnels first. Without any result: the newest run, if there is one. */
int runmetrics_collect(struct runmetrics *metrics, struct query *query,
		       struct err *err);
/* Add one run. -ENOMEM. */
int runmetrics_add(struct runmetrics *metrics, struct query *query,
		   const struct query_run *run, struct err *err);
void runmetrics_release(struct runmetrics *metrics);

#endif

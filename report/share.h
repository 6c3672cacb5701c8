/* SPDX-License-Identifier: MIT */
#ifndef REPORT_SHARE_H
#define REPORT_SHARE_H

#include <stdio.h>

#include "report/heatmap.h"

/*
 * A run as one self-contained HTML file that may be shown to anybody: the recommendation
 * with its reasons, warnings, versions, maps, path and rates. Host names, interfaces,
 * addresses, the UUID and every text from another program are omitted, since they may
 * identify hosts. It has less than 300 kB, so that it can be attached to a bug report;
 * only a map of thousands of measured pairs needs more.
 */

/* `map` is the run's, loaded as `anonymous`. Without panels its path is drawn alone, and
 * without either there is no picture. -EIO and other errors of writing to `out`. */
int share_write(struct query *query, const struct query_run *run,
		const struct heatmap *map, FILE *out, struct err *err);

#endif

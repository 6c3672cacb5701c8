/* SPDX-License-Identifier: MIT */
#ifndef REPORT_SHARE_H
#define REPORT_SHARE_H

#include <stdio.h>

#include "report/heatmap.h"

/*
 * A run as one self-contained HTML file that may be shown to anybody: its maps, its
 * path and its rates. Host names, interfaces, addresses, the UUID and every text from
 * another program are omitted, since they may identify hosts.
 */

/* `map` is the run's, loaded as `anonymous`. -EIO and other errors of writing to
 * `out`. */
int share_write(struct query *query, int64_t run, const struct heatmap *map, FILE *out,
		struct err *err);

#endif

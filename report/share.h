#ifndef REPORT_SHARE_H
#define REPORT_SHARE_H

#include <stdio.h>

#include "report/heatmap.h"

/*
 * A run as one HTML file that needs nothing else and may be shown to anybody: its maps,
 * its path and its rates. Host names, interfaces, addresses, UUID and every text that a
 * program wrote are left out, since they may name hosts.
 */

/* `map` is the run's, loaded as `anonymous`. -EIO and others when `out` cannot be
 * written. */
int share_write(struct query *query, int64_t run, const struct heatmap *map, FILE *out,
		struct err *err);

#endif

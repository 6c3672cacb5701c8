#ifndef STORE_SHARE_H
#define STORE_SHARE_H

#include <stdio.h>

#include "store/query.h"

/*
 * A run as one HTML file that needs nothing else and may be shown to anybody: its maps,
 * its path and its rates. Host names, interfaces, addresses, UUID and every text that a
 * program wrote are left out, since they may name hosts.
 */

/* -EIO and others when `out` cannot be written; the errors of heatmap_load(). */
int share_write(struct query *query, const struct query_run *run, FILE *out,
		struct err *err);

#endif

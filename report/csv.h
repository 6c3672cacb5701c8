#ifndef REPORT_CSV_H
#define REPORT_CSV_H

#include <stdio.h>

#include "base/err.h"
#include "store/csvread.h"
#include "store/query.h"

/*
 * nr-wg-mtu-finder's log: its header, a line a visit, libiperf's received and sent
 * rates in Mbit/s with three decimals. A direction that failed has -1.000 twice there,
 * as it wrote for a failed pair.
 */

/* What csvread_parse() read is written as it was. -EIO and others when `out` cannot be written. */
int csv_export(struct query *query, int64_t run, FILE *out, struct err *err);

#endif

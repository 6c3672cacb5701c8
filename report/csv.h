/* SPDX-License-Identifier: MIT */
#ifndef REPORT_CSV_H
#define REPORT_CSV_H

#include <stdio.h>

#include "base/err.h"
#include "store/csvread.h"
#include "store/query.h"

/*
 * nr-wg-mtu-finder's log: its header, a line a visit, libiperf's received and sent
 * rates in Mbit/s with three decimals. A direction that failed has -1.000 twice there,
 * as it wrote for a failed pair. The server's MTU is an empty field if one end alone
 * measured: such a log is not nr-wg-mtu-finder's, and csvread_parse() refuses it.
 */

/* Write a run as a log. Fields that csvread_parse() read are written unchanged. Errors:
 * -EIO and others if `out` cannot be written. */
int csv_export(struct query *query, int64_t run, FILE *out, struct err *err);

#endif

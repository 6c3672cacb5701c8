#ifndef STORE_CSV_H
#define STORE_CSV_H

#include <stdio.h>

#include "base/err.h"
#include "store/query.h"

/*
 * nr-wg-mtu-finder's log: its header, a line a visit, libiperf's received and sent
 * rates in Mbit/s with three decimals. A direction that failed has -1.000 twice there,
 * as it wrote for a failed pair.
 */
#define CSV_HEADER                                                                \
	"server_mtu,peer_mtu,upload_rcv_mbps,upload_send_mbps,download_rcv_mbps," \
	"download_send_mbps"

/* What the text of a direction begins with that was read from such a log, where a figure
 * is missing; the direction's two fields follow, as "-0.000,-0.000". */
#define CSV_RECORDED "recorded as "

/* What csvread_parse() read is written as it was. -EIO and others when `out` cannot be written. */
int csv_export(struct query *query, int64_t run, FILE *out, struct err *err);

#endif

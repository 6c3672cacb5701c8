/* SPDX-License-Identifier: MIT */
#ifndef STORE_CSVREAD_H
#define STORE_CSVREAD_H

#include <stddef.h>

#include "base/err.h"
#include "base/types.h"

/*
 * A reader for the logs that report/csv.h describes: nr-wg-mtu-finder's, and those of
 * csv_export(). It is strict: exactly that header, six fields a line, MTUs from MTU_MIN
 * to MTU_MAX, rates in Mbit/s with three decimals. It also refuses characters that do
 * not show on a screen (DOS line ends, a byte order mark) and empty lines, and names
 * them. Pure.
 *
 * A direction whose received rate is a failure becomes TEST_BLACKHOLE. A failure is
 * written as -1.000 (or -1), or as the -0.000 that nr-wg-mtu-finder writes in place of -1
 * for the whole pair. The log does not give the cause. A black hole is the cause that a
 * sweep of MTUs looks for, and the cautious one: such a pair is never recommended. If the
 * sent rate alone is a failure, only that figure is missing. In both cases the
 * direction's text is CSV_RECORDED and the two fields of the log, from which csv_export()
 * restores them.
 *
 * A log has the order of the tests but no times: times are 0 and NO_FIGURE.
 */

/* The first line of a log. */
#define CSV_HEADER                                                                \
	"server_mtu,peer_mtu,upload_rcv_mbps,upload_send_mbps,download_rcv_mbps," \
	"download_send_mbps"

/* The beginning of a direction's text if a figure is missing in the log; the
 * direction's two fields follow, as "-0.000,-0.000". */
#define CSV_RECORDED "recorded as "

struct csv_log {
	/* in the order of the lines; seq is the line's position */
	struct measurement *m;
	size_t count;
	size_t cut_line; /* number of the last line if it was incomplete; else 0 */
};

#define CSV_LOG_INIT      \
	{                 \
		.m = NULL \
	}

/*
 * `text` need not end in NUL. -EINVAL with line and column, both from 1, *ret
 * untouched; -ENOMEM. A last line without its line end is accepted if it is complete
 * otherwise; if its last field could have gone on, it is reported in `cut_line`.
 */
int csvread_parse(const char *text, size_t size, struct csv_log *ret, struct err *err);
void csvread_release(struct csv_log *log);
#define cleanup_csv_log __attribute__((cleanup(csvread_release)))

/* Return the smallest grid that holds all pairs. The log must have at least one. */
void csvread_ranges(const struct csv_log *log, struct mtu_range *ret_server,
		    struct mtu_range *ret_peer);

#endif

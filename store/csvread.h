#ifndef STORE_CSVREAD_H
#define STORE_CSVREAD_H

#include <stddef.h>

#include "base/err.h"
#include "base/types.h"

/*
 * Reads what report/csv.h describes: nr-wg-mtu-finder's logs, and those written by
 * csv_export(). Strict: exactly that header, six fields a line, MTUs from MTU_MIN to
 * MTU_MAX, rates in Mbit/s with three decimals. What does not show on a screen (DOS line
 * ends, a byte order mark, empty lines) is refused like the rest, and called by its name.
 * Pure.
 *
 * A direction whose received rate is a failure is TEST_BLACKHOLE. There are two ways:
 * -1.000 (or -1), and the -0.000 that nr-wg-mtu-finder writes where it means -1, for the
 * whole pair. The log does not say why a test failed; that its packets did not arrive is
 * what a sweep of MTUs is made to find, and the reading that recommends no such pair.
 * Where the sent rate alone is a failure, that figure is missing. In both cases the
 * direction's text is CSV_RECORDED and its two fields as they are in the log, from which
 * csv_export() writes them again.
 *
 * A log knows no times, only the order: these are 0 and NO_FIGURE.
 */

/* Its first line. */
#define CSV_HEADER                                                                \
	"server_mtu,peer_mtu,upload_rcv_mbps,upload_send_mbps,download_rcv_mbps," \
	"download_send_mbps"

/* What the text of a direction begins with that was read from such a log, where a figure
 * is missing; the direction's two fields follow, as "-0.000,-0.000". */
#define CSV_RECORDED "recorded as "

struct csv_log {
	struct measurement *m; /* in the order of the lines; seq is their number */
	size_t count;
	size_t cut_line; /* the last line, where it was half written; 0: it was not */
};

#define CSV_LOG_INIT      \
	{                 \
		.m = NULL \
	}

/*
 * `text` need not end in NUL. -EINVAL with line and column, both from 1, *ret untouched;
 * -ENOMEM. A last line without its end is taken where nothing is missing but that, and is
 * `cut_line` where what there is could have become one.
 */
int csvread_parse(const char *text, size_t size, struct csv_log *ret, struct err *err);
void csvread_release(struct csv_log *log);
#define cleanup_csv_log __attribute__((cleanup(csvread_release)))

/* The smallest lattice that holds all pairs. The log has at least one. */
void csvread_lattice(const struct csv_log *log, struct mtu_range *ret_server,
		     struct mtu_range *ret_peer);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef BASE_FIGURES_H
#define BASE_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The measured figures of one direction of a test, and the only list of them. The members
 * of struct dir_result, the columns that store/row.c binds and reads, the figures of the
 * protocol's messages, the JSON of exports and the page's text are made from it. The test
 * `figures` compares store/schema.sql and the documents with it by name.
 *
 * A new figure is appended: messages have the figures in this order, without names.
 *
 * X(name, max, source, label, unit)
 *	name    member, column and JSON name, with its unit
 *	max     largest value that a message carries; the smallest is 0
 *	source  SENDER: only the end that sent the data knows it, so the peer asks the
 *	        server for it after a download; CLIENT: the peer's own report has it
 *	label   its name on the page; "": the page does not show it
 *	unit    how the page formats it: "bps", "bytes", "count" or "us"
 *
 * The database keeps those of FIGURE_LIST_1 in the table measurement, as schema version 1
 * did, and those of FIGURE_LIST_2 in measurement_detail.
 */
#define FIGURE_LIST(X)   \
	FIGURE_LIST_1(X) \
	FIGURE_LIST_2(X)

#define FIGURE_LIST_1(X)                                                            \
	/* as libiperf reports it, the whole test */                                \
	X(sent_bps, FIGURE_RATE_MAX, CLIENT, "sent", "bps")                         \
	/* as libiperf reports it, the whole test */                                \
	X(received_bps, FIGURE_RATE_MAX, CLIENT, "received", "bps")                 \
	/* the steady part alone, without slow start */                             \
	X(goodput_bps, FIGURE_RATE_MAX, SENDER, "", "bps")                          \
	/* the 95 % interval of the long-run goodput; known where goodput_bps is */ \
	X(goodput_low_bps, FIGURE_RATE_MAX, SENDER, "", "bps")                      \
	X(goodput_high_bps, FIGURE_RATE_MAX, SENDER, "", "bps")                     \
	/* TCP segments sent again */                                               \
	X(retransmits, FIGURE_COUNT_MAX, CLIENT, "retransmits", "count")            \
	/* smoothed round trip, mean over the test, as the sending end saw it */    \
	X(rtt_us, FIGURE_RTT_MAX_US, SENDER, "mean round trip", "us")

#define FIGURE_LIST_2(X)                                                               \
	/* IP packet of a full TCP segment, inside the tunnel, as the sending end    \
	 * used it last: less than the smaller MTU if something lowers the MSS */ \
	X(packet_bytes, FIGURE_PACKET_MAX, SENDER, "TCP packets", "bytes")             \
	/* round trip of small echoes before the test, the median */                   \
	X(latency_idle_us, FIGURE_RTT_MAX_US, CLIENT, "idle round trip", "us")         \
	/* round trip of the data, the median over the test */                         \
	X(latency_us, FIGURE_RTT_MAX_US, SENDER, "round trip under load", "us")        \
	/* its 95th percentile; known where latency_us is */                           \
	X(latency_p95_us, FIGURE_RTT_MAX_US, SENDER, "95 % of it below", "us")         \
	/* the 95th percentile of those echoes; known where latency_idle_us is */      \
	X(latency_idle_p95_us, FIGURE_RTT_MAX_US, CLIENT, "95 % of idle below", "us")

/* The fastest Ethernet that hosts have. */
#define FIGURE_RATE_MAX   INT64_C(400000000000)
#define FIGURE_COUNT_MAX  INT64_C(9999999999)
#define FIGURE_RTT_MAX_US INT64_C(3600000000)
#define FIGURE_PACKET_MAX INT64_C(65535)

/* Members of a struct, all int64_t; NO_FIGURE where a figure is not known. */
#define FIGURE_MEMBER(name, ...) int64_t name;

#define FIGURE_INDEX(name, ...) FIGURE_##name,
enum figure_index { FIGURE_LIST(FIGURE_INDEX) FIGURE_COUNT };

/* The length of the first part of the list. */
#define FIGURE_ONE(...) 1 +
#define FIGURE_COUNT_1  (FIGURE_LIST_1(FIGURE_ONE) 0)

struct figure_spec {
	const char *name;
	size_t offset; /* in struct dir_result */
	int64_t max;
	bool of_sender;
	const char *label;
	const char *unit;
};

/* In the order of the list. */
extern const struct figure_spec figure_list[FIGURE_COUNT];

struct dir_result;

int64_t figure_get(const struct dir_result *result, int index);
void figure_set(struct dir_result *result, int index, int64_t value);
/* True if the goodput lies within its interval, or neither is known. */
bool figures_goodput_valid(const struct dir_result *result);
/* Take the figures of source SENDER from the sending end's result. */
void figures_take_sender(struct dir_result *result, const struct dir_result *sender);

#endif

#ifndef STORE_ROW_H
#define STORE_ROW_H

#include <sqlite3.h>

#include "base/types.h"

/*
 * Our nouns as database rows and back. The column lists here, the functions and
 * schema.sql name the same columns in the same order. What is not known (NO_FIGURE, 0
 * for a time, "" for a name) is NULL in the database.
 */

/* A value on its way into or out of a statement; each call moves on by one column. */
struct row {
	sqlite3_stmt *stmt;
	int column; /* the next: from 1 when binding, from 0 when reading */
};

#define ROW_RUN_COLUMNS                                                                \
	"uuid, started_at, strategy, passes, seed, duration_ms, congestion, persist, " \
	"pairs_planned, server_host, server_interface, server_address, "               \
	"server_link_mtu, server_backend, server_endpoint_family, "                    \
	"server_versions, server_mtu_min, server_mtu_max, server_mtu_step, "           \
	"peer_host, peer_interface, peer_address, peer_link_mtu, peer_backend, "       \
	"peer_endpoint_family, peer_versions, peer_mtu_min, peer_mtu_max, "            \
	"peer_mtu_step"
/* As many as there are columns above: 29. */
#define ROW_RUN_VALUES                                                                \
	"?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, " \
	"?, ?, ?, ?"

void row_bind_run(struct row *row, const struct run_info *info);
void row_read_run(struct row *row, struct run_info *ret);

#define ROW_MEASUREMENT_COLUMNS                                                    \
	"seq, pass, reference, server_mtu, peer_mtu, upload_status, upload_text, " \
	"upload_sent_bps, upload_received_bps, upload_goodput_bps, "               \
	"upload_goodput_low_bps, upload_goodput_high_bps, "                        \
	"upload_retransmits, upload_rtt_us, upload_started_at, "                   \
	"upload_duration_ms, download_status, download_text, download_sent_bps, "  \
	"download_received_bps, download_goodput_bps, "                            \
	"download_goodput_low_bps, download_goodput_high_bps, "                    \
	"download_retransmits, download_rtt_us, download_started_at, "             \
	"download_duration_ms"
/* 27 of them. */
#define ROW_MEASUREMENT_VALUES                                                        \
	"?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, " \
	"?, ?"

void row_bind_measurement(struct row *row, const struct measurement *m);
void row_read_measurement(struct row *row, struct measurement *ret);

/* Single values, for what the lists above do not cover. */
void row_bind_int(struct row *row, int64_t value);
void row_bind_text(struct row *row, const char *value);
void row_bind_time(struct row *row, int64_t at_ms);
int64_t row_read_int(struct row *row, int64_t if_null);
/* Cut to `size`; "" for NULL. */
void row_read_text(struct row *row, char *ret, size_t size);
/* Milliseconds since 1970; 0 for NULL and for what is no time. */
int64_t row_read_time(struct row *row);
/* TEST_ERROR for what is no status. */
enum test_status row_read_status(struct row *row);

#endif

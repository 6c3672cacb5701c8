/* SPDX-License-Identifier: MIT */
#ifndef STORE_ROW_H
#define STORE_ROW_H

#include <jansson.h>
#include <sqlite3.h>

#include "base/evidence.h"
#include "base/path.h"
#include "base/path_probe.h"
#include "base/reason.h"
#include "base/types.h"
#include "base/warning.h"
#include "store/db.h"

/*
 * Our nouns as database rows and back. The column lists here, the functions and
 * schema.sql name the same columns in the same order. What is not known (NO_FIGURE, 0
 * for a time, "" for a name) is NULL in the database.
 *
 * A file may come from anybody, so nothing of a row is used before each value has the
 * type and the range that ours have:
 *
 *	struct row row = {.stmt = stmt};
 *	row_read_measurement(&row, &m);
 *	r = row_check(&row, db, "a measurement", err);
 */

/* A value on its way into or out of a statement; each call moves on by one column. */
struct row {
	sqlite3_stmt *stmt;
	int column; /* the next: from 1 when binding, from 0 when reading */
	int wrong; /* reading: the first column whose value cannot be, from 1; 0: none */
	int failed; /* binding: SQLite's first error; 0: none */
};

/* After the last value is bound: 0, or the first that SQLite did not take. The statement
 * must not be run then: NULL is in the value's place. -ENOMEM; -EINVAL it is too long. */
int row_bound(const struct row *row, const struct db *db, struct err *err);
/* row_bound(), then db_step(). */
int row_step(const struct row *row, struct db *db, struct err *err);

/* 0, or -EUCLEAN with the column and its value, where one of those read cannot be. `what`:
 * what the row is, "a run". */
int row_check(const struct row *row, const struct db *db, const char *what,
	      struct err *err);

/* The largest id of a run. SQLite's own go further, but after the largest it takes ids at
 * random: runs would no longer be in the order in which they were stored. */
#define ROW_ID_MAX (INT64_C(1) << 53)
/* Above each rate that is read or imported, and far below what a sum could not hold. */
#define ROW_RATE_MAX INT64_C(1000000000000000)

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

#define ROW_UPLOAD(name, ...)   "upload_" #name ", "
#define ROW_DOWNLOAD(name, ...) "download_" #name ", "
#define ROW_VALUE(...)          "?, "
#define ROW_NULL(...)           "NULL, "
/* The columns of one direction, with these figures. */
#define ROW_DIRECTION_COLUMNS(name, figures) \
	ROW_OUTCOME(name) ", " figures ROW_TIMES(name)
#define ROW_OUTCOME(name) name "_status, " name "_text"
#define ROW_TIMES(name)   name "_started_at, " name "_duration_ms"
#define ROW_COLUMNS(upload, download)                                         \
	"seq, pass, reference, server_mtu, peer_mtu, " ROW_DIRECTION_COLUMNS( \
		"upload", upload) ", " ROW_DIRECTION_COLUMNS("download", download)

/* What row_read_measurement() reads and row_bind_measurement() binds, of ROW_MEASUREMENTS.
 * The columns of version 1 are for a file of that version, whose only table is
 * measurement. */
#define ROW_MEASUREMENTS "measurement LEFT JOIN measurement_detail USING (run_id, seq)"
#define ROW_MEASUREMENT_COLUMNS \
	ROW_COLUMNS(FIGURE_LIST(ROW_UPLOAD), FIGURE_LIST(ROW_DOWNLOAD))
#define ROW_MEASUREMENT_COLUMNS_1                                      \
	ROW_COLUMNS(FIGURE_LIST_1(ROW_UPLOAD) FIGURE_LIST_2(ROW_NULL), \
		    FIGURE_LIST_1(ROW_DOWNLOAD) FIGURE_LIST_2(ROW_NULL))
/* As many as there are columns above. */
#define ROW_DIRECTION_VALUES "?, ?, " FIGURE_LIST(ROW_VALUE) "?, ?"
#define ROW_MEASUREMENT_VALUES \
	"?, ?, ?, ?, ?, " ROW_DIRECTION_VALUES ", " ROW_DIRECTION_VALUES

void row_bind_measurement(struct row *row, const struct measurement *m);
void row_read_measurement(struct row *row, struct measurement *ret);

/* The same in two parts, for writing: the columns of the table measurement, and those of
 * measurement_detail. */
#define ROW_MAIN_COLUMNS \
	ROW_COLUMNS(FIGURE_LIST_1(ROW_UPLOAD), FIGURE_LIST_1(ROW_DOWNLOAD))
#define ROW_MAIN_DIRECTION "?, ?, " FIGURE_LIST_1(ROW_VALUE) "?, ?"
#define ROW_MAIN_VALUES    "?, ?, ?, ?, ?, " ROW_MAIN_DIRECTION ", " ROW_MAIN_DIRECTION
#define ROW_DETAIL_COLUMNS FIGURE_LIST_2(ROW_UPLOAD) FIGURE_LIST_2(ROW_DOWNLOAD) "seq"
#define ROW_DETAIL_VALUES  FIGURE_LIST_2(ROW_VALUE) FIGURE_LIST_2(ROW_VALUE) "?"

void row_bind_main(struct row *row, const struct measurement *m);
void row_bind_detail(struct row *row, const struct measurement *m);

/* The figures of a measurement alone, which is what medians and counts are made of. */
struct row_visit {
	uint32_t seq;
	int pass;
	struct mtu_pair mtu;
	enum test_status status[DIR_COUNT];
	/* NO_FIGURE unless the direction is ok. */
	int64_t rate_bps[DIR_COUNT]; /* as dir_result_rate() has it */
	int64_t sent_bps[DIR_COUNT];
	int64_t latency_us[DIR_COUNT]; /* ROW_VISIT_COLUMNS leaves it unknown */
};

/* The first of the table measurement alone, the second of ROW_MEASUREMENTS. */
#define ROW_VISIT_COLUMNS   ROW_VISIT_WITH("NULL", "NULL")
#define ROW_VISIT_LATENCIES ROW_VISIT_WITH("upload_latency_us", "download_latency_us")
#define ROW_VISIT_WITH(upload, download)                         \
	"seq, pass, server_mtu, peer_mtu, " ROW_VISIT_DIRECTION( \
		"upload", upload) ", " ROW_VISIT_DIRECTION("download", download)
#define ROW_VISIT_DIRECTION(name, latency)                              \
	name "_status, " name "_sent_bps, " name "_received_bps, " name \
	     "_goodput_bps, " latency

void row_read_visit(struct row *row, struct row_visit *ret);

#define ROW_NUMBER(name, ...) #name ", "
#define ROW_WARNING_COLUMNS \
	"kind, at_end, direction, " WARNING_NUMBERS(ROW_NUMBER) "detail"
/* As many as there are columns above. */
#define ROW_WARNING_VALUES "?, ?, ?, " WARNING_NUMBERS(ROW_VALUE) "?"

void row_bind_warning(struct row *row, const struct warning *w);
/* ret->detail is borrowed until the statement goes on. */
void row_read_warning(struct row *row, struct warning *ret);

#define ROW_ONE_END_NAME(name) #name ", "
#define ROW_ONE_END_COLUMNS                                                       \
	"sends, target, endpoint, small, proof, " ONE_END_FLAGS(ROW_ONE_END_NAME) \
		ONE_END_NUMBERS(ROW_ONE_END_NAME) "rounds"
/* As many as there are columns above. */
#define ROW_ONE_END_VALUES \
	"?, ?, ?, ?, ?, " ONE_END_FLAGS(ROW_VALUE) ONE_END_NUMBERS(ROW_VALUE) "?"

void row_bind_one_end(struct row *row, const struct one_end *facts);
/* The interface is not among them. */
void row_read_one_end(struct row *row, struct one_end *ret);

/* upload_whole and download_whole follow from the bands, and are written only. */
#define ROW_PROBE_COLUMNS                                                          \
	"seq, probed_at, took_ms, answer, early, fragments, too_big, server_mtu, " \
	"peer_mtu, largest_server_mtu, largest_peer_mtu, fit, upload_bands, "      \
	"download_bands, "                                                         \
	"event, applied"
#define ROW_PROBE_WHOLE "upload_whole, download_whole"
/* As many as there are columns in both. */
#define ROW_PROBE_VALUES "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?"

void row_bind_probe(struct row *row, const struct path_probe *probe);
/* Bands that cannot be count as wrong. */
void row_read_probe(struct row *row, struct path_probe *ret);

/* Single values, for what the lists above do not cover. */
void row_bind_int(struct row *row, int64_t value);
void row_bind_text(struct row *row, const char *value);
/* NULL where it is "". */
void row_bind_text_or_none(struct row *row, const char *value);
void row_bind_time(struct row *row, int64_t at_ms);
void row_bind_int_unless(struct row *row, int64_t value, int64_t unknown);
/* Reading. A value of another type is wrong, and so is NULL where nothing else is said. */
int64_t row_read_int(struct row *row, int64_t min, int64_t max);
int64_t row_read_int_or(struct row *row, int64_t if_null, int64_t min, int64_t max);
/* A number that is to lie within INT_MIN and INT_MAX. */
int row_read_small(struct row *row, int min, int max);
/* Borrowed until the statement goes on; "" where it is wrong. */
const char *row_read_words(struct row *row);
/* Make a JSON string of any stored text. If it is not UTF-8, every byte that is not
 * ASCII becomes '?'. Return a new object, or NULL without memory. */
json_t *row_text_json(const char *text);
/* A name or a word: wrong where it is longer. */
void row_read_text(struct row *row, char *ret, size_t size);
/* NULL is "". */
void row_read_text_or_none(struct row *row, char *ret, size_t size);
/* A public key; NULL is "". */
void row_read_key(struct row *row, char ret[KEY_SIZE]);
/* A sentence: cut to `size`. */
void row_read_sentence(struct row *row, char *ret, size_t size);
/* Milliseconds since 1970; NULL is 0. */
int64_t row_read_time(struct row *row);
/* Words of lists. */
enum test_status row_read_status(struct row *row);
enum direction row_read_direction(struct row *row);
enum fate row_read_fate(struct row *row);
enum run_outcome row_read_outcome(struct row *row);
enum reason_kind row_read_reason(struct row *row);
enum evidence_status row_read_evidence_status(struct row *row);
enum one_end_small row_read_small_answers(struct row *row);
enum one_end_proof row_read_proof(struct row *row);
enum path_probe_answer row_read_probe_answer(struct row *row);
enum path_probe_fit row_read_probe_fit(struct row *row);
enum path_probe_event row_read_probe_event(struct row *row);
enum path_probe_applied row_read_probe_applied(struct row *row);
/* "peer" or "server". */
void row_read_role(struct row *row, char *ret, size_t size);

#endif

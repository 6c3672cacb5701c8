/* SPDX-License-Identifier: MIT */
#ifndef STORE_IMPORT_H
#define STORE_IMPORT_H

#include <jansson.h>
#include <stdint.h>

#include "base/err.h"
#include "store/csvread.h"

/*
 * The import of a log of report/csv.h as a run, in one transaction. A log has MTUs, rates
 * and their order. The other columns of the run's row become
 *
 *	started_at, ended_at	when the file was last written
 *	strategy		STRATEGY_IMPORTED
 *	passes, ranges		the smallest that contain the log's pairs
 *	outcome			done; interrupted if the log's last line is incomplete
 *	options			{"file": the log's name}
 *
 * or NULL, and a warning says so. csv_export() of the run restores the log.
 */

#define STRATEGY_IMPORTED "imported"

struct import_result {
	int64_t run;
	int visits;
	int failed;
	int cut_line; /* number of the incomplete line that was omitted; 0: none */
};

/* Read the log `file`, and when it was last written. Errors as of import_csv(). The
 * caller releases *ret in any case. */
int import_read(const char *file, struct csv_log *ret, int64_t *ret_written_at_ms,
		struct err *err);

/*
 * Import `file` into `db`, which is created if missing. -EINVAL: not such a log, with
 * line and column; -ENODATA: it has no complete line; -EFBIG; -ENOENT and other errors
 * of reading a file; errors of store_open() and store_record(). The database is then
 * unchanged. Another program may have the database open and write a sweep into it. If
 * the run is stored but the database cannot be closed cleanly, *ret is filled and the
 * error is store_close()'s.
 */
int import_csv(const char *file, const char *db, struct import_result *ret,
	       struct err *err);

/*
 * Stored runs of other files, in one transaction a file. Their UUIDs name them, so the same
 * file again changes nothing. A run that is there already is replaced only by more of the
 * same: by the record, where it is a copy; else by one that ended later or, where neither
 * has ended, has more measurements or probes. It keeps its id. A run that a program of this
 * host is writing is left alone. Secrets are not imported: such a run cannot be resumed.
 *
 * Each run is read as a reader does (store/query.h) before any of it is written, so that a
 * file from anybody cannot make the database unreadable.
 */
struct import_runs {
	int stored;
	int replaced;
	int known;   /* they were there already, and nothing was changed */
	int64_t run; /* id of the last of them all */
};

/* -EUCLEAN, -EINVAL: a run that cannot be; errors of query_open() and store_open(). Nothing
 * is imported then. -ENODATA: the file has no run. */
int import_database(const char *file, const char *db, struct import_runs *ret,
		    struct err *err);

/* The same of one run, read from `file`: `tables` has an array of rows for each table of
 * docs/schema.md by its name, and a row has all columns but ids. */
int import_tables(const char *file, const json_t *tables, const char *db,
		  struct import_runs *ret, struct err *err);

/* Detect the kind of a file by its first bytes: a log is any other. -errno of reading
 * it. */
enum import_kind {
	IMPORT_LOG,
	IMPORT_DATABASE,
	IMPORT_JSON,
};
int import_kind(const char *file, enum import_kind *ret, struct err *err);

#endif

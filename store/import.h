/* SPDX-License-Identifier: MIT */
#ifndef STORE_IMPORT_H
#define STORE_IMPORT_H

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

#endif

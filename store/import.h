#ifndef STORE_IMPORT_H
#define STORE_IMPORT_H

#include <stdint.h>

#include "base/err.h"

/*
 * A log of report/csv.h as a run of a database, all of it in one transaction. A log knows
 * MTUs, rates and their order; the rest of the run's row is
 *
 *	started_at, ended_at	when the file was last written
 *	strategy		STRATEGY_IMPORTED
 *	passes, lattices	the smallest that hold the log's pairs
 *	outcome			done; interrupted where its last line is half written
 *	options			{"file": its name}
 *
 * and NULL, with a warning that says so. csv_export() of the run gives the file back.
 */

#define STRATEGY_IMPORTED "imported"

struct import_result {
	int64_t run;
	int visits;
	int failed;
	int cut_line; /* half written and left out; 0: none */
};

/*
 * `db` is made where it does not exist. -EINVAL: no such log, with line and column;
 * -ENODATA: it has no whole line; -EFBIG; -ENOENT and others of reading a file; those of
 * store_open() and store_record(). Nothing is in the database then. Another program may
 * have the database open, and write a sweep into it. Where the run is there but the
 * database could not be closed as it should, *ret is filled, and the error is
 * store_close()'s.
 */
int import_csv(const char *file, const char *db, struct import_result *ret,
	       struct err *err);

#endif

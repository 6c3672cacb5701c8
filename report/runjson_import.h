/* SPDX-License-Identifier: MIT */
#ifndef REPORT_RUNJSON_IMPORT_H
#define REPORT_RUNJSON_IMPORT_H

#include "store/import.h"

/*
 * The import of an export of runjson_export(), which gives the same export again, but for
 * the run's id. A value of it must have a column's type and range, as in a database
 * (store/import.h). Not in an export, and so not in the database: `process` and
 * `acknowledged`. The warnings of a recommendation get the time at which the run ended.
 *
 * -EINVAL: no such export, of another version, or incomplete; -EFBIG; errors of reading a
 * file and of import_tables().
 */
int runjson_import(const char *file, const char *db, struct import_runs *ret,
		   struct err *err);

#endif

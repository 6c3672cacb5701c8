/* SPDX-License-Identifier: MIT */
#ifndef CMD_RUN_CONCLUDE_H
#define CMD_RUN_CONCLUDE_H

#include <stdint.h>

#include "base/err.h"
#include "engine/verdict.h"

/*
 * The recommendation of a stored run. It follows from the run's rows and stored path
 * alone, so that the record and the copy agree.
 */

struct conclusion {
	struct verdict verdict;
	struct reason reason;
	char *text; /* the evidence; freed by the caller */
};

/* More rows than a run that probes its path has. */
#define CONCLUDE_ROWS_MAX 10000

/* `margin` in percent. -ENODATA: nothing is stored of the path; -ERANGE: more rows than
 * that. *ret untouched on failure. */
int conclude_run(const char *db, int64_t run, int margin, struct conclusion *ret,
		 struct err *err);

#endif

#ifndef CMD_RUN_CONCLUDE_H
#define CMD_RUN_CONCLUDE_H

#include <stdint.h>

#include "base/err.h"
#include "engine/verdict.h"

/*
 * What a run in a database comes to: by its rows and by what is stored of its path, so that
 * both ends' copies say the same.
 */

struct conclusion {
	struct verdict verdict;
	struct reason reason;
	char *text; /* what it rests on; the caller's to free */
};

/* More rows than a run that probes its path has. */
#define CONCLUDE_ROWS_MAX 10000

/* `margin` in percent. -ENODATA: nothing is stored of the path; -ERANGE: more rows than
 * that. *ret untouched on failure. */
int conclude_run(const char *db, int64_t run, int margin, struct conclusion *ret,
		 struct err *err);

#endif

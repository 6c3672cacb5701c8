/* SPDX-License-Identifier: MIT */
#ifndef CMD_RUN_CONCLUDE_H
#define CMD_RUN_CONCLUDE_H

#include <stdint.h>

#include "base/evidence.h"

/*
 * The recommendation of a stored run. It follows from the run's rows and stored path
 * alone, so that the record and the copy agree.
 */

/* The server's limit: the peer waits while it concludes. */
#define CONCLUDE_ROWS_MAX 10000

/* What probes alone recommend, before the run is stored: the same as conclude_run() of a
 * stored run without rows. `margin` in percent. *ret untouched on failure. */
int conclude_path(const struct run_info *run, const struct path_survey *survey,
		  int margin, struct evidence *ret, struct err *err);

/* `margin` in percent. -ENODATA: nothing is stored of the path; -ERANGE: more rows than
 * rows_max, unless that is 0. *ret untouched on failure. */
int conclude_run(const char *db, int64_t run, int margin, int rows_max,
		 struct evidence *ret, struct err *err);

/* A run of one end alone: complete its recommendation, e->mtu, with what its measurements
 * say of that pair: status, figures and warnings. Errors as above; then *e is untouched. */
int conclude_one_end(const char *db, int64_t run, int margin, struct evidence *e,
		     struct err *err);

#endif

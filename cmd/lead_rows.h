#ifndef CMD_LEAD_ROWS_H
#define CMD_LEAD_ROWS_H

#include "cmd/lead_ops.h"
#include "store/query.h"

/* What the database has of the run under way. */

/* All of its rows; the caller frees them. */
int lead_load_rows(const struct lead *lead, struct measurement **ret, size_t *ret_count,
		   struct err *err);

/* The pair that is fastest, both directions added; errors are query_best()'s. */
int lead_find_best(const struct lead *lead, struct query_result *ret, struct err *err);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef REPORT_LIVE_FACTS_H
#define REPORT_LIVE_FACTS_H

#include <jansson.h>

#include "report/heatmap.h"
#include "store/query.h"

/*
 * The facts of a run that do not change with each row: docs/protocol.md's "facts" in the
 * answer to GET /progress. `map` may be without panels. Errors of reading, -ENOMEM. *ret is
 * the caller's, NULL after an error.
 */
int live_facts(struct query *query, const struct query_run *run,
	       const struct heatmap *map, json_t **ret, struct err *err);

#endif

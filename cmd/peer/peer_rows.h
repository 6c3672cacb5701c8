#ifndef CMD_PEER_PEER_ROWS_H
#define CMD_PEER_PEER_ROWS_H

#include "cmd/peer/peer_ops.h"
#include "store/query.h"

/* What the database has of the run under way. */

/* All of its rows; the caller frees them. */
int peer_load_rows(const struct peer *peer, struct measurement **ret, size_t *ret_count,
		   struct err *err);

/* The pair that is fastest, both directions added; errors are query_best()'s. */
int peer_find_best(const struct peer *peer, struct query_result *ret, struct err *err);

#endif

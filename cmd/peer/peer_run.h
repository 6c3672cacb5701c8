/* SPDX-License-Identifier: MIT */
#ifndef CMD_PEER_PEER_RUN_H
#define CMD_PEER_PEER_RUN_H

#include "cmd/peer/peer_resume.h"
#include "cmd/peer/peer_session.h"
#include "store/query.h"
#include "store/store.h"

/* The record of the run under way, in this end's database. */

struct peer_run {
	struct store *store;
	const char *db;
	int64_t id; /* 0 before it is stored */
	struct run_info info;
	char *options; /* the command line's, JSON; NULL: out of memory */
	struct resumed resumed;
	bool rows_refused; /* by the server, and that was told */
	/* The server has all rows up to this one, also where that could not be stored. */
	uint32_t arrived;
};

/* Open the store, unless it is open. A probe opens it after its answer: no disk delays
 * that. */
int peer_run_open(struct peer_run *run, struct err *err);

/* A warning for the reader of the results: stored, and told. */
void peer_run_warn(const struct peer_run *run, const struct warning *w);

/* All of its rows; the caller frees them. */
int peer_run_load_rows(const struct peer_run *run, struct measurement **ret,
		       size_t *ret_count, struct err *err);

/* The pair that is fastest, both directions added; errors are query_best()'s. */
int peer_run_find_best(const struct peer_run *run, struct query_result *ret,
		       struct err *err);

/* Let what the server has not acknowledged be sent while the run goes on; where that cannot
 * be, send it as below. */
void peer_run_hand_rows(struct peer_run *run, struct peer_session *session,
			int64_t limit_ms);
/* Send what the server has not acknowledged, for at most `limit_ms`. */
void peer_run_send_rows(struct peer_run *run, struct peer_session *session,
			int64_t limit_ms);

/* Tell how many rows the server lacks, if it does. */
void peer_run_tell_unsent(const struct peer_run *run);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef CMD_ALONE_ALONE_ANSWER_H
#define CMD_ALONE_ALONE_ANSWER_H

#include "base/evidence.h"
#include "cmd/alone/alone.h"
#include "store/store.h"

/* Fill in the recommendation of --alone and its facts, from which its sentences are made
 * (base/one_end.h). */
void alone_answer_make(const struct alone *alone, struct evidence *ret);

/* Store the run with all that it found, in one transaction: it began at this time and,
 * unless it `goes_on`, ends now. *ret_run is its id; untouched on failure. Errors are
 * store_open()'s and those of writing. */
int alone_answer_store(const struct alone *alone, const struct evidence *evidence,
		       int64_t began_at_ms, bool goes_on, int64_t *ret_run,
		       struct err *err);

/* Begin the run that a watch's probes belong to. alone->target may be one that has not
 * answered yet. */
int alone_answer_begin_watch(const struct alone *alone, struct store *store,
			     int64_t *ret_run, struct err *err);

/* Store the end of a run that went on. `text` says why it ended, or "". */
int alone_answer_end(const struct alone *alone, int64_t run, enum run_outcome outcome,
		     const char *text, struct err *err);

#endif

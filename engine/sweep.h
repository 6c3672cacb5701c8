/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_SWEEP_H
#define ENGINE_SWEEP_H

#include "base/err.h"
#include "base/types.h"
#include "engine/plan.h"

/*
 * The loop: ask the plan, apply the pair, wait for the path, measure both directions,
 * record, tell the plan. struct sweep_ops holds all its effects: cmd/peer/peer_ops.c
 * fills it from netctl, sync and store, tests fill it with fakes.
 *
 * Every call returns 0 or a negative errno with a sentence in err. The sweep handles
 * three errors; any other ends it:
 *
 *   -EINTR      the user wants to stop; the sweep ends, this visit is not recorded
 *   -EAGAIN     (all but record) the other end or the interface is gone for now; the
 *               sweep calls recover() and, unless that fails, repeats the whole visit
 *   -EHOSTDOWN  (apply, wait_path) no packet gets through with this pair although the
 *               other end is there; the visit is recorded as unreachable
 *
 * No pair may hold the sweep for ever. recover() returns whether the pair itself may have
 * broken the path. The third time in one visit, the visit is recorded as unreachable. If
 * the path came back with the pair in force, the line is at fault, and the visit is made
 * up to ten times; then its status is error, which says nothing about the pair.
 */

enum sweep_phase {
	SWEEP_APPLYING,
	SWEEP_UPLOAD,
	SWEEP_DOWNLOAD,
	SWEEP_RECORDED,   /* `last` is the visit just recorded */
	SWEEP_RECOVERING, /* `why` says why the sweep waits */
};

struct sweep_progress {
	enum sweep_phase phase;
	struct visit visit;
	int done;  /* visits recorded */
	int total; /* visits planned */
	int64_t elapsed_ms;
	/* estimated time left; NO_FIGURE before the first visit is done */
	int64_t left_ms;
	const struct measurement *last; /* NULL before the first visit */
	const char *why;                /* NULL unless recovering */
};

enum { SWEEP_MAY_BLAME, SWEEP_BLAMELESS };

struct sweep_ops {
	/* Set both MTUs and clear the path MTUs that the last pair left. The other
	 * operations are about this visit until the next. */
	int (*apply)(void *ctx, const struct visit *visit, struct err *err);
	/* Return once the path answers with the new MTUs in force. */
	int (*wait_path)(void *ctx, struct err *err);
	/* Measure one direction, in the order of sweep_first(); it may be the only one of
	 * the visit. A failed test is a result with its status, not a failure. */
	int (*measure)(void *ctx, enum direction dir, struct dir_result *ret,
		       struct err *err);
	/* Store the row durably on this end, then send it to the server. */
	int (*record)(void *ctx, const struct measurement *m, struct err *err);
	/* Wait until the other end answers again, within the user's --wait. Return
	 * SWEEP_MAY_BLAME if the pair may have broken the path, SWEEP_BLAMELESS if it
	 * cannot have. */
	int (*recover)(void *ctx, struct err *err);
	/* Called with each change of progress; may be NULL. */
	void (*progress)(void *ctx, const struct sweep_progress *progress);
};

/* The direction that is tested first: upload, unless the probes show that only download is
 * lost. */
enum direction sweep_first(const struct visit *visit);
/* True if that one's result makes a test of the other needless: the pair does not work, as
 * predicted, and the other rate decides nothing. *ret is then its result. */
bool sweep_skips(const struct visit *visit, const struct dir_result *first,
		 struct dir_result *ret);

struct sweep_options {
	/* --peer-skip-errors False: the first failed test ends the sweep */
	bool stop_on_failure;
	uint32_t first_seq; /* 1 for a fresh run */
	int64_t budget_ms;  /* no visit begins once this time is over; 0: no budget */
};

/* The sweep's progress; filled in on failure too. */
struct sweep_summary {
	int done;
	int failed;        /* visits whose status is not ok, among those done */
	bool budget_spent; /* the plan had another visit, but the budget was spent */
};

/*
 * Run the plan to its end, or until the budget is spent, which counts from this call. 0
 * for either; -EINTR when stopped; -ECANCELED when stop_on_failure ended it; else an
 * operation's error.
 */
int sweep_run(struct plan *plan, const struct sweep_options *options,
	      const struct sweep_ops *ops, void *ctx, struct sweep_summary *ret,
	      struct err *err);

#endif

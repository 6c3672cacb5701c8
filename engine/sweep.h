#ifndef ENGINE_SWEEP_H
#define ENGINE_SWEEP_H

#include "base/err.h"
#include "base/types.h"
#include "engine/plan.h"

/*
 * The loop: ask the plan, apply the pair, wait for the path, measure both directions,
 * record, tell the plan. What it does to the world goes through struct sweep_ops, which
 * cmd/peer/peer_ops.c fills from netctl, sync and store, and tests fill with fakes.
 *
 * Every call returns 0 or a negative errno with a sentence in err. Three of them mean
 * something to the sweep; any other ends it:
 *
 *   -EINTR      the user wants to stop; ends the sweep, nothing of this visit is recorded
 *   -EAGAIN     (all but record) the other end or the interface is gone for now; the sweep
 *               calls recover() and, unless that fails, does the whole visit again
 *   -EHOSTDOWN  (apply, wait_path) this pair cannot be reached at all although the other
 *               end is there; the visit is recorded as unreachable, the sweep goes on
 *
 * No pair may hold the sweep for ever. recover() says whether the pair itself may have
 * killed the path: three times in one visit, and it is recorded as unreachable. Where it
 * cannot have, since the path came back with the pair in force, the line is at fault, and
 * the visit is made up to ten times; then its status is error, which says nothing of the
 * pair.
 */

enum sweep_phase {
	SWEEP_APPLYING,
	SWEEP_UPLOAD,
	SWEEP_DOWNLOAD,
	SWEEP_RECORDED,   /* `last` is the visit just recorded */
	SWEEP_RECOVERING, /* `why` says what is waited for */
};

struct sweep_progress {
	enum sweep_phase phase;
	struct visit visit;
	int done;  /* visits recorded */
	int total; /* visits planned */
	int64_t elapsed_ms;
	int64_t left_ms; /* an estimate; NO_FIGURE before the first visit is done */
	const struct measurement *last; /* NULL before the first */
	const char *why;                /* NULL unless recovering */
};

enum { SWEEP_MAY_BLAME, SWEEP_BLAMELESS };

struct sweep_ops {
	/* Set both MTUs and clear what the last pair left behind. */
	int (*apply)(void *ctx, const struct mtu_pair *mtu, struct err *err);
	/* Return once the path answers with the new MTUs in force. */
	int (*wait_path)(void *ctx, struct err *err);
	/* One direction. A failed test is a result with its status, not a failure. */
	int (*measure)(void *ctx, enum direction dir, struct dir_result *ret,
		       struct err *err);
	/* Make the row durable here, then pass it on. */
	int (*record)(void *ctx, const struct measurement *m, struct err *err);
	/* Wait until the other end answers again, within the user's --wait. SWEEP_MAY_BLAME:
	 * the pair may have killed the path; SWEEP_BLAMELESS: it cannot have. */
	int (*recover)(void *ctx, struct err *err);
	/* For whoever watches; may be NULL. */
	void (*progress)(void *ctx, const struct sweep_progress *progress);
};

struct sweep_options {
	bool stop_on_failure; /* --peer-skip-errors False: the first failed test ends it
			       */
	uint32_t first_seq;   /* 1 for a fresh run */
	int64_t budget_ms;    /* no visit is begun once this is over; 0: none */
};

/* How far it came; filled in on failure too. */
struct sweep_summary {
	int done;
	int failed;        /* of them, visits whose status is not ok */
	bool budget_spent; /* the plan had another visit, and no time for it was left */
};

/*
 * Run the plan to its end, or to that of the budget, which counts from this call. 0 when
 * either is reached; -EINTR when stopped; -ECANCELED when stop_on_failure ended it; else
 * what an operation returned.
 */
int sweep_run(struct plan *plan, const struct sweep_options *options,
	      const struct sweep_ops *ops, void *ctx, struct sweep_summary *ret,
	      struct err *err);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef SYNC_ROWCHECK_H
#define SYNC_ROWCHECK_H

#include "base/err.h"
#include "base/types.h"

/*
 * The bounds of the rows that a session may send: pairs of the run's ranges, figures that
 * agree with one another, numbers that rise, and no more rows than the session had pairs
 * set, or the server may still lack. Pure and unlocked. sync/msg.c has bounded each figure
 * by itself before.
 */

/* The highest number of a row, so of the rows of a run. */
#define ROWCHECK_SEQ_MAX 1000000
/* Earlier rows that a session may send: of a run that the server knows, and of a new
 * one (measurements whose pair the server could not set). */
#define ROWCHECK_BACKLOG     10000
#define ROWCHECK_BACKLOG_NEW 100

struct rowcheck {
	struct mtu_range server;
	struct mtu_range peer;
	uint32_t last; /* the highest number taken */
	int64_t left;  /* rows that may still come */
};

/* A session begins; `known`: the server had this run before. */
void rowcheck_begin(struct rowcheck *check, const struct run_info *run, bool known);
/* A session of the same run takes over, and sends rows that were not acknowledged
 * again. Its ranges count: they may begin lower, once the path was probed. */
void rowcheck_resume(struct rowcheck *check, const struct run_info *run);
/* A pair was set for a test: one more row may come. */
void rowcheck_earn(struct rowcheck *check);

/* 1: a new number, rowcheck_count() follows once the row is stored; 0: its number is not
 * new, so it must be one that is stored; -EINVAL: the row cannot be; -EDQUOT: it is one too
 * many, unless it is stored already. */
int rowcheck_take(const struct rowcheck *check, const struct measurement *m,
		  struct err *err);
/* `stored`: the row was inserted now. One that was there already, as after a takeover,
 * costs nothing. */
void rowcheck_count(struct rowcheck *check, const struct measurement *m, bool stored);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef CMD_HOST_PROGRESS_H
#define CMD_HOST_PROGRESS_H

#include "base/types.h"

/*
 * The progress of a sweep on stderr: one line that is rewritten on a terminal, else one
 * line a pair. A terminal that is gone or blocked is no error and delays nothing. Any
 * thread may call these functions at any time.
 */

struct progress_line {
	struct mtu_pair mtu;
	const char *doing; /* "upload", "waiting for the server", ... */
	int done;
	int total;                      /* 0 unknown */
	int64_t left_ms;                /* NO_FIGURE unknown */
	const struct measurement *last; /* NULL before the first */
};

/* Where it goes is found out once, at the first call. */
void progress_update(const struct progress_line *line);
/* A visit was recorded (line->last). */
void progress_row(const struct progress_line *line);
/* Clears the line that stays, so that a message can be written. */
void progress_clear(void);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef CMD_HOST_PROGRESS_H
#define CMD_HOST_PROGRESS_H

#include "base/err.h"
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

/* The kind of output is detected once, at the first call. */
void progress_update(const struct progress_line *line);
/* A measurement was recorded (line->last). */
void progress_row(const struct progress_line *line);
/* Clears the line that stays, so that a message can be written. */
void progress_clear(void);

/* Print results on stdout, clear of the progress line. A reader that does not read has a
 * second: io_write_or_drop(). */
int progress_print(const char *text);
/* The same of a run as a document, whose id and database a failure names. -EIO. */
int progress_print_run(const char *text, int64_t run, const char *db, struct err *err);
/* Where progress_print() writes to, to look at: a terminal has colours and a width. */
int progress_print_fd(void);

#endif

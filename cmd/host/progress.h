#ifndef CMD_HOST_PROGRESS_H
#define CMD_HOST_PROGRESS_H

#include "base/types.h"

/*
 * What a user sees while a sweep runs, on stderr: on a terminal one line that stays,
 * else one line a pair. A terminal that is gone, or that does not take any more just
 * now, is no error and holds nothing up. Any thread, at any time.
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

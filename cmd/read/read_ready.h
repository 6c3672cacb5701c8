/* SPDX-License-Identifier: MIT */
#ifndef CMD_READ_READ_READY_H
#define CMD_READ_READ_READY_H

#include "cmd/read/read.h"

/*
 * The part of `mtusweep best` that prints ready text for other systems (report/ready.h):
 * --as and its options.
 */

/* --as, --end, --interface, and read_json_result_options. */
extern const struct option_spec read_ready_options[];

/* True if --as was given. */
bool read_ready_asked(void);

/* -EINVAL: an option that needs --as, or excludes it. */
int read_ready_check(struct err *err);

/* Print the text for the run. -ENODATA: the run recommends no MTU for that end; the
 * sentence says why. -EINVAL: the interface's name does not fit into such text. */
int read_ready_print(struct query *query, const struct query_run *run, struct err *err);

#endif

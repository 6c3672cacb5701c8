/* SPDX-License-Identifier: MIT */
#ifndef CMD_READ_READ_OUTPUT_H
#define CMD_READ_READ_OUTPUT_H

#include "base/outfile.h"

/*
 * The file that a command's --output names.
 *
 *	cleanup_outfile struct outfile out = OUTFILE_INIT;
 *	r = read_output_open(&out, path, err);
 *	if (r == 0)
 *		r = ...(out.stream, err);
 *	return read_output_end(&out, r, err);
 */

/* As outfile_open(). -EEXIST: it is the database of --db, one of SQLite's files beside
 * that, or another SQLite database, none of which an output may replace. */
int read_output_open(struct outfile *out, const char *path, struct err *err);

/* Commit the file if `r` is 0. Else return `r`; if the file could not be written, name
 * it in the error. */
int read_output_end(struct outfile *out, int r, struct err *err);

#endif

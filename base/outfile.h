/* SPDX-License-Identifier: MIT */
#ifndef BASE_OUTFILE_H
#define BASE_OUTFILE_H

#include <limits.h>
#include <stdio.h>

#include "base/err.h"

/*
 * A file that a user asked for, written completely or not at all. A temporary file
 * beside it, whose name begins with a dot and has another ending, replaces it when it
 * is complete. An existing file keeps its mode. If the path is a symbolic link, the
 * link's target is replaced, not the link. A path that is no regular file (/dev/stdout,
 * a fifo) is written to directly.
 *
 *	cleanup_outfile struct outfile out = OUTFILE_INIT;
 *	outfile_open(&out, path, err);
 *	fprintf(out.stream, ...);
 *	outfile_commit(&out, err);
 */

struct outfile {
	FILE *stream;     /* to write to; closed by commit and release */
	const char *name; /* as given by the user: borrowed, for messages */
	char path[PATH_MAX];
	char temporary[PATH_MAX]; /* "": the file is written to directly */
};

#define OUTFILE_INIT           \
	{                      \
		.stream = NULL \
	}

/* `path` must stay valid until the release. -EISDIR; -ENAMETOOLONG; -EACCES, -ENOENT
 * and other errors of open(). */
int outfile_open(struct outfile *out, const char *path, struct err *err);

/* Put the complete file in its place, on the disk. -ENOSPC and other errors of write(),
 * also of earlier writes to the stream; the file is then as it was. */
int outfile_commit(struct outfile *out, struct err *err);

/* Remove the temporary file unless it was committed. */
void outfile_release(struct outfile *out);
#define cleanup_outfile __attribute__((cleanup(outfile_release)))

#endif

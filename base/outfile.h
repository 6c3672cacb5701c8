#ifndef BASE_OUTFILE_H
#define BASE_OUTFILE_H

#include <limits.h>
#include <stdio.h>

#include "base/err.h"

/*
 * A file that a user asked for, written so that it is there as a whole or not at all: a
 * temporary file beside it, whose name begins with a dot and does not end as the file's
 * does, takes its place once it is complete. A file that was there keeps its mode, and
 * what a symbolic link leads to is replaced, not the link. What is no regular file
 * (/dev/stdout, a fifo) is written to directly.
 *
 *	cleanup_outfile struct outfile out = OUTFILE_INIT;
 *	outfile_open(&out, path, err);
 *	fprintf(out.stream, ...);
 *	outfile_commit(&out, err);
 */

struct outfile {
	FILE *stream;     /* to write to; closed by commit and release */
	const char *name; /* as it was given: borrowed, for messages */
	char path[PATH_MAX];
	char temporary[PATH_MAX]; /* "": it is written to directly */
};

#define OUTFILE_INIT           \
	{                      \
		.stream = NULL \
	}

/* `path` is to stay until the release. -EISDIR; -ENAMETOOLONG; -EACCES, -ENOENT and
 * others of opening a file. */
int outfile_open(struct outfile *out, const char *path, struct err *err);

/* All of it is on the disk, in its place. -ENOSPC and others of writing, also of what was
 * written to the stream before; the file is then as it was. */
int outfile_commit(struct outfile *out, struct err *err);

/* Without a commit nothing stays behind. */
void outfile_release(struct outfile *out);
#define cleanup_outfile __attribute__((cleanup(outfile_release)))

#endif

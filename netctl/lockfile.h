/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_LOCKFILE_H
#define NETCTL_LOCKFILE_H

#include "base/err.h"

/*
 * A file in /run/mtusweep (rundir.h) that one process, with those it forks, holds at a
 * time, by flock(). It names its holder, and exists only while it is held: the holder
 * removes it on release. A killed holder leaves it; the next one takes it and removes
 * it.
 */

/* The holder's identity: written into the file, or read from it. */
struct lockfile_holder {
	char text[64];
};

/*
 * Take the lock for `holder`; its descriptor in *ret_fd is above 2. -EBUSY without a
 * text: another process holds it, *holder says which ("": unknown). Other errors as
 * rundir_open().
 */
int lockfile_take(const char *name, struct lockfile_holder *holder, int *ret_fd,
		  struct err *err);

/* Remove the file and release the lock; a descriptor of -1 or 0 is none. For the last
 * of its holders: the others' descriptors then belong to a lock that no process can
 * meet. */
void lockfile_release(int *fd);

#endif

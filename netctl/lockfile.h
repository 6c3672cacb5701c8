#ifndef NETCTL_LOCKFILE_H
#define NETCTL_LOCKFILE_H

#include "base/err.h"

/*
 * A file in /run/mtusweep (rundir.h) that one process and those it forks hold at a time, by flock(). It says who holds
 * it, and is there only as long: who lets go of it removes it. One that was killed leaves
 * it, to be taken and removed by the next.
 */

/* Who holds it: written into it, or read from it. */
struct lockfile_holder {
	char text[64];
};

/*
 * Take it for `holder`, whose descriptor in *ret_fd is above 2. -EBUSY without a text: it
 * is held, and *holder says by whom ("": it does not say). Else as rundir_open().
 */
int lockfile_take(const char *name, struct lockfile_holder *holder, int *ret_fd,
		  struct err *err);

/* Remove it and let go of it; -1 or 0 is none. For the last of those who hold it: the
 * others' descriptors are of a lock that nobody meets any more. */
void lockfile_release(int *fd);

#endif

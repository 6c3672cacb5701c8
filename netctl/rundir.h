/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_RUNDIR_H
#define NETCTL_RUNDIR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/*
 * /run/mtusweep, the folder of journals and locks. The changes in a journal are
 * restored with root's privileges, so only root may write there, or replace the folder
 * or a file in it: it is opened once for each job, checked, and used by its descriptor
 * (openat(2) and the like), with names that never follow a link.
 */

#define RUNDIR_PATH "/run/mtusweep"

/*
 * Open it, and make it where it is missing. -ENOTDIR: a symbolic link, or no folder;
 * -EPERM: its owner is not root, or its mode not 0700. The texts say what to do.
 */
int rundir_open(int *ret_fd, struct err *err);

/* Which folder it is; inode 0: it cannot be used. */
struct rundir_place {
	uint64_t device;
	uint64_t inode;
};

void rundir_find_place(struct rundir_place *ret);
/* False if another folder is there now: one was mounted over it, or it was made anew. True
 * if one of both cannot be used. */
bool rundir_is_at(const struct rundir_place *place);

/* Open a file in it, close-on-exec. -EPERM: another user's, or no regular file. -ENOENT,
 * -ELOOP a link, and what else open(2) says. */
int rundir_open_file(int folder, const char *name, int flags, int *ret_fd,
		     struct err *err);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_HELDFOLDER_H
#define NETCTL_HELDFOLDER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * A folder that root works in although a user may own it. heldfolder_open() walks the
 * path one component at a time, each by a descriptor of its own, and judges each folder
 * that it passes: only root and one user can replace it. From then on steps go through
 * the descriptor with the *at() calls, so that they all act in this one folder,
 * wherever the path leads meanwhile. That user's own files may be read and replaced
 * there; the caller refuses files of anybody else (`user`).
 */

struct heldfolder {
	int fd;          /* O_PATH; -1 once released */
	char path[4096]; /* real: absolute, without links, "." and ".." */
	/* The user besides root who can exchange this folder or one on the way to it,
	 * or the files in it; 0: nobody can. */
	uid_t user;
	uint64_t device;
	uint64_t inode;
};

/*
 * Follow symbolic links on the way. A user who can exchange one counts as `user`.
 * With a `user` the folder itself has to be that user's. A sticky folder such as /tmp may
 * lie on the way, if root or `user` owns the next component in it, but it may not be the
 * folder itself. -EPERM: more than one user, or everybody, can exchange what is on the
 * way (the text says which folder, and what to do). -ENOENT, -ENOTDIR, -ELOOP,
 * -ENAMETOOLONG, or what the kernel says, but never -ESTALE: that is -EIO.
 */
int heldfolder_open(const char *path, struct heldfolder *ret, struct err *err);

/* A path follows so many symbolic links, as in the kernel. */
#define HELDFOLDER_LINKS_MAX 40

/* A negative errno of a step in a held folder, with -EIO for -ESTALE: the callers take
 * -ESTALE for somebody's change, but a file system's is a failure to look. */
int heldfolder_not_stale(int r);

void heldfolder_release(struct heldfolder *folder);
#define cleanup_heldfolder __attribute__((cleanup(heldfolder_release)))

bool heldfolder_is_same(const struct heldfolder *a, const struct heldfolder *b);

/* True while its path leads to it; false also where that cannot be opened. */
bool heldfolder_is_in_place(const struct heldfolder *folder);

#endif

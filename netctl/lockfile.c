/* SPDX-License-Identifier: MIT */
#include "netctl/lockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "netctl/rundir.h"

/* True when the name still leads to the open file; false once its holder has removed
 * it. */
static bool is_at(int folder, const char *name, int fd)
{
	struct stat there;
	struct stat here;

	return fstat(fd, &here) == 0 &&
	       fstatat(folder, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

static int open_above_2(int folder, const char *name, int *ret_fd, struct err *err)
{
	cleanup_fd int opened = -1;
	int r = rundir_open_file(folder, name, O_RDWR | O_CREAT, &opened, err);

	if (r < 0)
		return r;
	/* Do not take the number of a standard stream that was closed. */
	*ret_fd = fcntl(opened, F_DUPFD_CLOEXEC, 3);
	return *ret_fd < 0 ? err_sys(err, errno, "cannot open lock '%s'", name) : 0;
}

/* 1 taken; 0 when the file was removed between the two steps; -EBUSY as in the
 * header. */
static int try_take(int folder, const char *name, struct lockfile_holder *holder,
		    int *ret_fd, struct err *err)
{
	cleanup_fd int fd = -1;
	size_t length = strlen(holder->text);
	ssize_t n;
	int r = open_above_2(folder, name, &fd, err);

	if (r < 0)
		return r;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return err_sys(err, errno, "cannot lock '%s/%s'", RUNDIR_PATH,
				       name);
		n = pread(fd, holder->text, sizeof(holder->text) - 1, 0);
		holder->text[n > 0 ? n : 0] = '\0';
		return -EBUSY;
	}
	if (!is_at(folder, name, fd))
		return 0;
	if (ftruncate(fd, 0) < 0 ||
	    pwrite(fd, holder->text, length, 0) != (ssize_t)length) {
		r = err_sys(err, errno, "cannot write '%s/%s'", RUNDIR_PATH, name);
		unlinkat(folder, name, 0);
		return r;
	}
	*ret_fd = fd;
	fd = -1;
	return 1;
}

int lockfile_take(const char *name, struct lockfile_holder *holder, int *ret_fd,
		  struct err *err)
{
	cleanup_fd int folder = -1;
	int r = rundir_open(&folder, err);

	if (r < 0)
		return r;
	do {
		r = try_take(folder, name, holder, ret_fd, err);
	} while (r == 0);
	return r < 0 ? r : 0;
}

void lockfile_release(int *fd)
{
	cleanup_fd int folder = -1;
	char link[32];
	char path[4096];
	const char *slash;
	ssize_t n;

	if (*fd <= 0)
		return;
	/* Use the name it was opened by; by now another process may have a file of that
	 * name. */
	snprintf(link, sizeof(link), "/proc/self/fd/%d", *fd);
	n = readlink(link, path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = '\0';
	slash = strrchr(path, '/');
	if (slash && rundir_open(&folder, NULL) == 0 && is_at(folder, slash + 1, *fd))
		unlinkat(folder, slash + 1, 0);
	fd_close(fd);
}

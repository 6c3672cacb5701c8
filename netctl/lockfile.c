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

/* Whether the path leads to the open file: not once its holder has removed it. */
static bool is_at(const char *path, int fd)
{
	struct stat there;
	struct stat here;

	return fstat(fd, &here) == 0 && lstat(path, &there) == 0 &&
	       here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

static int open_above_2(const char *path)
{
	cleanup_fd int opened =
		open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int fd;

	if (opened < 0)
		return -errno;
	/* Not in the place of a standard stream that was closed. */
	fd = fcntl(opened, F_DUPFD_CLOEXEC, 3);
	return fd < 0 ? -errno : fd;
}

/* 1, 0 when it was removed between the two steps, -EBUSY as the header has it. */
static int try_take(const char *path, struct lockfile_holder *holder, int *ret_fd,
		    struct err *err)
{
	cleanup_fd int fd = open_above_2(path);
	size_t length = strlen(holder->text);
	ssize_t n;

	if (fd < 0)
		return err_sys(err, -fd, "cannot open '%s'", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return err_sys(err, errno, "cannot lock '%s'", path);
		n = pread(fd, holder->text, sizeof(holder->text) - 1, 0);
		holder->text[n > 0 ? n : 0] = '\0';
		return -EBUSY;
	}
	if (!is_at(path, fd))
		return 0;
	if (ftruncate(fd, 0) < 0 ||
	    pwrite(fd, holder->text, length, 0) != (ssize_t)length) {
		int r = err_sys(err, errno, "cannot write '%s'", path);

		unlink(path);
		return r;
	}
	*ret_fd = fd;
	fd = -1;
	return 1;
}

int lockfile_take(const char *path, struct lockfile_holder *holder, int *ret_fd,
		  struct err *err)
{
	int r;

	do {
		r = try_take(path, holder, ret_fd, err);
	} while (r == 0);
	return r < 0 ? r : 0;
}

void lockfile_release(int *fd)
{
	char link[32];
	char path[4096];
	ssize_t n;

	if (*fd <= 0)
		return;
	/* The name it was opened by; what is there by now may be another's. */
	snprintf(link, sizeof(link), "/proc/self/fd/%d", *fd);
	n = readlink(link, path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = '\0';
	if (is_at(path, *fd))
		unlink(path);
	fd_close(fd);
}

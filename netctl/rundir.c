/* SPDX-License-Identifier: MIT */
/* The folder of journals and locks. */
#include "netctl/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

#define RUNDIR_MODE 0700

static int not_a_folder(struct err *err)
{
	return err_set(err, -ENOTDIR,
		       "'" RUNDIR_PATH
		       "' is a symbolic link or not a folder; remove it "
		       "and start again");
}

static int check_folder(int fd, struct err *err)
{
	struct stat folder;
	unsigned int mode;

	if (fstat(fd, &folder) < 0)
		return err_sys(err, errno, "cannot use folder '" RUNDIR_PATH "'");
	mode = folder.st_mode & 07777;
	if (folder.st_uid == 0 && mode == RUNDIR_MODE)
		return 0;
	return err_set(
		err, -EPERM,
		"folder '" RUNDIR_PATH "' belongs to user %u with mode %04o, but root "
		"obeys its journals: it must belong to root with mode 0700; look at "
		"its files, then correct owner and mode, or remove it",
		(unsigned)folder.st_uid, mode);
}

int rundir_open(int *ret_fd, struct err *err)
{
	cleanup_fd int fd = -1;
	int r;

	if (mkdir(RUNDIR_PATH, RUNDIR_MODE) < 0 && errno != EEXIST)
		return err_sys(err, errno, "cannot make folder '" RUNDIR_PATH "'");
	fd = open(RUNDIR_PATH, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
		return not_a_folder(err);
	if (fd < 0)
		return err_sys(err, errno, "cannot open folder '" RUNDIR_PATH "'");
	r = check_folder(fd, err);
	if (r < 0)
		return r;
	*ret_fd = fd;
	fd = -1;
	return 0;
}

void rundir_find_place(struct rundir_place *ret)
{
	cleanup_fd int fd = -1;
	struct stat folder;

	*ret = (struct rundir_place){0};
	if (rundir_open(&fd, NULL) < 0 || fstat(fd, &folder) < 0)
		return;
	ret->device = folder.st_dev;
	ret->inode = folder.st_ino;
}

bool rundir_is_at(const struct rundir_place *place)
{
	struct rundir_place now;

	rundir_find_place(&now);
	return !place->inode || !now.inode ||
	       (now.device == place->device && now.inode == place->inode);
}

int rundir_open_file(int folder, const char *name, int flags, int *ret_fd,
		     struct err *err)
{
	/* Not to wait for the other end of a FIFO. */
	cleanup_fd int fd =
		openat(folder, name, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	struct stat file;

	if (fd < 0 || fstat(fd, &file) < 0)
		return err_sys(err, errno, "cannot open '" RUNDIR_PATH "/%s'", name);
	if (!S_ISREG(file.st_mode) || file.st_uid != 0)
		return err_set(err, -EPERM,
			       "'" RUNDIR_PATH "/%s' does not belong to root or is not "
			       "a regular file: look at it, then remove it",
			       name);
	*ret_fd = fd;
	fd = -1;
	return 0;
}

/* The conf file on disk: may it be replaced, read it, replace it in one step. */
#include "netctl/conffile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/io.h"
#include "base/text.h"

/* Beside the file, and always the same: what a crash left is found and replaced. */
#define TEMPORARY ".mtusweep-new"

/* --- reading --- */

static int open_regular(const char *path, int *ret_fd, struct stat *ret,
			struct err *err)
{
	/* A fifo must not hold us up, nor a link lead elsewhere than was checked. */
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return err_sys(err, errno, "cannot open the conf file '%s'", path);
	if (fstat(fd, ret) < 0)
		return err_sys(err, errno, "cannot read the conf file '%s'", path);
	if (S_ISDIR(ret->st_mode))
		return err_set(err, -EISDIR, "not a conf file but a folder: '%s'",
			       path);
	if (!S_ISREG(ret->st_mode))
		return err_set(err, -EINVAL, "not a regular file: '%s'", path);
	*ret_fd = fd;
	fd = -1;
	return 0;
}

/* Up to `size` bytes; what was read, or -errno. */
static ssize_t read_all(int fd, char *data, size_t size)
{
	size_t used = 0;

	while (used < size) {
		ssize_t n = read(fd, data + used, size - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		used += (size_t)n;
	}
	return (ssize_t)used;
}

int conffile_read(const char *path, char **ret, size_t *ret_size, struct err *err)
{
	cleanup_fd int fd = -1;
	struct stat st;
	char *data;
	ssize_t n;
	int rc = open_regular(path, &fd, &st, err);

	if (rc < 0)
		return rc;
	if (st.st_size > CONFFILE_LIMIT)
		return err_set(err, -EFBIG, "too large for a conf file: '%s'", path);
	/* Not a buffer that grows: it would leave copies of keys behind. */
	data = malloc((size_t)st.st_size + 1);
	if (!data)
		return err_sys(err, ENOMEM, "cannot read the conf file '%s'", path);
	n = read_all(fd, data, (size_t)st.st_size);
	if (n < 0) {
		conffile_wipe(data, (size_t)st.st_size);
		return err_sys(err, (int)-n, "cannot read the conf file '%s'", path);
	}
	data[n] = '\0';
	*ret = data;
	*ret_size = (size_t)n;
	return 0;
}

/* --- checking --- */

static void split_path(const char *path, char folder[PATH_MAX])
{
	char copy[PATH_MAX];

	text_copy(copy, sizeof(copy), path);
	text_copy(folder, PATH_MAX, dirname(copy));
}

/* The real path; -ELOOP where a link leads out of the folder it lies in. */
static int resolve(const char *path, char real[PATH_MAX], struct err *err)
{
	char folder[PATH_MAX];
	char real_folder[PATH_MAX];
	char target_folder[PATH_MAX];

	if (strlen(path) >= PATH_MAX)
		return err_set(err, -ENAMETOOLONG, "the conf file's path is too long");
	if (!realpath(path, real))
		return err_sys(err, errno, "cannot open the conf file '%s'", path);
	split_path(path, folder);
	split_path(real, target_folder);
	if (!realpath(folder, real_folder))
		return err_sys(err, errno, "cannot open the folder '%s'", folder);
	if (strcmp(real_folder, target_folder))
		return err_set(
			err, -ELOOP,
			"the conf file '%s' is a symbolic link out of its folder: "
			"name '%s' itself",
			path, real);
	return 0;
}

/* What makes rename() onto it fail although the folder can be written. */
static int check_replaceable(const char *path, struct err *err)
{
	struct statx stx;

	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &stx) < 0)
		return err_sys(err, errno, "cannot read the conf file '%s'", path);
	if (stx.stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND))
		return err_set(
			err, -EPERM,
			"cannot replace the conf file '%s': it is immutable (see "
			"chattr(1))",
			path);
	if (stx.stx_attributes & STATX_ATTR_MOUNT_ROOT)
		return err_set(
			err, -EBUSY,
			"cannot replace the conf file '%s': it is a mount point; "
			"mount its folder instead",
			path);
	return 0;
}

static int temporary_path(const char *path, char ret[PATH_MAX], struct err *err)
{
	if (snprintf(ret, PATH_MAX, "%s" TEMPORARY, path) >= PATH_MAX)
		return err_set(err, -ENAMETOOLONG, "the conf file's path is too long");
	return 0;
}

static int check_folder(const char *path, struct err *err)
{
	char folder[PATH_MAX];
	char temporary[PATH_MAX];
	cleanup_fd int fd = -1;
	int rc = temporary_path(path, temporary, err);

	if (rc < 0)
		return rc;
	split_path(path, folder);
	fd = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (fd >= 0)
		return 0;
	/* A file system without nameless files gets one with a name. */
	if (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT) {
		fd = open(temporary, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
		if (fd >= 0 && unlink(temporary) == 0)
			return 0;
	}
	if (errno == EEXIST)
		return 0;
	return err_sys(err, errno, "cannot make a file beside the conf file, in '%s'",
		       folder);
}

int conffile_check(const char *path, char *ret_path, struct err *err)
{
	char real[PATH_MAX];
	struct conffile_facts facts;
	struct err why = ERR_INIT;
	char *data = NULL;
	size_t size = 0;
	int rc = resolve(path, real, err);

	if (rc == 0)
		rc = conffile_read(real, &data, &size, err);
	if (rc < 0)
		return rc;
	rc = conffile_facts(data, size, &facts, &why);
	conffile_wipe(data, size);
	if (rc < 0)
		return err_set(err, rc, "%s: '%s'", why.text, path);
	rc = check_replaceable(real, err);
	if (rc == 0)
		rc = check_folder(real, err);
	if (rc == 0)
		text_copy(ret_path, PATH_MAX, real);
	return rc;
}

/* --- replacing --- */

static int copy_attribute(int from, int to, const char *name)
{
	char value[4096];
	ssize_t n = fgetxattr(from, name, value, sizeof(value));

	if (n >= 0 && fsetxattr(to, name, value, (size_t)n, 0) == 0)
		return 0;
	/* Labels come from the system's policy, and setting them takes capabilities
	 * that were given up. */
	if (strncmp(name, "security.", 9) == 0 || strncmp(name, "trusted.", 8) == 0)
		return 0;
	return -errno;
}

static int copy_attributes(int from, int to)
{
	char names[4096];
	ssize_t size = flistxattr(from, names, sizeof(names));
	int rc = 0;

	if (size < 0)
		return errno == EOPNOTSUPP ? 0 : -errno;
	for (char *name = names; rc == 0 && name < names + size;
	     name += strlen(name) + 1)
		rc = copy_attribute(from, to, name);
	return rc;
}

static int fill(int original, int fd, const char *data, size_t size)
{
	struct stat st;
	int rc;

	if (fstat(original, &st) < 0 || fchown(fd, st.st_uid, st.st_gid) < 0)
		return -errno;
	rc = copy_attributes(original, fd);
	if (rc == 0 && fchmod(fd, st.st_mode & 07777) < 0)
		rc = -errno;
	if (rc == 0)
		rc = io_write_all(fd, data, size);
	if (rc == 0 && fsync(fd) < 0)
		rc = -errno;
	return rc;
}

static int sync_folder(const char *path)
{
	char folder[PATH_MAX];
	cleanup_fd int fd = -1;

	split_path(path, folder);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* Never over an existing file, unless it is the one to be replaced. */
static int place(const char *temporary, const char *to, bool replace)
{
	struct stat st;

	if (replace)
		return rename(temporary, to) < 0 ? -errno : 0;
	if (renameat2(AT_FDCWD, temporary, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	/* A file system without it: the caller's lock has to do. */
	if (lstat(to, &st) == 0)
		return -EEXIST;
	return rename(temporary, to) < 0 ? -errno : 0;
}

int conffile_copy(const char *from, const char *to, const char *data, size_t size,
		  struct err *err)
{
	char temporary[PATH_MAX];
	cleanup_fd int original = -1;
	cleanup_fd int fd = -1;
	struct stat st;
	int rc = temporary_path(to, temporary, err);

	if (rc == 0)
		rc = open_regular(from, &original, &st, err);
	if (rc < 0)
		return rc;
	if (unlink(temporary) < 0 && errno != ENOENT)
		return err_sys(err, errno, "cannot remove '%s'", temporary);
	fd = open(temporary, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW,
		  0600);
	if (fd < 0)
		return err_sys(err, errno, "cannot make '%s'", temporary);
	rc = fill(original, fd, data, size);
	if (rc == 0)
		rc = place(temporary, to, strcmp(from, to) == 0);
	if (rc < 0) {
		(void)unlink(temporary);
		return err_sys(err, -rc, "cannot write the conf file '%s'", to);
	}
	rc = sync_folder(to);
	return rc < 0 ? err_sys(err, -rc, "cannot sync the folder of '%s'", to) : 0;
}

int conffile_replace(const char *path, const char *data, size_t size, struct err *err)
{
	return conffile_copy(path, path, data, size, err);
}

int conffile_put_back(const char *original, const char *path, struct err *err)
{
	if (rename(original, path) < 0)
		return err_sys(err, errno, "cannot put '%s' back as '%s'", original,
			       path);
	/* It is back, and there is nothing left that another try could move. */
	(void)sync_folder(path);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* The conf file on disk: may it be replaced, read it, replace it in one step. */
#include "netctl/conffile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/io.h"
#include "base/text.h"

/* The name within the folder. */
struct name {
	char text[NAME_MAX + CONFFILE_SUFFIX_MAX];
};

static struct name name_of(const struct conffile *file, const char *suffix)
{
	struct name name;

	snprintf(name.text, sizeof(name.text), "%s%s%s", file->name, suffix,
		 suffix[0] ? conffile_ending(file->name) : "");
	return name;
}

const char *conffile_ending(const char *path)
{
	return conffile_form(path) == CONFFILE_KEYFILE ? "~" : "";
}

struct conffile_path conffile_path(const struct conffile *file, const char *suffix)
{
	struct conffile_path path;

	snprintf(path.text, sizeof(path.text), "%s/%s",
		 strcmp(file->folder.path, "/") ? file->folder.path : "",
		 name_of(file, suffix).text);
	return path;
}

/* errno with a sentence about one of the files. */
static int fail_file(struct err *err, int errno_value, const char *what,
		     const struct conffile *file, const char *suffix)
{
	err_sys(err, errno_value, "%s '%s'", what, conffile_path(file, suffix).text);
	return heldfolder_not_stale(-errno_value);
}

/* --- the folder --- */

int conffile_open(const char *path, struct conffile *ret, struct err *err)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	char folder[PATH_MAX];
	struct err why = ERR_INIT;
	int r;

	ret->folder.fd = -1;
	if (strlen(path) >= PATH_MAX || strlen(name) > NAME_MAX)
		return err_set(err, -ENAMETOOLONG, "the conf file's path is too long");
	if (!path[0])
		return err_sys(err, ENOENT, "cannot open the conf file ''");
	if (!name[0] || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return err_set(err, -EISDIR, "'%s' is a folder, not a conf file", path);
	/* "folder/" is the folder, also for "/". */
	snprintf(folder, sizeof(folder), "%.*s", (int)(name - path), path);
	text_copy(ret->name, sizeof(ret->name), name);
	r = heldfolder_open(folder, &ret->folder, &why);
	if (r < 0)
		return err_set(err, r, "cannot use conf file '%.120s': %s", path,
			       why.text);
	return 0;
}

void conffile_close(struct conffile *file)
{
	heldfolder_release(&file->folder);
}

/* --- reading --- */

/* The owner of the folder may link to a file of root's: it must not pass for theirs. */
static int admit_file(const struct conffile *file, const char *suffix,
		      const struct stat *st, struct err *err)
{
	if (!file->folder.user || st->st_uid == file->folder.user)
		return 0;
	return err_set(err, -EPERM,
		       "'%.120s' belongs to user %u, but user %u can replace its "
		       "folder; give both to one of these users, or to root (chown)",
		       conffile_path(file, suffix).text, (unsigned)st->st_uid,
		       (unsigned)file->folder.user);
}

static int open_regular(const struct conffile *file, const char *suffix, int *ret_fd,
			struct stat *ret, struct err *err)
{
	/* A fifo must not block us, and a link must not lead elsewhere than was
	 * checked. */
	cleanup_fd int fd =
		openat(file->folder.fd, name_of(file, suffix).text,
		       O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	int r;

	if (fd < 0)
		return fail_file(err, errno, "cannot open the conf file", file, suffix);
	if (fstat(fd, ret) < 0)
		return fail_file(err, errno, "cannot read the conf file", file, suffix);
	if (S_ISDIR(ret->st_mode))
		return err_set(err, -EISDIR, "'%s' is a folder, not a conf file",
			       conffile_path(file, suffix).text);
	if (!S_ISREG(ret->st_mode))
		return err_set(err, -EINVAL, "not a regular file: '%s'",
			       conffile_path(file, suffix).text);
	r = admit_file(file, suffix, ret, err);
	if (r < 0)
		return r;
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

/* An open one, with its attributes: content and owner are of one and the same file. */
struct opened {
	int fd;
	struct stat st;
	char *data;
	size_t size;
};

static void opened_release(struct opened *opened)
{
	conffile_wipe(opened->data, opened->size);
	fd_close(&opened->fd);
}

#define cleanup_opened __attribute__((cleanup(opened_release)))

static int open_and_read(const struct conffile *file, const char *suffix,
			 struct opened *ret, struct err *err)
{
	int r = open_regular(file, suffix, &ret->fd, &ret->st, err);
	size_t size;
	ssize_t n;

	if (r < 0)
		return r;
	if (ret->st.st_size > CONFFILE_LIMIT)
		return err_set(err, -EFBIG, "too large for a conf file: '%s'",
			       conffile_path(file, suffix).text);
	/* Not a buffer that grows: it would leave copies of keys behind. */
	size = (size_t)ret->st.st_size;
	ret->data = malloc(size + 1);
	if (!ret->data)
		return fail_file(err, ENOMEM, "cannot read the conf file", file,
				 suffix);
	ret->size = size;
	n = read_all(ret->fd, ret->data, size);
	if (n < 0)
		return fail_file(err, (int)-n, "cannot read the conf file", file,
				 suffix);
	ret->data[n] = '\0';
	ret->size = (size_t)n;
	return 0;
}

int conffile_read(const struct conffile *file, const char *suffix, char **ret,
		  size_t *ret_size, struct err *err)
{
	cleanup_opened struct opened opened = {.fd = -1};
	int r = open_and_read(file, suffix, &opened, err);

	if (r < 0)
		return r;
	*ret = opened.data;
	*ret_size = opened.size;
	opened.data = NULL;
	return 0;
}

bool conffile_is_another(int r)
{
	return r == -ELOOP || r == -EISDIR || r == -EINVAL || r == -EFBIG ||
	       r == -EPERM;
}

void conffile_name_hook(const struct conffile *file, const char *interface, int mtu,
			struct err *text)
{
	struct err rest = *text;
	struct conffile_hook hook;
	char *data;
	size_t size;

	if (conffile_form(file->name) != CONFFILE_WG_QUICK ||
	    conffile_read(file, "", &data, &size, NULL) < 0)
		return;
	hook = conffile_find_hook(data, size, interface);
	conffile_wipe(data, size);
	if (hook.line && hook.mtu != mtu)
		err_set(text, 0,
			"at the tunnel's next start %s in line %d of the conf file "
			"sets "
			"another MTU: remove that command%s%s",
			hook.key, hook.line, rest.text[0] ? "; " : "", rest.text);
}

int conffile_stat(const struct conffile *file, const char *suffix, struct stat *ret)
{
	if (fstatat(file->folder.fd, name_of(file, suffix).text, ret,
		    AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	return heldfolder_not_stale(-errno);
}

/* --- checking --- */

/* Follow a link in the folder; -ELOOP where it leads to another folder. */
static int follow_link(const char *path, struct conffile *file, const char *target,
		       struct err *err)
{
	cleanup_conffile struct conffile next = {.folder = {.fd = -1}};
	char whole[2 * PATH_MAX];
	int r;

	snprintf(whole, sizeof(whole), "%s/%s", file->folder.path, target);
	r = conffile_open(target[0] == '/' ? target : whole, &next, err);
	if (r < 0)
		return r;
	if (!heldfolder_is_same(&file->folder, &next.folder))
		return err_set(err, -ELOOP,
			       "the conf file '%s' is a symbolic link to another "
			       "folder: name its target '%s' instead",
			       path, conffile_path(&next, "").text);
	text_copy(file->name, sizeof(file->name), next.name);
	return 0;
}

/* The file that the path leads to, in the folder that it names. */
static int resolve_file(const char *path, struct conffile *file, struct err *err)
{
	char target[PATH_MAX];
	int r = conffile_open(path, file, err);

	for (int i = 0; r == 0 && i < HELDFOLDER_LINKS_MAX; i++) {
		ssize_t n = readlinkat(file->folder.fd, file->name, target,
				       sizeof(target) - 1);

		if (n < 0 && errno == EINVAL)
			return 0;
		if (n < 0)
			return err_sys(err, errno, "cannot open the conf file '%s'",
				       path);
		target[n] = '\0';
		r = follow_link(path, file, target, err);
	}
	return r < 0 ? r : err_sys(err, ELOOP, "cannot open the conf file '%s'", path);
}

static int check_content(const char *path, const struct conffile *file, struct err *err)
{
	cleanup_opened struct opened opened = {.fd = -1};
	struct conffile_facts facts;
	struct err why = ERR_INIT;
	int r = open_and_read(file, "", &opened, err);

	if (r < 0)
		return r;
	r = conffile_facts(conffile_form(file->name), opened.data, opened.size, &facts,
			   &why);
	if (r < 0)
		return err_set(err, r, "%s: '%s'", why.text, path);
	if (opened.st.st_mode & (S_IWGRP | S_IWOTH))
		return err_set(
			err, -EPERM,
			"the conf file '%.120s' holds keys, but other users than its "
			"owner can write to it; run 'chmod go-w %.120s'",
			conffile_path(file, "").text, conffile_path(file, "").text);
	return 0;
}

/* linux/stat.h, which does not go with musl's <sys/stat.h>. */
#ifndef STATX_ATTR_IMMUTABLE
#define STATX_ATTR_IMMUTABLE 0x10
#define STATX_ATTR_APPEND    0x20
#endif
#ifndef STATX_ATTR_MOUNT_ROOT
#define STATX_ATTR_MOUNT_ROOT 0x2000
#endif

/* Find what makes rename() onto it fail although the folder can be written. */
static int check_replaceable(const struct conffile *file, struct err *err)
{
	struct conffile_path path = conffile_path(file, "");
	struct statx stx;

	if (statx(file->folder.fd, file->name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS,
		  &stx) < 0)
		return fail_file(err, errno, "cannot read the conf file", file, "");
	if (stx.stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND))
		return err_set(
			err, -EPERM,
			"cannot replace the conf file '%s': it is immutable (see "
			"chattr(1))",
			path.text);
	if (stx.stx_attributes & STATX_ATTR_MOUNT_ROOT)
		return err_set(
			err, -EBUSY,
			"cannot replace the conf file '%s': it is a mount point; "
			"mount its folder instead",
			path.text);
	return 0;
}

static int check_folder(const struct conffile *file, struct err *err)
{
	struct name temporary = name_of(file, CONFFILE_TEMPORARY);
	int folder = file->folder.fd;
	cleanup_fd int fd = -1;

	if (strlen(file->name) + CONFFILE_SUFFIX_MAX > NAME_MAX)
		return err_set(err, -ENAMETOOLONG, "the conf file's name is too long");
	fd = openat(folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (fd >= 0)
		return 0;
	/* A file system without nameless files gets one with a name. */
	if (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT) {
		fd = openat(folder, temporary.text,
			    O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
		if (fd >= 0 && unlinkat(folder, temporary.text, 0) == 0)
			return 0;
	}
	if (errno == EEXIST)
		return 0;
	return err_sys(err, errno, "cannot make a file beside the conf file, in '%s'",
		       file->folder.path);
}

int conffile_check(const char *path, char *ret_path, struct err *err)
{
	cleanup_conffile struct conffile file = {.folder = {.fd = -1}};
	int r = resolve_file(path, &file, err);

	if (r == 0)
		r = check_content(path, &file, err);
	if (r == 0)
		r = check_replaceable(&file, err);
	if (r == 0)
		r = check_folder(&file, err);
	if (r == 0 && !text_copy(ret_path, PATH_MAX, conffile_path(&file, "").text))
		r = err_set(err, -ENAMETOOLONG, "the conf file's path is too long");
	return r;
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
	int r = 0;

	if (size < 0)
		return errno == EOPNOTSUPP ? 0 : -errno;
	for (char *name = names; r == 0 && name < names + size;
	     name += strlen(name) + 1)
		r = copy_attribute(from, to, name);
	return r;
}

/* `like`: whose owner, mode and attributes it gets. */
static int fill_file(const struct opened *like, int fd, const char *data, size_t size)
{
	int r;

	if (fchown(fd, like->st.st_uid, like->st.st_gid) < 0)
		return -errno;
	r = like->fd < 0 ? 0 : copy_attributes(like->fd, fd);
	/* A conf file is not a program, so it needs no set-user-ID bits. */
	if (r == 0 && fchmod(fd, like->st.st_mode & 0777) < 0)
		r = -errno;
	if (r == 0)
		r = io_write_all(fd, data, size);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	return r;
}

int conffile_sync_folder(const struct conffile *file)
{
	cleanup_fd int fd =
		openat(file->folder.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

int conffile_rename(const struct conffile *file, const char *from, const char *to)
{
	struct name old = name_of(file, from);
	struct name fresh = name_of(file, to);
	int folder = file->folder.fd;
	struct stat st;

	if (renameat2(folder, old.text, folder, fresh.text, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return heldfolder_not_stale(-errno);
	/* The file system lacks it: the caller's lock must suffice. */
	if (conffile_stat(file, to, &st) == 0)
		return -EEXIST;
	return renameat(folder, old.text, folder, fresh.text) < 0
		       ? heldfolder_not_stale(-errno)
		       : 0;
}

/* Never over an existing file, unless it is the conf file. */
static int place_file(const struct conffile *file, const char *suffix)
{
	struct name temporary = name_of(file, CONFFILE_TEMPORARY);
	int folder = file->folder.fd;

	if (suffix[0])
		return conffile_rename(file, CONFFILE_TEMPORARY, suffix);
	return renameat(folder, temporary.text, folder, file->name) < 0 ? -errno : 0;
}

static int write_new(const struct conffile *file, const char *suffix,
		     const struct opened *like, const char *data, size_t size,
		     struct err *err)
{
	struct name temporary = name_of(file, CONFFILE_TEMPORARY);
	cleanup_fd int fd = -1;
	int r = conffile_remove(file, CONFFILE_TEMPORARY, err);

	if (r < 0)
		return r;
	fd = openat(file->folder.fd, temporary.text,
		    O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fail_file(err, errno, "cannot make", file, CONFFILE_TEMPORARY);
	r = fill_file(like, fd, data, size);
	if (r == 0)
		r = place_file(file, suffix);
	if (r < 0) {
		(void)unlinkat(file->folder.fd, temporary.text, 0);
		return fail_file(err, -r, "cannot write the conf file", file, suffix);
	}
	r = conffile_sync_folder(file);
	return r < 0 ? fail_file(err, -r, "cannot sync the folder of", file, suffix)
		     : 0;
}

int conffile_copy(const struct conffile *file, const char *suffix, struct err *err)
{
	cleanup_opened struct opened opened = {.fd = -1};
	int r = open_and_read(file, "", &opened, err);

	if (r < 0)
		return r;
	return write_new(file, suffix, &opened, opened.data, opened.size, err);
}

int conffile_replace(const struct conffile *file, const char *data, size_t size,
		     struct err *err)
{
	cleanup_opened struct opened opened = {.fd = -1};
	int r = open_regular(file, "", &opened.fd, &opened.st, err);

	return r < 0 ? r : write_new(file, "", &opened, data, size, err);
}

int conffile_make(const struct conffile *file, const char *data, size_t size,
		  mode_t mode, struct err *err)
{
	struct opened like = {.fd = -1};

	if (fstat(file->folder.fd, &like.st) < 0)
		return fail_file(err, errno, "cannot read the folder of", file, "");
	like.st.st_mode = mode;
	return write_new(file, "", &like, data, size, err);
}

int conffile_restore(const struct conffile *file, const char *suffix, struct err *err)
{
	int folder = file->folder.fd;

	if (renameat(folder, name_of(file, suffix).text, folder, file->name) < 0)
		return fail_file(err, errno, "cannot restore the conf file from", file,
				 suffix);
	/* The file is restored, and nothing is left for a retry to move. */
	(void)conffile_sync_folder(file);
	return 0;
}

int conffile_remove(const struct conffile *file, const char *suffix, struct err *err)
{
	if (unlinkat(file->folder.fd, name_of(file, suffix).text, 0) < 0 &&
	    errno != ENOENT)
		return fail_file(err, errno, "cannot remove", file, suffix);
	return 0;
}

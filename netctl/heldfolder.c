/* SPDX-License-Identifier: MIT */
/* A folder whose path only root and one user can change. */
#include "netctl/heldfolder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/text.h"

struct walk {
	int fd;              /* the folder reached */
	char real[PATH_MAX]; /* its path; "" for the root folder */
	char rest[PATH_MAX]; /* the part of the path not yet followed */
	int links;           /* followed so far */
	uid_t user;
	uid_t owner; /* the reached folder's */
	bool shared; /* the folder reached is sticky: anybody can add to it */
};

static void walk_release(struct walk *walk)
{
	fd_close(&walk->fd);
}

#define cleanup_walk __attribute__((cleanup(walk_release)))

int heldfolder_not_stale(int r)
{
	return r == -ESTALE ? -EIO : r;
}

static int too_long(struct err *err)
{
	return err_set(err, -ENAMETOOLONG, "the folder's path is too long");
}

static const char *path_reached(const struct walk *walk)
{
	return walk->real[0] ? walk->real : "/";
}

/* --- judging --- */

static int admit_user(struct walk *walk, uid_t uid, const char *path, struct err *err)
{
	if (uid == 0 || uid == walk->user)
		return 0;
	if (walk->user)
		return err_set(err, -EPERM,
			       "users %u and %u can both replace folders in the path "
			       "of '%.160s'; give all of them to root or to the file's "
			       "owner (chown)",
			       (unsigned)walk->user, (unsigned)uid, path);
	walk->user = uid;
	return 0;
}

static int admit_folder(struct walk *walk, int fd, const char *path, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return heldfolder_not_stale(
			err_sys(err, errno, "cannot read folder '%s'", path));
	walk->shared = st.st_mode & (S_IWGRP | S_IWOTH);
	if (walk->shared && !(st.st_mode & S_ISVTX))
		return err_set(
			err, -EPERM,
			"other users than its owner can write to folder '%.120s' and "
			"replace its files; run 'chmod go-w %.120s'",
			path, path);
	walk->owner = st.st_uid;
	return admit_user(walk, st.st_uid, path, err);
}

/* Root creates files in it, so it must be a folder where that user could, too. */
static int admit_last(const struct walk *walk, struct err *err)
{
	if (walk->shared)
		return err_set(err, -EPERM,
			       "all users can write to folder '%.160s'; use a folder "
			       "that only its owner can write to",
			       path_reached(walk));
	if (walk->user && walk->owner != walk->user)
		return err_set(err, -EPERM,
			       "folder '%.120s' belongs to user %u, but user %u can "
			       "replace a folder above it; give both to one of these "
			       "users, or to root (chown)",
			       path_reached(walk), (unsigned)walk->owner,
			       (unsigned)walk->user);
	return 0;
}

/* --- walking --- */

/* The first name of what is left, cut off there: 1, 0 at the end, -ENAMETOOLONG. */
static int take_name(struct walk *walk, char ret[NAME_MAX + 1], struct err *err)
{
	const char *name = walk->rest + strspn(walk->rest, "/");
	size_t length = strcspn(name, "/");

	if (length > NAME_MAX)
		return too_long(err);
	memcpy(ret, name, length);
	ret[length] = '\0';
	memmove(walk->rest, name + length, strlen(name + length) + 1);
	return length > 0;
}

static int step_into(struct walk *walk, int fd, struct err *err)
{
	int r = admit_folder(walk, fd, path_reached(walk), err);

	if (r < 0)
		return r;
	fd_close(&walk->fd);
	walk->fd = fd;
	return 0;
}

static int walk_into(struct walk *walk, int *fd, const char *name, struct err *err)
{
	size_t length = strlen(walk->real);
	char *slash = strrchr(walk->real, '/');
	int r;

	if (strcmp(name, "..") == 0 && slash)
		*slash = '\0';
	else if (strcmp(name, "..") == 0)
		walk->real[0] = '\0';
	else if (length + 1 + strlen(name) >= sizeof(walk->real))
		return too_long(err);
	else
		sprintf(walk->real + length, "/%s", name);
	r = step_into(walk, *fd, err);
	if (r == 0)
		*fd = -1;
	return r;
}

static int enter_root(struct walk *walk, struct err *err)
{
	cleanup_fd int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return err_sys(err, errno, "cannot open folder '/'");
	walk->real[0] = '\0';
	r = step_into(walk, fd, err);
	if (r == 0)
		fd = -1;
	return r;
}

/* Walk on with the link's target, then with the rest. */
static int put_before_rest(struct walk *walk, const char *target, struct err *err)
{
	char rest[PATH_MAX];

	if (snprintf(rest, sizeof(rest), "%s/%s", target, walk->rest) >=
	    (int)sizeof(rest))
		return too_long(err);
	text_copy(walk->rest, sizeof(walk->rest), rest);
	return target[0] == '/' ? enter_root(walk, err) : 0;
}

static int cannot_enter(const struct walk *walk, const char *name, struct err *err)
{
	return heldfolder_not_stale(
		err_sys(err, errno, "cannot open folder '%s/%s'", walk->real, name));
}

/* In a shared folder its owner alone (and root) can exchange the link. */
static int follow_link(struct walk *walk, const char *name, struct err *err)
{
	cleanup_fd int fd = openat(walk->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	char target[PATH_MAX];
	struct stat st;
	ssize_t n;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return cannot_enter(walk, name, err);
	if (!S_ISLNK(st.st_mode)) {
		errno = ENOTDIR;
		return cannot_enter(walk, name, err);
	}
	n = readlinkat(fd, "", target, sizeof(target) - 1);
	if (n < 0)
		return cannot_enter(walk, name, err);
	target[n] = '\0';
	if (++walk->links > HELDFOLDER_LINKS_MAX)
		return err_set(err, -ELOOP,
			       "too many symbolic links in the path of folder '%s/%s'",
			       walk->real, name);
	r = walk->shared ? admit_user(walk, st.st_uid, path_reached(walk), err) : 0;
	return r < 0 ? r : put_before_rest(walk, target, err);
}

static int walk_one(struct walk *walk, const char *name, struct err *err)
{
	cleanup_fd int fd = -1;

	if (strcmp(name, ".") == 0)
		return 0;
	/* With O_DIRECTORY a folder that is mounted when it is used is mounted. */
	fd = openat(walk->fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return follow_link(walk, name, err);
	if (fd < 0)
		return cannot_enter(walk, name, err);
	return walk_into(walk, &fd, name, err);
}

static int walk_all(struct walk *walk, struct err *err)
{
	char name[NAME_MAX + 1];
	int r;

	while ((r = take_name(walk, name, err)) > 0) {
		r = walk_one(walk, name, err);
		if (r < 0)
			break;
	}
	return r < 0 ? r : admit_last(walk, err);
}

/* --- public functions --- */

static int hold_folder(struct walk *walk, struct heldfolder *ret, struct err *err)
{
	struct stat st;

	if (fstat(walk->fd, &st) < 0)
		return heldfolder_not_stale(err_sys(
			err, errno, "cannot read folder '%s'", path_reached(walk)));
	ret->fd = walk->fd;
	walk->fd = -1;
	text_copy(ret->path, sizeof(ret->path), path_reached(walk));
	ret->user = walk->user;
	ret->device = st.st_dev;
	ret->inode = st.st_ino;
	return 0;
}

int heldfolder_open(const char *path, struct heldfolder *ret, struct err *err)
{
	cleanup_walk struct walk walk = {.fd = -1};
	int r;

	ret->fd = -1;
	if (path[0] != '/' && !getcwd(walk.rest, sizeof(walk.rest)))
		return err_sys(err, errno, "cannot open the current folder");
	if (strlen(walk.rest) + 1 + strlen(path) >= sizeof(walk.rest))
		return too_long(err);
	sprintf(walk.rest + strlen(walk.rest), "/%s", path);
	r = enter_root(&walk, err);
	if (r == 0)
		r = walk_all(&walk, err);
	return r < 0 ? r : hold_folder(&walk, ret, err);
}

void heldfolder_release(struct heldfolder *folder)
{
	fd_close(&folder->fd);
}

bool heldfolder_is_same(const struct heldfolder *a, const struct heldfolder *b)
{
	return a->device == b->device && a->inode == b->inode;
}

bool heldfolder_is_in_place(const struct heldfolder *folder)
{
	cleanup_heldfolder struct heldfolder now = {.fd = -1};

	return heldfolder_open(folder->path, &now, NULL) == 0 &&
	       heldfolder_is_same(folder, &now);
}

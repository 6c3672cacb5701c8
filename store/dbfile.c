/* SPDX-License-Identifier: MIT */
#include "store/dbfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

static char *join_path(const char *folder, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

/* As many as the kernel follows. */
#define LINKS_MAX 40

/* dbfile_resolve() of a file that does not exist, or of a link to one. */
static char *resolve_new(const char *path, int links)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	cleanup_free char *named = slash ? strndup(path, (size_t)(base - path))
					 : strdup(".");
	cleanup_free char *folder = named ? realpath(named, NULL) : NULL;
	cleanup_free char *name = folder ? join_path(folder, base) : NULL;
	cleanup_free char *next = NULL;
	char target[PATH_MAX];
	ssize_t size;

	if (!name)
		return strdup(path);
	size = readlink(name, target, sizeof(target) - 1);
	if (size < 0 || links == 0)
		return strdup(name);
	target[size] = '\0';
	next = *target == '/' ? strdup(target) : join_path(folder, target);
	return next ? resolve_new(next, links - 1) : NULL;
}

char *dbfile_resolve(const char *path)
{
	char *real = realpath(path, NULL);

	if (real)
		return real;
	return errno == ENOENT ? resolve_new(path, LINKS_MAX) : strdup(path);
}

int dbfile_check_beside(const char *path, struct err *err)
{
	static const char *const suffixes[] = {"-journal", "-wal", "-shm"};

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		char name[PATH_MAX + 16];
		struct stat st;

		snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
		if (lstat(name, &st) == 0 && !S_ISREG(st.st_mode))
			return err_set(err, -EMEDIUMTYPE,
				       "database '%s' cannot be opened: '%s' is not a "
				       "regular file; remove it",
				       path, name);
	}
	return 0;
}

int dbfile_check_journal(const char *path, struct err *err)
{
	static const unsigned char magic[] = {0xd9, 0xd5, 0x05, 0xf9,
					      0x20, 0xa1, 0x63, 0xd7};
	unsigned char end[sizeof(magic)];
	cleanup_fd int fd = -1;
	char name[PATH_MAX + 16];
	off_t size;

	snprintf(name, sizeof(name), "%s-journal", path);
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0)
		return 0;
	size = lseek(fd, 0, SEEK_END);
	if (size < (off_t)sizeof(end) ||
	    pread(fd, end, sizeof(end), size - (off_t)sizeof(end)) != sizeof(end) ||
	    memcmp(end, magic, sizeof(magic)) != 0)
		return 0;
	return err_set(
		err, -EUCLEAN,
		"database '%s' has a journal '%s' that names another file, which would "
		"be removed; remove the journal to go on without what it restores",
		path, name);
}

/* The most that a file counts for. */
#define BYTES_MAX (INT64_C(1) << 40)
/* The unit of st_blocks, stat(2). */
#define BLOCK 512

/* A length costs nothing: a sparse file has any. */
static int64_t size_on_disk(const char *path)
{
	struct stat st;
	int64_t size;

	if (stat(path, &st) < 0)
		return 0;
	size = st.st_blocks < BYTES_MAX / BLOCK ? st.st_blocks * BLOCK : BYTES_MAX;
	return st.st_size < size ? st.st_size : size;
}

int64_t dbfile_size(const char *path)
{
	char log[PATH_MAX + 8];

	snprintf(log, sizeof(log), "%s-wal", path);
	return size_on_disk(path) + size_on_disk(log);
}

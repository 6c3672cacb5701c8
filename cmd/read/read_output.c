/* SPDX-License-Identifier: MIT */
#include "cmd/read/read_output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "cmd/read/read.h"

/* The first 16 bytes of every SQLite database, the NUL included. */
static const char magic[16] = "SQLite format 3";

/* The database's file is never opened here: closing it would give up the locks that
 * SQLite holds on it in this process. */
static int check_own(const char *path, const struct stat *output, struct err *err)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
	char db[PATH_MAX];

	if (!realpath(read_given.db, db))
		return 0;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		char name[PATH_MAX + 16];
		struct stat st;

		snprintf(name, sizeof(name), "%s%s", db, suffixes[i]);
		if (stat(name, &st) < 0 || st.st_dev != output->st_dev ||
		    st.st_ino != output->st_ino)
			continue;
		return err_set(err, -EEXIST,
			       "the output '%s' is %sthe database '%s' that is read; "
			       "give --output another name",
			       path, i ? "a part of " : "", read_given.db);
	}
	return 0;
}

static bool is_database(const char *path)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char begin[sizeof(magic)];

	return fd >= 0 && read(fd, begin, sizeof(begin)) == sizeof(begin) &&
	       memcmp(begin, magic, sizeof(magic)) == 0;
}

int read_output_open(struct outfile *out, const char *path, struct err *err)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
		int r = check_own(path, &st, err);

		if (r < 0)
			return r;
		if (is_database(path))
			return err_set(
				err, -EEXIST,
				"the output '%s' is an SQLite database, which "
				"is not replaced; give --output another name, or "
				"remove it first",
				path);
	}
	return outfile_open(out, path, err);
}

int read_output_end(struct outfile *out, int r, struct err *err)
{
	if (r == 0)
		return outfile_commit(out, err);
	if (out->stream && ferror(out->stream))
		return err_sys(err, -r, "cannot write the file '%s'", out->name);
	return r;
}

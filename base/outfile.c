/* SPDX-License-Identifier: MIT */
#include "base/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/text.h"

/* The mode that open() would give a new file. */
static mode_t new_file_mode(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return 0666 & ~mask;
}

/* ".<name>.XXXXXX" beside `path`; false when that is too long. */
static bool name_temporary(const char *path, char ret[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	int folder = slash ? (int)(slash - path + 1) : 0;
	int n = snprintf(ret, PATH_MAX, "%.*s.%s.XXXXXX", folder, path, path + folder);

	return n < PATH_MAX;
}

/* Find the final place: the link's target if the path is a symbolic link. */
static int resolve_path(const char *path, char ret[PATH_MAX], struct err *err)
{
	if (realpath(path, ret))
		return 0;
	if (errno == ENOENT && text_copy(ret, PATH_MAX, path))
		return 0;
	return err_sys(err, errno == ENOENT ? ENAMETOOLONG : errno,
		       "cannot write the file '%s'", path);
}

static int open_temporary(struct outfile *out, mode_t mode, struct err *err)
{
	cleanup_fd int fd = -1;

	if (!name_temporary(out->path, out->temporary)) {
		out->temporary[0] = '\0';
		return err_sys(err, ENAMETOOLONG, "cannot write the file '%s'",
			       out->name);
	}
	fd = mkostemp(out->temporary, O_CLOEXEC);
	if (fd < 0) {
		out->temporary[0] = '\0';
		return err_sys(err, errno,
			       "cannot write the file '%s': a file cannot be made "
			       "in its folder",
			       out->name);
	}
	if (fchmod(fd, mode) < 0)
		return err_sys(err, errno, "cannot set the mode of '%s'",
			       out->temporary);
	out->stream = fdopen(fd, "w");
	if (!out->stream)
		return err_set(err, -ENOMEM, "out of memory");
	fd = -1;
	return 0;
}

int outfile_open(struct outfile *out, const char *path, struct err *err)
{
	mode_t mode = new_file_mode();
	struct stat st;
	int r = resolve_path(path, out->path, err);

	out->name = path;
	if (r < 0)
		return r;
	if (stat(out->path, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return err_set(err, -EISDIR, "'%s' is a folder, not a file",
				       path);
		if (!S_ISREG(st.st_mode)) {
			out->stream = fopen(out->path, "we");
			return out->stream
				       ? 0
				       : err_sys(err, errno,
						 "cannot write the file '%s'", path);
		}
		/* A user who may not write to the file may not replace it either. */
		if (access(out->path, W_OK) < 0)
			return err_sys(err, errno, "cannot write the file '%s'", path);
		mode = st.st_mode & 0777;
	}
	return open_temporary(out, mode, err);
}

/* A stream does not keep the errno of an earlier write; one more byte fails the same
 * way. */
static int stream_error(FILE *stream)
{
	return write(fileno(stream), "\n", 1) < 0 ? errno : EIO;
}

/* 0 or an errno. */
static int finish_stream(struct outfile *out)
{
	int error = 0;

	if (fflush(out->stream) == EOF || ferror(out->stream))
		error = stream_error(out->stream);
	if (error == 0 && *out->temporary && fsync(fileno(out->stream)) < 0)
		error = errno;
	if (fclose(out->stream) == EOF && error == 0)
		error = errno;
	out->stream = NULL;
	return error;
}

int outfile_commit(struct outfile *out, struct err *err)
{
	int error = finish_stream(out);

	if (error == 0 && *out->temporary && rename(out->temporary, out->path) < 0)
		error = errno;
	if (error)
		return err_sys(err, error, "cannot write the file '%s'", out->name);
	out->temporary[0] = '\0';
	return 0;
}

void outfile_release(struct outfile *out)
{
	file_close(&out->stream);
	if (*out->temporary)
		unlink(out->temporary);
	out->temporary[0] = '\0';
}

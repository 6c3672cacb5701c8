/* SPDX-License-Identifier: MIT */
/* Reading, writing and waiting on descriptors. */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"

void fd_close(int *fd)
{
	int keep = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = keep;
}

void file_close(FILE **file)
{
	if (*file)
		fclose(*file);
	*file = NULL;
}

void mem_free(void *pointer_to_pointer)
{
	void **pointer = pointer_to_pointer;

	free(*pointer);
	*pointer = NULL;
}

void io_survive_file_limit(void)
{
	signal(SIGXFSZ, SIG_IGN);
}

bool io_has_file_limit(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

void io_fill_standard(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	fd_close(&fd);
}

/* musl has no function for it. */
void io_close_range(unsigned first, unsigned last)
{
	syscall(SYS_close_range, first, last, 0);
}

void io_close_inherited(void)
{
	io_close_range(STDERR_FILENO + 1, ~0U);
}

void io_unblock_standard(void)
{
	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
		cleanup_fd int fresh = -1;
		char path[32];
		struct stat st;

		/* A regular file has a position that a second descriptor would not
		 * share. */
		if (fstat(fd, &st) < 0 || (!S_ISFIFO(st.st_mode) && !isatty(fd)))
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		fresh = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (fresh >= 0)
			dup2(fresh, fd);
	}
}

int io_write_all(int fd, const void *data, size_t size)
{
	const char *at = data;

	while (size > 0) {
		ssize_t n = write(fd, at, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

/* A pipe that is ready has room for PIPE_BUF bytes. */
static int write_when_ready(int fd, const char *data, size_t size, int timeout_ms)
{
	struct pollfd polled = {.fd = fd, .events = POLLOUT};
	ssize_t n = poll(&polled, 1, timeout_ms);

	if (n < 0)
		return -errno;
	if (!(polled.revents & POLLOUT))
		return -EAGAIN;
	do
		n = write(fd, data, size < PIPE_BUF ? size : PIPE_BUF);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : (int)n;
}

int io_write_or_drop(int fd, const void *data, size_t size, int timeout_ms)
{
	for (const char *at = data; size > 0;) {
		int n = write_when_ready(fd, at, size, timeout_ms);

		if (n < 0)
			return n;
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

int io_finish_output(struct err *err)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	/* It failed earlier, when stdout's buffer was full: ask again for the reason. */
	if (!errno && write(STDOUT_FILENO, "\n", 1) == 1)
		errno = EIO;
	err_sys(err, errno ? errno : EIO, "cannot write the output");
	return -EIO;
}

/* Read once more, into a buffer that always has room for the final NUL. */
static int read_more(int fd, char **buffer, size_t *room, size_t *used)
{
	ssize_t n;

	if (*used + 1 >= *room) {
		char *larger = realloc(*buffer, *room * 2);

		if (!larger)
			return -ENOMEM;
		*buffer = larger;
		*room *= 2;
	}
	do
		n = read(fd, *buffer + *used, *room - *used - 1);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	*used += (size_t)n;
	return n > 0;
}

int io_read_file(int fd, size_t limit, char **ret, size_t *ret_size)
{
	cleanup_free char *buffer = malloc(4096);
	size_t room = 4096;
	size_t used = 0;
	int more;

	if (!buffer)
		return -ENOMEM;
	while ((more = read_more(fd, &buffer, &room, &used)) > 0) {
		if (used > limit)
			return -EFBIG;
	}
	if (more < 0)
		return more;
	buffer[used] = '\0';
	*ret = buffer;
	*ret_size = used;
	buffer = NULL;
	return 0;
}

int io_wait(int fd, int stop_fd, int64_t deadline_ms)
{
	struct pollfd polled[2] = {
		{.fd = fd, .events = POLLIN},
		{.fd = stop_fd, .events = POLLIN},
	};

	for (;;) {
		int n = poll(polled, 2, clock_left_ms(deadline_ms));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (polled[1].revents & POLLIN)
			return -EINTR;
		if (polled[0].revents & POLLIN)
			return 1;
		if (polled[0].revents)
			return -EPIPE;
		if (clock_boot_ms() >= deadline_ms)
			return 0;
	}
}

/* SPDX-License-Identifier: MIT */
#include "base/ask.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/io.h"

int ask_send(struct ask *ask, void *request, size_t size)
{
	ssize_t n;

	ask->serial++;
	memcpy(request, &ask->serial, sizeof(ask->serial));
	do {
		n = send(ask->fd, request, size, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	return 0;
}

static bool is_awaited(const struct ask *ask, const void *reply)
{
	return memcmp(reply, &ask->serial, sizeof(ask->serial)) == 0;
}

/* A descriptor that comes with another reply is closed. -EAGAIN: another reply. */
static int receive_reply(const struct ask *ask, void *reply, size_t size, int *ret_fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec data = {reply, size};
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(ask->fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	struct cmsghdr *header = n < 0 ? NULL : CMSG_FIRSTHDR(&message);
	cleanup_fd int fd = -1;

	if (n < 0)
		return -errno;
	if (header && header->cmsg_level == SOL_SOCKET &&
	    header->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	if (n != (ssize_t)size)
		return n == 0 ? -EPIPE : -EBADMSG;
	if (!is_awaited(ask, reply))
		return -EAGAIN;
	if (ret_fd) {
		*ret_fd = fd;
		fd = -1;
	}
	return 0;
}

int ask_await(const struct ask *ask, int stop_fd, int64_t deadline_ms, void *reply,
	      size_t size, int *ret_fd)
{
	for (;;) {
		int r = io_wait(ask->fd, stop_fd, deadline_ms);

		if (r == 0)
			return -ETIMEDOUT;
		if (r > 0)
			r = receive_reply(ask, reply, size, ret_fd);
		if (r == -ECONNRESET)
			return -EPIPE;
		if (r != -EAGAIN)
			return r;
	}
}

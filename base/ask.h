/* SPDX-License-Identifier: MIT */
#ifndef BASE_ASK_H
#define BASE_ASK_H

#include <stddef.h>
#include <stdint.h>

/*
 * Requests and replies between two processes of the program, over a SOCK_SEQPACKET pair:
 * structs of fixed size that begin with a uint32_t serial. A reply repeats its request's.
 * One that nobody waits for any more is discarded, with the descriptor that came along.
 * One request at a time: the caller locks.
 */

struct ask {
	int fd;
	uint32_t serial; /* the last request's */
};

/* Write the serial into the request and send it. A process that reads no more is as good
 * as gone: there is no wait for room. 0, -EPIPE: gone, or -errno. */
int ask_send(struct ask *ask, void *request, size_t size);

/*
 * Wait for the reply to the last request, until the deadline (clock_boot_ms()).
 * -ETIMEDOUT; -EINTR: `stop_fd` (or -1) is readable; -EPIPE: gone; -EBADMSG: another size;
 * or -errno. `ret_fd`, where it is not NULL, gets a descriptor that comes with the reply.
 */
int ask_await(const struct ask *ask, int stop_fd, int64_t deadline_ms, void *reply,
	      size_t size, int *ret_fd);

#endif

/* SPDX-License-Identifier: MIT */
/* Which packets a socket lets in. */
#include "netctl/sockfilter.h"

#include <errno.h>
#include <sys/socket.h>

/* More small packets than a receive buffer has room for */
#define DISCARDED_MAX 10000

int sockfilter_attach(int fd, struct sock_filter *code, size_t count, bool lock)
{
	struct sock_fprog program = {.len = (unsigned short)count, .filter = code};
	int on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) <
		    0 ||
	    (lock && setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof(on)) < 0))
		return -errno;
	return 0;
}

int sockfilter_discard(int fd)
{
	char byte;
	int count = 0;

	while (count < DISCARDED_MAX &&
	       recv(fd, &byte, sizeof(byte), MSG_DONTWAIT | MSG_TRUNC) >= 0)
		count++;
	return count;
}

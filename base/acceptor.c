/* SPDX-License-Identifier: MIT */
/* The program's own accept(). */
#include "base/acceptor.h"

#include <stdatomic.h>
#include <stddef.h>

static _Atomic(acceptor_fn *) current;

void acceptor_set(acceptor_fn *hook)
{
	atomic_store(&current, hook);
}

/* Visible to the libraries in place of the C library's; its type is that of
 * <sys/socket.h>. */
int accept(int fd, __SOCKADDR_ARG address, socklen_t *restrict size)
	__attribute__((visibility("default")));

int accept(int fd, __SOCKADDR_ARG address, socklen_t *restrict size)
{
	acceptor_fn *hook = atomic_load(&current);

	return hook ? hook(fd, address, size) : accept4(fd, address, size, 0);
}

/* SPDX-License-Identifier: MIT */
/* The program's own accept(). */
#include "base/acceptor.h"

#include <stdatomic.h>
#include <stddef.h>

/* glibc declares the address of accept() as a union of pointers, musl as a pointer. */
#ifdef __GLIBC__
#define ADDRESS_ARG     __SOCKADDR_ARG
#define ADDRESS_OF(arg) ((arg).__sockaddr__)
#else
#define ADDRESS_ARG     struct sockaddr *restrict
#define ADDRESS_OF(arg) (arg)
#endif

static _Atomic(acceptor_fn *) current;

void acceptor_set(acceptor_fn *hook)
{
	atomic_store(&current, hook);
}

/* Visible to the libraries in place of the C library's; its type is that of
 * <sys/socket.h>. */
int accept(int fd, ADDRESS_ARG address, socklen_t *restrict size)
	__attribute__((visibility("default")));

int accept(int fd, ADDRESS_ARG address, socklen_t *restrict size)
{
	acceptor_fn *hook = atomic_load(&current);

	return hook ? hook(fd, ADDRESS_OF(address), size)
		    : accept4(fd, address, size, 0);
}

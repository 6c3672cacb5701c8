/* SPDX-License-Identifier: MIT */
#ifndef BASE_ACCEPTOR_H
#define BASE_ACCEPTOR_H

#include <sys/socket.h>

/*
 * The program's own accept(). Libraries, dynamic or static ones, resolve accept() from
 * the program before the C library, so libiperf and civetweb call this one. Without a
 * hook it does what the C library's does.
 */

/* As accept(2). Call accept4(), which is the C library's, for the real thing. */
typedef int acceptor_fn(int fd, struct sockaddr *address, socklen_t *size);

/* From now on `hook` answers every accept() of this process, from any thread. */
void acceptor_set(acceptor_fn *hook);

#endif

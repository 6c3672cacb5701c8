/* SPDX-License-Identifier: MIT */
#ifndef SYNC_SOCKETS_H
#define SYNC_SOCKETS_H

#include "base/err.h"

/* Listening sockets, for the web server's door (door.c). */

/*
 * A listening socket of either family, which does not block. A link-local address
 * without a zone is one of `interface` ("": none). -EADDRINUSE, -EADDRNOTAVAIL, -EACCES;
 * -EINVAL no IP address.
 */
int sockets_listen(const char *address, int port, const char *interface, int *ret_fd,
		   struct err *err);

/* Check that a server could listen there. Errors are those of sockets_listen(). */
int sockets_try_listen(const char *address, int port, const char *interface,
		       struct err *err);

/* Return this process's socket that listens on this port of an IPv4 address, or -1.
 * civetweb does not report its descriptors. */
int sockets_find_listener(const char *address, int port);

#endif

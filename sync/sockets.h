/* SPDX-License-Identifier: MIT */
#ifndef SYNC_SOCKETS_H
#define SYNC_SOCKETS_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/err.h"

/*
 * The web server's sockets, for http.c. civetweb tells neither why it could not listen
 * nor which its descriptors are; its threads look up from poll() every 2 s only, and
 * shutting down the socket they sleep on is what wakes them at once when the server
 * shall end.
 */

/* Where descriptors are looked for: the kernel gives the lowest free ones, and the
 * connections there can be at a time are fewer. */
#define SOCKETS_FD_LIMIT 256

/* Check with a socket that a server could listen there: 0, -EADDRINUSE, -EADDRNOTAVAIL,
 * -EACCES; -EINVAL no IP address; -EAFNOSUPPORT IPv6 without `v6`. */
int sockets_try_listen(const char *address, int port, bool v6, struct err *err);

/* The listening socket of this name, or -1. */
int sockets_find_listener(const struct sockaddr_storage *local);

/* True if the descriptor is a connection to the local address `local`. */
bool sockets_is_connection(int fd, const struct sockaddr_storage *local);

/* The connection's socket, or -1. To be called by the thread that serves it, so that
 * the descriptor cannot become another's meanwhile. */
int sockets_find_connection(const struct sockaddr_storage *local, const char *remote,
			    int remote_port);

#endif

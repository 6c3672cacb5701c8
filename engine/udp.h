/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_UDP_H
#define ENGINE_UDP_H

#include <sys/socket.h>

#include "engine/testspec.h"

/*
 * Open the UDP socket of a test's process on spec->interface (if any): the server's is
 * bound to `port` of spec->local, the client's is connected to `port` of spec->remote.
 * *ret_other is the other end's address with that port. It does not block. Return the
 * descriptor, or -errno, and *ret_what says in a few words what failed.
 */
int udp_open(const struct test_spec *spec, int port, struct sockaddr_storage *ret_other,
	     const char **ret_what);

#endif

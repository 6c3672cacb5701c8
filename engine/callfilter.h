/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_CALLFILTER_H
#define ENGINE_CALLFILTER_H

#include <stdbool.h>

/*
 * A filter for the connections to a test's server. libiperf takes the first connection
 * from any host as its control connection, and reads from it until the message is
 * complete. libiperf resolves accept() from the program (base/acceptor.h). So in a
 * test's process our accept() resets connections from other hosts and waits for the
 * peer's. (A packet filter on the listening socket would keep them out earlier, but
 * needs CAP_NET_ADMIN on some kernels, and is installed a moment after the socket
 * listens.)
 *
 * If the library is linked so that it bypasses this accept(), engine/watch.c detects the
 * intruders.
 */

/*
 * From now on accept() returns connections from this address only. Other hosts'
 * connections are returned only when the test has both of its own: libiperf then
 * answers that it is busy. Among the first ones, a connection from `port` is preferred
 * if it comes within `patience_ms` of another: that is the peer's own test, and the
 * other one belongs to another program on the peer's host. (After that time the other
 * one is taken: a NAT may change ports.) Port 0: any. For a test's process. 0 or
 * -EINVAL.
 */
int callfilter_set(const char *address, int port, int patience_ms);

/* The test's data connection is withheld from the library until `go_fd` is readable. For a
 * test's process, before the library listens. */
void callfilter_hold(int go_fd);

/* Stop listening on `port`, while the library runs a test, so that another process can.
 * False: the library has not called our accept(), and would not be held either. */
bool callfilter_end_listening(int port);

/* Synchronise with accept(): call it in another thread after that thread has found a
 * connection which accept() returned. All writes before that return are then
 * visible. */
void callfilter_meet(void);

#endif

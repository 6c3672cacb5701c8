#ifndef ENGINE_CALLFILTER_H
#define ENGINE_CALLFILTER_H

/*
 * Who may call a test's server. libiperf takes the first connection for its control
 * connection, whosever it is, and reads from it until all of it has come. So in a
 * test's process accept(), which libiperf takes from the program before the C library,
 * resets connections from others than the peer, and waits on for the peer's. (A packet
 * filter on the listening socket would keep them out altogether, but needs
 * CAP_NET_ADMIN on some kernels, and comes a moment after the socket listens.)
 *
 * Where the library is linked so that it does not come by here, engine/watch.c notices.
 */

/*
 * From now on accept() gives connections from this address alone; one of others' only
 * when the test has both of its connections: libiperf then tells them that it is busy.
 * Of those that come first, the one from `port` is preferred where it comes within
 * `patience_ms` of another: that is the peer's own test, the other another program's on
 * its host. (Another one is taken after that: somebody between may change ports.) 0: any.
 * For a process of a test. 0 or -EINVAL.
 */
int callfilter_set(const char *address, int port, int patience_ms);

/* For another thread, once it knows of a connection that accept() gave to the library: all
 * that made it has happened before. */
void callfilter_meet(void);

#endif

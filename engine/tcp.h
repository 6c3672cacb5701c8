#ifndef ENGINE_TCP_H
#define ENGINE_TCP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/types.h"
#include "engine/testspec.h"

/*
 * The TCP sockets of a test's process: making the control connection, finding and
 * reading those libiperf made, ending them all. Nothing here allocates or opens
 * anything but tcp_connect(): libiperf closes some of its descriptors twice, and a
 * number that was reused in between would be closed with them. tcp_reserve() is for the
 * process that asks for the test.
 */

/*
 * Connect to spec->remote from spec->local (if any), and its port spec->client_port where
 * that can be had, on spec->interface (if any), within testspec_connect_ms() or until the
 * deadline on clock_boot_ms(). A blocking descriptor, or -ECONNREFUSED, -ETIMEDOUT (nobody
 * answered) or another -errno.
 */
int tcp_connect(const struct test_spec *spec, int64_t deadline_ms);

/*
 * A TCP port at `local` that nobody else is given while *ret_fd is open, but tcp_connect()
 * with it in spec->client_port. The port, or -errno.
 */
int tcp_reserve(const char *local, int *ret_fd);

/* The port at the other end of `fd`, or -errno. */
int tcp_peer_port(int fd);

/* Whether the other end of `fd` is `address`, on any port. */
bool tcp_peer_is(int fd, const char *address);

/*
 * The congestion control algorithms this process may set on its sockets, with spaces
 * between, the default first; "" where the kernel does not say. Of those it has loaded
 * (tcp(7), tcp_available_congestion_control), not all are for everybody.
 */
void tcp_list_congestion(char *ret, size_t size);

/* A client's data socket: the one connected to `port` that is not `control`. -1 while
 * there is none. */
int tcp_find_data(int port, int control);

/* A server's listening socket, -1 while there is none. */
int tcp_find_listener(int port);

/* A connection to our own `port`, other than `control`, on which `least` bytes or more
 * came. -1 when there is none. */
int tcp_find_caller(int port, int control, uint64_t least);

struct tcp_figures {
	uint64_t bytes_acked; /* the SYN counts as one */
	uint64_t bytes_received;
	uint64_t bytes_sent; /* with what was sent again */
	uint32_t rtt_us;
	/* Segments that arrived at the other end, retransmitted or not, in whatever order,
	 * and what each carries. 0 where the kernel does not count them (before 4.18). */
	uint32_t delivered;
	uint32_t mss;
};

/* 0, or -errno when it is no TCP socket any more. */
int tcp_read_figures(int fd, struct tcp_figures *ret);

/*
 * A word beside the bytes of a connection: the receiver's stream does not show it, and who
 * does not look for it never knows (TCP urgent data, RFC 6093; of several only the last is
 * kept). libiperf does not look.
 */
void tcp_send_word(int fd, char word);
/* Whether it has come; once. */
bool tcp_take_word(int fd, char word);

/* Close a connection so that the other end sees a reset. */
void tcp_reset(int fd);

/*
 * Make the end of this process, which is to follow, a reset for each of its TCP sockets
 * (SO_LINGER 0): the kernel sends nothing more for them. They are left open, since
 * another thread may be using them, or about to get the number of one that was closed.
 * Any thread; safe in a signal handler.
 */
void tcp_reset_all(void);

#endif

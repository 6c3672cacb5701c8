/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_TCP_H
#define ENGINE_TCP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/types.h"
#include "engine/testspec.h"

/*
 * The TCP sockets of a test's process: make the control connection, find and read the
 * sockets that libiperf made, end them all. Only tcp_connect() allocates or opens
 * anything here: libiperf closes some of its descriptors twice, and a number that was
 * reused in between would be closed with them. tcp_reserve() is for the process that
 * asks for the test.
 */

/*
 * Connect to spec->remote from spec->local (if any) and its port spec->client_port if
 * that is free, on spec->interface (if any), within testspec_reach_ms() or until the
 * deadline on clock_boot_ms(). Return a blocking descriptor, or -ECONNREFUSED,
 * -ETIMEDOUT (no answer) or another -errno.
 */
int tcp_connect(const struct test_spec *spec, int64_t deadline_ms);

/*
 * Reserve a TCP port at `local`, which may be link-local to `interface`: while *ret_fd is
 * open, only tcp_connect() with this port in spec->client_port can use it. Return the
 * port, or -errno.
 */
int tcp_reserve(const char *local, const char *interface, int *ret_fd);

/* The port at the other end of `fd`, or -errno. */
int tcp_peer_port(int fd);

/* True when the other end of `fd` has this address, on any port. */
bool tcp_peer_is(int fd, const char *address);

/*
 * List the congestion control algorithms that this process may set on its sockets,
 * separated by spaces, the default first; "" if the kernel does not list them. It may
 * permit only some of the loaded ones (tcp(7), tcp_available_congestion_control).
 */
void tcp_list_congestion(char *ret, size_t size);

/* Find a client's data socket: the one connected to `port` that is not `control`. -1
 * while there is none. */
int tcp_find_data(int port, int control);

/* Find a server's listening socket, -1 while there is none. */
int tcp_find_listener(int port);

/* End the listening on `port`, so that another process can. The descriptor stays open,
 * since another thread uses it, and shows no connection any more. 0 or -errno. */
int tcp_end_listening(int port);

/* Find a connection to our own `port`, other than `control`, that has received `least`
 * bytes or more. -1 when there is none. */
int tcp_find_caller(int port, int control, uint64_t least);

struct tcp_figures {
	uint64_t bytes_acked; /* the SYN counts as one */
	uint64_t bytes_received;
	uint64_t bytes_sent; /* retransmitted bytes included */
	uint32_t rtt_us;     /* smoothed */
	uint32_t min_rtt_us;
	int64_t rate_bps; /* the kernel's delivery rate; 0: the sender had no data */
	uint32_t retransmits;
	/* Segments that arrived at the other end, retransmitted or not, in any
	 * order, and the payload of each. 0 if the kernel does not count them
	 * (before 4.18). */
	uint32_t delivered;
	uint32_t mss;
};

/*
 * The size of the IP packet in which this end sends a full segment: the MSS in use and
 * the headers. 0: unknown. The MSS is the smallest of those that the other end announced,
 * perhaps lowered on the way, and that of the path MTU (tcp_sync_mss() in the kernel's
 * net/ipv4/tcp_output.c).
 */
int tcp_packet_size(int fd);

/* True if this end sends with bbr, which does not slow down for single losses. */
bool tcp_is_bbr(int fd);

/* 0, or -errno when it is no longer a TCP socket. */
int tcp_read_figures(int fd, struct tcp_figures *ret);

/*
 * Send one byte as urgent data (RFC 6093): it does not appear in the receiver's stream,
 * and a receiver that does not ask for it is not affected. Only the last one is kept.
 * libiperf does not ask.
 */
void tcp_send_word(int fd, char word);
/* Return true if the byte has come, once for each. */
bool tcp_take_word(int fd, char word);

/* End the reading of `fd`: a read() that waits for data, in any thread, returns what there
 * is. Data that arrives later is still taken. */
void tcp_end_reading(int fd);

/* Close a connection so that the other end sees a reset. */
void tcp_reset(int fd);

/*
 * Make the end of this process, which must follow, reset each of its TCP sockets
 * (SO_LINGER 0): the kernel sends nothing more for them. They stay open: another thread
 * may use them, or may be about to get the number of a closed one. Any thread; safe in
 * a signal handler.
 */
void tcp_reset_all(void);

#endif

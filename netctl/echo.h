/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_ECHO_H
#define NETCTL_ECHO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/types.h"

/*
 * Packets of an exact size that a plain host answers. Each has a number, which its answer
 * repeats. echo_open(), then echo_send() and echo_receive(), echo_close().
 */

enum echo_kind {
	/* an ICMP or ICMPv6 echo: the answer is as large */
	ECHO_PLAIN,
	/* The answers of the next three are small, whatever the size of the packet: they
	 * show the fate of the way there alone. */
	ECHO_TCP, /* a SYN with data: an open port answers SYN-ACK, a closed one RST */
	/* an ICMP timestamp request with padding (RFC 792); IPv4 alone */
	ECHO_STAMP,
	/* a datagram to a closed port: answered by port unreachable, at a limited rate */
	ECHO_UDP,
	/* an echo with DF to the WireGuard endpoint, outside the tunnel */
	ECHO_OUTER,
	ECHO_KINDS,
};

/* "echoes", "TCP segments to a port", ... Static. */
const char *echo_kind_name(enum echo_kind kind);

/* A port that is still open by an earlier SYN does not answer the next one: each comes from
 * a port of its own. */
#define ECHO_PORTS 48

struct echo {
	enum echo_kind kind;
	int fd;
	bool ipv6;
	struct {
		int fd; /* holds it, so that nobody else uses it */
		int port;
	} from[ECHO_PORTS]; /* ECHO_TCP */
	int ports;
	int port; /* the other end's, ECHO_TCP and ECHO_UDP */
	uint16_t id;
	/* in network byte order, for TCP's checksum on IPv4 */
	uint32_t local;
	uint32_t remote;
	/* An answer said that packets of the kind are too big, and the MTU it named; 0:
	 * none has. ECHO_OUTER alone. */
	int too_big;
};

#define ECHO_CLOSED ((struct echo){.fd = -1})

struct echo_target {
	const char *interface;
	const char *local;  /* this end's address: ECHO_UDP */
	const char *remote; /* the other's */
	int port;           /* ECHO_TCP, ECHO_UDP */
};

/* `fd`: the guard's raw socket, owned from now on, in any case; ECHO_UDP needs none: -1.
 * -EAFNOSUPPORT: ECHO_STAMP over IPv6. */
int echo_open(struct echo *ret, enum echo_kind kind, int fd,
	      const struct echo_target *target, struct err *err);
void echo_close(struct echo *echo);

/* The smallest packet of the kind. */
int echo_least(const struct echo *echo);

/* Let the kernel fragment packets above the link's MTU, or not again. */
int echo_allow_pieces(struct echo *echo, bool allowed);

/* Send a packet of `size` bytes, IP header included. `number` returns in the answer.
 * -EMSGSIZE: above the link's MTU. */
int echo_send(struct echo *echo, int size, uint16_t number);

/* Take the next answer. 1, with its number; 0: none for now. */
int echo_receive(struct echo *echo, uint16_t *ret_number);

#endif

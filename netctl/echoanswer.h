/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_ECHOANSWER_H
#define NETCTL_ECHOANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
/* after time.h, whose struct it uses */
#include <linux/errqueue.h>

#include "netctl/echo.h"

/*
 * Answers of a host to the packets of netctl/echo.h, as its sockets show them: bytes that
 * anybody may have sent. No function touches a socket.
 */

/* Numbers are this far apart in TCP's sequence space: data of a segment fits between. */
#define ECHOANSWER_SEQUENCE_SHIFT 16

/* True if these bytes, which the socket of another kind than ECHO_UDP has received, answer
 * one of the packets of `echo`: its number. IPv4's raw sockets show the IP header too. */
bool echoanswer_read(const struct echo *echo, const unsigned char *data, size_t size,
		     uint16_t *ret_number);

/* The same of the kernel's note of an ICMP error about a packet; `data` is the beginning of
 * its payload. Also note in `echo` the MTU that the error names, if a link can have it. */
bool echoanswer_read_error(struct echo *echo, const struct sock_extended_err *why,
			   const unsigned char *data, size_t size,
			   uint16_t *ret_number);

#endif

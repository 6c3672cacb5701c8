/* SPDX-License-Identifier: MIT */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* A numeric IPv4 or IPv6 address ("fe80::1%wg0" too) and a port. 0 or -EINVAL. */
int address_parse(const char *text, int port, struct sockaddr_storage *ret);

/* The size of an IPv4 or IPv6 address, for bind() and connect(). */
socklen_t address_size(const struct sockaddr_storage *address);

/* True when both addresses are the same host's; the ports may differ. */
bool address_same_host(const struct sockaddr_storage *a,
		       const struct sockaddr_storage *b);

/* Compare hosts and ports. */
bool address_same(const struct sockaddr_storage *a, const struct sockaddr_storage *b);

#endif

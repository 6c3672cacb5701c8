/* SPDX-License-Identifier: MIT */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/types.h"

/* A numeric IPv4 or IPv6 address ("fe80::1%wg0" too) and a port. 0 or -EINVAL. */
int address_parse(const char *text, int port, struct sockaddr_storage *ret);

/* The same, and a link-local address without a zone is one of `interface`. "": none.
 * -ENODEV: there is no such interface. */
int address_parse_on(const char *text, int port, const char *interface,
		     struct sockaddr_storage *ret);

/* True for an IPv6 address that means something on one link only ("fe80::1"). */
bool address_is_link_local(const char *text);

/* The room of address_text_on(). */
#define ADDRESS_ON_SIZE (ADDRESS_SIZE + IF_NAME_SIZE)

/* Write the address for getaddrinfo(): a link-local one with `interface` as its zone. */
void address_text_on(const char *text, const char *interface,
		     char ret[ADDRESS_ON_SIZE]);

/*
 * Write the address in its usual form, without a zone. -EINVAL: it is none; -EXDEV: its
 * zone is not `interface`.
 */
int address_normalize(const char *text, const char *interface, char ret[ADDRESS_SIZE]);

/* The size of an IPv4 or IPv6 address, for bind() and connect(). */
socklen_t address_size(const struct sockaddr_storage *address);

/* True when both addresses are the same host's; the ports may differ. */
bool address_same_host(const struct sockaddr_storage *a,
		       const struct sockaddr_storage *b);

/* Compare hosts and ports. */
bool address_same(const struct sockaddr_storage *a, const struct sockaddr_storage *b);

#endif

#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include <sys/socket.h>

/* A numeric IPv4 or IPv6 address ("fe80::1%wg0" too) and a port. 0 or -EINVAL. */
int address_parse(const char *text, int port, struct sockaddr_storage *ret);

#endif

/* SPDX-License-Identifier: MIT */
/* Numeric addresses as sockets use them. */
#include "base/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

#include "base/text.h"
#include "base/types.h"

static int address6(const char *text, int port, struct sockaddr_in6 *ret)
{
	char host[ADDRESS_SIZE + IF_NAME_SIZE];
	char *zone;

	if (!text_copy(host, sizeof(host), text))
		return -EINVAL;
	zone = strchr(host, '%');
	if (zone)
		*zone++ = '\0';
	if (inet_pton(AF_INET6, host, &ret->sin6_addr) != 1)
		return -EINVAL;
	ret->sin6_scope_id = zone ? if_nametoindex(zone) : 0;
	if (zone && ret->sin6_scope_id == 0)
		return -EINVAL;
	ret->sin6_family = AF_INET6;
	ret->sin6_port = htons((uint16_t)port);
	return 0;
}

int address_parse(const char *text, int port, struct sockaddr_storage *ret)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;

	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, text, &v4->sin_addr) != 1)
		return address6(text, port, (struct sockaddr_in6 *)ret);
	v4->sin_family = AF_INET;
	v4->sin_port = htons((uint16_t)port);
	return 0;
}

socklen_t address_size(const struct sockaddr_storage *address)
{
	return address->ss_family == AF_INET ? sizeof(struct sockaddr_in)
					     : sizeof(struct sockaddr_in6);
}

bool address_same_host(const struct sockaddr_storage *a,
		       const struct sockaddr_storage *b)
{
	const struct sockaddr_in *a4 = (const void *)a;
	const struct sockaddr_in *b4 = (const void *)b;
	const struct sockaddr_in6 *a6 = (const void *)a;
	const struct sockaddr_in6 *b6 = (const void *)b;

	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET)
		return a4->sin_addr.s_addr == b4->sin_addr.s_addr;
	return memcmp(&a6->sin6_addr, &b6->sin6_addr, sizeof(a6->sin6_addr)) == 0;
}

static in_port_t port_of(const struct sockaddr_storage *address)
{
	return address->ss_family == AF_INET
		       ? ((const struct sockaddr_in *)address)->sin_port
		       : ((const struct sockaddr_in6 *)address)->sin6_port;
}

bool address_same(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	return address_same_host(a, b) && port_of(a) == port_of(b);
}

/* SPDX-License-Identifier: MIT */
/* Numeric addresses as sockets use them. */
#include "base/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
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

bool address_is_link_local(const char *text)
{
	struct in6_addr v6;

	return inet_pton(AF_INET6, text, &v6) == 1 && IN6_IS_ADDR_LINKLOCAL(&v6);
}

void address_text_on(const char *text, const char *interface, char ret[ADDRESS_ON_SIZE])
{
	bool zone = interface[0] && address_is_link_local(text);

	snprintf(ret, ADDRESS_ON_SIZE, "%s%s%s", text, zone ? "%" : "",
		 zone ? interface : "");
}

int address_normalize(const char *text, const char *interface, char ret[ADDRESS_SIZE])
{
	size_t length = strcspn(text, "%");
	char host[ADDRESS_SIZE];
	struct in_addr v4;
	struct in6_addr v6;

	if (length >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, length);
	host[length] = '\0';
	if (inet_pton(AF_INET, host, &v4) == 1 && !text[length])
		inet_ntop(AF_INET, &v4, ret, ADDRESS_SIZE);
	else if (inet_pton(AF_INET6, host, &v6) != 1)
		return -EINVAL;
	else if (text[length] && strcmp(text + length + 1, interface) != 0)
		return -EXDEV;
	else
		inet_ntop(AF_INET6, &v6, ret, ADDRESS_SIZE);
	return 0;
}

int address_parse_on(const char *text, int port, const char *interface,
		     struct sockaddr_storage *ret)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;
	int r = address_parse(text, port, ret);

	if (r < 0 || !interface[0] || v6->sin6_family != AF_INET6 ||
	    !IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr) || v6->sin6_scope_id)
		return r;
	v6->sin6_scope_id = if_nametoindex(interface);
	return v6->sin6_scope_id ? 0 : -ENODEV;
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

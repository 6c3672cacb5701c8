/* SPDX-License-Identifier: MIT */
#include "cmd/alone/alone_targets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "base/io.h"
#include "base/text.h"
#include "cmd/host/host.h"
#include "netctl/rtroute.h"
#include "netctl/wginfo.h"

/* A shorter prefix is no network of the tunnel: its first address is anybody's. */
#define NETWORK_MIN 8

int alone_targets_parse(const char *name, const char *word, char ret[ADDRESS_SIZE],
			int *ret_port, struct err *err)
{
	char text[ADDRESS_SIZE + 16];
	char *address = text;
	char *port = NULL;
	int64_t number = 0;

	if (!text_copy(text, sizeof(text), word))
		return err_set(err, -EINVAL, "invalid value '%.80s' for --%s", word,
			       name);
	if (text[0] == '[' && strchr(text, ']')) {
		address++;
		port = strchr(text, ']');
		*port++ = '\0';
		port = *port == ':' ? port + 1 : *port ? text : NULL;
	} else if (strchr(text, ':') && strchr(text, ':') == strrchr(text, ':')) {
		port = strchr(text, ':');
		*port++ = '\0';
	}
	if (port && text_to_int(port, 1, 65535, &number) < 0)
		return err_set(err, -EINVAL,
			       "invalid value '%s' for --%s: expected ADDRESS, "
			       "IPV4:PORT or [IPV6]:PORT",
			       word, name);
	*ret_port = (int)number;
	return host_options_take_address(name, address, ret, err);
}

/* 0 added, or listed already; -EACCES: not behind the tunnel; -EINVAL: this host's own. */
static int add_target(struct alone_targets *all, const struct host *host,
		      const char *address, int port, const char *origin)
{
	struct alone_target *new = &all->list[all->count];
	struct wginfo_peer peer;
	struct rtroute route;

	for (int i = 0; i < all->count; i++) {
		if (strcmp(all->list[i].address, address) == 0)
			return 0;
	}
	if (all->count == ALONE_TARGETS_MAX)
		return 0;
	if (rtroute_get_on(address, host->link.index, &route, NULL) < 0)
		return -EACCES;
	if (route.local)
		return -EINVAL;
	if (route.oif != host->link.index ||
	    wginfo_find_peer(&host->link, host->backend, address, &peer, NULL) < 0)
		return -EACCES;
	*new = (struct alone_target){
		.port = port,
		.route_mtu = route.mtu,
		.origin = origin,
	};
	text_copy(new->address, sizeof(new->address), address);
	text_copy(new->local, sizeof(new->local), route.source);
	all->count++;
	return 0;
}

static int add_word(struct alone_targets *all, const struct host *host,
		    const char *name, const char *word, struct err *err)
{
	char address[ADDRESS_SIZE];
	int port;
	int r = alone_targets_parse(name, word, address, &port, err);

	if (r < 0)
		return r;
	r = add_target(all, host, address, port, name);
	if (r == -EINVAL)
		return err_set(err, r, "--%s %s is an address of this host", name,
			       address);
	if (r < 0)
		return err_set(err, -EINVAL,
			       "packets to --%s %s do not leave by '%s': name an "
			       "address behind the tunnel, or another --interface",
			       name, address, host->link.name);
	return 0;
}

static int add_named(struct alone_targets *all, const struct host *host,
		     const char *name, const struct option_list *named, struct err *err)
{
	int r = 0;

	for (int i = 0; r == 0 && i < named->count; i++)
		r = add_word(all, host, name, named->words[i], err);
	return r;
}

bool alone_targets_are_of_one_peer(const struct host *host, const char *a,
				   const char *b)
{
	struct wginfo_peer first = {0};
	struct wginfo_peer second = {0};

	if (wginfo_find_peer(&host->link, host->backend, a, &first, NULL) < 0 ||
	    wginfo_find_peer(&host->link, host->backend, b, &second, NULL) < 0)
		return false;
	/* An entry of AllowedIPs belongs to one peer. */
	return first.allowed_count == second.allowed_count &&
	       (first.allowed_count == 0 ||
		(first.all_allowed[0].length == second.all_allowed[0].length &&
		 strcmp(first.all_allowed[0].address, second.all_allowed[0].address) ==
			 0));
}

int alone_targets_find_one(const struct host *host, const char *name, const char *word,
			   struct alone_target *ret, struct err *err)
{
	struct alone_targets all = {0};
	int r = add_word(&all, host, name, word, err);

	if (r == 0)
		*ret = all.list[0];
	return r;
}

/* --- addresses of networks --- */

/* The n-th address of the network that `bytes` belongs to. */
static void address_in(int family, const unsigned char *bytes, int length, int n,
		       char ret[ADDRESS_SIZE])
{
	unsigned char copy[sizeof(struct in6_addr)];
	int size = family == AF_INET6 ? 16 : 4;

	memcpy(copy, bytes, (size_t)size);
	for (int bit = length; bit < size * 8; bit++)
		copy[bit / 8] &= (unsigned char)~(0x80 >> bit % 8);
	copy[size - 1] |= (unsigned char)n;
	inet_ntop(family, copy, ret, ADDRESS_SIZE);
}

/* The first addresses of a network, one of which may be this host's. */
static void add_network(struct alone_targets *all, const struct host *host, int family,
			const unsigned char *bytes, int length, const char *origin)
{
	int size = family == AF_INET6 ? 128 : 32;
	char address[ADDRESS_SIZE];

	if (length < NETWORK_MIN || length > size - 2)
		return;
	for (int n = 1; n <= 2; n++) {
		address_in(family, bytes, length, n, address);
		if (add_target(all, host, address, 0, origin) == 0)
			return;
	}
}

static int prefix_length(const unsigned char *mask, int size)
{
	int length = 0;

	while (length < size * 8 && (mask[length / 8] & 0x80 >> length % 8))
		length++;
	return length;
}

/* Private ranges alone (RFC 1918, RFC 6598): others' addresses are no gateway of ours. */
static bool is_private(const unsigned char *ipv4)
{
	return ipv4[0] == 10 || (ipv4[0] == 172 && (ipv4[1] & 0xf0) == 16) ||
	       (ipv4[0] == 192 && ipv4[1] == 168) ||
	       (ipv4[0] == 100 && (ipv4[1] & 0xc0) == 64);
}

/* A provider gives each client one address, and its gateway the first of a network. */
static void add_gateways(struct alone_targets *all, const struct host *host,
			 const unsigned char *ipv4)
{
	static const char origin[] = "a usual address of a gateway";
	char address[ADDRESS_SIZE];

	if (!is_private(ipv4))
		return;
	for (int length = 24; length >= 16; length -= 8) {
		address_in(AF_INET, ipv4, length, 1, address);
		add_target(all, host, address, 0, origin);
	}
}

static void add_own_address(struct alone_targets *all, const struct host *host,
			    const struct ifaddrs *own, bool guess)
{
	static const char origin[] = "the first address of the tunnel's network";
	int family = own->ifa_addr->sa_family;
	const unsigned char *bytes =
		family == AF_INET6 ? (const unsigned char *)&(
					     (const struct sockaddr_in6 *)own->ifa_addr)
					     ->sin6_addr
				   : (const unsigned char *)&(
					     (const struct sockaddr_in *)own->ifa_addr)
					     ->sin_addr;
	const unsigned char *mask =
		family == AF_INET6
			? (const unsigned char *)&(
				  (const struct sockaddr_in6 *)own->ifa_netmask)
				  ->sin6_addr
			: (const unsigned char *)&(
				  (const struct sockaddr_in *)own->ifa_netmask)
				  ->sin_addr;
	int size = family == AF_INET6 ? 16 : 4;

	if (family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL((const struct in6_addr *)bytes))
		return;
	if (!guess)
		add_network(all, host, family, bytes, prefix_length(mask, size),
			    origin);
	else if (family == AF_INET)
		add_gateways(all, host, bytes);
}

static void add_own(struct alone_targets *all, const struct host *host, bool guess)
{
	struct ifaddrs *own = NULL;

	if (getifaddrs(&own) < 0)
		return;
	for (const struct ifaddrs *at = own; at; at = at->ifa_next) {
		if (at->ifa_addr && at->ifa_netmask &&
		    strcmp(at->ifa_name, host->link.name) == 0 &&
		    (at->ifa_addr->sa_family == AF_INET ||
		     at->ifa_addr->sa_family == AF_INET6))
			add_own_address(all, host, at, guess);
	}
	freeifaddrs(own);
}

/* --- WireGuard's and the resolver's --- */

/* AllowedIPs of the peer that packets to `address` go to: single addresses, or networks. */
static void add_allowed(struct alone_targets *all, const struct host *host,
			const char *address, bool single)
{
	struct wginfo_peer peer;

	if (wginfo_find_peer(&host->link, host->backend, address, &peer, NULL) < 0)
		return;
	for (int i = 0; i < peer.allowed_count && i < WGINFO_ALLOWED_MAX; i++) {
		const struct wginfo_allowed *entry = &peer.all_allowed[i];
		int family = strchr(entry->address, ':') ? AF_INET6 : AF_INET;
		unsigned char bytes[sizeof(struct in6_addr)];

		if (inet_pton(family, entry->address, bytes) != 1)
			continue;
		if (!single)
			add_network(all, host, family, bytes, entry->length,
				    "the first address of an AllowedIPs network");
		else if (entry->length == (family == AF_INET6 ? 128 : 32))
			add_target(all, host, entry->address, 0,
				   "an address of AllowedIPs");
	}
}

/* Each family's AllowedIPs, by an address that a default route has too. */
static void add_all_allowed(struct alone_targets *all, const struct host *host,
			    bool single)
{
	int known = all->count;

	for (int i = 0; i < known; i++)
		add_allowed(all, host, all->list[i].address, single);
	add_allowed(all, host, "10.0.0.1", single);
	add_allowed(all, host, "fd00::1", single);
}

static void add_resolvers(struct alone_targets *all, const struct host *host,
			  const char *path)
{
	cleanup_file FILE *file = fopen(path, "re");
	char line[256];

	while (file && fgets(line, sizeof(line), file)) {
		char address[ADDRESS_SIZE];
		char word[80];

		if (sscanf(line, " nameserver %79s", word) == 1 &&
		    address_normalize(word, host->link.name, address) == 0)
			add_target(all, host, address, 0, "a DNS server");
	}
}

int alone_targets_find(const struct host *host, const char *name,
		       const struct option_list *named, struct alone_targets *ret,
		       struct err *err)
{
	*ret = (struct alone_targets){0};
	if (named->count)
		return add_named(ret, host, name, named, err);
	add_own(ret, host, false);
	add_all_allowed(ret, host, true);
	add_own(ret, host, true);
	add_resolvers(ret, host, "/etc/resolv.conf");
	add_resolvers(ret, host, "/run/systemd/resolve/resolv.conf");
	add_all_allowed(ret, host, false);
	if (ret->count)
		return 0;
	return err_set(err, -ENOENT,
		       "no address behind '%s' is known that may answer: name one with "
		       "--%s",
		       host->link.name, name);
}

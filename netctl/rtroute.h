#ifndef NETCTL_RTROUTE_H
#define NETCTL_RTROUTE_H

#include "base/err.h"
#include "base/types.h"

/* The way a packet would take, and what the kernel remembers of path MTUs. */

struct rtroute {
	int oif; /* interface index it leaves by */
	char oif_name[IF_NAME_SIZE];
	char source[ADDRESS_SIZE]; /* the address it would leave with; "" where none */
	int mtu;                   /* the route's own mtu metric, which overrides the
				      link's; 0 for none. Cached path MTUs do not count. */
	bool local;                /* the destination is this host itself */
};

/* RTM_GETROUTE for an IPv4 or IPv6 address. -EINVAL: not an address; -ENETUNREACH: no
 * route; -ENODEV: its interface went meanwhile. Any other error: the lookup failed, and
 * says nothing about the route. */
int rtroute_get(const char *address, struct rtroute *ret, struct err *err);

/*
 * What the way to an address takes whole, by what the kernel knows of it: links, routes
 * and answers of routers. `mark`: of the packets in question (SO_MARK, CAP_NET_ADMIN); 0
 * none. -EINVAL not an address, -ENETUNREACH.
 */
int rtroute_path_mtu(const char *address, uint32_t mark, int *ret, struct err *err);

/*
 * Forget the path MTU exceptions of both families, in this network namespace: IPv4 by
 * writing /proc/sys/net/ipv4/route/flush, IPv6 by deleting the cloned routes (its /proc
 * twin does not clear them). -EROFS or -EACCES where /proc/sys cannot be written, after
 * the IPv6 half was done all the same: a warning, not a reason to stop.
 */
int rtroute_flush_exceptions(struct err *err);

#endif

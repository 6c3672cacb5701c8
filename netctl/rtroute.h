/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_RTROUTE_H
#define NETCTL_RTROUTE_H

#include "base/err.h"
#include "base/types.h"

/* The route of a packet, and the path MTUs cached by the kernel. */

struct rtroute {
	int oif; /* index of the outgoing interface */
	char oif_name[IF_NAME_SIZE];
	char source[ADDRESS_SIZE]; /* source address; "" without one */
	/* the route's own mtu metric, which overrides the link's; 0: none. Excludes
	 * cached path MTUs. */
	int mtu;
	bool local; /* the destination is this host itself */
};

/* RTM_GETROUTE for an IPv4 or IPv6 address. -EINVAL: not an address; -ENETUNREACH: no
 * route; -ENODEV: its interface was removed meanwhile. Any other error: the lookup
 * failed, which gives no evidence about the route. */
int rtroute_get(const char *address, struct rtroute *ret, struct err *err);

/*
 * The path MTU to an address that the kernel knows: from links, routes and ICMP
 * messages of routers. `mark`: the packets' mark (SO_MARK, CAP_NET_ADMIN); 0 none.
 * -EINVAL: not an address; -ENETUNREACH.
 */
int rtroute_path_mtu(const char *address, uint32_t mark, int *ret, struct err *err);

/*
 * Delete the path MTU exceptions of both families in this network namespace: IPv4 by
 * writing /proc/sys/net/ipv4/route/flush, IPv6 by deleting the cloned routes (its /proc
 * twin does not clear them). -EROFS or -EACCES if /proc/sys cannot be written; the IPv6
 * half is done all the same. That is a warning, not a reason to stop.
 */
int rtroute_flush_exceptions(struct err *err);

#endif

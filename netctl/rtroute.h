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
	/* the MSS that TCP of this host announces on it (ip-route(8), advmss); 0: that
	 * of the MTU */
	int advmss;
	int table;  /* the routing table that the route is in */
	bool local; /* the destination is this host itself */
};

/* Sockets in another network namespace, for lookups there (netctl/outside.h). NULL in
 * place of it: this namespace. */
struct rtplace {
	int netlink; /* NETLINK_ROUTE, bound */
	int ipv4;    /* UDP */
	int ipv6;
	int flush; /* its /proc/sys/net/ipv4/route/flush */
};

#define RTPLACE_NONE                                               \
	{                                                          \
		.netlink = -1, .ipv4 = -1, .ipv6 = -1, .flush = -1 \
	}

/* Open them in the calling thread's namespace. On errors some may be open. */
int rtplace_open(struct rtplace *ret, struct err *err);
void rtplace_close(struct rtplace *place);

/* RTM_GETROUTE for an IPv4 or IPv6 address. -EINVAL: not an address; -ENETUNREACH: no
 * route; -ENODEV: its interface was removed meanwhile. Any other error: the lookup
 * failed, which gives no evidence about the route. */
int rtroute_get(const char *address, struct rtroute *ret, struct err *err);

/* The same for an address inside a tunnel, whose interface has the index `link`: that is
 * the link of a link-local address. */
int rtroute_get_on(const char *address, int link, struct rtroute *ret, struct err *err);

/* The same in another namespace, where it names the interface. */
int rtroute_get_at(const struct rtplace *place, const char *address,
		   struct rtroute *ret, struct err *err);

/* The same for UDP packets to a port, which a routing rule may send another way; port 0:
 * any packet. Kernels older than 4.17 ignore the port. */
int rtroute_get_udp(const char *address, int link, int port, struct rtroute *ret,
		    struct err *err);

/*
 * The path MTU to an address that the kernel knows: from links, routes and ICMP
 * messages of routers. `mark`: the packets' mark (SO_MARK, CAP_NET_ADMIN); 0 none.
 * -EINVAL: not an address; -ENETUNREACH.
 */
int rtroute_path_mtu(const struct rtplace *place, const char *address, uint32_t mark,
		     int *ret, struct err *err);

/*
 * Delete the path MTU exceptions of both families in a network namespace: IPv4 by
 * writing /proc/sys/net/ipv4/route/flush, IPv6 by deleting the cloned routes (its /proc
 * twin does not clear them). -EROFS or -EACCES if /proc/sys cannot be written; the IPv6
 * half is done anyway. That is a warning, not a reason to stop.
 */
int rtroute_flush_exceptions(const struct rtplace *place, struct err *err);

#endif

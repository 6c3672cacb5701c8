/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_RTPARSE_H
#define NETCTL_RTPARSE_H

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "netctl/rtlink.h"

/*
 * Parsers for rtnetlink's messages, without any I/O, inside netctl only: callbacks for
 * nl_exchange() or mnl_cb_run(), whose ctx is the struct to fill. A message of another
 * type, or too short for its own header, is ignored.
 */

/* The size of an address of AF_INET or AF_INET6, bytes. */
size_t rtparse_address_size(int family);

/* RTM_NEWLINK. ctx: struct rtlink, all but has_ipv6. */
int rtparse_link(const struct nlmsghdr *message, void *ctx);

/* RTM_NEWLINK, of a dump: the largest MTU of Ethernet links that are up. */
struct rtparse_ethernet {
	int except; /* index of a link to ignore */
	int mtu;
};

int rtparse_ethernet(const struct nlmsghdr *message, void *ctx);

/* The same: links of the kinds "wireguard" and "tun". */
struct rtparse_tunnels {
	struct rtlink *list;
	int max;
	int count; /* all of them */
};

int rtparse_tunnels(const struct nlmsghdr *message, void *ctx);

/* RTM_NEWADDR: the first address of `index` and `family` for which `is_it` returns
 * true. */
struct rtparse_search {
	int index;
	int family;       /* AF_INET, AF_INET6 */
	bool global_only; /* ignore IPv6 link-local addresses */
	bool (*is_it)(struct rtparse_search *search, const void *address);
	unsigned char wanted[sizeof(struct in6_addr)]; /* for is_it */
	char *text;                                    /* for is_it */
	bool found;
};

int rtparse_address(const struct nlmsghdr *message, void *ctx);

/* One of RTA_METRICS, by its type: RTAX_MTU, RTAX_ADVMSS; 0: none. */
int rtparse_metric(const struct nlattr *metrics, int type);

/* RTM_NEWROUTE: the way to one address. `family` is given, the rest filled. */
struct rtparse_route {
	int family;
	unsigned char type; /* RTN_UNICAST ... */
	int oif;
	int table;
	/* metrics; 0: none */
	int mtu;
	int advmss;
	char source[ADDRESS_SIZE]; /* "" without one */
};

int rtparse_route(const struct nlmsghdr *message, void *ctx);

/* RTM_NEWROUTE, of a dump of IPv6 routes: those cloned with an MTU of their own. */
struct rtparse_clone {
	struct rtmsg route;
	uint32_t table;
	uint32_t oif;
	struct in6_addr dst;
	struct in6_addr src;
	int mtu;
};

struct rtparse_clones {
	struct rtparse_clone *list;
	size_t count;
};

/* -ENOMEM in errno with MNL_CB_ERROR. */
int rtparse_clone(const struct nlmsghdr *message, void *ctx);
void rtparse_clones_release(struct rtparse_clones *clones);

/* RTM_NEWLINK, RTM_DELLINK as events: set when `interface` went down or was removed. */
struct rtparse_fall {
	const char *interface;
	bool down;
};

int rtparse_fall(const struct nlmsghdr *message, void *ctx);

#endif

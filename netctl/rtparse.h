#ifndef NETCTL_RTPARSE_H
#define NETCTL_RTPARSE_H

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "netctl/rtlink.h"

/*
 * What rtnetlink's messages say, without any I/O, inside netctl only: callbacks for
 * nl_exchange() or mnl_cb_run(), each with the struct it fills as its ctx. A message of
 * another type, or too short for its own header, is passed over.
 */

/* Bytes of an address of AF_INET or AF_INET6. */
size_t rtparse_address_size(int family);

/* RTM_NEWLINK. ctx: struct rtlink, all but has_ipv6. */
int rtparse_link(const struct nlmsghdr *message, void *ctx);

/* RTM_NEWLINK, of a dump: the largest MTU of Ethernet links that are up. */
struct rtparse_ethernet {
	int except; /* index of a link that does not count */
	int mtu;
};

int rtparse_ethernet(const struct nlmsghdr *message, void *ctx);

/* RTM_NEWADDR: the first address of `index` and `family` that `is_it` says yes to. */
struct rtparse_search {
	int index;
	int family;       /* AF_INET, AF_INET6 */
	bool global_only; /* pass over IPv6 link-local ones */
	bool (*is_it)(struct rtparse_search *search, const void *address);
	unsigned char wanted[sizeof(struct in6_addr)]; /* for is_it */
	char *text;                                    /* for is_it */
	bool found;
};

int rtparse_address(const struct nlmsghdr *message, void *ctx);

/* RTM_NEWROUTE: the way to one address. `family` is given, the rest filled. */
struct rtparse_route {
	int family;
	unsigned char type; /* RTN_UNICAST ... */
	int oif;
	int mtu;                   /* metric; 0: none */
	char source[ADDRESS_SIZE]; /* "" where none is said */
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

/* RTM_NEWLINK, RTM_DELLINK as events: whether `interface` went down or away. */
struct rtparse_fall {
	const char *interface;
	bool down;
};

int rtparse_fall(const struct nlmsghdr *message, void *ctx);

#endif

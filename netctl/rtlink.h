#ifndef NETCTL_RTLINK_H
#define NETCTL_RTLINK_H

#include "base/err.h"
#include "base/types.h"

/*
 * A link and its MTU over rtnetlink. Each call opens its own socket. The kernel's
 * extended-acknowledgement text is passed on in err (NETLINK_EXT_ACK).
 */

struct rtlink {
	int index;
	char name[IF_NAME_SIZE];
	char kind[16]; /* IFLA_INFO_KIND: "wireguard", "tun", ...; "" where there is
			  none */
	int mtu;
	int min_mtu; /* IFLA_MIN_MTU, IFLA_MAX_MTU; 0 where the driver says none */
	int max_mtu;
	bool up;       /* IFF_UP */
	bool has_ipv6; /* any IPv6 address, link-local too: below 1280 it would be lost
			*/
};

/* -ENODEV: no such interface. */
int rtlink_get(const char *name, struct rtlink *ret, struct err *err);

/* The largest MTU of any Ethernet link that is up, `except` by its index (0: none); 0
 * where there is no such link. A bridge, a bond, a VLAN and a veth are such links, too. */
int rtlink_get_ethernet_mtu(int except, int *ret, struct err *err);

/* -EINVAL out of range, -EPERM, -ENODEV; the link may be gone and come back with
 * another index at any time, so it is named by index. */
int rtlink_set_mtu(int index, int mtu, struct err *err);

/* The first address of `family` (AF_INET, AF_INET6; IPv6 link-local ones do not count)
 * on the link. -EADDRNOTAVAIL: none. */
int rtlink_get_address(int index, int family, char ret[ADDRESS_SIZE], struct err *err);

/* Whether `address` (IPv4 or IPv6 text) is one of the link's own. 1, 0 or -errno. */
int rtlink_has_address(int index, const char *address, struct err *err);

#endif

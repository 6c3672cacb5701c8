/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_RTLINK_H
#define NETCTL_RTLINK_H

#include "base/err.h"
#include "base/types.h"

/*
 * A link and its MTU over rtnetlink. Each call opens its own socket. err contains the
 * kernel's extended acknowledgement, if any (NETLINK_EXT_ACK).
 */

struct rtlink {
	int index;
	char name[IF_NAME_SIZE];
	char kind[16]; /* IFLA_INFO_KIND: "wireguard", "tun", ...; "" without one */
	int mtu;
	int min_mtu; /* IFLA_MIN_MTU, IFLA_MAX_MTU; 0 if the driver reports none */
	int max_mtu;
	bool up;     /* IFF_UP */
	int master;  /* index of the interface that it is enslaved to; 0: none */
	bool in_vrf; /* the master is a VRF */
	/* has an IPv6 address, also link-local: an MTU below 1280 removes it */
	bool has_ipv6;
};

/* -ENODEV: no such interface. */
int rtlink_get(const char *name, struct rtlink *ret, struct err *err);

/* Return the number of links that may be WireGuard's, by their kind, the first `max` of
 * them in ret, without has_ipv6; or -errno. */
int rtlink_list_tunnels(struct rtlink *ret, int max, struct err *err);

/* The largest MTU of all Ethernet links that are up, without the index `except` (0:
 * none excluded); 0 if there is no such link. Bridges, bonds, VLANs and veths count as
 * Ethernet links. */
int rtlink_get_ethernet_mtu(int except, int *ret, struct err *err);

/* -EINVAL out of range, -EPERM, -ENODEV. The link is named by its index, since it may
 * be deleted and created again with the same name at any time. */
int rtlink_set_mtu(int index, int mtu, struct err *err);

/* Get the link's first IPv4 address; else its first IPv6 one, a link-local one last.
 * -EADDRNOTAVAIL: none. */
int rtlink_get_address(int index, char ret[ADDRESS_SIZE], struct err *err);

/* 1 if `address` (IPv4 or IPv6 text) is one of the link's own, 0 if not, or -errno. */
int rtlink_has_address(int index, const char *address, struct err *err);

#endif

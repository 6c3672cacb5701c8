/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_PROBEROUTE_H
#define NETCTL_PROBEROUTE_H

#include "base/err.h"
#include "base/types.h"

/*
 * The probe way through the kernel's WireGuard, inside netctl only. WireGuard pads a
 * packet to a multiple of 16, but not beyond its route's MTU: it takes the remainder of
 * the packet's size by that MTU (calculate_skb_padding() in the kernel's
 * drivers/net/wireguard/send.c). So a route of MTU 1 leaves every packet unpadded. A
 * socket with IP_PMTUDISC_PROBE obeys only the link's MTU, and so can use that route.
 * The route is in a table of its own, and a rule directs one UDP port of the other end
 * there.
 */

struct proberoute {
	int ifindex;
	char address[ADDRESS_SIZE]; /* address of the other end, inside the tunnel */
	/* port of the other end; 0: no rule and no route exist */
	int port;
	/* The route's MTU; 0: 1. Another one is for probes of exactly that size, which
	 * are larger than the link's MTU: then the socket has to obey the route's. */
	int mtu;
};

/* Keep a probe way that exists already, with this MTU. -EOPNOTSUPP: this kernel cannot do
 * it, or a rule of the host sends the probes another way. Nothing is left after any
 * error. */
int proberoute_add(const struct proberoute *way, struct err *err);
/* 0 also when there is none. */
int proberoute_remove(const struct proberoute *way, struct err *err);

#endif

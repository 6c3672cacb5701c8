#ifndef NETCTL_PROBEROUTE_H
#define NETCTL_PROBEROUTE_H

#include "base/err.h"
#include "base/types.h"

/*
 * The way of probes through the kernel's WireGuard, inside netctl only: it pads a packet
 * to a multiple of 16, but not beyond its route's MTU, whose remainder it takes
 * (calculate_skb_padding() in the kernel's drivers/net/wireguard/send.c). A route of MTU
 * 1 leaves every packet as it is; a socket with IP_PMTUDISC_PROBE obeys the link's MTU
 * alone, and so can use it. The route lies in a table of its own, and a rule sends one
 * UDP port of the other end there.
 */

struct proberoute {
	int ifindex;
	char address[ADDRESS_SIZE]; /* the other end's, inside the tunnel */
	int port;                   /* the other end's; 0: none of it is there */
};

/* One that is there already stays. -EOPNOTSUPP: this kernel cannot do it; nothing is
 * left of it then, nor after other errors. */
int proberoute_add(const struct proberoute *way, struct err *err);
/* 0 also when nothing is there. */
int proberoute_remove(const struct proberoute *way, struct err *err);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_RAWSOCK_H
#define NETCTL_RAWSOCK_H

#include <stdint.h>

#include "base/err.h"
#include "base/types.h"

/*
 * Raw sockets for probes that no mtusweep at the far end answers. The guard (CAP_NET_RAW)
 * opens one for one address, and main gets it. It is bound to the tunnel's interface, which
 * main cannot undo without CAP_NET_RAW, or, for the endpoint, bound to none and with the
 * mark of WireGuard's own packets. A locked filter lets in packets of that address alone.
 * Main has priv_refuse_headers(), so the kernel writes the IP headers.
 */

enum rawsock_kind {
	RAWSOCK_ECHO,  /* ICMP or ICMPv6 to an address inside the tunnel */
	RAWSOCK_TCP,   /* TCP segments to one */
	RAWSOCK_OUTER, /* ICMP or ICMPv6 to the WireGuard endpoint, outside the tunnel */
	RAWSOCK_COUNT,
};

struct rawsock_target {
	enum rawsock_kind kind;
	char interface[IF_NAME_SIZE]; /* not for RAWSOCK_OUTER */
	char address[ADDRESS_SIZE];
	uint32_t mark; /* RAWSOCK_OUTER: of WireGuard's outer packets; 0 none */
};

/* Open it, connected and close-on-exec, and non-blocking. Packets leave with DF, or
 * unfragmented, whatever path MTU the kernel knows. -EINVAL: not an address; -EPERM: no
 * CAP_NET_RAW; -ENETUNREACH. */
int rawsock_open(const struct rawsock_target *target, int *ret, struct err *err);

#endif

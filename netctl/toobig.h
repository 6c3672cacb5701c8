/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_TOOBIG_H
#define NETCTL_TOOBIG_H

#include <stdint.h>

#include "base/err.h"
#include "netctl/probetap.h"

/*
 * Count the ICMP messages of routers that a packet to the WireGuard endpoint was too big:
 * "fragmentation needed" of IPv4, "packet too big" of IPv6. The guard (CAP_NET_RAW) has the
 * raw socket for it, since whoever has one may send any ICMP message. A locked filter lets
 * in those messages alone, and one byte of each, which nobody reads.
 *
 * TOOBIG_CLOSED, then toobig_begin() for each new count, toobig_end().
 */
struct toobig {
	int fd; /* -1: none */
	int64_t count;
};

#define TOOBIG_CLOSED ((struct toobig){.fd = -1})

/* Count from here. -EINVAL: not an address; -EPERM: no CAP_NET_RAW. */
int toobig_begin(struct toobig *toobig, const struct probetap_target *endpoint,
		 struct err *err);
/* Those since then; NO_FIGURE: nobody counts. */
int64_t toobig_count(struct toobig *toobig);
void toobig_end(struct toobig *toobig);

#endif

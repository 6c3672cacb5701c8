/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_LINKIPV6_H
#define NETCTL_LINKIPV6_H

#include "base/err.h"
#include "netctl/rtlink.h"

/*
 * The IPv6 settings of an interface without IPv6 addresses. Below an MTU of 1280 the kernel
 * forgets them, and all addresses and routes; back above, it takes the defaults, by which
 * most interfaces get a link-local address (addrconf_notify() in net/ipv6/addrconf.c). So
 * disable_ipv6 and addr_gen_mode are noted before the MTU falls below 1280, and restored
 * once it is above; where any other setting is not the default, the MTU may not fall.
 */

/* A note: nothing to restore. Others are values for linkipv6_restore(), 1 to 255. */
#define LINKIPV6_NOTHING 0

/* Note the settings of a link. LINKIPV6_NOTHING with addresses, without IPv6, or below
 * 1280 already. */
int linkipv6_note(const struct rtlink *link);

/* True if an MTU below 1280 would remove nothing of IPv6 from the link that is in use, and
 * what it removes can be restored: no address, no route, no setting but the two that
 * differs from the default, and these may be written. True below 1280 already, and where
 * the kernel has no IPv6; false where that cannot be told. */
bool linkipv6_may_fall(const struct rtlink *link);

/* Restore the settings, which takes the link-local address away again. `interface` has an
 * MTU of 1280 or more. No effect where they are as noted, or with LINKIPV6_NOTHING.
 * -ESTALE: somebody has given the interface another address since, so all is left. */
int linkipv6_restore(const char *interface, int note, struct err *err);

#endif

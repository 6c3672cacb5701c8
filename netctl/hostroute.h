/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_HOSTROUTE_H
#define NETCTL_HOSTROUTE_H

#include "base/err.h"
#include "base/types.h"
#include "netctl/hostchange.h"

/*
 * The MTUs that the kind of change "route" (hostchange.h) can set. A userspace WireGuard
 * pads packets to a multiple of 16 up to the link's MTU, whatever their route's, so that
 * only such MTUs have packets of known size. The kernel's pads up to the route's MTU, which
 * may be above the link's.
 */

/* 1 or 16: a route's MTU has to be a multiple of it. */
int hostroute_unit(enum backend backend);

/* The largest one. */
int hostroute_mtu_max(enum backend backend, int link_mtu);

/* conffile_edit_routes() for the routes of the record; one that has some. */
int hostroute_edit_conf(const struct hostroute_record *route, const char *data,
			size_t size, int mtu, char **ret, size_t *ret_size,
			struct err *err);

#endif

#ifndef NETCTL_WGINFO_H
#define NETCTL_WGINFO_H

#include "base/err.h"
#include "base/types.h"
#include "netctl/rtlink.h"

/*
 * What WireGuard says of an interface: kernel over generic netlink (WG_CMD_GET_DEVICE),
 * userspace over its control socket /var/run/wireguard/<interface>.sock ("get=1"). Keys
 * are never kept: what was read is wiped before the call returns. Needs CAP_NET_ADMIN,
 * or access to the socket.
 */

/* Never fails: what is not WireGuard is BACKEND_NONE. A socket file without a tun of
 * that name, or the reverse, is BACKEND_NONE. */
enum backend wginfo_backend(const struct rtlink *link);

struct wginfo_peer {
	int endpoint_family;         /* 4 or 6; 0 while no endpoint is known */
	char endpoint[ADDRESS_SIZE]; /* its address, IPv4's as such and without a scope;
					"" while none is known */
	int endpoint_port;
	uint32_t fwmark;  /* of the outer packets; 0 none */
	char allowed[64]; /* the AllowedIPs entry that matched, "10.0.0.2/32" */
};

/*
 * The WireGuard peer whose AllowedIPs match `address` (a tunnel address), longest
 * prefix first. -ENOENT: none of them does. -EOPNOTSUPP: not WireGuard, or
 * a kernel without it. -ETIMEDOUT, -EPIPE, -EBADMSG: the daemon does not answer as it
 * should.
 */
int wginfo_find_peer(const struct rtlink *link, enum backend backend,
		     const char *address, struct wginfo_peer *ret, struct err *err);

#endif

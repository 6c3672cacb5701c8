/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_WGINFO_H
#define NETCTL_WGINFO_H

#include <sys/types.h>

#include "base/err.h"
#include "base/types.h"
#include "netctl/rtlink.h"

/*
 * WireGuard's facts about an interface: from the kernel over generic netlink
 * (WG_CMD_GET_DEVICE), from a userspace daemon over its control socket
 * /var/run/wireguard/<interface>.sock ("get=1"). Private keys are never kept: the buffer is
 * wiped before the call returns. Needs CAP_NET_ADMIN, or access to the socket.
 */

/* Never fails: an interface that is not WireGuard's is BACKEND_NONE, as is a socket
 * file without a tun of that name, or the reverse. */
enum backend wginfo_backend(const struct rtlink *link);

/* One entry of a peer's AllowedIPs. */
struct wginfo_allowed {
	char address[ADDRESS_SIZE];
	int length; /* of the prefix */
};

/* Longer lists are counted, and kept up to here. */
#define WGINFO_ALLOWED_MAX 32

struct wginfo_peer {
	char key[KEY_SIZE];  /* its public key (base/tunnel.h) */
	int endpoint_family; /* 4 or 6; 0 while no endpoint is known */
	/* endpoint address, a mapped IPv4 one as IPv4, without a scope; "" while
	 * unknown */
	char endpoint[ADDRESS_SIZE];
	int endpoint_port;
	uint32_t fwmark;  /* mark of the outer packets; 0 none */
	int listen_port;  /* of the interface, which they leave from; 0 unknown */
	char allowed[64]; /* the AllowedIPs entry that matched, "10.0.0.2/32" */
	int allowed_count;
	struct wginfo_allowed all_allowed[WGINFO_ALLOWED_MAX];
	int peers; /* that the interface has, this one included */
};

/*
 * Find the WireGuard peer whose AllowedIPs match `address` (a tunnel address), longest
 * prefix first. -ENOENT: no peer matches. -EOPNOTSUPP: not WireGuard, or a kernel
 * without it. -ETIMEDOUT, -EPIPE, -EBADMSG: the daemon does not answer correctly.
 */
int wginfo_find_peer(const struct rtlink *link, enum backend backend,
		     const char *address, struct wginfo_peer *ret, struct err *err);

/* Count the interface's WireGuard peers, whatever their AllowedIPs. Else as
 * wginfo_find_peer(). */
int wginfo_count_peers(const struct rtlink *link, enum backend backend, int *ret,
		       struct err *err);

/* Read the interface's public key. -ENOKEY: it has none. Else as wginfo_find_peer(). */
int wginfo_own_key(const struct rtlink *link, enum backend backend, char ret[KEY_SIZE],
		   struct err *err);

/* Return the UDP port of the interface's outer packets; 0: unknown. */
int wginfo_listen_port(const struct rtlink *link, enum backend backend);

/* Return the process that listens at a userspace interface's control socket; 0: unknown,
 * as where it is in another process namespace. It may have ended since, and left the
 * socket to a child (wireguard-go without -f). */
pid_t wginfo_daemon(const struct rtlink *link);

#endif

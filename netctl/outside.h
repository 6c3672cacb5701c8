/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_OUTSIDE_H
#define NETCTL_OUTSIDE_H

#include <stdbool.h>

#include "base/err.h"
#include "netctl/rtroute.h"

/*
 * The network namespace of a WireGuard interface's outer packets, where it is another one
 * than the interface's, inside netctl only. The kernel's WireGuard keeps its socket in the
 * namespace that the interface was made in, wherever it is moved (creating_net in the
 * kernel's drivers/net/wireguard/device.c), and a userspace daemon's socket is in the
 * daemon's. The kernel names that namespace nowhere (a wireguard link has no
 * IFLA_LINK_NETNSID), but the socket's port is in that namespace's list of UDP sockets. A
 * daemon is known by its control socket, and its namespace is looked at first.
 *
 * The guard calls outside_open() before it gives up its privileges, in a thread of its own
 * that enters the namespaces in question (CAP_SYS_ADMIN, and CAP_SYS_PTRACE for those of
 * others' processes). Later only the sockets are used, which stay in their namespace. A
 * struct is valid for the interface's index alone.
 */

struct outside {
	int ifindex;          /* 0: none; the descriptors are -1 then */
	struct rtplace place; /* for lookups there */
	int packets;          /* packet socket that receives nothing yet */
	char name[96];        /* "'/run/netns/red'", "that of process 1" */
};

#define OUTSIDE_NONE ((struct outside){.place = RTPLACE_NONE, .packets = -1})

/*
 * Find the namespace and open the sockets. 0 with ifindex 0: the packets leave here, or
 * the interface is no WireGuard that is up. The rest are sentences for the user: -ENOENT:
 * no namespace is known that has the port; -ENOTUNIQ: several have; -EPERM, -EACCES: one
 * cannot be entered.
 */
int outside_open(const char *interface, struct outside *ret, struct err *err);
void outside_close(struct outside *outside);

/*
 * True when the UDP port is that of no socket in this network namespace, so that outer
 * packets leave another one. False also if that cannot be told.
 */
bool outside_is_elsewhere(int port);

/* Parse a list of UDP sockets (/proc/net/udp, /proc/net/udp6): true if one that is not
 * connected, and with of_root is root's, has the port. */
bool outside_lists_port(const char *text, int port, bool of_root);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_CONFHOME_H
#define NETCTL_CONFHOME_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The program that sets an interface's MTU when it starts, and the file that it takes the
 * MTU from. Only files are read, below a folder that is "" but in tests:
 *
 *	run/systemd/netif/links/<index>      networkd's state: NETWORK_FILE=
 *	run/NetworkManager/devices/<index>   NetworkManager's state: connection-uuid=
 *	etc/NetworkManager/system-connections/<name>.nmconnection
 *	etc/wireguard/<interface>.conf
 *	etc/config/network                   OpenWrt's: config interface '<interface>'
 *
 * Netplan makes files for networkd and NetworkManager below run/, with its name in theirs.
 * Managers know the interfaces of their own network namespace alone: confhome_is_managed().
 */

enum confhome_kind {
	CONFHOME_UNKNOWN,
	CONFHOME_WG_QUICK,
	CONFHOME_NETWORKD,
	CONFHOME_NETWORKMANAGER,
	CONFHOME_NETPLAN,
	CONFHOME_UCI,
};

struct confhome {
	enum confhome_kind kind;
	/* The file to write an MTU to, for which it may have to be made; "": none, an MTU
	 * is applied to the host alone. */
	char file[4096];
	/* With "": a clause that says why, or "". */
	char why[256];
};

/* "wg-quick", "networkd", "networkmanager", "netplan", "uci" as `best --as` has them;
 * NULL: unknown. Static. */
const char *confhome_name(enum confhome_kind kind);

/* True in the network namespace of the managers, which is process 1's, or where that cannot
 * be found. */
bool confhome_is_managed(void);

/*
 * If there are several, the one that has a file to write to counts; networkd before
 * NetworkManager before wg-quick, after which they act on the interface. networkd has a
 * file where the .network file matches this interface's name and nothing else: a
 * drop-in of a file for several interfaces would change all of them. Without `managed` only
 * wg-quick's file is looked for.
 */
void confhome_find(const char *root, const char *interface, int ifindex, bool managed,
		   struct confhome *ret);

/* Pure: the value of the last `key` in `section` ("[Match]"; "": of a text without
 * sections), without blanks around it. Return the number of such lines, where "#" or ";"
 * begins a comment. *ret is untouched with a 0. */
int confhome_value(const char *text, const char *section, const char *key, char *ret,
		   size_t size);

#endif

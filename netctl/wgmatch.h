/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_WGMATCH_H
#define NETCTL_WGMATCH_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/tunnel.h"
#include "netctl/wginfo.h"

/*
 * The search for the WireGuard peer that an address belongs to, without any I/O, inside
 * netctl only. Call wgmatch_init(), pass the backend's answer in pieces of any size to
 * wgmatch_on_message() (kernel) or wgmatch_feed_text() (userspace), then
 * wgmatch_finish(). Always call wgmatch_wipe(): a daemon tells the interface's private
 * key.
 */

#define WGMATCH_LINE_SIZE 256

struct wgmatch {
	int family; /* family of the address to search for */
	unsigned char address[16];
	uint32_t fwmark; /* the interface's mark */
	int listen_port; /* its UDP port; 0: none, or the daemon does not tell */
	/* Its key: the public one from the kernel, the private one from a daemon. */
	bool has_key;
	bool key_is_private;
	unsigned char own_key[KEY_BYTES];

	/* The peer being parsed. */
	bool in_peer;
	int peers; /* begun so far */
	unsigned char key[KEY_BYTES];
	int prefix; /* longest prefix that matched; -1 none */
	struct wginfo_peer peer;

	/* The best of the peers before. */
	int best_prefix;
	struct wginfo_peer best;

	/* Userspace: the line being read, and whether the last line was seen. */
	char line[WGMATCH_LINE_SIZE];
	size_t line_size;
	bool complete;
	int code; /* the daemon's result, "errno=" */
};

/* -EINVAL: not an address. */
int wgmatch_init(struct wgmatch *match, const char *address, struct err *err);
void wgmatch_wipe(struct wgmatch *match);

/* For nl_exchange(), ctx a uint16_t: parse an answer to CTRL_CMD_GETFAMILY, WireGuard's
 * number in generic netlink (<linux/genetlink.h>). */
int wgmatch_on_family(const struct nlmsghdr *message, void *ctx);

/* For nl_exchange(), ctx a struct wgmatch: parse an answer to WG_CMD_GET_DEVICE
 * (<linux/wireguard.h>). A peer may continue in the next message, with only its key and
 * more AllowedIPs. */
int wgmatch_on_message(const struct nlmsghdr *message, void *ctx);

/* Parse any piece of an answer to "get=1" (wireguard.com/xplatform, "Configuration
 * Protocol"). -EBADMSG: an invalid line. */
int wgmatch_feed_text(struct wgmatch *match, const char *data, size_t size);

/* True, with *ret filled, when a peer's AllowedIPs contain the address. */
bool wgmatch_finish(struct wgmatch *match, struct wginfo_peer *ret);

/* The interface's public key as text. False, with *ret untouched: it has none. */
bool wgmatch_own_key(const struct wgmatch *match, char ret[KEY_SIZE]);

#endif

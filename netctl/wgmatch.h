#ifndef NETCTL_WGMATCH_H
#define NETCTL_WGMATCH_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "netctl/wginfo.h"

/*
 * The search for the WireGuard peer that an address belongs to, without any I/O, inside
 * netctl only: wgmatch_init(), then the backend's answer piece by piece, in any split,
 * to wgmatch_on_message() (kernel) or wgmatch_feed_text() (userspace), then
 * wgmatch_finish(), and wgmatch_wipe() in any case: a public key is kept while its peer
 * may go on in the next message.
 */

#define WGMATCH_KEY_SIZE  32
#define WGMATCH_LINE_SIZE 256

struct wgmatch {
	int family; /* of the address that is looked for */
	unsigned char address[16];
	uint32_t fwmark; /* the interface's */

	/* The peer under way. */
	bool in_peer;
	unsigned char key[WGMATCH_KEY_SIZE];
	int prefix; /* the longest that matched; -1 none */
	struct wginfo_peer peer;

	/* The best of those before. */
	int best_prefix;
	struct wginfo_peer best;

	/* Userspace: the line under way, and whether the last one was seen. */
	char line[WGMATCH_LINE_SIZE];
	size_t line_size;
	bool complete;
	int code; /* what it says of itself, "errno=" */
};

/* -EINVAL: not an address. */
int wgmatch_init(struct wgmatch *match, const char *address, struct err *err);
void wgmatch_wipe(struct wgmatch *match);

/* For nl_exchange(), ctx a uint16_t: an answer to CTRL_CMD_GETFAMILY, the number by which
 * generic netlink knows WireGuard (<linux/genetlink.h>). */
int wgmatch_on_family(const struct nlmsghdr *message, void *ctx);

/* For nl_exchange(), ctx a struct wgmatch: an answer to WG_CMD_GET_DEVICE
 * (<linux/wireguard.h>). A peer may go on in the next message, with its key and more
 * AllowedIPs only. */
int wgmatch_on_message(const struct nlmsghdr *message, void *ctx);

/* Any piece of an answer to "get=1" (wireguard.com/xplatform, "Configuration
 * Protocol"). -EBADMSG: a line that is none. */
int wgmatch_feed_text(struct wgmatch *match, const char *data, size_t size);

/* True with *ret filled when a peer's AllowedIPs held the address. */
bool wgmatch_finish(struct wgmatch *match, struct wginfo_peer *ret);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_NL_H
#define NETCTL_NL_H

#include <libmnl/libmnl.h>
#include <stdint.h>

#include "base/err.h"

/*
 * One conversation with the kernel over netlink, inside netctl only: nl_open(), then
 * for each question nl_begin(), put the payload with mnl_nlmsg_put_extra_header() and
 * mnl_attr_put_*(), and nl_exchange(). Any thread, one at a time. The buffer is wiped
 * at the end: WireGuard's answers hold keys.
 */

/* The kernel's dumps may fill 32 KiB (netlink_dump() in net/netlink/af_netlink.c). */
#define NL_BUFFER_SIZE 32768
/* The limit for a whole conversation, from nl_open() on. */
#define NL_TIMEOUT_MS 2000

struct nl {
	struct mnl_socket *socket;
	char *buffer;
	int bus;
	uint32_t seq;
	int64_t deadline_ms;
	char kernel_text[160]; /* the last exchange's extended acknowledgement, or "" */
};

#define NL_INIT    ((struct nl){0})
#define cleanup_nl __attribute__((cleanup(nl_close)))

/* `bus`: NETLINK_ROUTE, NETLINK_GENERIC. `nl` must be NL_INIT. */
int nl_open(struct nl *nl, int bus, struct err *err);
/* The same over a socket that is open, and stays so: `fd`, or -1 for a new one. */
int nl_open_on(struct nl *nl, int fd, int bus, struct err *err);
void nl_close(struct nl *nl);

/* Begin a request in the buffer. Without NLM_F_DUMP it requests an acknowledgement. */
struct nlmsghdr *nl_begin(struct nl *nl, uint16_t type, uint16_t flags);

/*
 * Send the request of nl_begin() and pass each answer to `on_message` (or NULL) until
 * the acknowledgement or the dump's end. A callback fails with MNL_CB_ERROR and errno.
 * 0, the kernel's negative errno, -ETIMEDOUT after NL_TIMEOUT_MS, -EINTR for a dump
 * that changed while it was read: repeat the request until the result differs.
 */
int nl_exchange(struct nl *nl, mnl_cb_t on_message, void *ctx);

/* Write the sentence, a colon, and the kernel's text or else strerror; return `code`, a
 * negative errno. */
int nl_error(const struct nl *nl, int code, struct err *err, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif

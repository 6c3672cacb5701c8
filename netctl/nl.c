/* SPDX-License-Identifier: MIT */
/* Netlink: requests, answers, and the kernel's error texts, as far as netctl needs
 * them. */
#include "netctl/nl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/debug.h"
#include "base/io.h"
#include "base/text.h"
#include "netctl/nlanswer.h"

/* More than any other request of ours can have left unread. */
#define DRAINED_MAX 1000

static void set_option(const struct nl *nl, int option)
{
	int on = 1;

	/* An old kernel without this option still answers, with shorter error texts. */
	(void)mnl_socket_setsockopt(nl->socket, option, &on, sizeof(on));
}

/* A copy of the descriptor, which nl_close() closes. */
static struct mnl_socket *socket_on(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	struct mnl_socket *socket = copy < 0 ? NULL : mnl_socket_fdopen(copy);
	int keep = errno;

	if (!socket) {
		fd_close(&copy);
		errno = keep;
	}
	return socket;
}

/* Discard the late answers to requests of others; so many that nobody who writes on keeps
 * this waiting. */
static void drain_socket(const struct nl *nl)
{
	for (int i = 0; i < DRAINED_MAX; i++) {
		if (recv(mnl_socket_get_fd(nl->socket), nl->buffer, NL_BUFFER_SIZE,
			 MSG_DONTWAIT) <= 0)
			return;
	}
}

int nl_open(struct nl *nl, int bus, struct err *err)
{
	return nl_open_on(nl, -1, bus, err);
}

int nl_open_on(struct nl *nl, int fd, int bus, struct err *err)
{
	nl->bus = bus;
	nl->deadline_ms = clock_boot_ms() + NL_TIMEOUT_MS;
	nl->buffer = calloc(1, NL_BUFFER_SIZE);
	if (!nl->buffer)
		return err_sys(err, ENOMEM, "cannot open a netlink socket");
	nl->socket = fd >= 0 ? socket_on(fd) : mnl_socket_open2(bus, SOCK_CLOEXEC);
	if (!nl->socket)
		return err_sys(err, errno, "cannot open a netlink socket");
	if (fd >= 0)
		drain_socket(nl);
	else if (mnl_socket_bind(nl->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return err_sys(err, errno, "cannot bind a netlink socket");
	set_option(nl, NETLINK_EXT_ACK);
	set_option(nl, NETLINK_CAP_ACK);
	set_option(nl, NETLINK_GET_STRICT_CHK);
	return 0;
}

void nl_close(struct nl *nl)
{
	int keep = errno;

	if (nl->socket)
		mnl_socket_close(nl->socket);
	nl->socket = NULL;
	if (nl->buffer)
		explicit_bzero(nl->buffer, NL_BUFFER_SIZE);
	free(nl->buffer);
	nl->buffer = NULL;
	errno = keep;
}

struct nlmsghdr *nl_begin(struct nl *nl, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(nl->buffer);

	request->nlmsg_type = type;
	request->nlmsg_flags = NLM_F_REQUEST | flags;
	if ((flags & NLM_F_DUMP) != NLM_F_DUMP)
		request->nlmsg_flags |= NLM_F_ACK;
	request->nlmsg_seq = ++nl->seq;
	return request;
}

static int receive_answer(const struct nl *nl, struct nlanswer *answer)
{
	int fd = mnl_socket_get_fd(nl->socket);
	struct sockaddr_nl from = {0};
	socklen_t length = sizeof(from);
	ssize_t size;
	int r = io_wait(fd, -1, nl->deadline_ms);

	if (r <= 0)
		return r ? r : -ETIMEDOUT;
	size = recvfrom(fd, nl->buffer, NL_BUFFER_SIZE, MSG_TRUNC,
			(struct sockaddr *)&from, &length);
	if (size < 0)
		return errno == EINTR ? 1 : -errno;
	/* Only the kernel answers; a process with rights in the namespace could write. */
	if (length != sizeof(from) || from.nl_pid != 0)
		return 1;
	if (size > NL_BUFFER_SIZE)
		return -ENOSPC;
	return nlanswer_take(answer, nl->buffer, (size_t)size);
}

static int exchange_message(struct nl *nl, mnl_cb_t on_message, void *ctx)
{
	struct nlanswer answer = {
		.on_message = on_message,
		.ctx = ctx,
		.seq = nl->seq,
		.port = mnl_socket_get_portid(nl->socket),
	};
	const struct nlmsghdr *request = (const struct nlmsghdr *)nl->buffer;
	int r;

	nl->kernel_text[0] = '\0';
	if (clock_left_ms(nl->deadline_ms) == 0)
		return -ETIMEDOUT;
	if (mnl_socket_sendto(nl->socket, request, request->nlmsg_len) < 0)
		return -errno;
	do
		r = receive_answer(nl, &answer);
	while (r > 0);
	text_copy(nl->kernel_text, sizeof(nl->kernel_text), answer.text);
	return r == 0 && answer.changed ? -EINTR : r;
}

static const char *request_name(int bus, uint16_t type)
{
	if (bus != NETLINK_ROUTE)
		return "generic";
	switch (type) {
	case RTM_SETLINK:
		return "set link";
	case RTM_GETLINK:
		return "get link";
	case RTM_GETADDR:
		return "get address";
	case RTM_NEWROUTE:
		return "new route";
	case RTM_DELROUTE:
		return "delete route";
	case RTM_GETROUTE:
		return "get route";
	case RTM_NEWRULE:
		return "new rule";
	case RTM_DELRULE:
		return "delete rule";
	default:
		return "other";
	}
}

int nl_exchange(struct nl *nl, mnl_cb_t on_message, void *ctx)
{
	const struct nlmsghdr *request = (const struct nlmsghdr *)nl->buffer;
	/* The answer overwrites the request. */
	uint16_t type = request->nlmsg_type;
	uint16_t flags = request->nlmsg_flags;
	int64_t began_us = clock_boot_us();
	int r = exchange_message(nl, on_message, ctx);

	debug_log("netlink", "%s, flags 0x%x: %s%s%s (%.1f ms)",
		  request_name(nl->bus, type), flags, r < 0 ? strerror(-r) : "ok",
		  nl->kernel_text[0] ? ", " : "", nl->kernel_text,
		  debug_ms_since(began_us));
	return r;
}

int nl_error(const struct nl *nl, int code, struct err *err, const char *fmt, ...)
{
	char sentence[200];
	va_list args;

	va_start(args, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, args);
	va_end(args);
	if (nl->kernel_text[0])
		return err_set(err, code, "%s: %s", sentence, nl->kernel_text);
	return err_sys(err, -code, "%s", sentence);
}

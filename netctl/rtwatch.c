/* SPDX-License-Identifier: MIT */
/* A watch on link events. */
#include "netctl/rtwatch.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/text.h"
#include "base/types.h"
#include "netctl/nlanswer.h"
#include "netctl/rtparse.h"

struct rtwatch {
	struct mnl_socket *socket;
	char interface[IF_NAME_SIZE];
};

int rtwatch_new(const char *interface, struct rtwatch **ret, struct err *err)
{
	struct rtwatch *watch = calloc(1, sizeof(*watch));
	int error;

	if (!watch)
		return err_set(err, -ENOMEM, "out of memory");
	text_copy(watch->interface, sizeof(watch->interface), interface);
	watch->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (watch->socket &&
	    mnl_socket_bind(watch->socket, RTMGRP_LINK, MNL_SOCKET_AUTOPID) == 0) {
		*ret = watch;
		return 0;
	}
	error = errno;
	rtwatch_free(watch);
	return err_sys(err, error, "cannot watch the links of this host");
}

void rtwatch_free(struct rtwatch *watch)
{
	if (!watch)
		return;
	if (watch->socket)
		mnl_socket_close(watch->socket);
	free(watch);
}

bool rtwatch_was_down(struct rtwatch *watch)
{
	struct rtparse_fall seen = {.interface = watch->interface};
	struct nlanswer events = {.on_message = rtparse_fall, .ctx = &seen};
	_Alignas(struct nlmsghdr) char buffer[8192];
	ssize_t n;

	for (;;) {
		n = mnl_socket_recvfrom(watch->socket, buffer, sizeof(buffer));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == ENOBUFS || errno == ENOSPC))
			seen.down = true;
		else if (n <= 0)
			return seen.down;
		else
			nlanswer_take(&events, buffer, (size_t)n);
	}
}

#include "netctl/rtwatch.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"
#include "base/types.h"

struct rtwatch {
	struct mnl_socket *socket;
	char interface[IF_NAME_SIZE];
};

struct seen {
	const char *interface;
	bool down;
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

static int take_event(const struct nlmsghdr *message, void *ctx)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	struct seen *seen = ctx;
	const struct nlattr *attribute;

	if (message->nlmsg_type != RTM_NEWLINK && message->nlmsg_type != RTM_DELLINK)
		return MNL_CB_OK;
	mnl_attr_for_each(attribute, message, sizeof(*info))
	{
		if (mnl_attr_get_type(attribute) != IFLA_IFNAME ||
		    mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) < 0)
			continue;
		if (strcmp(mnl_attr_get_str(attribute), seen->interface) == 0 &&
		    (message->nlmsg_type == RTM_DELLINK || !(info->ifi_flags & IFF_UP)))
			seen->down = true;
	}
	return MNL_CB_OK;
}

bool rtwatch_was_down(struct rtwatch *watch)
{
	struct seen seen = {.interface = watch->interface};
	char buffer[8192];
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
			mnl_cb_run(buffer, (size_t)n, 0, 0, take_event, &seen);
	}
}

/* SPDX-License-Identifier: MIT */
#include "netctl/guard_wire.h"

#include <string.h>
#include <sys/socket.h>

#include "base/text.h"
#include "netctl/rtroute.h"

void guard_wire_fill(struct guard_facts *facts, const struct wginfo_peer *peer)
{
	facts->endpoint_family = peer->endpoint_family;
	facts->endpoint_port = peer->endpoint_port;
	text_copy(facts->endpoint, sizeof(facts->endpoint), peer->endpoint);
	text_copy(facts->allowed, sizeof(facts->allowed), peer->allowed);
	text_copy(facts->far_key, sizeof(facts->far_key), peer->key);
}

/* Packets without a mark cannot go out by the tunnel itself: they leave in another network
 * namespace, whose path MTU is not known here. */
void guard_wire_find_way(const struct outside *outside, const struct rtlink *link,
			 const struct wginfo_peer *peer, struct guard_facts *facts)
{
	const struct rtplace *place = outside ? &outside->place : NULL;
	struct rtroute route;

	rtroute_path_mtu(place, peer->endpoint, peer->fwmark, &facts->outer_mtu, NULL);
	if (rtroute_get_at(place, peer->endpoint, &route, NULL) < 0)
		return;
	facts->endpoint_local = route.local;
	if (!place && !peer->fwmark && route.oif == link->index)
		facts->outer_mtu = 0;
}

bool guard_wire_reply(int main_fd, const struct guard_reply *reply, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct iovec data = {(void *)reply, sizeof(*reply)};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
	struct cmsghdr *header;

	if (fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	}
	return sendmsg(main_fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) ==
	       sizeof(*reply);
}

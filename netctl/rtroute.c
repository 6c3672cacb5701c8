/* SPDX-License-Identifier: MIT */
/* The route of a packet, and the path MTUs cached by the kernel. */
#include "netctl/rtroute.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/address.h"
#include "base/io.h"
#include "base/text.h"
#include "netctl/nl.h"
#include "netctl/rtparse.h"

/* the discard port; no packet is sent there */
#define UNUSED_PORT 9
#define FLUSH_PATH  "/proc/sys/net/ipv4/route/flush"

/* --- one route --- */

static int ask_route(struct nl *nl, unsigned flags, const void *address,
		     struct rtparse_route *answer)
{
	struct nlmsghdr *request = nl_begin(nl, RTM_GETROUTE, 0);
	struct rtmsg *route = mnl_nlmsg_put_extra_header(request, sizeof(*route));
	size_t bytes = rtparse_address_size(answer->family);

	route->rtm_family = (unsigned char)answer->family;
	route->rtm_dst_len = (unsigned char)(bytes * 8);
	route->rtm_flags = flags;
	mnl_attr_put(request, RTA_DST, bytes, address);
	return nl_exchange(nl, rtparse_route, answer);
}

/* The kernel reports "no route" types either as an error each, or as a type. */
static bool no_way(int rc, unsigned char type)
{
	return rc == -ENETUNREACH || rc == -EHOSTUNREACH || rc == -EACCES ||
	       rc == -EINVAL || type == RTN_UNREACHABLE || type == RTN_BLACKHOLE ||
	       type == RTN_PROHIBIT;
}

/* Use the open socket: if_indextoname() opens another one, which may fail. */
static int name_interface(const struct nl *nl, int index, char ret[IF_NAME_SIZE])
{
	struct ifreq request = {.ifr_ifindex = index};

	if (ioctl(mnl_socket_get_fd(nl->socket), SIOCGIFNAME, &request) < 0)
		return -errno;
	text_copy(ret, IF_NAME_SIZE, request.ifr_name);
	return 0;
}

int rtroute_get(const char *address, struct rtroute *ret, struct err *err)
{
	struct rtparse_route way = {.family = strchr(address, ':') ? AF_INET6
								   : AF_INET};
	struct rtparse_route entry = {.family = way.family};
	struct rtroute found = {0};
	unsigned char bytes[sizeof(struct in6_addr)];
	cleanup_nl struct nl nl = NL_INIT;
	int rc;

	if (inet_pton(way.family, address, bytes) != 1)
		return err_set(err, -EINVAL, "not an IP address: '%s'", address);
	rc = nl_open(&nl, NETLINK_ROUTE, err);
	if (rc < 0)
		return rc;
	/* The resolved route includes a learnt path MTU; the table's entry does not. */
	rc = ask_route(&nl, 0, bytes, &way);
	if (no_way(rc, way.type))
		return err_set(err, -ENETUNREACH,
			       "no route to '%s': bring the tunnel up first, or check "
			       "its addresses and AllowedIPs",
			       address);
	if (rc == 0)
		rc = ask_route(&nl, RTM_F_FIB_MATCH, bytes, &entry);
	if (rc == 0)
		rc = name_interface(&nl, way.oif, found.oif_name);
	if (rc < 0)
		return nl_error(&nl, rc, err, "cannot look up the route to '%s'",
				address);
	found.oif = way.oif;
	found.mtu = entry.mtu;
	found.local = way.type == RTN_LOCAL;
	text_copy(found.source, sizeof(found.source), way.source);
	*ret = found;
	return 0;
}

/* Open a new socket, so that it asks the kernel's cache; connecting it sends
 * nothing. */
static int connect_udp(const char *address, uint32_t mark)
{
	struct sockaddr_storage to;
	cleanup_fd int fd = -1;
	int connected;

	if (address_parse(address, UNUSED_PORT, &to) < 0)
		return -EINVAL;
	fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    (mark && setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) < 0) ||
	    connect(fd, (const struct sockaddr *)&to, address_size(&to)) < 0)
		return -errno;
	connected = fd;
	fd = -1;
	return connected;
}

int rtroute_path_mtu(const char *address, uint32_t mark, int *ret, struct err *err)
{
	cleanup_fd int fd = connect_udp(address, mark);
	bool ipv6 = strchr(address, ':');
	socklen_t size = sizeof(int);
	int mtu = 0;

	if (fd < 0)
		return err_sys(err, -fd, "no way to '%s'", address);
	if (getsockopt(fd, ipv6 ? IPPROTO_IPV6 : IPPROTO_IP, ipv6 ? IPV6_MTU : IP_MTU,
		       &mtu, &size) < 0)
		return err_sys(err, errno, "cannot ask for the path MTU to '%s'",
			       address);
	*ret = mtu;
	return 0;
}

/* --- exceptions --- */

static int list_clones(struct nl *nl, struct rtparse_clones *list)
{
	struct nlmsghdr *request;
	struct rtmsg *route;
	int rc;

	do {
		rtparse_clones_release(list);
		request = nl_begin(nl, RTM_GETROUTE, NLM_F_DUMP);
		route = mnl_nlmsg_put_extra_header(request, sizeof(*route));
		route->rtm_family = AF_INET6;
		route->rtm_flags = RTM_F_CLONED;
		rc = nl_exchange(nl, rtparse_clone, list);
	} while (rc == -EINTR);
	return rc;
}

static int delete_clone(struct nl *nl, const struct rtparse_clone *clone)
{
	struct nlmsghdr *request = nl_begin(nl, RTM_DELROUTE, 0);
	struct rtmsg *route = mnl_nlmsg_put_extra_header(request, sizeof(*route));
	int rc;

	route->rtm_family = AF_INET6;
	route->rtm_flags = RTM_F_CLONED;
	route->rtm_dst_len = clone->route.rtm_dst_len;
	route->rtm_src_len = clone->route.rtm_src_len;
	mnl_attr_put(request, RTA_DST, sizeof(clone->dst), &clone->dst);
	if (clone->route.rtm_src_len)
		mnl_attr_put(request, RTA_SRC, sizeof(clone->src), &clone->src);
	mnl_attr_put_u32(request, RTA_TABLE, clone->table);
	mnl_attr_put_u32(request, RTA_OIF, clone->oif);
	rc = nl_exchange(nl, NULL, NULL);
	/* The exception may have expired in between. */
	return rc == -ESRCH ? 0 : rc;
}

static int flush_ipv6(struct err *err)
{
	struct rtparse_clones list
		__attribute__((cleanup(rtparse_clones_release))) = {0};
	cleanup_nl struct nl nl = NL_INIT;
	int rc = nl_open(&nl, NETLINK_ROUTE, err);

	if (rc < 0)
		return rc;
	rc = list_clones(&nl, &list);
	for (size_t i = 0; rc == 0 && i < list.count; i++)
		rc = delete_clone(&nl, &list.list[i]);
	if (rc < 0)
		return nl_error(&nl, rc, err,
				"cannot clear the IPv6 path MTU exceptions");
	return 0;
}

static int flush_ipv4(struct err *err)
{
	cleanup_fd int fd = open(FLUSH_PATH, O_WRONLY | O_CLOEXEC);
	int rc = fd < 0 ? -errno : io_write_all(fd, "1\n", 2);

	if (rc < 0)
		return err_sys(err, -rc,
			       "cannot clear the IPv4 path MTU exceptions in '%s'",
			       FLUSH_PATH);
	return 0;
}

int rtroute_flush_exceptions(struct err *err)
{
	int ipv6 = flush_ipv6(err);
	int ipv4 = flush_ipv4(ipv6 < 0 ? NULL : err);

	return ipv6 < 0 ? ipv6 : ipv4;
}

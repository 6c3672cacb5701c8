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
#include <unistd.h>

#include "base/address.h"
#include "base/io.h"
#include "base/text.h"
#include "netctl/nl.h"
#include "netctl/rtparse.h"

/* the discard port; no packet is sent there */
#define UNUSED_PORT 9
#define FLUSH_PATH  "/proc/sys/net/ipv4/route/flush"

/* --- another namespace --- */

int rtplace_open(struct rtplace *ret, struct err *err)
{
	struct sockaddr_nl any = {.nl_family = AF_NETLINK};

	ret->netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	ret->ipv4 = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/* A host without IPv6, or with a /proc/sys that cannot be written, has no path
	 * MTUs to look up, or to forget. */
	ret->ipv6 = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ret->flush = open(FLUSH_PATH, O_WRONLY | O_CLOEXEC);
	if (ret->netlink < 0 || ret->ipv4 < 0 ||
	    bind(ret->netlink, (const struct sockaddr *)&any, sizeof(any)) < 0)
		return err_sys(err, errno, "cannot open sockets for lookups");
	return 0;
}

void rtplace_close(struct rtplace *place)
{
	fd_close(&place->netlink);
	fd_close(&place->ipv4);
	fd_close(&place->ipv6);
	fd_close(&place->flush);
}

static int open_route(const struct rtplace *place, struct nl *nl, struct err *err)
{
	return nl_open_on(nl, place ? place->netlink : -1, NETLINK_ROUTE, err);
}

/* --- one route --- */

/* `link`: index of the link that a link-local address is on; else 0. */
static int ask_route(struct nl *nl, unsigned flags, const void *address, int link,
		     int port, struct rtparse_route *answer)
{
	struct nlmsghdr *request = nl_begin(nl, RTM_GETROUTE, 0);
	struct rtmsg *route = mnl_nlmsg_put_extra_header(request, sizeof(*route));
	size_t bytes = rtparse_address_size(answer->family);

	route->rtm_family = (unsigned char)answer->family;
	route->rtm_dst_len = (unsigned char)(bytes * 8);
	route->rtm_flags = flags;
	mnl_attr_put(request, RTA_DST, bytes, address);
	if (link)
		mnl_attr_put_u32(request, RTA_OIF, (uint32_t)link);
	if (port) {
		mnl_attr_put_u8(request, RTA_IP_PROTO, IPPROTO_UDP);
		mnl_attr_put_u16(request, RTA_DPORT, htons((uint16_t)port));
	}
	return nl_exchange(nl, rtparse_route, answer);
}

/* The kernel reports "no route" types either as an error each, or as a type. */
static bool no_way(int r, unsigned char type)
{
	return r == -ENETUNREACH || r == -EHOSTUNREACH || r == -EACCES ||
	       r == -EINVAL || type == RTN_UNREACHABLE || type == RTN_BLACKHOLE ||
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

/* `link`: of a link-local address; 0 for others */
static int get_route(const struct rtplace *place, const char *address, int link,
		     int port, struct rtroute *ret, struct err *err)
{
	struct rtparse_route way = {.family = strchr(address, ':') ? AF_INET6
								   : AF_INET};
	struct rtparse_route entry = {.family = way.family};
	struct rtroute found = {0};
	unsigned char bytes[sizeof(struct in6_addr)];
	cleanup_nl struct nl nl = NL_INIT;
	int r;

	if (inet_pton(way.family, address, bytes) != 1)
		return err_set(err, -EINVAL, "not an IP address: '%s'", address);
	r = open_route(place, &nl, err);
	if (r < 0)
		return r;
	if (!address_is_link_local(address))
		link = 0;
	/* The resolved route includes a learnt path MTU; the table's entry does not. */
	r = ask_route(&nl, 0, bytes, link, port, &way);
	if (no_way(r, way.type))
		return err_set(err, -ENETUNREACH,
			       "no route to '%s'; bring the tunnel up first, or check "
			       "its addresses and AllowedIPs",
			       address);
	if (r == 0)
		r = ask_route(&nl, RTM_F_FIB_MATCH, bytes, link, port, &entry);
	if (r == 0)
		r = name_interface(&nl, way.oif, found.oif_name);
	if (r < 0)
		return nl_error(&nl, r, err, "cannot look up the route to '%s'",
				address);
	found.oif = way.oif;
	found.mtu = entry.mtu;
	found.advmss = entry.advmss;
	found.table = entry.table;
	found.local = way.type == RTN_LOCAL;
	text_copy(found.source, sizeof(found.source), way.source);
	*ret = found;
	return 0;
}

int rtroute_get(const char *address, struct rtroute *ret, struct err *err)
{
	return get_route(NULL, address, 0, 0, ret, err);
}

int rtroute_get_at(const struct rtplace *place, const char *address,
		   struct rtroute *ret, struct err *err)
{
	return get_route(place, address, 0, 0, ret, err);
}

int rtroute_get_on(const char *address, int link, struct rtroute *ret, struct err *err)
{
	return get_route(NULL, address, link, 0, ret, err);
}

int rtroute_get_udp(const char *address, int link, int port, struct rtroute *ret,
		    struct err *err)
{
	return get_route(NULL, address, link, port, ret, err);
}

/* Disconnect a socket of another namespace, so that it asks the kernel's cache anew. */
static int reuse_socket(int fd)
{
	const struct sockaddr none = {.sa_family = AF_UNSPEC};

	if (fd < 0)
		return -EAFNOSUPPORT;
	if (connect(fd, &none, sizeof(none)) < 0)
		return -errno;
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

/* A new socket asks the kernel's cache; connecting it sends nothing. */
static int connect_udp(const struct rtplace *place, const char *address, uint32_t mark)
{
	struct sockaddr_storage to;
	cleanup_fd int fd = -1;
	int connected;

	if (address_parse(address, UNUSED_PORT, &to) < 0)
		return -EINVAL;
	if (place)
		fd = reuse_socket(to.ss_family == AF_INET6 ? place->ipv6 : place->ipv4);
	else
		fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (place && fd < 0)
		return fd;
	if (fd < 0 ||
	    ((place || mark) &&
	     setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) < 0) ||
	    connect(fd, (const struct sockaddr *)&to, address_size(&to)) < 0)
		return -errno;
	connected = fd;
	fd = -1;
	return connected;
}

int rtroute_path_mtu(const struct rtplace *place, const char *address, uint32_t mark,
		     int *ret, struct err *err)
{
	cleanup_fd int fd = connect_udp(place, address, mark);
	bool ipv6 = strchr(address, ':');
	socklen_t size = sizeof(int);
	int mtu = 0;

	if (fd < 0)
		return err_sys(err, -fd, "no route to '%s'", address);
	if (getsockopt(fd, ipv6 ? IPPROTO_IPV6 : IPPROTO_IP, ipv6 ? IPV6_MTU : IP_MTU,
		       &mtu, &size) < 0)
		return err_sys(err, errno, "cannot read the path MTU to '%s'", address);
	*ret = mtu;
	return 0;
}

/* --- exceptions --- */

static int list_clones(struct nl *nl, struct rtparse_clones *list)
{
	struct nlmsghdr *request;
	struct rtmsg *route;
	int r;

	do {
		rtparse_clones_release(list);
		request = nl_begin(nl, RTM_GETROUTE, NLM_F_DUMP);
		route = mnl_nlmsg_put_extra_header(request, sizeof(*route));
		route->rtm_family = AF_INET6;
		route->rtm_flags = RTM_F_CLONED;
		r = nl_exchange(nl, rtparse_clone, list);
	} while (r == -EINTR);
	return r;
}

static int delete_clone(struct nl *nl, const struct rtparse_clone *clone)
{
	struct nlmsghdr *request = nl_begin(nl, RTM_DELROUTE, 0);
	struct rtmsg *route = mnl_nlmsg_put_extra_header(request, sizeof(*route));
	int r;

	route->rtm_family = AF_INET6;
	route->rtm_flags = RTM_F_CLONED;
	route->rtm_dst_len = clone->route.rtm_dst_len;
	route->rtm_src_len = clone->route.rtm_src_len;
	mnl_attr_put(request, RTA_DST, sizeof(clone->dst), &clone->dst);
	if (clone->route.rtm_src_len)
		mnl_attr_put(request, RTA_SRC, sizeof(clone->src), &clone->src);
	mnl_attr_put_u32(request, RTA_TABLE, clone->table);
	mnl_attr_put_u32(request, RTA_OIF, clone->oif);
	r = nl_exchange(nl, NULL, NULL);
	/* The exception may have expired in between. */
	return r == -ESRCH ? 0 : r;
}

static int flush_ipv6(const struct rtplace *place, struct err *err)
{
	struct rtparse_clones list
		__attribute__((cleanup(rtparse_clones_release))) = {0};
	cleanup_nl struct nl nl = NL_INIT;
	int r = open_route(place, &nl, err);

	if (r < 0)
		return r;
	r = list_clones(&nl, &list);
	for (size_t i = 0; r == 0 && i < list.count; i++)
		r = delete_clone(&nl, &list.list[i]);
	if (r < 0)
		return nl_error(&nl, r, err,
				"cannot clear the IPv6 path MTU exceptions");
	return 0;
}

static int flush_ipv4(const struct rtplace *place, struct err *err)
{
	cleanup_fd int own = -1;
	int fd = place ? place->flush : -1;
	int r;

	if (!place)
		fd = own = open(FLUSH_PATH, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		r = place ? -EACCES : -errno;
	else
		r = pwrite(fd, "1\n", 2, 0) == 2 ? 0 : -errno;
	if (r < 0)
		return err_sys(err, -r,
			       "cannot clear the IPv4 path MTU exceptions in '%s'",
			       FLUSH_PATH);
	return 0;
}

int rtroute_flush_exceptions(const struct rtplace *place, struct err *err)
{
	int ipv6 = flush_ipv6(place, err);
	int ipv4 = flush_ipv4(place, ipv6 < 0 ? NULL : err);

	return ipv6 < 0 ? ipv6 : ipv4;
}

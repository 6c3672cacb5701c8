/* The way a packet would take, and the path MTUs the kernel remembers. */
#include "netctl/rtroute.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/text.h"
#include "netctl/nl.h"

#define FLUSH_PATH "/proc/sys/net/ipv4/route/flush"

static size_t address_bytes(int family)
{
	return family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
}

/* --- one route --- */

struct route_answer {
	int family;
	unsigned char type;
	int oif;
	int mtu;
	char source[ADDRESS_SIZE];
};

static int parse_metric(const struct nlattr *attr, void *ctx)
{
	int *mtu = ctx;

	if (mnl_attr_get_type(attr) == RTAX_MTU &&
	    mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
		*mtu = (int)mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int parse_route_attr(const struct nlattr *attr, void *ctx)
{
	struct route_answer *answer = ctx;
	int type = mnl_attr_get_type(attr);

	if (type == RTA_METRICS)
		return mnl_attr_parse_nested(attr, parse_metric, &answer->mtu);
	if (type == RTA_OIF && mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
		answer->oif = (int)mnl_attr_get_u32(attr);
	if (type == RTA_PREFSRC &&
	    mnl_attr_get_payload_len(attr) == address_bytes(answer->family))
		inet_ntop(answer->family, mnl_attr_get_payload(attr), answer->source,
			  sizeof(answer->source));
	return MNL_CB_OK;
}

static int on_route(const struct nlmsghdr *message, void *ctx)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(message);
	struct route_answer *answer = ctx;

	if (message->nlmsg_type != RTM_NEWROUTE)
		return MNL_CB_OK;
	answer->type = route->rtm_type;
	return mnl_attr_parse(message, sizeof(*route), parse_route_attr, answer);
}

static int ask_route(struct nl *nl, unsigned flags, const void *address,
		     struct route_answer *answer)
{
	struct nlmsghdr *request = nl_begin(nl, RTM_GETROUTE, 0);
	struct rtmsg *route = mnl_nlmsg_put_extra_header(request, sizeof(*route));
	size_t bytes = address_bytes(answer->family);

	route->rtm_family = (unsigned char)answer->family;
	route->rtm_dst_len = (unsigned char)(bytes * 8);
	route->rtm_flags = flags;
	mnl_attr_put(request, RTA_DST, bytes, address);
	return nl_exchange(nl, on_route, answer);
}

/* The route types of "no way there" come as an error of their own each, or as a type.
 */
static bool no_way(int rc, unsigned char type)
{
	return rc == -ENETUNREACH || rc == -EHOSTUNREACH || rc == -EACCES ||
	       rc == -EINVAL || type == RTN_UNREACHABLE || type == RTN_BLACKHOLE ||
	       type == RTN_PROHIBIT;
}

int rtroute_get(const char *address, struct rtroute *ret, struct err *err)
{
	struct route_answer way = {.family = strchr(address, ':') ? AF_INET6 : AF_INET};
	struct route_answer entry = {.family = way.family};
	unsigned char bytes[sizeof(struct in6_addr)];
	cleanup_nl struct nl nl = NL_INIT;
	int rc;

	if (inet_pton(way.family, address, bytes) != 1)
		return err_set(err, -EINVAL, "not an IP address: '%s'", address);
	rc = nl_open(&nl, NETLINK_ROUTE, err);
	if (rc < 0)
		return rc;
	/* The way taken has a learnt path MTU mixed in; the table's own entry has not.
	 */
	rc = ask_route(&nl, 0, bytes, &way);
	if (no_way(rc, way.type))
		return err_set(err, -ENETUNREACH,
			       "no route to '%s': bring the tunnel up first, or check "
			       "its addresses and AllowedIPs",
			       address);
	if (rc == 0)
		rc = ask_route(&nl, RTM_F_FIB_MATCH, bytes, &entry);
	if (rc < 0)
		return nl_error(&nl, rc, err, "cannot look up the route to '%s'",
				address);
	*ret = (struct rtroute){
		.oif = way.oif,
		.mtu = entry.mtu,
		.local = way.type == RTN_LOCAL,
	};
	text_copy(ret->source, sizeof(ret->source), way.source);
	if_indextoname((unsigned)way.oif, ret->oif_name);
	return 0;
}

/* --- exceptions --- */

/* What names one cloned IPv6 route to RTM_DELROUTE. */
struct clone {
	struct rtmsg route;
	uint32_t table;
	uint32_t oif;
	struct in6_addr dst;
	struct in6_addr src;
	int mtu;
};

struct clone_list {
	struct clone *clones;
	size_t count;
};

static void clone_list_release(struct clone_list *list)
{
	free(list->clones);
	list->clones = NULL;
	list->count = 0;
}

static int parse_clone_attr(const struct nlattr *attr, void *ctx)
{
	struct clone *clone = ctx;
	int type = mnl_attr_get_type(attr);
	size_t size = mnl_attr_get_payload_len(attr);

	if (type == RTA_METRICS)
		return mnl_attr_parse_nested(attr, parse_metric, &clone->mtu);
	if (type == RTA_DST && size == sizeof(clone->dst))
		memcpy(&clone->dst, mnl_attr_get_payload(attr), size);
	if (type == RTA_SRC && size == sizeof(clone->src))
		memcpy(&clone->src, mnl_attr_get_payload(attr), size);
	if (type == RTA_TABLE && size == sizeof(clone->table))
		clone->table = mnl_attr_get_u32(attr);
	if (type == RTA_OIF && size == sizeof(clone->oif))
		clone->oif = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int on_clone(const struct nlmsghdr *message, void *ctx)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(message);
	struct clone_list *list = ctx;
	struct clone clone = {.route = *route, .table = route->rtm_table};
	struct clone *longer;

	if (message->nlmsg_type != RTM_NEWROUTE || route->rtm_family != AF_INET6 ||
	    !(route->rtm_flags & RTM_F_CLONED))
		return MNL_CB_OK;
	mnl_attr_parse(message, sizeof(*route), parse_clone_attr, &clone);
	/* A redirect is an exception too, and none of our business. */
	if (!clone.mtu)
		return MNL_CB_OK;
	longer = realloc(list->clones, (list->count + 1) * sizeof(clone));
	if (!longer) {
		errno = ENOMEM;
		return MNL_CB_ERROR;
	}
	longer[list->count++] = clone;
	list->clones = longer;
	return MNL_CB_OK;
}

static int list_clones(struct nl *nl, struct clone_list *list)
{
	struct nlmsghdr *request;
	struct rtmsg *route;
	int rc;

	do {
		clone_list_release(list);
		request = nl_begin(nl, RTM_GETROUTE, NLM_F_DUMP);
		route = mnl_nlmsg_put_extra_header(request, sizeof(*route));
		route->rtm_family = AF_INET6;
		route->rtm_flags = RTM_F_CLONED;
		rc = nl_exchange(nl, on_clone, list);
	} while (rc == -EINTR);
	return rc;
}

static int delete_clone(struct nl *nl, const struct clone *clone)
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
	/* It may have expired in between. */
	return rc == -ESRCH ? 0 : rc;
}

static int flush_ipv6(struct err *err)
{
	struct clone_list list __attribute__((cleanup(clone_list_release))) = {0};
	cleanup_nl struct nl nl = NL_INIT;
	int rc = nl_open(&nl, NETLINK_ROUTE, err);

	if (rc < 0)
		return rc;
	rc = list_clones(&nl, &list);
	for (size_t i = 0; rc == 0 && i < list.count; i++)
		rc = delete_clone(&nl, &list.clones[i]);
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

/* SPDX-License-Identifier: MIT */
/* The mtu metric of a route. */
#include "netctl/rtmtu.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "netctl/nl.h"
#include "netctl/rtparse.h"

/* The kernel's own number for IPv6 routes that name none (IP6_RT_PRIO_USER). */
#define PRIORITY_IPV6 1024
/* A route out of one interface takes about 100 bytes. */
#define ROUTE_SIZE_MAX 1024

/* A route of the kernel's, as it sent it. */
struct match {
	const struct rtmtu_key *key;
	int family;
	unsigned char address[sizeof(struct in6_addr)];
	bool found;
	struct rtmsg header;
	uint32_t table;
	uint32_t priority;
	int mtu;
	size_t size; /* of its attributes */
	char attrs[ROUTE_SIZE_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
};

/* Fill in what to look for, and open the socket to ask with. */
static int prepare_match(struct nl *nl, struct match *match,
			 const struct rtmtu_key *key, struct err *err)
{
	*match = (struct match){
		.key = key,
		.family = strchr(key->address, ':') ? AF_INET6 : AF_INET,
	};
	if (inet_pton(match->family, key->address, match->address) != 1)
		return err_set(err, -EINVAL, "not an IP address: '%s'", key->address);
	return nl_open(nl, NETLINK_ROUTE, err);
}

/* --- finding --- */

static bool is_u32(const struct nlattr *attr)
{
	return mnl_attr_get_payload_len(attr) == sizeof(uint32_t);
}

struct attrs {
	const void *address;
	uint32_t ifindex;
	uint32_t table;
	uint32_t priority;
	const struct nlattr *metrics;
	size_t address_size;
};

static int on_attr(const struct nlattr *attr, void *ctx)
{
	struct attrs *attrs = ctx;
	int type = mnl_attr_get_type(attr);

	if (type == RTA_DST && mnl_attr_get_payload_len(attr) == attrs->address_size)
		attrs->address = mnl_attr_get_payload(attr);
	if (type == RTA_OIF && is_u32(attr))
		attrs->ifindex = mnl_attr_get_u32(attr);
	if (type == RTA_TABLE && is_u32(attr))
		attrs->table = mnl_attr_get_u32(attr);
	if (type == RTA_PRIORITY && is_u32(attr))
		attrs->priority = mnl_attr_get_u32(attr);
	if (type == RTA_METRICS)
		attrs->metrics = attr;
	return MNL_CB_OK;
}

static bool is_wanted(const struct match *match, const struct rtmsg *header,
		      const struct attrs *attrs)
{
	static const unsigned char any[sizeof(struct in6_addr)];
	const void *address = attrs->address ? attrs->address : any;
	int table = match->key->table;

	return header->rtm_type == RTN_UNICAST && !header->rtm_tos &&
	       header->rtm_dst_len == match->key->length &&
	       attrs->ifindex == (uint32_t)match->key->ifindex &&
	       memcmp(address, match->address, attrs->address_size) == 0 &&
	       (table ? attrs->table == (uint32_t)table
		      : attrs->table != RT_TABLE_LOCAL);
}

static int on_route(const struct nlmsghdr *message, void *ctx)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	struct match *match = ctx;
	struct attrs attrs = {.address_size = rtparse_address_size(match->family)};
	size_t length = mnl_nlmsg_get_payload_len(message);

	if (message->nlmsg_type != RTM_NEWROUTE || length < sizeof(*header) ||
	    header->rtm_family != match->family || (header->rtm_flags & RTM_F_CLONED))
		return MNL_CB_OK;
	attrs.table = header->rtm_table;
	mnl_attr_parse(message, sizeof(*header), on_attr, &attrs);
	if (!is_wanted(match, header, &attrs) ||
	    (match->found && match->priority <= attrs.priority))
		return MNL_CB_OK;
	match->size = length - NLMSG_ALIGN(sizeof(*header));
	if (match->size > sizeof(match->attrs)) {
		errno = EMSGSIZE;
		return MNL_CB_ERROR;
	}
	match->found = true;
	match->header = *header;
	match->table = attrs.table;
	match->priority = attrs.priority;
	match->mtu = attrs.metrics ? rtparse_metric(attrs.metrics, RTAX_MTU) : 0;
	memcpy(match->attrs, (const char *)header + NLMSG_ALIGN(sizeof(*header)),
	       match->size);
	return MNL_CB_OK;
}

/* Ask for what leaves by the interface; a kernel older than 4.20 sends all. */
static int find(struct nl *nl, struct match *match)
{
	int r;

	do {
		struct nlmsghdr *request = nl_begin(nl, RTM_GETROUTE, NLM_F_DUMP);
		struct rtmsg *route =
			mnl_nlmsg_put_extra_header(request, sizeof(*route));

		route->rtm_family = (unsigned char)match->family;
		mnl_attr_put_u32(request, RTA_OIF, (uint32_t)match->key->ifindex);
		match->found = false;
		r = nl_exchange(nl, on_route, match);
	} while (r == -EINTR);
	return r == -ENODEV || r == -ENOENT ? 0 : r;
}

int rtmtu_find(const struct rtmtu_key *key, struct rtmtu *ret, struct err *err)
{
	cleanup_nl struct nl nl = NL_INIT;
	struct match match;
	int r = prepare_match(&nl, &match, key, err);

	if (r < 0)
		return r;
	r = find(&nl, &match);
	if (r < 0)
		return nl_error(&nl, r, err, "cannot read the routes to '%s'",
				key->address);
	*ret = (struct rtmtu){
		.exists = match.found,
		.ours = match.found && match.header.rtm_protocol == RTMTU_PROTOCOL,
		.mtu = match.found ? match.mtu : 0,
		.table = match.found ? (int)match.table : 0,
	};
	return 0;
}

/* --- changing --- */

struct put {
	struct nlmsghdr *request;
	int mtu;
	const struct nlattr *metrics; /* of the route as it is; NULL: none */
};

static int put_other_metric(const struct nlattr *attr, void *ctx)
{
	struct put *put = ctx;

	if (mnl_attr_get_type(attr) != RTAX_MTU)
		mnl_attr_put(put->request, mnl_attr_get_type(attr),
			     mnl_attr_get_payload_len(attr),
			     mnl_attr_get_payload(attr));
	return MNL_CB_OK;
}

/* All but the kernel's statistics; the metrics come at the end. */
static int put_attr(const struct nlattr *attr, void *ctx)
{
	struct put *put = ctx;
	int type = mnl_attr_get_type(attr);

	if (type == RTA_METRICS)
		put->metrics = attr;
	else if (type != RTA_CACHEINFO)
		mnl_attr_put(put->request, (uint16_t)type,
			     mnl_attr_get_payload_len(attr),
			     mnl_attr_get_payload(attr));
	return MNL_CB_OK;
}

static void put_metrics(struct put *put)
{
	struct nlattr *nest = mnl_attr_nest_start(put->request, RTA_METRICS);

	if (put->mtu)
		mnl_attr_put_u32(put->request, RTAX_MTU, (uint32_t)put->mtu);
	if (put->metrics)
		mnl_attr_parse_nested(put->metrics, put_other_metric, put);
	mnl_attr_nest_end(put->request, nest);
}

static int change_route(struct nl *nl, const struct match *match, int mtu)
{
	struct put put = {
		.request = nl_begin(nl, RTM_NEWROUTE, NLM_F_REPLACE),
		.mtu = mtu,
	};
	struct rtmsg *route = mnl_nlmsg_put_extra_header(put.request, sizeof(*route));

	*route = match->header;
	route->rtm_flags &= RTNH_F_ONLINK | RTNH_F_PERVASIVE;
	mnl_attr_parse_payload(match->attrs, match->size, put_attr, &put);
	put_metrics(&put);
	return nl_exchange(nl, NULL, NULL);
}

static void put_prefix(struct nlmsghdr *request, const struct match *match, int table)
{
	struct rtmsg *route = mnl_nlmsg_get_payload(request);

	route->rtm_family = (unsigned char)match->family;
	route->rtm_dst_len = (unsigned char)match->key->length;
	route->rtm_protocol = RTMTU_PROTOCOL;
	mnl_attr_put_u32(request, RTA_TABLE,
			 table ? (uint32_t)table : (uint32_t)RT_TABLE_MAIN);
	if (match->key->length)
		mnl_attr_put(request, RTA_DST, rtparse_address_size(match->family),
			     match->address);
	mnl_attr_put_u32(request, RTA_OIF, (uint32_t)match->key->ifindex);
}

static int add_route(struct nl *nl, const struct match *match, int mtu,
		     const char *source)
{
	struct put put = {
		.request = nl_begin(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL),
		.mtu = mtu,
	};
	struct rtmsg *route = mnl_nlmsg_put_extra_header(put.request, sizeof(*route));
	unsigned char bytes[sizeof(struct in6_addr)];

	route->rtm_type = RTN_UNICAST;
	route->rtm_scope = match->family == AF_INET ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	put_prefix(put.request, match, match->key->table);
	if (match->family == AF_INET6)
		mnl_attr_put_u32(put.request, RTA_PRIORITY, PRIORITY_IPV6);
	if (inet_pton(match->family, source, bytes) == 1)
		mnl_attr_put(put.request, RTA_PREFSRC,
			     rtparse_address_size(match->family), bytes);
	put_metrics(&put);
	return nl_exchange(nl, NULL, NULL);
}

int rtmtu_set(const struct rtmtu_key *key, int mtu, const char *source, struct err *err)
{
	cleanup_nl struct nl nl = NL_INIT;
	struct match match;
	int r = prepare_match(&nl, &match, key, err);

	if (r < 0)
		return r;
	r = find(&nl, &match);
	if (r == 0 && match.found)
		r = change_route(&nl, &match, mtu);
	else if (r == 0)
		r = add_route(&nl, &match, mtu, source);
	if (r < 0)
		return nl_error(&nl, r, err,
				"cannot set the MTU of the route to '%s/%d'",
				key->address, key->length);
	return 0;
}

int rtmtu_remove(const struct rtmtu_key *key, struct err *err)
{
	cleanup_nl struct nl nl = NL_INIT;
	struct match match;
	struct nlmsghdr *request;
	struct rtmsg *route;
	int r = prepare_match(&nl, &match, key, err);

	if (r < 0)
		return r;
	r = find(&nl, &match);
	if (r == 0 && match.found && match.header.rtm_protocol == RTMTU_PROTOCOL) {
		request = nl_begin(&nl, RTM_DELROUTE, 0);
		route = mnl_nlmsg_put_extra_header(request, sizeof(*route));
		route->rtm_scope = RT_SCOPE_NOWHERE;
		put_prefix(request, &match, (int)match.table);
		r = nl_exchange(&nl, NULL, NULL);
	}
	/* It went with its interface meanwhile. */
	if (r == -ESRCH || r == -ENODEV || r == -ENOENT)
		r = 0;
	if (r < 0)
		return nl_error(&nl, r, err, "cannot remove the route to '%s/%d'",
				key->address, key->length);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* The probe way: a table with one route, and a rule. */
#include "netctl/proberoute.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>

#include "netctl/nl.h"
#include "netctl/rtparse.h"
#include "netctl/rtroute.h"

/* The numbers of the tables, one for each interface; nobody else uses numbers so
 * high. */
#define TABLE_BASE 0x4d540000
/* Directly behind the rule of the table "local": a rule in front of this one, such as
 * "private networks by the table main", would send the probes another way. */
#define PRIORITY  1
#define PROBE_MTU 1

struct target {
	int family;
	size_t size;
	unsigned char bytes[sizeof(struct in6_addr)];
	uint32_t table;
};

static int find_target(const struct proberoute *way, struct target *ret,
		       struct err *err)
{
	ret->family = strchr(way->address, ':') ? AF_INET6 : AF_INET;
	ret->size = rtparse_address_size(ret->family);
	ret->table = TABLE_BASE + (uint32_t)way->ifindex;
	if (inet_pton(ret->family, way->address, ret->bytes) != 1)
		return err_set(err, -EINVAL, "not an IP address: '%s'", way->address);
	return 0;
}

/* --- the route --- */

static struct nlmsghdr *begin_route(struct nl *nl, const struct target *to,
				    uint16_t type, uint16_t flags)
{
	struct nlmsghdr *request = nl_begin(nl, type, flags);
	struct rtmsg *route = mnl_nlmsg_put_extra_header(request, sizeof(*route));

	route->rtm_family = (unsigned char)to->family;
	route->rtm_dst_len = (unsigned char)(to->size * 8);
	route->rtm_table = RT_TABLE_UNSPEC;
	route->rtm_scope = RT_SCOPE_NOWHERE;
	mnl_attr_put_u32(request, RTA_TABLE, to->table);
	mnl_attr_put(request, RTA_DST, to->size, to->bytes);
	return request;
}

static int add_route(struct nl *nl, const struct target *to, int ifindex, int mtu)
{
	struct nlmsghdr *request =
		begin_route(nl, to, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
	struct rtmsg *route = mnl_nlmsg_get_payload(request);
	struct nlattr *metrics;

	route->rtm_type = RTN_UNICAST;
	route->rtm_protocol = RTPROT_STATIC;
	route->rtm_scope = to->family == AF_INET ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	mnl_attr_put_u32(request, RTA_OIF, (uint32_t)ifindex);
	metrics = mnl_attr_nest_start(request, RTA_METRICS);
	mnl_attr_put_u32(request, RTAX_MTU, (uint32_t)mtu);
	mnl_attr_put_u32(request, RTAX_LOCK, 1U << RTAX_MTU);
	mnl_attr_nest_end(request, metrics);
	return nl_exchange(nl, NULL, NULL);
}

static int remove_route(struct nl *nl, const struct target *to)
{
	int r;

	begin_route(nl, to, RTM_DELROUTE, 0);
	r = nl_exchange(nl, NULL, NULL);
	/* The rule or route went with its interface, or never existed; the second errno
	 * means that the table does not exist. */
	return r == -ESRCH || r == -ENOENT ? 0 : r;
}

/* --- the rule --- */

static int change_rule(struct nl *nl, const struct target *to, uint16_t type,
		       uint16_t port)
{
	struct nlmsghdr *request =
		nl_begin(nl, type, type == RTM_NEWRULE ? NLM_F_CREATE | NLM_F_EXCL : 0);
	struct fib_rule_hdr *rule = mnl_nlmsg_put_extra_header(request, sizeof(*rule));
	struct fib_rule_port_range range = {port, port};

	rule->family = (unsigned char)to->family;
	rule->dst_len = (unsigned char)(to->size * 8);
	rule->action = FR_ACT_TO_TBL;
	mnl_attr_put(request, FRA_DST, to->size, to->bytes);
	mnl_attr_put_u32(request, FRA_PRIORITY, PRIORITY);
	mnl_attr_put_u32(request, FRA_TABLE, to->table);
	mnl_attr_put_u8(request, FRA_IP_PROTO, IPPROTO_UDP);
	mnl_attr_put(request, FRA_DPORT_RANGE, sizeof(range), &range);
	return nl_exchange(nl, NULL, NULL);
}

static int add_rule(struct nl *nl, const struct target *to, int port)
{
	int r = change_rule(nl, to, RTM_NEWRULE, (uint16_t)port);

	return r == -EEXIST ? 0 : r;
}

static int remove_rule(struct nl *nl, const struct target *to, int port)
{
	int r = change_rule(nl, to, RTM_DELRULE, (uint16_t)port);

	return r == -ENOENT || r == -ESRCH ? 0 : r;
}

/* --- public functions --- */

static bool is_unsupported(int r)
{
	return r == -EOPNOTSUPP || r == -EAFNOSUPPORT || r == -EINVAL;
}

/* A kernel older than 4.17 ignores a rule's ports and would apply the rule to all
 * packets: then -EOPNOTSUPP. */
static int check_ports(const struct proberoute *way)
{
	struct rtroute route;
	int r = rtroute_get_on(way->address, way->ifindex, &route, NULL);

	if (r == 0 && route.mtu == PROBE_MTU)
		return -EOPNOTSUPP;
	return r == -ENETUNREACH ? 0 : r;
}

/* Ask the kernel, since a rule of the same priority or of 0 may stand in front. */
static int check_way(const struct proberoute *way, bool *ret_rule)
{
	struct rtroute route;
	int r = rtroute_get_udp(way->address, way->ifindex, way->port, &route, NULL);

	*ret_rule = r == -ENETUNREACH ||
		    (r == 0 && (route.mtu != (way->mtu ? way->mtu : PROBE_MTU) ||
				route.oif != way->ifindex));
	return *ret_rule ? -EOPNOTSUPP : r;
}

int proberoute_add(const struct proberoute *way, struct err *err)
{
	cleanup_nl struct nl nl = NL_INIT;
	struct target to;
	bool rule = false;
	int r = find_target(way, &to, err);

	if (r == 0)
		r = nl_open(&nl, NETLINK_ROUTE, err);
	if (r < 0)
		return r;
	r = add_route(&nl, &to, way->ifindex, way->mtu ? way->mtu : PROBE_MTU);
	if (r == 0)
		r = add_rule(&nl, &to, way->port);
	if (r == 0)
		r = check_ports(way);
	if (r == 0)
		r = check_way(way, &rule);
	if (r == 0)
		return 0;
	if (rule)
		err_set(err, r,
			"probes to '%s' take another route than theirs, perhaps by a "
			"routing rule of this host with priority 0 or 1",
			way->address);
	else
		nl_error(&nl, r, err, "cannot make a route for probes to '%s'",
			 way->address);
	proberoute_remove(way, NULL);
	return is_unsupported(r) ? -EOPNOTSUPP : r;
}

int proberoute_remove(const struct proberoute *way, struct err *err)
{
	cleanup_nl struct nl nl = NL_INIT;
	struct target to;
	int rule;
	int route;
	int r = find_target(way, &to, err);

	if (r == 0)
		r = nl_open(&nl, NETLINK_ROUTE, err);
	if (r < 0)
		return r;
	rule = remove_rule(&nl, &to, way->port);
	route = remove_route(&nl, &to);
	r = rule < 0 && !is_unsupported(rule) ? rule : 0;
	if (r == 0 && route < 0 && !is_unsupported(route))
		r = route;
	if (r < 0)
		return nl_error(&nl, r, err,
				"cannot remove the route for probes to '%s'",
				way->address);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* Parsers for rtnetlink's messages. */
#include "netctl/rtparse.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"

size_t rtparse_address_size(int family)
{
	return family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
}

/* The message's own header, or NULL. */
static const void *header_of(const struct nlmsghdr *message, size_t size)
{
	if (mnl_nlmsg_get_payload_len(message) < size)
		return NULL;
	return mnl_nlmsg_get_payload(message);
}

static bool is_u32(const struct nlattr *attr)
{
	return mnl_attr_validate(attr, MNL_TYPE_U32) == 0;
}

static bool is_string(const struct nlattr *attr)
{
	return mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0;
}

/* --- a link --- */

static int on_kind(const struct nlattr *attr, void *ctx)
{
	struct rtlink *link = ctx;

	if (mnl_attr_get_type(attr) == IFLA_INFO_KIND && is_string(attr))
		text_copy(link->kind, sizeof(link->kind), mnl_attr_get_str(attr));
	if (mnl_attr_get_type(attr) == IFLA_INFO_SLAVE_KIND && is_string(attr))
		link->in_vrf = strcmp(mnl_attr_get_str(attr), "vrf") == 0;
	return MNL_CB_OK;
}

static int on_link_attr(const struct nlattr *attr, void *ctx)
{
	struct rtlink *link = ctx;
	int type = mnl_attr_get_type(attr);

	if (type == IFLA_IFNAME && is_string(attr))
		text_copy(link->name, sizeof(link->name), mnl_attr_get_str(attr));
	if (type == IFLA_LINKINFO)
		return mnl_attr_parse_nested(attr, on_kind, link);
	if (!is_u32(attr))
		return MNL_CB_OK;
	if (type == IFLA_MASTER)
		link->master = (int)mnl_attr_get_u32(attr);
	if (type == IFLA_MTU)
		link->mtu = (int)mnl_attr_get_u32(attr);
	if (type == IFLA_MIN_MTU)
		link->min_mtu = (int)mnl_attr_get_u32(attr);
	if (type == IFLA_MAX_MTU)
		link->max_mtu = (int)mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

int rtparse_link(const struct nlmsghdr *message, void *ctx)
{
	const struct ifinfomsg *info = header_of(message, sizeof(*info));
	struct rtlink *link = ctx;

	if (!info || message->nlmsg_type != RTM_NEWLINK)
		return MNL_CB_OK;
	link->index = info->ifi_index;
	link->up = info->ifi_flags & IFF_UP;
	return mnl_attr_parse(message, sizeof(*info), on_link_attr, link);
}

int rtparse_ethernet(const struct nlmsghdr *message, void *ctx)
{
	const struct ifinfomsg *info = header_of(message, sizeof(*info));
	struct rtparse_ethernet *found = ctx;
	struct rtlink link = {0};
	int r = rtparse_link(message, &link);

	if (r == MNL_CB_OK && link.up && info->ifi_type == ARPHRD_ETHER &&
	    link.index != found->except && link.mtu > found->mtu)
		found->mtu = link.mtu;
	return r;
}

int rtparse_tunnels(const struct nlmsghdr *message, void *ctx)
{
	struct rtparse_tunnels *found = ctx;
	struct rtlink link = {0};
	int r = rtparse_link(message, &link);

	if (r != MNL_CB_OK ||
	    (strcmp(link.kind, "wireguard") != 0 && strcmp(link.kind, "tun") != 0))
		return r;
	if (found->count < found->max)
		found->list[found->count] = link;
	found->count++;
	return r;
}

/* --- addresses --- */

struct address_attrs {
	size_t size;
	const void *address;
	const void *local;
};

static int on_address_attr(const struct nlattr *attr, void *ctx)
{
	struct address_attrs *attrs = ctx;

	if (mnl_attr_get_payload_len(attr) != attrs->size)
		return MNL_CB_OK;
	if (mnl_attr_get_type(attr) == IFA_ADDRESS)
		attrs->address = mnl_attr_get_payload(attr);
	if (mnl_attr_get_type(attr) == IFA_LOCAL)
		attrs->local = mnl_attr_get_payload(attr);
	return MNL_CB_OK;
}

int rtparse_address(const struct nlmsghdr *message, void *ctx)
{
	const struct ifaddrmsg *info = header_of(message, sizeof(*info));
	struct rtparse_search *search = ctx;
	struct address_attrs attrs = {.size = rtparse_address_size(search->family)};

	if (!info || message->nlmsg_type != RTM_NEWADDR || search->found ||
	    info->ifa_family != search->family ||
	    info->ifa_index != (unsigned)search->index)
		return MNL_CB_OK;
	if (search->global_only && info->ifa_scope >= RT_SCOPE_LINK &&
	    info->ifa_family == AF_INET6)
		return MNL_CB_OK;
	mnl_attr_parse(message, sizeof(*info), on_address_attr, &attrs);
	/* With a point-to-point address IFA_ADDRESS is the other end's. */
	if (attrs.local)
		attrs.address = attrs.local;
	if (attrs.address)
		search->found = search->is_it(search, attrs.address);
	return MNL_CB_OK;
}

/* --- routes --- */

struct metric {
	int type;
	int value;
};

static int on_metric(const struct nlattr *attr, void *ctx)
{
	struct metric *metric = ctx;

	if (mnl_attr_get_type(attr) == metric->type && is_u32(attr))
		metric->value = (int)mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

int rtparse_metric(const struct nlattr *metrics, int type)
{
	struct metric metric = {.type = type};

	mnl_attr_parse_nested(metrics, on_metric, &metric);
	return metric.value;
}

static int on_route_attr(const struct nlattr *attr, void *ctx)
{
	struct rtparse_route *route = ctx;
	int type = mnl_attr_get_type(attr);

	if (type == RTA_METRICS) {
		route->mtu = rtparse_metric(attr, RTAX_MTU);
		route->advmss = rtparse_metric(attr, RTAX_ADVMSS);
	}
	if (type == RTA_OIF && is_u32(attr))
		route->oif = (int)mnl_attr_get_u32(attr);
	if (type == RTA_TABLE && is_u32(attr))
		route->table = (int)mnl_attr_get_u32(attr);
	if (type == RTA_PREFSRC &&
	    mnl_attr_get_payload_len(attr) == rtparse_address_size(route->family))
		inet_ntop(route->family, mnl_attr_get_payload(attr), route->source,
			  sizeof(route->source));
	return MNL_CB_OK;
}

int rtparse_route(const struct nlmsghdr *message, void *ctx)
{
	const struct rtmsg *header = header_of(message, sizeof(*header));
	struct rtparse_route *route = ctx;

	if (!header || message->nlmsg_type != RTM_NEWROUTE)
		return MNL_CB_OK;
	route->type = header->rtm_type;
	route->table = header->rtm_table;
	return mnl_attr_parse(message, sizeof(*header), on_route_attr, route);
}

static int on_clone_attr(const struct nlattr *attr, void *ctx)
{
	struct rtparse_clone *clone = ctx;
	int type = mnl_attr_get_type(attr);
	size_t size = mnl_attr_get_payload_len(attr);

	if (type == RTA_METRICS)
		clone->mtu = rtparse_metric(attr, RTAX_MTU);
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

int rtparse_clone(const struct nlmsghdr *message, void *ctx)
{
	const struct rtmsg *header = header_of(message, sizeof(*header));
	struct rtparse_clones *clones = ctx;
	struct rtparse_clone clone = {0};

	if (!header || message->nlmsg_type != RTM_NEWROUTE ||
	    header->rtm_family != AF_INET6 || !(header->rtm_flags & RTM_F_CLONED))
		return MNL_CB_OK;
	clone.route = *header;
	clone.table = header->rtm_table;
	mnl_attr_parse(message, sizeof(*header), on_clone_attr, &clone);
	/* A redirect is an exception without an MTU: ignore it. */
	if (!clone.mtu)
		return MNL_CB_OK;
	if (array_append(&clones->list, &clones->count, &clone, sizeof(clone)) == 0)
		return MNL_CB_OK;
	errno = ENOMEM;
	return MNL_CB_ERROR;
}

void rtparse_clones_release(struct rtparse_clones *clones)
{
	free(clones->list);
	*clones = (struct rtparse_clones){0};
}

/* --- events --- */

int rtparse_fall(const struct nlmsghdr *message, void *ctx)
{
	const struct ifinfomsg *info = header_of(message, sizeof(*info));
	struct rtparse_fall *fall = ctx;
	const struct nlattr *attr;
	bool gone = message->nlmsg_type == RTM_DELLINK;

	if (!info || (!gone && message->nlmsg_type != RTM_NEWLINK))
		return MNL_CB_OK;
	mnl_attr_for_each(attr, message, sizeof(*info))
	{
		if (mnl_attr_get_type(attr) == IFLA_IFNAME && is_string(attr) &&
		    strcmp(mnl_attr_get_str(attr), fall->interface) == 0 &&
		    (gone || !(info->ifi_flags & IFF_UP)))
			fall->down = true;
	}
	return MNL_CB_OK;
}

/* SPDX-License-Identifier: MIT */
/* A link, its MTU and its addresses over rtnetlink. */
#include "netctl/rtlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "netctl/nl.h"
#include "netctl/rtparse.h"

/* The subject of a sentence about an interface: its name if it still has one. */
struct subject {
	char text[IF_NAMESIZE + 32];
};

static struct subject subject_of(int index)
{
	struct subject subject = {0};
	char name[IF_NAMESIZE];

	if (if_indextoname((unsigned)index, name))
		snprintf(subject.text, sizeof(subject.text), "'%s'", name);
	else
		snprintf(subject.text, sizeof(subject.text), "with index %d", index);
	return subject;
}

static int search_addresses(struct rtparse_search *search, struct err *err)
{
	cleanup_nl struct nl nl = NL_INIT;
	struct nlmsghdr *request;
	struct ifaddrmsg *info;
	int r = nl_open(&nl, NETLINK_ROUTE, err);

	if (r < 0)
		return r;
	do {
		request = nl_begin(&nl, RTM_GETADDR, NLM_F_DUMP);
		info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
		info->ifa_family = (unsigned char)search->family;
		/* Do not filter by ifa_index: the kernel does not mark a change during
		 * such a dump. */
		r = nl_exchange(&nl, rtparse_address, search);
	} while (r == -EINTR && !search->found);
	if (r < 0 && !search->found)
		return nl_error(&nl, r, err,
				"cannot read the addresses of interface %s",
				subject_of(search->index).text);
	return 0;
}

static bool any_address(struct rtparse_search *search, const void *address)
{
	(void)search;
	(void)address;
	return true;
}

static bool same_address(struct rtparse_search *search, const void *address)
{
	return memcmp(search->wanted, address, rtparse_address_size(search->family)) ==
	       0;
}

static bool print_address(struct rtparse_search *search, const void *address)
{
	return inet_ntop(search->family, address, search->text, ADDRESS_SIZE) != NULL;
}

/* --- public functions --- */

static int read_link(const char *name, struct rtlink *link, struct err *err)
{
	cleanup_nl struct nl nl = NL_INIT;
	struct nlmsghdr *request;
	struct ifinfomsg *info;
	int r = nl_open(&nl, NETLINK_ROUTE, err);

	if (r < 0)
		return r;
	request = nl_begin(&nl, RTM_GETLINK, 0);
	info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
	info->ifi_family = AF_UNSPEC;
	mnl_attr_put_strz(request, IFLA_IFNAME, name);
	r = nl_exchange(&nl, rtparse_link, link);
	if (r < 0 && r != -ENODEV)
		return nl_error(&nl, r, err, "cannot read interface '%s'", name);
	return r;
}

int rtlink_get(const char *name, struct rtlink *ret, struct err *err)
{
	struct rtlink link = {0};
	struct rtparse_search search = {.family = AF_INET6, .is_it = any_address};
	int r = -ENODEV;

	if (name[0] && strlen(name) < IF_NAME_SIZE)
		r = read_link(name, &link, err);
	if (r == -ENODEV)
		return err_set(err, r,
			       "no such interface: '%s'; bring the tunnel up first, or "
			       "name another interface",
			       name);
	if (r < 0)
		return r;
	search.index = link.index;
	r = search_addresses(&search, err);
	if (r < 0)
		return r;
	link.has_ipv6 = search.found;
	*ret = link;
	return 0;
}

/* Hand each link of this host to `parse`. *found begins as *empty, again where the kernel
 * interrupts the list. */
static int dump_links(mnl_cb_t parse, void *found, const void *empty, size_t size,
		      struct err *err)
{
	cleanup_nl struct nl nl = NL_INIT;
	struct nlmsghdr *request;
	struct ifinfomsg *info;
	int r = nl_open(&nl, NETLINK_ROUTE, err);

	if (r < 0)
		return r;
	do {
		memcpy(found, empty, size);
		request = nl_begin(&nl, RTM_GETLINK, NLM_F_DUMP);
		info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
		info->ifi_family = AF_UNSPEC;
		r = nl_exchange(&nl, parse, found);
	} while (r == -EINTR);
	return r < 0 ? nl_error(&nl, r, err, "cannot read this host's links") : 0;
}

int rtlink_get_ethernet_mtu(int except, int *ret, struct err *err)
{
	const struct rtparse_ethernet empty = {.except = except};
	struct rtparse_ethernet found;
	int r = dump_links(rtparse_ethernet, &found, &empty, sizeof(found), err);

	if (r == 0)
		*ret = found.mtu;
	return r;
}

int rtlink_list_tunnels(struct rtlink *ret, int max, struct err *err)
{
	const struct rtparse_tunnels empty = {.list = ret, .max = max};
	struct rtparse_tunnels found;
	int r = dump_links(rtparse_tunnels, &found, &empty, sizeof(found), err);

	return r < 0 ? r : found.count;
}

int rtlink_set_mtu(int index, int mtu, struct err *err)
{
	cleanup_nl struct nl nl = NL_INIT;
	struct nlmsghdr *request;
	struct ifinfomsg *info;
	int r = nl_open(&nl, NETLINK_ROUTE, err);

	if (r < 0)
		return r;
	request = nl_begin(&nl, RTM_SETLINK, 0);
	info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
	info->ifi_family = AF_UNSPEC;
	info->ifi_index = index;
	mnl_attr_put_u32(request, IFLA_MTU, (uint32_t)mtu);
	r = nl_exchange(&nl, NULL, NULL);
	if (r < 0)
		return nl_error(&nl, r, err, "cannot set the MTU of interface %s to %d",
				subject_of(index).text, mtu);
	return 0;
}

int rtlink_get_address(int index, char ret[ADDRESS_SIZE], struct err *err)
{
	static const struct rtparse_search searches[] = {
		{.family = AF_INET},
		{.family = AF_INET6, .global_only = true},
		{.family = AF_INET6},
	};
	char text[ADDRESS_SIZE];

	for (size_t i = 0; i < sizeof(searches) / sizeof(searches[0]); i++) {
		struct rtparse_search search = searches[i];
		int r;

		search.index = index;
		search.is_it = print_address;
		search.text = text;
		r = search_addresses(&search, err);
		if (r < 0)
			return r;
		if (search.found) {
			text_copy(ret, ADDRESS_SIZE, text);
			return 0;
		}
	}
	return err_set(err, -EADDRNOTAVAIL, "interface %s has no IP address",
		       subject_of(index).text);
}

int rtlink_has_address(int index, const char *address, struct err *err)
{
	struct rtparse_search search = {.index = index, .is_it = same_address};
	int r;

	search.family = strchr(address, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(search.family, address, search.wanted) != 1)
		return err_set(err, -EINVAL, "not an IP address: '%s'", address);
	r = search_addresses(&search, err);
	return r < 0 ? r : search.found;
}

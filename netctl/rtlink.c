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
	int rc = nl_open(&nl, NETLINK_ROUTE, err);

	if (rc < 0)
		return rc;
	do {
		request = nl_begin(&nl, RTM_GETADDR, NLM_F_DUMP);
		info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
		info->ifa_family = (unsigned char)search->family;
		/* Do not filter by ifa_index: the kernel does not mark a change during
		 * such a dump. */
		rc = nl_exchange(&nl, rtparse_address, search);
	} while (rc == -EINTR && !search->found);
	if (rc < 0 && !search->found)
		return nl_error(&nl, rc, err,
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
	int rc = nl_open(&nl, NETLINK_ROUTE, err);

	if (rc < 0)
		return rc;
	request = nl_begin(&nl, RTM_GETLINK, 0);
	info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
	info->ifi_family = AF_UNSPEC;
	mnl_attr_put_strz(request, IFLA_IFNAME, name);
	rc = nl_exchange(&nl, rtparse_link, link);
	if (rc < 0 && rc != -ENODEV)
		return nl_error(&nl, rc, err, "cannot read interface '%s'", name);
	return rc;
}

int rtlink_get(const char *name, struct rtlink *ret, struct err *err)
{
	struct rtlink link = {0};
	struct rtparse_search search = {.family = AF_INET6, .is_it = any_address};
	int rc = -ENODEV;

	if (name[0] && strlen(name) < IF_NAME_SIZE)
		rc = read_link(name, &link, err);
	if (rc == -ENODEV)
		return err_set(err, rc,
			       "no such interface: '%s': bring the tunnel up first or "
			       "name another interface",
			       name);
	if (rc < 0)
		return rc;
	search.index = link.index;
	rc = search_addresses(&search, err);
	if (rc < 0)
		return rc;
	link.has_ipv6 = search.found;
	*ret = link;
	return 0;
}

int rtlink_get_ethernet_mtu(int except, int *ret, struct err *err)
{
	cleanup_nl struct nl nl = NL_INIT;
	struct rtparse_ethernet found;
	struct nlmsghdr *request;
	struct ifinfomsg *info;
	int rc = nl_open(&nl, NETLINK_ROUTE, err);

	if (rc < 0)
		return rc;
	do {
		found = (struct rtparse_ethernet){.except = except};
		request = nl_begin(&nl, RTM_GETLINK, NLM_F_DUMP);
		info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
		info->ifi_family = AF_UNSPEC;
		rc = nl_exchange(&nl, rtparse_ethernet, &found);
	} while (rc == -EINTR);
	if (rc < 0)
		return nl_error(&nl, rc, err, "cannot read this host's links");
	*ret = found.mtu;
	return 0;
}

int rtlink_set_mtu(int index, int mtu, struct err *err)
{
	cleanup_nl struct nl nl = NL_INIT;
	struct nlmsghdr *request;
	struct ifinfomsg *info;
	int rc = nl_open(&nl, NETLINK_ROUTE, err);

	if (rc < 0)
		return rc;
	request = nl_begin(&nl, RTM_SETLINK, 0);
	info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
	info->ifi_family = AF_UNSPEC;
	info->ifi_index = index;
	mnl_attr_put_u32(request, IFLA_MTU, (uint32_t)mtu);
	rc = nl_exchange(&nl, NULL, NULL);
	if (rc < 0)
		return nl_error(&nl, rc, err,
				"cannot set the MTU of interface %s to %d",
				subject_of(index).text, mtu);
	return 0;
}

int rtlink_get_address(int index, int family, char ret[ADDRESS_SIZE], struct err *err)
{
	char text[ADDRESS_SIZE];
	struct rtparse_search search = {
		.index = index,
		.family = family,
		.global_only = true,
		.is_it = print_address,
		.text = text,
	};
	int rc = search_addresses(&search, err);

	if (rc < 0)
		return rc;
	if (!search.found)
		return err_set(err, -EADDRNOTAVAIL, "no IPv%d address on interface %s",
			       family == AF_INET ? 4 : 6, subject_of(index).text);
	text_copy(ret, ADDRESS_SIZE, text);
	return 0;
}

int rtlink_has_address(int index, const char *address, struct err *err)
{
	struct rtparse_search search = {.index = index, .is_it = same_address};
	int rc;

	search.family = strchr(address, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(search.family, address, search.wanted) != 1)
		return err_set(err, -EINVAL, "not an IP address: '%s'", address);
	rc = search_addresses(&search, err);
	return rc < 0 ? rc : search.found;
}

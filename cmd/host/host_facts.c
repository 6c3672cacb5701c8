/* SPDX-License-Identifier: MIT */
/* The facts of this end: its MTUs, and what is stored with a run. */
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cmd/host/host.h"
#include "netctl/rtroute.h"

void host_tell_keys(const struct host *host, const struct guard_facts *facts)
{
	if (!*facts->own_key || !*facts->far_key)
		host_tell("the public keys of '%s' cannot be read: the run is stored "
			  "without the identity of its tunnel",
			  host->link.name);
}

int host_mtu(const struct host *host)
{
	return host->route_mtu ? host->route_mtu : host->link.mtu;
}

int host_read_mtus(struct host *host, struct guard *guard, const char *address,
		   struct err *err)
{
	struct guard_facts facts = {0};
	struct rtroute route;
	int r = guard_get_facts(guard, "", &facts, err);

	if (r < 0)
		return r;
	host->link.mtu = facts.mtu;
	if (!host->by_route)
		return 0;
	r = rtroute_get_on(address, host->link.index, &route, err);
	if (r == 0)
		host->route_mtu = route.mtu;
	return r;
}

void host_facts(const struct host *host, const char *versions, struct end_facts *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (gethostname(ret->host, sizeof(ret->host) - 1) < 0)
		ret->host[0] = '\0';
	text_copy(ret->interface, sizeof(ret->interface), host->guard.bounds.interface);
	text_copy(ret->versions, sizeof(ret->versions), versions);
	ret->link_mtu = host_mtu(host);
	ret->backend = host->backend;
}

/* SPDX-License-Identifier: MIT */
/* The facts of this end that are stored with a run. */
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cmd/host/host.h"

void host_tell_keys(const struct host *host, const struct guard_facts *facts)
{
	if (!*facts->own_key || !*facts->far_key)
		host_tell("the public keys of '%s' cannot be read: the run is stored "
			  "without the identity of its tunnel",
			  host->link.name);
}

void host_facts(const struct host *host, const char *versions, struct end_facts *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (gethostname(ret->host, sizeof(ret->host) - 1) < 0)
		ret->host[0] = '\0';
	text_copy(ret->interface, sizeof(ret->interface), host->guard.bounds.interface);
	text_copy(ret->versions, sizeof(ret->versions), versions);
	ret->link_mtu = host->route_mtu ? host->route_mtu : host->link.mtu;
	ret->backend = host->backend;
}

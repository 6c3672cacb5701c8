/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_GUARD_WIRE_H
#define NETCTL_GUARD_WIRE_H

#include "netctl/guard.h"
#include "netctl/wginfo.h"

/* The wire between guard.c and guard_client.c: one fixed-size request, one reply
 * (base/ask.h). The reply repeats the request's serial, so that a late reply is not
 * taken for that of the next request. */

enum guard_verb {
	GUARD_FACTS,
	GUARD_SET,
	GUARD_RENEW,
	GUARD_SETTLE,
	GUARD_COMMIT,
	GUARD_RESTORE,
	GUARD_PROBE,
	GUARD_END_PROBE,
	GUARD_TAP, /* its reply brings the descriptor along (SCM_RIGHTS) */
	GUARD_RAW, /* so does this one's */
	GUARD_LISTEN,
};

struct guard_request {
	uint32_t serial;
	enum guard_verb verb;
	int64_t lease_ms;
	enum rawsock_kind raw;            /* RAW alone */
	struct hostchange_request change; /* FACTS, LISTEN: its address alone */
};

struct guard_reply {
	uint32_t serial;
	int result;
	struct guard_facts facts;
	struct err err;
};

/* The facts about a WireGuard peer that main may know. */
void guard_wire_fill(struct guard_facts *facts, const struct wginfo_peer *peer);

/* How the outer packets of the peer leave: endpoint_local and outer_mtu. `outside`: their
 * network namespace; NULL: this one. */
void guard_wire_find_way(const struct outside *outside, const struct rtlink *link,
			 const struct wginfo_peer *peer, struct guard_facts *facts);

/* The guard's answer, with a descriptor if `fd` is one. False: main is gone, or takes no
 * answers, and is as good as gone: waiting for it would prevent the lease from expiring. */
bool guard_wire_reply(int main_fd, const struct guard_reply *reply, int fd);

#endif

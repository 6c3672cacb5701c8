#ifndef NETCTL_GUARD_WIRE_H
#define NETCTL_GUARD_WIRE_H

#include "netctl/guard.h"

/* What guard.c and guard_client.c say to one another: one fixed-size request, one
 * reply. */

enum guard_verb {
	GUARD_FACTS,
	GUARD_SET,
	GUARD_RENEW,
	GUARD_SETTLE,
	GUARD_COMMIT,
	GUARD_RESTORE,
};

struct guard_request {
	enum guard_verb verb;
	int mtu;
	int64_t lease_ms;
	char address[ADDRESS_SIZE];
};

struct guard_reply {
	int result;
	struct guard_facts facts;
	struct err err;
};

#endif

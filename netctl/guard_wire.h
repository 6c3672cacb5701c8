#ifndef NETCTL_GUARD_WIRE_H
#define NETCTL_GUARD_WIRE_H

#include "netctl/guard.h"

/* What guard.c and guard_client.c say to one another: one fixed-size request, one
 * reply (base/ask.h), which repeats the request's serial: an answer that comes after the
 * asker gave up must not pass for the next one's. */

enum guard_verb {
	GUARD_FACTS,
	GUARD_SET,
	GUARD_RENEW,
	GUARD_SETTLE,
	GUARD_COMMIT,
	GUARD_RESTORE,
	GUARD_PROBE,
	GUARD_TAP, /* its reply brings the descriptor along (SCM_RIGHTS) */
};

struct guard_request {
	uint32_t serial;
	enum guard_verb verb;
	int64_t lease_ms;
	struct hostchange_request change; /* FACTS: its address alone */
};

struct guard_reply {
	uint32_t serial;
	int result;
	struct guard_facts facts;
	struct err err;
};

#endif

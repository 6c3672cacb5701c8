#ifndef CMD_LEAD_OPS_H
#define CMD_LEAD_OPS_H

#include <stdatomic.h>

#include "cmd/lead.h"
#include "engine/runner.h"
#include "engine/sweep.h"
#include "netctl/guard.h"
#include "store/store.h"
#include "sync/client.h"
#include "sync/lease.h"

/* What a run of the peer has open, and the operations the sweep calls on it. */

struct lead {
	const struct lead_config *config;
	struct guard *guard;
	struct runner *runner;
	struct client *client;
	struct store *store;
	struct lease *lease;
	struct msg_hello hello;
	struct run_info run;
	int64_t run_id;
	char session[MSG_TOKEN_SIZE];
	int64_t lease_ms;           /* the shorter of both ends' */
	_Atomic int64_t renewed_at; /* clock_boot_ms() of the server's last yes */
	_Atomic bool lapsed; /* a lease ran out, or nearly, since the pair was set */
	struct mtu_pair mtu; /* of the visit under way */
	uint32_t test;       /* the last test's number */
	bool settle_warned;
};

extern const struct sweep_ops lead_ops;

/*
 * Find the server and open (or take over) the session, within `wait_ms`, telling the
 * user what is waited for. -EINTR; -EACCES, -EPROTO and others that waiting does not
 * mend.
 */
int lead_connect(struct lead *lead, int64_t wait_ms, struct err *err);

/* Send what the server has not acknowledged, for at most `limit_ms`. */
void lead_send_rows(struct lead *lead, int64_t limit_ms);

/* Set the pair at both ends, without a test. */
int lead_set_pair(struct lead *lead, const struct mtu_pair *mtu, struct err *err);

/* Something a reader of the results should know: stored, and told once. */
void lead_warn(struct lead *lead, const char *text);

/* A line for the user, clear of the progress line. */
void lead_tell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif

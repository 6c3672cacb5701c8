/* SPDX-License-Identifier: MIT */
#ifndef SYNC_SESSION_H
#define SYNC_SESSION_H

#include "base/err.h"
#include "sync/msg.h"

/*
 * The session, which alone may change this host's state. There is at most one, opened
 * by one address for one run, alive until its lease expires. Pure (times are passed in)
 * and unlocked: the endpoint locks.
 */

struct session {
	bool open;
	char id[TOKEN_SIZE];
	char address[ADDRESS_SIZE];
	char run[UUID_SIZE];
	char secret[TOKEN_SIZE]; /* the run's; its peer alone knows it */
	int64_t lease_ms;
	int64_t expires_at_ms; /* on the caller's clock */
};

struct session_wish {
	const char *address;
	const char *run;
	const char *secret;
	int64_t lease_ms;
};

/*
 * Open it. The same address with the same run and its secret takes its session over at
 * once, under a new id (*ret_resumed is then true). -EBUSY: another session is open; the
 * text names its address. -EACCES: it is this run's, but the secret differs.
 */
int session_open(struct session *s, const struct session_wish *wish, int64_t now_ms,
		 bool *ret_resumed, struct err *err);

/* Check that a request from `address` with `id` may change state. -ESTALE: the session
 * has ended; -EPERM: it belongs to another address. */
int session_check(const struct session *s, const char *address, const char *id,
		  int64_t now_ms, struct err *err);

void session_renew(struct session *s, int64_t now_ms);

/* True once when the lease has expired: the session is then closed. */
bool session_expire(struct session *s, int64_t now_ms);

void session_close(struct session *s);

#endif

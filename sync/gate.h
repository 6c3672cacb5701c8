/* SPDX-License-Identifier: MIT */
#ifndef SYNC_GATE_H
#define SYNC_GATE_H

#include <pthread.h>

#include "base/err.h"
#include "sync/msg.h"
#include "sync/session.h"

/*
 * The endpoint's locks around its session. One is held through an operation that
 * changes state, so that there is one at a time (gate_lock() or gate_enter(), then
 * gate_leave()); the other only while the session is looked at, so that a renewal never
 * waits for an operation.
 */

struct gate {
	pthread_mutex_t operation; /* taken first */
	pthread_mutex_t looking;
	struct session session;
	struct session closed; /* the last one its peer closed */
	char run[UUID_SIZE];   /* the last session's, for `rows` */
	uint32_t rows;
};

void gate_init(struct gate *gate);
void gate_release(struct gate *gate);

/* Check that the id and the address are the session's. It does not wait, so that a
 * stranger cannot make others wait. The lease may have expired. */
int gate_known(struct gate *gate, const char *address, const char *id, struct err *err);
bool gate_was_closed(struct gate *gate, const char *address, const char *id);

/* Wait for one's turn. The second returns false when it is somebody else's. */
void gate_lock(struct gate *gate);
bool gate_try_lock(struct gate *gate);
/* The same for an operation of the session; not locked on failure (session_check()). */
int gate_enter(struct gate *gate, const char *address, const char *id, struct err *err);
/* `renew`: it was the session's, and succeeded. */
void gate_leave(struct gate *gate, bool renew);

/* At any time. */
struct session gate_session(struct gate *gate);
int gate_check(struct gate *gate, const char *address, const char *id, struct err *err);
/* Nothing happens when it is not the session's any more. */
void gate_renew(struct gate *gate, const char *address, const char *id);
void gate_status(struct gate *gate, struct msg_status *ret);
void gate_count_row(struct gate *gate, uint32_t seq);

/* These with the operation's lock held. */
void gate_install(struct gate *gate, const struct session *next);
/* True once when the lease has expired. */
bool gate_expire(struct gate *gate);
void gate_close(struct gate *gate);

#endif

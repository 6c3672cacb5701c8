/* SPDX-License-Identifier: MIT */
/* The endpoint's locks around its session. */

#include "sync/gate.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"

void gate_init(struct gate *gate)
{
	memset(gate, 0, sizeof(*gate));
	pthread_mutex_init(&gate->operation, NULL);
	pthread_mutex_init(&gate->looking, NULL);
}

void gate_release(struct gate *gate)
{
	pthread_mutex_destroy(&gate->looking);
	pthread_mutex_destroy(&gate->operation);
}

void gate_lock(struct gate *gate)
{
	pthread_mutex_lock(&gate->operation);
}

bool gate_try_lock(struct gate *gate)
{
	return pthread_mutex_trylock(&gate->operation) == 0;
}

/* Its lease does not matter: it is judged at a time when it was alive. */
static int known_as(const struct session *session, const char *address, const char *id,
		    struct err *err)
{
	return session_check(session, address, id, session->expires_at_ms - 1, err);
}

int gate_known(struct gate *gate, const char *address, const char *id, struct err *err)
{
	struct session session = gate_session(gate);

	return known_as(&session, address, id, err);
}

bool gate_was_closed(struct gate *gate, const char *address, const char *id)
{
	struct session closed;

	pthread_mutex_lock(&gate->looking);
	closed = gate->closed;
	pthread_mutex_unlock(&gate->looking);
	return known_as(&closed, address, id, NULL) == 0;
}

int gate_enter(struct gate *gate, const char *address, const char *id, struct err *err)
{
	int r = gate_known(gate, address, id, err);

	if (r < 0)
		return r;
	gate_lock(gate);
	r = gate_check(gate, address, id, err);
	if (r < 0)
		gate_leave(gate, false);
	return r;
}

void gate_leave(struct gate *gate, bool renew)
{
	pthread_mutex_lock(&gate->looking);
	if (renew && gate->session.open)
		session_renew(&gate->session, clock_boot_ms());
	pthread_mutex_unlock(&gate->looking);
	pthread_mutex_unlock(&gate->operation);
}

struct session gate_session(struct gate *gate)
{
	struct session copy;

	pthread_mutex_lock(&gate->looking);
	copy = gate->session;
	pthread_mutex_unlock(&gate->looking);
	return copy;
}

int gate_check(struct gate *gate, const char *address, const char *id, struct err *err)
{
	struct session session = gate_session(gate);

	return session_check(&session, address, id, clock_boot_ms(), err);
}

void gate_renew(struct gate *gate, const char *address, const char *id)
{
	int64_t now_ms = clock_boot_ms();

	pthread_mutex_lock(&gate->looking);
	if (session_check(&gate->session, address, id, now_ms, NULL) == 0)
		session_renew(&gate->session, now_ms);
	pthread_mutex_unlock(&gate->looking);
}

void gate_status(struct gate *gate, struct msg_status *ret)
{
	memset(ret, 0, sizeof(*ret));
	pthread_mutex_lock(&gate->looking);
	ret->open = gate->session.open;
	text_copy(ret->peer, sizeof(ret->peer), gate->session.address);
	text_copy(ret->run, sizeof(ret->run), gate->session.run);
	ret->rows = ret->open ? gate->rows : 0;
	pthread_mutex_unlock(&gate->looking);
}

void gate_count_row(struct gate *gate, uint32_t seq)
{
	pthread_mutex_lock(&gate->looking);
	if (seq > gate->rows)
		gate->rows = seq;
	pthread_mutex_unlock(&gate->looking);
}

void gate_install(struct gate *gate, const struct session *next)
{
	pthread_mutex_lock(&gate->looking);
	gate->session = *next;
	session_renew(&gate->session, clock_boot_ms());
	if (strcmp(gate->run, next->run) != 0)
		gate->rows = 0;
	text_copy(gate->run, sizeof(gate->run), next->run);
	pthread_mutex_unlock(&gate->looking);
}

bool gate_expire(struct gate *gate)
{
	bool expired;

	pthread_mutex_lock(&gate->looking);
	expired = session_expire(&gate->session, clock_boot_ms());
	pthread_mutex_unlock(&gate->looking);
	return expired;
}

void gate_close(struct gate *gate)
{
	pthread_mutex_lock(&gate->looking);
	gate->closed = gate->session;
	session_close(&gate->session);
	pthread_mutex_unlock(&gate->looking);
}

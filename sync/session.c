/* SPDX-License-Identifier: MIT */
/* The session, which alone may change this host's state. */

#include "sync/session.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/random.h"
#include "base/text.h"

static bool is_alive(const struct session *s, int64_t now_ms)
{
	return s->open && now_ms < s->expires_at_ms;
}

int session_open(struct session *s, const struct session_wish *wish, int64_t now_ms,
		 bool *ret_resumed, struct err *err)
{
	bool resumed = is_alive(s, now_ms);

	if (resumed &&
	    (strcmp(s->address, wish->address) != 0 || strcmp(s->run, wish->run) != 0))
		return err_set(err, -EBUSY,
			       "server busy: a run from '%s' is under way; unless "
			       "renewed, its lease expires in %" PRId64 " s",
			       s->address, (s->expires_at_ms - now_ms + 999) / 1000);
	if (resumed && !token_same(s->secret, wish->secret))
		return err_set(err, -EACCES,
			       "not permitted: taking over the open session of run %s "
			       "needs the run's secret",
			       wish->run);
	s->open = true;
	token_make(s->id);
	text_copy(s->address, sizeof(s->address), wish->address);
	text_copy(s->run, sizeof(s->run), wish->run);
	text_copy(s->secret, sizeof(s->secret), wish->secret);
	s->lease_ms = wish->lease_ms;
	session_renew(s, now_ms);
	*ret_resumed = resumed;
	return 0;
}

int session_check(const struct session *s, const char *address, const char *id,
		  int64_t now_ms, struct err *err)
{
	if (!is_alive(s, now_ms) || !token_same(s->id, id))
		return err_set(err, -ESTALE,
			       "unknown session: it was closed or taken over, or its "
			       "lease expired");
	if (strcmp(s->address, address) != 0)
		return err_set(
			err, -EPERM,
			"not permitted from '%s': the session belongs to another "
			"address",
			address);
	return 0;
}

void session_renew(struct session *s, int64_t now_ms)
{
	s->expires_at_ms = now_ms + s->lease_ms;
}

bool session_expire(struct session *s, int64_t now_ms)
{
	if (!s->open || is_alive(s, now_ms))
		return false;
	session_close(s);
	return true;
}

void session_close(struct session *s)
{
	memset(s, 0, sizeof(*s));
}

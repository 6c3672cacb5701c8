/* SPDX-License-Identifier: MIT */
#include "cmd/peer/peer_ask.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/io.h"

#define AGAIN_MS 200
/* A try has up to eight times the time of the first. */
#define DOUBLES_MAX 3

/* Without whose it is: that is said once. */
static const char *without_owner(const char *text)
{
	static const char owner[] = "the server: ";

	return strncmp(text, owner, strlen(owner)) == 0 ? text + strlen(owner) : text;
}

int peer_await_room(struct peer_session *session, struct peer_shortage *shortage,
		    const char *who, int code, struct err *err)
{
	int64_t wait_ms = session->config->wait_ms;
	int64_t now_ms = clock_boot_ms();
	struct err why = *err;

	if (!shortage->until_ms) {
		shortage->until_ms = now_ms + wait_ms;
		host_tell("%s lacks a resource: %.250s; retrying for up to %lld s", who,
			  without_owner(why.text), (long long)(wait_ms / 1000));
	}
	if (now_ms >= shortage->until_ms)
		return err_set(
			err, -EIO,
			"%s has lacked a resource for %lld s: %.200s; check there: %s",
			who, (long long)(wait_ms / 1000), without_owner(why.text),
			err_shortage_limit(code));
	return io_wait(-1, session->stop_fd, now_ms + AGAIN_MS);
}

/* True if silence deserves another try: an end may have restored its MTU by itself. */
static bool is_silent(struct peer_session *session, int r, int64_t until_ms)
{
	return r == -ETIMEDOUT && !client_answered(session->client) &&
	       clock_boot_ms() < until_ms &&
	       peer_session_check_lease(session, NULL) == 0;
}

int peer_ask(struct peer_session *session, peer_send_fn *send, void *message,
	     int least_ms, int64_t *ret_sent_at_ms, struct err *err)
{
	int64_t silent_until_ms = clock_boot_ms() + PEER_ASK_LIMIT_MS;
	struct peer_shortage shortage = {0};
	int doubles = 0;

	for (;;) {
		int timeout_ms = peer_session_timeout_ms(session, least_ms) << doubles;
		int r;

		*ret_sent_at_ms = clock_boot_ms();
		err_set(err, 0, "%s", "");
		r = send(session->client, message, timeout_ms, err);
		if (is_silent(session, r, silent_until_ms)) {
			doubles += doubles < DOUBLES_MAX;
			/* One that could not even wait for an answer must not spin. */
			r = io_wait(-1, session->stop_fd, *ret_sent_at_ms + AGAIN_MS);
			if (r < 0)
				return r;
			continue;
		}
		if (r == -ENETDOWN && client_answered(session->client))
			session->link_fell = true;
		if (r == 0 || !client_answered(session->client) || !err_is_shortage(r))
			return peer_session_mendable(r);
		r = peer_await_room(session, &shortage, "the server", r, err);
		if (r < 0)
			return r;
	}
}

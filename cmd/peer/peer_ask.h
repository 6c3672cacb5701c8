/* SPDX-License-Identifier: MIT */
#ifndef CMD_PEER_PEER_ASK_H
#define CMD_PEER_PEER_ASK_H

#include "cmd/peer/peer_session.h"

/*
 * Requests that are sent again: each states the wanted result, so a second one does no
 * harm.
 *
 * Silence may be an outage, or a queue that a test has filled. The request is sent
 * again for PEER_ASK_LIMIT_MS, each try twice as long as the last, up to eight times
 * the first; after that -EAGAIN, and the sweep looks for the server.
 *
 * A shortage (err_is_shortage()) is a host's own, and no property of a pair: the
 * request is sent again within --wait. One that lasts ends the run, and the sentence
 * names the end and the limit.
 */

#define PEER_ASK_LIMIT_MS 10000

/* One try; `message` is the caller's, with what is to be filled in. */
typedef int peer_send_fn(struct client *client, void *message, int timeout_ms,
			 struct err *err);

/*
 * *ret_sent_at_ms is when the request that was answered with yes was sent
 * (clock_boot_ms()). 0; -EAGAIN silence, or a session that is lost; -EINTR; -EIO a
 * shortage that lasts; else what the server said.
 */
int peer_ask(struct peer_session *session, peer_send_fn *send, void *message,
	     int least_ms, int64_t *ret_sent_at_ms, struct err *err);

/* The time within which a shortage has to pass. */
struct peer_shortage {
	int64_t until_ms; /* clock_boot_ms(); 0: there is none */
};

/*
 * `code`, of err_is_shortage(), is what `who` ("this end", "the server") lacks; err says
 * for what. 0: it was waited for a moment, try again; -EINTR; -EIO: it lasts.
 */
int peer_await_room(struct peer_session *session, struct peer_shortage *shortage,
		    const char *who, int code, struct err *err);

#endif

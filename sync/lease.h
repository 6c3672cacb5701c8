/* SPDX-License-Identifier: MIT */
#ifndef SYNC_LEASE_H
#define SYNC_LEASE_H

#include "base/err.h"
#include "sync/client.h"

/*
 * The peer's lease: a thread with a client of its own that renews the session every
 * third of the lease's length, during tests too, and tells its owner how that went, so
 * that the owner renews (or does not renew) this host's own guard in step with it.
 *
 * Beside a test it beats: it renews every LEASE_BEAT_MS. Each renewal is a round trip of
 * small packets on a kept connection, so a time without any says that the line was down in
 * at least one direction, and that a test which failed meanwhile says nothing of full-size
 * packets. An outage ends no gap: what was sent before or in it, in either direction,
 * makes no round trip until it is over.
 */

#define LEASE_BEAT_MS 250

struct lease;

struct lease_config {
	struct client_config client;
	char session[TOKEN_SIZE];
	int64_t lease_ms;
	int64_t rtt_us; /* the path's, if known */
	/* In the lease's thread, after each try: 0, or the client's error; -EINTR is the
	 * server's answer. The server's clock runs from some moment after `sent_at_ms`
	 * (clock_boot_ms()). */
	void (*renewed)(void *ctx, int64_t sent_at_ms, int result,
			const struct err *err);
	void *ctx;
};

int lease_start(const struct lease_config *config, struct lease **ret, struct err *err);
/* Ends the thread and waits for it (at most one request's deadline). NULL is allowed.
 */
void lease_stop(struct lease *lease);

/* Beat from now on. A round trip must have ended just before. */
void lease_beat_begin(struct lease *lease);
/* The longest times between two round trips, in ms, since lease_beat_begin(). */
struct lease_gaps {
	int64_t silent_ms; /* until the second was over */
	/* Until it was sent, where nothing of it was lost: a path that is merely slow, as
	 * through a queue that a test has filled, makes none. */
	int64_t lost_ms;
	int64_t trip_ms; /* the shortest round trip of which nothing was lost; or -1 */
};

/* Beat no more. Up to now there is a gap as well: a round trip that ended just before this
 * call does not count, unless it was a beat. */
void lease_beat_end(struct lease *lease, struct lease_gaps *ret);

/* Return the longest time of a renewal without retransmission, in ms; 0 before the
 * first. */
int64_t lease_slowest_ms(struct lease *lease);

#endif

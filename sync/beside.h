/* SPDX-License-Identifier: MIT */
#ifndef SYNC_BESIDE_H
#define SYNC_BESIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "sync/client.h"

/*
 * Statements of the peer for the server's copy of a run: a thread with a client of its own
 * sends it, one after the other, while the peer goes on. Nothing waits for these answers,
 * so they cost no round trip: the path, the prediction, the rows.
 *
 * The first request that fails ends it: it drops what is left, and takes no more. Its
 * owner sends again what has not arrived. All calls are the owner's.
 */

/* As many as wait at once. */
#define BESIDE_MAX 8

struct beside;

struct beside_config {
	struct client_config client;
	char run[UUID_SIZE]; /* whose rows they are */
	int timeout_ms;      /* of each */
	/* In the thread, after each yes: as peer_session_heard(). */
	void (*heard)(void *ctx, int64_t sent_at_ms);
	void *ctx;
};

int beside_start(const struct beside_config *config, struct beside **ret,
		 struct err *err);
/* Ends the thread, and with it the request under way. NULL is allowed. */
void beside_stop(struct beside *beside);

/* False: it takes no more, or BESIDE_MAX wait already. */
bool beside_path(struct beside *beside, const struct msg_path *m);
bool beside_recommendation(struct beside *beside, const struct msg_recommendation *m);
bool beside_row(struct beside *beside, const struct msg_row *m);

/* The number of the last row that it took; 0: none. Rows are given in their order. */
uint32_t beside_row_given(const struct beside *beside);
/* The number of the last of these that has arrived, with all before it; 0: none. */
uint32_t beside_row_arrived(struct beside *beside);
/* Wait until nothing is left, until `deadline_ms` (clock_boot_ms()) at most. True: all that
 * it took has arrived. */
bool beside_wait(struct beside *beside, int64_t deadline_ms);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef CMD_PEER_PEER_WATCH_H
#define CMD_PEER_PEER_WATCH_H

#include "base/err.h"

struct peer;

/*
 * --watch with a server: a session for each probe, which the server stores nothing of, and
 * one more for a pair that is applied. A server that is gone, or has a session with another
 * peer, is asked again with the next probe; only the first session is waited for.
 * Returns watch_run()'s result.
 */
int peer_watch(struct peer *peer, struct err *err);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef CMD_PEER_PEER_END_H
#define CMD_PEER_PEER_END_H

#include "cmd/peer/peer_parts.h"

/*
 * The end of a run whose sweep returned `r` (with its sentence in err): apply the best
 * pair if that was requested, restore everything else, and report the state of each
 * end. Returns 0, or why the run failed.
 */
int peer_end(struct peer *peer, int r, struct err *err);

/* Restore both ends and close the session, saying what each has if it is not what is to
 * be expected; `why` is for the server. */
void peer_restore(struct peer *peer, enum run_outcome outcome, const char *why);

/* How a run that returned `r` ended. */
enum run_outcome peer_outcome(int r);

#endif

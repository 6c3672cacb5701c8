/* SPDX-License-Identifier: MIT */
#ifndef CMD_PEER_PEER_SWEEP_H
#define CMD_PEER_PEER_SWEEP_H

#include "base/err.h"

struct peer;

/*
 * All of a run, with the session open: survey, answer, then with a plan the sweep, and the
 * end. The program's exit status (enum program_status), or why it failed; that was told.
 */
int peer_sweep(struct peer *peer, struct err *err);

#endif

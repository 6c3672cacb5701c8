/* SPDX-License-Identifier: MIT */
#ifndef CMD_PEER_PEER_SWEEP_H
#define CMD_PEER_PEER_SWEEP_H

#include "base/err.h"

struct peer;

/* strategy.run of those that measure pairs: survey, plan, sweep, and the end of the run. */
int peer_sweep(struct peer *peer, struct err *err);

#endif

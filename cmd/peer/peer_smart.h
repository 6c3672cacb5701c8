/* SPDX-License-Identifier: MIT */
#ifndef CMD_PEER_PEER_SMART_H
#define CMD_PEER_PEER_SMART_H

#include "base/err.h"
#include "engine/plan.h"

/* --strategy smart: few pairs, chosen by what probes say about the path. */

struct peer;

/* strategy.make_plan. */
int peer_smart_plan(const struct peer *peer, struct plan **ret, struct err *err);

#endif

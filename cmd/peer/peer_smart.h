/* SPDX-License-Identifier: MIT */
#ifndef CMD_PEER_PEER_SMART_H
#define CMD_PEER_PEER_SMART_H

#include <stdbool.h>

#include "base/err.h"
#include "engine/plan.h"

/* --strategy smart: few pairs, chosen by what probes say about the path. */

struct peer;

/* A test of fewer round trips tells of TCP's start more than of the path. */
#define PEER_TEST_TRIPS 10

/* By the round trip as it is now: before the tests it is the path's own. */
bool peer_tests_are_short(const struct peer *peer);

/* strategy.make_plan. */
int peer_smart_plan(const struct peer *peer, struct plan **ret, struct err *err);

#endif

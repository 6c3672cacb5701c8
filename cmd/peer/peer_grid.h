/* SPDX-License-Identifier: MIT */
#ifndef CMD_PEER_PEER_GRID_H
#define CMD_PEER_PEER_GRID_H

#include "cmd/peer/peer.h"
#include "engine/plan.h"

/* --strategy grid: every pair of the run's ranges; --apply's one pair is a grid, too. */

/* How many measurements the run's grid has. */
int peer_grid_visits(const struct peer_config *config, const struct run_info *run);

/* strategy.make_plan and .conclude: a warning where the rows show that the line drifted,
 * and the recommendation if the run probed its path. */
int peer_grid_plan(const struct peer *peer, struct plan **ret, struct err *err);
int peer_grid_conclude(struct peer *peer, struct mtu_pair *ret, struct err *err);

#endif

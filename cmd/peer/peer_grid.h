#ifndef CMD_PEER_PEER_GRID_H
#define CMD_PEER_PEER_GRID_H

#include "cmd/peer/peer_ops.h"
#include "engine/plan.h"

/* --strategy grid: every pair of peer->run's ranges; --apply's one pair is a grid, too. */

/* How many measurements the grid of peer->run has. */
int peer_grid_visits(const struct peer *peer);

/* strategy.make_plan and .conclude: a warning where the rows show that the line drifted. */
int peer_grid_plan(const struct peer *peer, struct plan **ret, struct err *err);
int peer_grid_conclude(struct peer *peer, struct mtu_pair *ret, struct err *err);

#endif

#ifndef CMD_LEAD_GRID_H
#define CMD_LEAD_GRID_H

#include "cmd/lead_ops.h"
#include "engine/plan.h"

/* --strategy grid: every pair of lead->run's ranges; --apply's one pair is a grid, too. */

/* How many measurements the grid of lead->run has. */
int lead_grid_visits(const struct lead *lead);

/* strategy.make_plan and .conclude: a warning where the rows show that the line drifted. */
int lead_grid_plan(const struct lead *lead, struct plan **ret, struct err *err);
int lead_grid_conclude(struct lead *lead, struct mtu_pair *ret, struct err *err);

#endif

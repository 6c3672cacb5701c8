#ifndef CMD_LEAD_GRID_H
#define CMD_LEAD_GRID_H

#include "cmd/lead_ops.h"
#include "engine/plan_grid.h"

/*
 * What --strategy grid has beside the sweep, and a plan of one pair (--apply), which is a
 * grid too.
 */

/* The grid of lead->run. */
struct plan_grid_options lead_grid_options(const struct lead *lead);

/* Warn of drift where the rows of the run show one. */
int lead_grid_conclude(struct lead *lead, struct err *err);

#endif

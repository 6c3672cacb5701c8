#ifndef CMD_LEAD_GRID_H
#define CMD_LEAD_GRID_H

#include "cmd/lead_ops.h"
#include "engine/plan_grid.h"

/* The grid of lead->run; a plan of one pair (--apply) is one, too. */
struct plan_grid_options lead_grid_options(const struct lead *lead);

#endif

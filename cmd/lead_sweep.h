#ifndef CMD_LEAD_SWEEP_H
#define CMD_LEAD_SWEEP_H

#include "base/err.h"

struct lead;

/* strategy.run of those that measure pairs: survey, plan, sweep, and the end of the run. */
int lead_sweep(struct lead *lead, struct err *err);

#endif

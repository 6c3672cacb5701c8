#ifndef CMD_LEAD_SMART_H
#define CMD_LEAD_SMART_H

#include "cmd/lead_ops.h"
#include "engine/plan.h"

/*
 * --strategy smart, the functions of struct strategy: the path is probed before the sweep,
 * and what all of it comes to is said, and stored, after it.
 */

/* With the session open: lead->survey, by probes; of a run that goes on, from the
 * database. That nothing is known is no failure, and told. */
int lead_smart_survey(struct lead *lead, struct err *err);

/* The plan, by lead->survey. */
int lead_smart_plan(const struct lead *lead, struct plan **ret, struct err *err);

/* Store lead->survey with the run, and send it to the server's copy. */
int lead_smart_begun(struct lead *lead, struct err *err);

/* Which pair the run comes to: stored, and printed, and sent to the server's copy of the
 * run. *ret is {0, 0} where none is recommended. */
int lead_smart_conclude(struct lead *lead, struct mtu_pair *ret, struct err *err);

#endif

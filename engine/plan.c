/* SPDX-License-Identifier: MIT */
/* Dispatch to the strategy that made the plan. */
#include "engine/plan.h"

bool plan_next(struct plan *plan, struct visit *ret)
{
	return plan->ops->next(plan, ret);
}

void plan_learn(struct plan *plan, const struct measurement *m)
{
	plan->ops->learn(plan, m);
}

int plan_total(const struct plan *plan)
{
	return plan->ops->total(plan);
}

void plan_free(struct plan *plan)
{
	if (plan)
		plan->ops->free(plan);
}

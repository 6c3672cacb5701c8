/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_PLAN_H
#define ENGINE_PLAN_H

#include "base/types.h"

/*
 * A plan names the pairs to measure, one visit after another. It is pure: it knows the
 * results it was told, and touches no network, clock or file, so a simulated path drives
 * it as well as a real one.
 *
 *	while (plan_next(plan, &visit))
 *		plan_learn(plan, &what_was_measured);
 *	plan_free(plan);
 *
 * A strategy (plan_grid.h) makes one: it embeds struct plan first and fills in ops.
 */

struct visit {
	struct mtu_pair mtu;
	int pass;       /* from 1; counts the visits of this pair */
	bool reference; /* part of the reference series, which shows drift */
	/* the probes show that TCP of this pair gets nothing through */
	bool lost[DIR_COUNT];
};

struct plan;

struct plan_ops {
	bool (*next)(struct plan *plan, struct visit *ret);
	void (*learn)(struct plan *plan, const struct measurement *m);
	int (*total)(const struct plan *plan);
	void (*free)(struct plan *plan);
};

struct plan {
	const struct plan_ops *ops;
};

/* The next visit, or false when there is nothing left to measure. */
static inline bool plan_next(struct plan *plan, struct visit *ret)
{
	return plan->ops->next(plan, ret);
}

/* Tell the plan the result of the last visit. */
static inline void plan_learn(struct plan *plan, const struct measurement *m)
{
	plan->ops->learn(plan, m);
}

/* The number of all visits, as far as it is known now. */
static inline int plan_total(const struct plan *plan)
{
	return plan->ops->total(plan);
}

/* NULL is allowed. */
static inline void plan_free(struct plan *plan)
{
	if (plan)
		plan->ops->free(plan);
}

#endif

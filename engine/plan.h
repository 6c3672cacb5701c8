#ifndef ENGINE_PLAN_H
#define ENGINE_PLAN_H

#include "base/types.h"

/*
 * What to measure next. A plan is pure: it knows what it was told and names the next
 *visit; it touches no network, clock or file, so a simulated path drives it as well as
 *a real one.
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
	bool reference; /* one of the series that shows how capacity drifts */
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
bool plan_next(struct plan *plan, struct visit *ret);
/* What the visit last named showed. */
void plan_learn(struct plan *plan, const struct measurement *m);
/* Visits in all, as far as is known now. */
int plan_total(const struct plan *plan);
/* NULL is allowed. */
void plan_free(struct plan *plan);

#endif

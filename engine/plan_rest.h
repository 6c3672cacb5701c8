#ifndef ENGINE_PLAN_REST_H
#define ENGINE_PLAN_REST_H

#include <stddef.h>

#include "base/err.h"
#include "engine/plan.h"

/*
 * What is left of another plan, for a run that goes on where it was interrupted: the
 * visits the other plan names, less those that were measured before. The other plan
 * learns of these in their turn, as if they had been measured now, so that a plan that
 * decides by results goes on as it would have.
 */

struct plan_rest_options {
	struct plan *whole;              /* the same plan from its beginning */
	const struct measurement *known; /* borrowed until plan_free() */
	size_t known_count;
	bool repeat_failed; /* a visit that failed each time is still to be measured */
};

/* Takes `whole` over, on failure too. -ENOMEM. */
int plan_rest_new(const struct plan_rest_options *options, struct plan **ret,
		  struct err *err);

#endif

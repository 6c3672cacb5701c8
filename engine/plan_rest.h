/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_PLAN_REST_H
#define ENGINE_PLAN_REST_H

#include <stddef.h>

#include "base/err.h"
#include "engine/plan.h"

/*
 * The remaining part of another plan, for a run that is resumed: the other plan's
 * visits without those that were measured before. The other plan learns the old
 * measurements in their turn, as if they had been made now, so that a plan that decides
 * by results continues as it would have.
 */

struct plan_rest_options {
	struct plan *whole;              /* the complete plan, at its beginning */
	const struct measurement *known; /* borrowed until plan_free() */
	size_t known_count;
	bool repeat_failed; /* measure again each visit whose measurements all failed */
};

/* Take ownership of `whole`, on failure too. -ENOMEM. */
int plan_rest_new(const struct plan_rest_options *options, struct plan **ret,
		  struct err *err);

#endif

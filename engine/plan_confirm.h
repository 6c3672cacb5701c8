/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_PLAN_CONFIRM_H
#define ENGINE_PLAN_CONFIRM_H

#include "base/err.h"
#include "base/path.h"
#include "engine/plan.h"

/*
 * The fewest visits that can confirm what the probes of one end alone recommend: the
 * recommended pair, then the current one, if it is another. A pair whose result is not
 * what the probes predict is visited once more, since a single test may fail by accident.
 */

struct plan_confirm_options {
	struct path path;
	struct mtu_pair recommended; /* 0, 0: none */
	struct mtu_pair current;     /* 0, 0: not to be visited */
};

/* -EINVAL: neither pair is given; -ENOMEM. */
int plan_confirm_new(const struct plan_confirm_options *options, struct plan **ret,
		     struct err *err);

#endif

/* SPDX-License-Identifier: MIT */
#include "cmd/peer/strategy.h"

#include "cmd/peer/peer_conclude.h"
#include "cmd/peer/peer_grid.h"
#include "cmd/peer/peer_smart.h"

const struct strategy strategies[STRATEGY_COUNT] = {
	[STRATEGY_grid] =
		{
			.is_grid = true,
			.make_plan = peer_grid_plan,
			.conclude = peer_grid_conclude,
		},
	[STRATEGY_smart] =
		{
			.duration_ms = 2000,
			.duration_by_path = true,
			.precision = 3,
			/* Any MTU may be the right one. */
			.mtu_step = 1,
			.prefer_bbr = true,
			.make_plan = peer_smart_plan,
			.conclude = peer_conclude,
		},
	[STRATEGY_probe] =
		{
			/* Any MTU may be the right one. */
			.mtu_step = 1,
		},
};

const char *const strategy_names[STRATEGY_COUNT + 1] = {
	STRATEGY_LIST(STRATEGY_NAME) NULL,
};

const char *strategy_name(const struct strategy *strategy)
{
	return strategy_names[strategy - strategies];
}

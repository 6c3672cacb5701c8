#include "cmd/strategy.h"

#include "cmd/lead_grid.h"
#include "cmd/lead_probe.h"
#include "cmd/lead_smart.h"
#include "cmd/lead_sweep.h"

const struct strategy strategies[STRATEGY_COUNT] = {
	[STRATEGY_grid] =
		{
			.is_grid = true,
			.run = lead_sweep,
			.make_plan = lead_grid_plan,
			.conclude = lead_grid_conclude,
		},
	[STRATEGY_smart] =
		{
			.duration_ms = 2000,
			.precision = 3,
			/* Any MTU may be the right one. */
			.mtu_step = 1,
			.prefer_bbr = true,
			.run = lead_sweep,
			.survey = lead_smart_survey,
			.make_plan = lead_smart_plan,
			.begun = lead_smart_begun,
			.conclude = lead_smart_conclude,
		},
	[STRATEGY_probe] =
		{
			.run = lead_probe_run,
		},
};

const char *const strategy_names[STRATEGY_COUNT + 1] = {
	STRATEGY_LIST(STRATEGY_NAME) NULL,
};

const char *strategy_name(const struct strategy *strategy)
{
	return strategy_names[strategy - strategies];
}

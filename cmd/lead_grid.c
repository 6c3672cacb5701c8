#include "cmd/lead_grid.h"

struct plan_grid_options lead_grid_options(const struct lead *lead)
{
	return (struct plan_grid_options){
		.server = lead->run.server_range,
		.peer = lead->run.peer_range,
		.passes = lead->run.passes,
		.order = lead->config->order,
		.seed = lead->run.seed,
	};
}

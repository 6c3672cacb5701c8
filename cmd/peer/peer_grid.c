/* SPDX-License-Identifier: MIT */
#include "cmd/peer/peer_grid.h"

#include <errno.h>

#include "base/io.h"
#include "cmd/peer/peer_conclude.h"
#include "cmd/peer/peer_parts.h"
#include "engine/plan_grid.h"
#include "engine/recommend.h"

static struct plan_grid_options grid_options(const struct peer_config *config,
					     const struct run_info *run)
{
	return (struct plan_grid_options){
		.server = run->server_range,
		.peer = run->peer_range,
		.passes = run->passes,
		.order = config->order,
		.seed = run->seed,
	};
}

int peer_grid_visits(const struct peer_config *config, const struct run_info *run)
{
	struct plan_grid_options grid = grid_options(config, run);

	return plan_grid_visits(&grid);
}

int peer_grid_plan(const struct peer *peer, struct plan **ret, struct err *err)
{
	struct plan_grid_options grid = grid_options(peer->config, &peer->run.info);

	return plan_grid_new(&grid, ret, err);
}

/* Warn of drift where the rows of the run show one. */
static int warn_of_drift(const struct peer *peer, struct err *err)
{
	cleanup_free struct measurement *rows = NULL;
	struct drift drift[DIR_COUNT];
	size_t count;
	int r;

	/* In row order there is no series. */
	if (peer->config->order == GRID_ROW)
		return 0;
	r = peer_run_load_rows(&peer->run, &rows, &count, err);
	if (r < 0)
		return r;
	if (recommend_drift(rows, count, drift) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		const struct warning w = {
			.kind = WARNING_GRID_DRIFT,
			.direction = (enum direction)dir,
			.rate_percent = drift_percent(&drift[dir]),
			.server_mtu = peer->run.info.server_range.min,
			.peer_mtu = peer->run.info.peer_range.min,
		};

		if (drift[dir].beyond_noise)
			peer_run_warn(&peer->run, &w);
	}
	return 0;
}

int peer_grid_conclude(struct peer *peer, struct mtu_pair *ret, struct err *err)
{
	int r = warn_of_drift(peer, err);

	if (r == 0 && peer_survey_wanted(peer->config))
		r = peer_conclude(peer, ret, err);
	return r;
}

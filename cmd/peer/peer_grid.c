/* SPDX-License-Identifier: MIT */
#include "cmd/peer/peer_grid.h"

#include <errno.h>
#include <stdio.h>

#include "base/io.h"
#include "cmd/peer/peer_parts.h"
#include "engine/plan_grid.h"
#include "engine/verdict_text.h"

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
int peer_grid_conclude(struct peer *peer, struct mtu_pair *ret, struct err *err)
{
	cleanup_free struct measurement *rows = NULL;
	struct drift drift[DIR_COUNT];
	char changes[VERDICT_DRIFT_SIZE];
	char text[256];
	size_t count;
	int r;

	/* The fastest pair is applied, none is recommended. */
	(void)ret;
	/* In row order there is no series. */
	if (peer->config->order == GRID_ROW)
		return 0;
	r = peer_run_load_rows(&peer->run, &rows, &count, err);
	if (r < 0)
		return r;
	if (verdict_drift(rows, count, drift) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	verdict_drift_text(drift, changes);
	if (!changes[0])
		return 0;
	snprintf(text, sizeof(text),
		 "the line's capacity changed meanwhile: %s, by the visits of server "
		 "MTU %d, peer MTU %d: pairs of which one was measured early, one late "
		 "differ by that, too",
		 changes, peer->run.info.server_range.min,
		 peer->run.info.peer_range.min);
	peer_run_warn(&peer->run, text);
	return 0;
}

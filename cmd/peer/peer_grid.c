#include "cmd/peer/peer_grid.h"

#include <errno.h>
#include <stdio.h>

#include "base/io.h"
#include "cmd/peer/peer_rows.h"
#include "engine/plan_grid.h"
#include "engine/verdict_text.h"

static struct plan_grid_options grid_options(const struct peer *peer)
{
	return (struct plan_grid_options){
		.server = peer->run.server_range,
		.peer = peer->run.peer_range,
		.passes = peer->run.passes,
		.order = peer->config->order,
		.seed = peer->run.seed,
	};
}

int peer_grid_visits(const struct peer *peer)
{
	struct plan_grid_options grid = grid_options(peer);

	return plan_grid_visits(&grid);
}

int peer_grid_plan(const struct peer *peer, struct plan **ret, struct err *err)
{
	struct plan_grid_options grid = grid_options(peer);

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
	r = peer_load_rows(peer, &rows, &count, err);
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
		 changes, peer->run.server_range.min, peer->run.peer_range.min);
	peer_warn(peer, text);
	return 0;
}

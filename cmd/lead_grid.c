#include "cmd/lead_grid.h"

#include <errno.h>
#include <stdio.h>

#include "base/io.h"
#include "cmd/lead_rows.h"
#include "engine/plan_grid.h"
#include "engine/verdict_text.h"

static struct plan_grid_options grid_options(const struct lead *lead)
{
	return (struct plan_grid_options){
		.server = lead->run.server_range,
		.peer = lead->run.peer_range,
		.passes = lead->run.passes,
		.order = lead->config->order,
		.seed = lead->run.seed,
	};
}

int lead_grid_visits(const struct lead *lead)
{
	struct plan_grid_options grid = grid_options(lead);

	return plan_grid_visits(&grid);
}

int lead_grid_plan(const struct lead *lead, struct plan **ret, struct err *err)
{
	struct plan_grid_options grid = grid_options(lead);

	return plan_grid_new(&grid, ret, err);
}

/* Warn of drift where the rows of the run show one. */
int lead_grid_conclude(struct lead *lead, struct mtu_pair *ret, struct err *err)
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
	if (lead->config->order == GRID_ROW)
		return 0;
	r = lead_load_rows(lead, &rows, &count, err);
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
		 changes, lead->run.server_range.min, lead->run.peer_range.min);
	lead_warn(lead, text);
	return 0;
}

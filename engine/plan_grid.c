/* The strategy that visits every pair, in row order or shuffled. */
#include "engine/plan_grid.h"

#include <errno.h>
#include <stdlib.h>

#include "base/random.h"

#define VISITS_MAX 1000000

struct grid {
	struct plan plan;
	struct plan_grid_options options;
	int pairs;
	int given;       /* visits named so far, over all passes */
	uint64_t random; /* splitmix64's state */
	int order[];     /* of this pass, indices in row order */
};

static void order_pass(struct grid *grid)
{
	for (int i = 0; i < grid->pairs; i++)
		grid->order[i] = i;
	if (grid->options.order == GRID_ROW)
		return;
	for (int i = grid->pairs - 1; i > 0; i--) {
		int j = (int)random_below(&grid->random, (uint64_t)i + 1);
		int swap = grid->order[i];

		grid->order[i] = grid->order[j];
		grid->order[j] = swap;
	}
}

static bool grid_next(struct plan *plan, struct visit *ret)
{
	struct grid *grid = (struct grid *)plan;
	const struct plan_grid_options *o = &grid->options;
	int place = grid->given % grid->pairs;
	int columns = mtu_range_count(&o->peer);

	if (grid->given == grid->pairs * o->passes)
		return false;
	if (place == 0)
		order_pass(grid);
	ret->mtu.server = mtu_range_at(&o->server, grid->order[place] / columns);
	ret->mtu.peer = mtu_range_at(&o->peer, grid->order[place] % columns);
	ret->pass = grid->given / grid->pairs + 1;
	ret->reference = false;
	grid->given++;
	return true;
}

static void grid_learn(struct plan *plan, const struct measurement *m)
{
	(void)plan;
	(void)m;
}

static int grid_total(const struct plan *plan)
{
	const struct grid *grid = (const struct grid *)plan;

	return grid->pairs * grid->options.passes;
}

static void grid_free(struct plan *plan)
{
	free(plan);
}

static const struct plan_ops grid_ops = {
	.next = grid_next,
	.learn = grid_learn,
	.total = grid_total,
	.free = grid_free,
};

int plan_grid_new(const struct plan_grid_options *options, struct plan **ret,
		  struct err *err)
{
	int64_t pairs = (int64_t)mtu_range_count(&options->server) *
			mtu_range_count(&options->peer);
	struct grid *grid;

	if (pairs < 1)
		return err_set(err, -EINVAL,
			       "nothing to measure: a range of MTUs is empty");
	if (options->passes < 1)
		return err_set(err, -EINVAL, "'%d' passes: at least 1 is needed",
			       options->passes);
	if (pairs > VISITS_MAX / options->passes)
		return err_set(err, -EINVAL,
			       "too many visits: %lld pairs times %d passes are more "
			       "than %d; take a larger step",
			       (long long)pairs, options->passes, VISITS_MAX);
	grid = calloc(1, sizeof(*grid) + (size_t)pairs * sizeof(grid->order[0]));
	if (!grid)
		return err_set(err, -ENOMEM, "out of memory for %lld pairs",
			       (long long)pairs);
	grid->plan.ops = &grid_ops;
	grid->options = *options;
	grid->pairs = (int)pairs;
	grid->random = options->seed;
	*ret = &grid->plan;
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* The strategy that measures every pair, in row order or shuffled. */
#include "engine/plan_grid.h"

#include <errno.h>
#include <stdlib.h>

#include "base/random.h"

#define VISITS_MAX         1000000
#define VISITS_MAX_TOLD    100000000
#define REFERENCE_GAPS_MIN 2

struct grid {
	struct plan plan;
	struct plan_grid_options options;
	int pairs;
	int visits; /* visits of the grid, over all passes */
	int given;  /* visits of the grid named so far */
	/* gaps between visits of the reference series; 0: there is no series */
	int gaps;
	int references; /* visits named for the reference series */
	/* visits of the reference pair, for the series or for the grid */
	int reference_passes;
	uint64_t random; /* state of splitmix64 */
	int order[];     /* this pass's order, as indices in row order */
};

static int64_t count_pairs(const struct plan_grid_options *o)
{
	return (int64_t)mtu_range_count(&o->server) * mtu_range_count(&o->peer);
}

/* The number of gaps that the reference series needs among the grid's visits. */
static int64_t count_gaps(const struct plan_grid_options *o, int64_t visits)
{
	int64_t gaps = (visits + GRID_REFERENCE_EVERY - 1) / GRID_REFERENCE_EVERY;

	if (o->order == GRID_ROW || count_pairs(o) < 2)
		return 0;
	return gaps > REFERENCE_GAPS_MIN ? gaps : REFERENCE_GAPS_MIN;
}

static int64_t count_all(const struct plan_grid_options *o, int64_t visits)
{
	int64_t gaps = count_gaps(o, visits);

	return visits + (gaps > 0 ? gaps + 1 : 0);
}

int plan_grid_visits(const struct plan_grid_options *options)
{
	int64_t pairs = count_pairs(options);
	int64_t all;

	/* Each range's count is below 2^16: only the passes could overflow. */
	if (options->passes < 1 || pairs == 0)
		return 0;
	if (pairs > VISITS_MAX_TOLD / options->passes)
		return VISITS_MAX_TOLD;
	all = count_all(options, pairs * options->passes);
	return all < VISITS_MAX_TOLD ? (int)all : VISITS_MAX_TOLD;
}

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

/* The reference series' visit number k comes before the grid's visit k * visits /
 * gaps. */
static bool is_reference_due(const struct grid *grid)
{
	return grid->gaps > 0 && grid->references <= grid->gaps &&
	       grid->given >= (int64_t)grid->references * grid->visits / grid->gaps;
}

/* A pass counts the visits of one pair: the reference has more than the others. */
static void name_reference(struct grid *grid, struct visit *ret)
{
	ret->mtu.server = grid->options.server.min;
	ret->mtu.peer = grid->options.peer.min;
	ret->pass = ++grid->reference_passes;
	ret->reference = true;
}

static bool grid_next(struct plan *plan, struct visit *ret)
{
	struct grid *grid = (struct grid *)plan;
	const struct plan_grid_options *o = &grid->options;
	int place = grid->given % grid->pairs;
	int columns = mtu_range_count(&o->peer);

	if (is_reference_due(grid)) {
		grid->references++;
		name_reference(grid, ret);
		return true;
	}
	if (grid->given == grid->visits)
		return false;
	if (place == 0)
		order_pass(grid);
	ret->mtu.server = mtu_range_at(&o->server, grid->order[place] / columns);
	ret->mtu.peer = mtu_range_at(&o->peer, grid->order[place] % columns);
	ret->pass = grid->given / grid->pairs + 1;
	ret->reference = false;
	if (grid->gaps > 0 && grid->order[place] == 0)
		name_reference(grid, ret);
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

	return (int)count_all(&grid->options, grid->visits);
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
	int64_t pairs = count_pairs(options);
	struct grid *grid;

	if (pairs < 1)
		return err_set(err, -EINVAL,
			       "nothing to measure: a range of MTUs is empty");
	if (options->passes < 1)
		return err_set(err, -EINVAL,
			       "invalid number of passes '%d': expected 1 or more",
			       options->passes);
	if (pairs > VISITS_MAX / options->passes)
		return err_set(err, -EINVAL,
			       "too many measurements: %lld pairs times %d passes are "
			       "more than %d; use a larger step",
			       (long long)pairs, options->passes, VISITS_MAX);
	grid = calloc(1, sizeof(*grid) + (size_t)pairs * sizeof(grid->order[0]));
	if (!grid)
		return err_set(err, -ENOMEM, "out of memory for %lld pairs",
			       (long long)pairs);
	grid->plan.ops = &grid_ops;
	grid->options = *options;
	grid->pairs = (int)pairs;
	grid->visits = grid->pairs * options->passes;
	grid->gaps = (int)count_gaps(options, grid->visits);
	grid->random = options->seed;
	*ret = &grid->plan;
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * The smart plan over random layouts: none to three edges a direction, at any size that
 * packets of the grid can have, between fates in any order. With the right bands it
 * must name the right pair.
 *
 * The right pair is the largest that fits whole. If none does, it is any pair whose
 * rates, both directions added, are within the margin of the best that works both ways;
 * if none works, there is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "smart_sim.h"

#define SEEDS     6000
#define EDGES_MAX 3
#define MARGIN    0.05

static const enum fate fates[] = {FATE_WHOLE, FATE_FRAGMENTED, FATE_LOST};

static int compare_ints(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Draw a fate that differs from the last one. */
static enum fate draw_fate(uint64_t *random, enum fate last)
{
	enum fate fate;

	do {
		fate = fates[random_below(random, 3)];
	} while (fate == last);
	return fate;
}

/* Put half of the edges at sizes where paths have them. */
static int draw_edge(uint64_t *random)
{
	static const int usual[] = {1400, 1440, 1452, 1460, 1472, 1480, 1492, 1500};

	if (random_below(random, 2))
		return usual[random_below(random, sizeof(usual) / sizeof(usual[0]))];
	return 1300 + (int)random_below(random, 300);
}

/* Most paths carry small packets whole. */
static void draw_bands(uint64_t *random, struct path_bands *ret)
{
	int edge[EDGES_MAX];
	int count = (int)random_below(random, EDGES_MAX + 1);
	enum fate fate = random_below(random, 8) ? FATE_WHOLE
						 : draw_fate(random, FATE_WHOLE);

	for (int i = 0; i < count; i++)
		edge[i] = draw_edge(random);
	qsort(edge, (size_t)count, sizeof(edge[0]), compare_ints);
	for (int i = 0; i < count; i++) {
		if (i > 0 && edge[i] == edge[i - 1])
			continue;
		assert_int_equal(path_bands_add(ret, edge[i], fate), 0);
		fate = draw_fate(random, fate);
	}
	assert_int_equal(path_bands_add(ret, OUTER_SIZE_MAX, fate), 0);
}

static void draw_sim(uint64_t seed, struct sim *ret)
{
	static const double noises[] = {0.01, 0.02, 0.05};
	uint64_t random = seed;
	int overhead = random_below(&random, 4) ? PATH_OVERHEAD_IPV4
						: PATH_OVERHEAD_IPV6;

	*ret = (struct sim){
		.path.overhead = {overhead, overhead},
		.noise = noises[random_below(&random, 3)],
		.claim = random_below(&random, 2) ? 1 : 0.3,
		.step = random_below(&random, 4) ? 1 : 0.5,
		.step_at = (int)random_below(&random, 8),
		.slope = ((double)random_below(&random, 5) - 2) * 0.01,
		.current = {1420, 1420},
	};
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		draw_bands(&random, &ret->path.dir[dir]);
		ret->capacity[dir] = 10e6 * (double)(1 + random_below(&random, 10));
	}
}

static bool works(const struct sim *sim, const struct mtu_pair *mtu)
{
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		if (pathmodel_predict(&sim->path, mtu, (enum direction)dir).goodput <=
		    0)
			return false;
	}
	return true;
}

/* Return the rate of the best pair that works, both directions added; 0: none works. */
static double best_worth(const struct sim *sim)
{
	int count = mtu_range_count(&smart_sim_range);
	double best = 0;

	for (int i = 0; i < count * count; i++) {
		const struct mtu_pair mtu = {
			.server = mtu_range_at(&smart_sim_range, i / count),
			.peer = mtu_range_at(&smart_sim_range, i % count),
		};

		if (works(sim, &mtu))
			best = fmax(best, smart_sim_worth(sim, &mtu));
	}
	return best;
}

/* The share of that rate that the recommendation misses when no size fits whole. */
static double find_regret(const struct sim *sim, const struct mtu_pair *mtu)
{
	double best = best_worth(sim);

	if (best == 0)
		return mtu->server ? 1 : 0;
	return mtu->server && works(sim, mtu) ? 1 - smart_sim_worth(sim, mtu) / best
					      : 1;
}

struct counts {
	/* by the number of edges in both directions */
	struct tally fitting[2 * EDGES_MAX + 1];
	struct tally all;
	int unfit;       /* layouts in which no size fits whole */
	int unfit_right; /* right ones among them */
	double regret;   /* mean regret of the wrong ones */
};

static void count(const struct sim *sim, const struct recommendation *v,
		  struct counts *c)
{
	int edges = sim->path.dir[DIR_UPLOAD].count +
		    sim->path.dir[DIR_DOWNLOAD].count - DIR_COUNT;
	struct mtu_pair best;

	if (pathmodel_candidate(&sim->path, &smart_sim_range, &smart_sim_range,
				&best)) {
		smart_sim_count(sim, v, &best, &c->fitting[edges]);
		smart_sim_count(sim, v, &best, &c->all);
		return;
	}
	c->unfit++;
	c->regret += find_regret(sim, &v->recommended.mtu);
	c->unfit_right += find_regret(sim, &v->recommended.mtu) <= MARGIN;
}

static void random_layouts(void **state)
{
	struct counts c = {0};

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct sim sim;
		struct recommendation v;

		draw_sim(seed, &sim);
		smart_sim_run(&sim, &sim.path, seed, &v);
		count(&sim, &v, &c);
	}
	for (int edges = 0; edges <= 2 * EDGES_MAX; edges++) {
		char name[24];

		snprintf(name, sizeof(name), "edges: %d", edges);
		smart_sim_report(name, &c.fitting[edges]);
	}
	assert_true(smart_sim_report("all that have a pair", &c.all) >= 0.99);
	print_message("nothing fits whole in %d more: %.2f %% right, mean regret %.1f "
		      "%%\n",
		      c.unfit, 100.0 * c.unfit_right / c.unfit,
		      100 * c.regret / c.unfit);
	/* Where all arrives in fragments, the smallest MTU is chosen, not the fastest:
	 * fewer packets are fragmented, and rates are not compared. */
	assert_true(c.unfit_right >= 0.97 * c.unfit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_layouts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

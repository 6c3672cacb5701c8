/* SPDX-License-Identifier: MIT */
/*
 * Grids over thousands of simulated lines: how often the rates alone make an edge where
 * there is none, and how often they show one that is there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "grid_sim.h"

#define RUNS 400
/* 1 % of the runs, and three standard deviations of chance; twice as many where single
 * tests are far off. */
#define EDGES_MAX       0.025
#define EDGES_MAX_HEAVY 0.04

struct condition {
	const char *name;
	struct mtu_range range;
	int passes;
	enum grid_order order;
	double claim;
	bool heavy;
};

/* clang-format off */
static const struct condition conditions[] = {
	{"3 x 3, row", {1280, 1440, 80}, 1, GRID_ROW, 0, false},
	{"3 x 3, 3 passes", {1280, 1440, 80}, 3, GRID_ROW, 0.3, false},
	{"4 x 4, shuffled", {1380, 1440, 20}, 1, GRID_SHUFFLED, 0.3, false},
	{"5 x 5, row", {1280, 1440, 40}, 1, GRID_ROW, 0.1, false},
	{"9 x 9, row", {1280, 1440, 20}, 1, GRID_ROW, 0.3, false},
	{"9 x 9, shuffled", {1280, 1440, 20}, 1, GRID_SHUFFLED, 0.3, false},
	{"9 x 9, heavy tails", {1280, 1440, 20}, 1, GRID_SHUFFLED, 0.3, true},
	{"17 x 17, row", {1280, 1440, 10}, 1, GRID_ROW, 0, false},
	{"17 x 17, 2 passes", {1280, 1440, 10}, 2, GRID_SHUFFLED, 1, false},
};
/* clang-format on */
#define CONDITIONS (sizeof(conditions) / sizeof(conditions[0]))

static const double spreads[] = {0.01, 0.05, 0.10, 0.20};
#define SPREADS (sizeof(spreads) / sizeof(spreads[0]))

static struct grid_sim make_sim(const struct condition *c, const char *bands,
				double spread)
{
	return (struct grid_sim){
		.bands = bands,
		.range = c->range,
		.passes = c->passes,
		.order = c->order,
		.spread = spread,
		.claim = c->claim,
		.heavy = c->heavy,
	};
}

/* Return the share of runs with an edge in a direction. */
static double share_of_edges(const struct grid_sim *sim, int runs, uint64_t seed)
{
	int edges = 0;

	for (int i = 0; i < runs; i++) {
		struct recommendation v;

		grid_sim_run(sim, random_next(&seed), &v);
		edges += grid_sim_has_edge(&v, DIR_UPLOAD) ||
			 grid_sim_has_edge(&v, DIR_DOWNLOAD);
	}
	return (double)edges / runs;
}

static void print_shares(const char *name, const double share[SPREADS])
{
	print_message("%-24s", name);
	for (size_t i = 0; i < SPREADS; i++)
		print_message(" %6.2f %%", 100 * share[i]);
	print_message("\n");
}

static void noise_makes_no_edge(void **state)
{
	bool good = true;

	(void)state;
	print_message("edges on a line without, at spreads of 1, 5, 10, 20 %%\n");
	for (size_t i = 0; i < CONDITIONS; i++) {
		double share[SPREADS];

		for (size_t j = 0; j < SPREADS; j++) {
			struct grid_sim sim =
				make_sim(&conditions[i], "65535:whole", spreads[j]);

			share[j] = share_of_edges(&sim, RUNS, 1000 * i + j);
			good &= share[j] <=
				(conditions[i].heavy ? EDGES_MAX_HEAVY : EDGES_MAX);
		}
		print_shares(conditions[i].name, share);
	}
	assert_true(good);
}

/* Fragments cost 4 %: where tests differ by 1 %, a grid shows them. */
static void fragments_are_found(void **state)
{
	const struct condition *c = &conditions[4];
	struct grid_sim sim = make_sim(c, "1440:whole,65535:fragmented", 0.01);
	double share = share_of_edges(&sim, 100, 1);

	(void)state;
	print_message("fragments found, %s: %.0f %%\n", c->name, 100 * share);
	assert_true(share > 0.98);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(noise_makes_no_edge),
		cmocka_unit_test(fragments_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

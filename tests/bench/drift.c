/* SPDX-License-Identifier: MIT */
/*
 * drift: how often a run reports that the line's capacity changed, over simulated lines.
 *
 * usage: drift [RUNS]
 *
 * It prints a line for each plan, spread and kind of noise: the share of RUNS (4000 unless
 * given) runs with a reported change on a steady line, on one whose capacity halves at a
 * random time, and on one that declines steadily by half.
 */
#include <stdio.h>
#include <stdlib.h>

#include "drift_sim.h"

static const struct {
	const char *name;
	enum drift_sim_plan plan;
	int references;
} plans[] = {
	{"smart, 8 visits", DRIFT_SIM_SMART, 0},
	{"grid, 3 references", DRIFT_SIM_GRID, 3},
	{"grid, 4 references", DRIFT_SIM_GRID, 4},
	{"grid, 6 references", DRIFT_SIM_GRID, 6},
	{"grid, 14 references", DRIFT_SIM_GRID, 14},
	{"grid, 46 references", DRIFT_SIM_GRID, 46},
};
static const double spreads[] = {0.01, 0.05, 0.20, 0.40};

static void print_shares(struct drift_sim sim, const char *name, int runs)
{
	printf("%-20s %3.0f %% %-6s %-7s", name, 100 * sim.spread,
	       sim.heavy ? "heavy" : "normal", sim.outlier ? "outlier" : "");
	for (int change = DRIFT_SIM_STEADY; change <= DRIFT_SIM_DECLINES; change++) {
		sim.change = (enum drift_sim_change)change;
		printf(" %6.2f %%", 100 * drift_sim_share(&sim, runs, 1));
	}
	putchar('\n');
	fflush(stdout);
}

int main(int argc, char **argv)
{
	int runs = argc > 1 ? atoi(argv[1]) : 4000;

	if (runs < 1) {
		fprintf(stderr, "drift: '%s' is no number of runs\n", argv[1]);
		return 2;
	}
	printf("%-41s %8s %8s %8s\n", "", "steady", "halves", "declines");
	for (size_t p = 0; p < sizeof(plans) / sizeof(plans[0]); p++) {
		for (size_t i = 0; i < sizeof(spreads) / sizeof(spreads[0]); i++) {
			for (int kind = 0; kind < 4; kind++) {
				struct drift_sim sim = {
					.plan = plans[p].plan,
					.references = plans[p].references,
					.spread = spreads[i],
					.heavy = kind & 1,
					.outlier = kind & 2,
				};

				print_shares(sim, plans[p].name, runs);
			}
		}
	}
	return 0;
}

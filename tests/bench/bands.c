/* SPDX-License-Identifier: MIT */
/*
 * bands: the search for bands over many simulated paths of a round trip of 20 ms: how
 * often it is wrong, how many packets it sends, and how long it takes.
 *
 * usage: bands [PATHS [PARTS]]
 *
 * It prints a line for each kind of path, over PATHS (20000 unless given) paths. A round
 * cuts a gap into PARTS (2). Times in milliseconds are of one direction: mean on 100
 * Mbit/s, and on 1 Mbit/s.
 */
#include <stdio.h>
#include <stdlib.h>

#include "band_sim.h"

enum kind {
	CLEAN,    /* an edge at Ethernet's size */
	EDGE,     /* one edge anywhere, the three kinds in turn */
	MIXED,    /* two lines packet by packet, of which one has an edge anywhere */
	JITTER,   /* one edge anywhere; packets take up to 60 ms longer */
	REORDERED /* the same; one packet in twenty overtakes others by 10 ms */
};

static const struct {
	const char *name;
	enum kind kind;
	double loss;
} rows[] = {
	{"clean", CLEAN, 0},
	{"clean, loss 0.5 %", CLEAN, 0.005},
	{"clean, loss 5 %", CLEAN, 0.05},
	{"clean, loss 10 %", CLEAN, 0.10},
	{"clean, loss 20 %", CLEAN, 0.20},
	{"lone edge", EDGE, 0},
	{"lone edge, loss 0.5 %", EDGE, 0.005},
	{"lone edge, loss 5 %", EDGE, 0.05},
	{"lone edge, loss 10 %", EDGE, 0.10},
	{"lone edge, loss 20 %", EDGE, 0.20},
	{"two lines", MIXED, 0},
	{"two lines, loss 0.5 %", MIXED, 0.005},
	{"two lines, loss 5 %", MIXED, 0.05},
	{"jitter", JITTER, 0},
	{"jitter, loss 0.5 %", JITTER, 0.005},
	{"jitter, loss 5 %", JITTER, 0.05},
	{"reordered", REORDERED, 0},
	{"reordered, loss 0.5 %", REORDERED, 0.005},
};

static void make_path(struct band_sim *sim, enum kind kind)
{
	int edge = 1281 + band_sim_below(sim, 220);

	sim->sometimes = 0;
	sim->jitter_ms = kind == JITTER ? 60 : 0;
	sim->ahead = kind == REORDERED ? 0.05 : 0;
	sim->bands = band_sim_edge(0, BAND_SIM_LINK);
	if (kind == EDGE || kind == JITTER || kind == REORDERED)
		sim->bands = band_sim_edge(band_sim_below(sim, 3), edge);
	if (kind == MIXED) {
		sim->sometimes = edge + 1;
		sim->share = 0.5;
	}
}

static int by_double(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print_row(const char *name, enum kind kind, double loss, int paths,
		      int parts, double *ms)
{
	struct band_sim sim = {.random = 1, .loss = loss};
	struct bandfind_config config = band_sim_ethernet;
	int verdicts[4] = {0};
	double packets = 0;
	double rounds = 0;
	double sum = 0;
	double slow = 0;

	config.parts = parts;
	for (int i = 0; i < paths; i++) {
		struct band_sim_cost cost;
		struct bandfind find;

		make_path(&sim, kind);
		bandfind_init(&find, &config);
		band_sim_search(&sim, &find, 20, 100, &cost);
		verdicts[band_sim_judge(&sim, &find)]++;
		packets += cost.packets;
		rounds += cost.rounds;
		sum += cost.ms;
		ms[i] = cost.ms;
		slow += cost.rounds * 20.0 + cost.bytes * 8 / 1000.0;
	}
	qsort(ms, (size_t)paths, sizeof(ms[0]), by_double);
	printf("%-22s %6.2f %6.2f %6.2f %7.1f %6.1f %6.0f %6.0f %8.0f\n", name,
	       100.0 * verdicts[BAND_SIM_LOW] / paths,
	       100.0 * verdicts[BAND_SIM_HIGH] / paths,
	       100.0 * verdicts[BAND_SIM_OPEN] / paths, packets / paths, rounds / paths,
	       sum / paths, ms[paths * 99LL / 100], slow / paths);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	int paths = argc > 1 ? atoi(argv[1]) : 20000;
	int parts = argc > 2 ? atoi(argv[2]) : 2;
	double *ms;

	if (paths < 1 || parts < 2) {
		fprintf(stderr, "usage: bands [PATHS [PARTS]]\n");
		return 2;
	}
	ms = calloc((size_t)paths, sizeof(*ms));
	if (!ms)
		return 1;
	printf("%-22s %6s %6s %6s %7s %6s %6s %6s %8s\n", "%", "low", "high", "open",
	       "packets", "rounds", "ms", "p99", "1 Mbit/s");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		print_row(rows[i].name, rows[i].kind, rows[i].loss, paths, parts, ms);
	free(ms);
	return 0;
}

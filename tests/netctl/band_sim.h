/* SPDX-License-Identifier: MIT */
#ifndef TESTS_NETCTL_BAND_SIM_H
#define TESTS_NETCTL_BAND_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "netctl/bandfind.h"
#include "netctl/probeorder.h"

/*
 * The search for bands over simulated paths, for a unit test with few paths, and a bench
 * with many. Packets get lost by chance, some sizes pass only sometimes, and packets may
 * overtake one another.
 */

#define BAND_SIM_LINK     1500
#define BAND_SIM_AHEAD_MS 10

extern const struct bandfind_config band_sim_ethernet;

struct band_sim {
	struct path_bands bands;
	double loss; /* probability for one packet, or fragment */
	/* sizes from here up to Ethernet's pass with this share; 0: none */
	int sometimes;
	double share;
	/* each packet takes up to so much longer, at random */
	double jitter_ms;
	/* share of packets that overtake all sent in the BAND_SIM_AHEAD_MS before them */
	double ahead;
	uint64_t random;
	/* state of the receiver */
	struct probeorder order;
	double now_ms;
	int round;
	int late_count;
	struct band_sim_late {
		int size;
		enum fate fate;
		double at_ms;
		int number;
	} late[PROBEORDER_MAX];
};

struct band_sim_cost {
	int rounds;
	int packets;
	int bytes;
	/* time of this direction, ms: a round trip for each round, the pause between
	 * packets, and a wait where packets are missing */
	double ms;
};

/* Random numbers: xorshift64*. */
uint64_t band_sim_random(struct band_sim *sim);
int band_sim_below(struct band_sim *sim, int limit);

/* Run the search to its end. `rtt_ms` and `line_mbps` make up the time. */
void band_sim_search(struct band_sim *sim, struct bandfind *find, double rtt_ms,
		     double line_mbps, struct band_sim_cost *ret);

enum band_sim_verdict {
	BAND_SIM_RIGHT,
	BAND_SIM_OPEN, /* some sizes are unknown, the others right */
	BAND_SIM_LOW,  /* wrong: less is whole than truly is */
	BAND_SIM_HIGH, /* wrong: more is whole, or another band is wrong */
};

/* Compare with the truth; sizes that pass sometimes count as lost. */
enum band_sim_verdict band_sim_judge(const struct band_sim *sim,
				     const struct bandfind *find);

/* A path with one edge: larger packets are fragmented, or lost, or lost up to
 * Ethernet's size and then fragmented by the sender. */
struct path_bands band_sim_edge(int kind, int edge);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_RECOMMEND_H
#define ENGINE_RECOMMEND_H

#include <stddef.h>

#include "base/path.h"
#include "base/reason.h"
#include "base/types.h"
#include "engine/drift.h"
#include "engine/pathmodel.h"

/*
 * The recommendation from measurements and probes: the pair to use, and its evidence.
 * Pure: a plan asks it whether more visits are needed, a reader of the database gets
 * the same answer.
 *
 * The recommended pair is the largest with which TCP, UDP and routed packets fit whole
 * both ways, unless another pair that fits is shown to be faster. If the probes of a
 * direction were filtered (its bands are empty), or a measurement contradicts them,
 * throughput takes their place. A test counts for the size of its packets as they were
 * sent: a lowered MSS keeps TCP from meeting the sizes that are lost.
 */

struct recommend_input {
	struct path path; /* bands of count 0: not probed */
	struct mtu_range server;
	struct mtu_range peer;
	struct mtu_pair current; /* before the run; 0, 0: unknown */
	/* one end alone: the pair that its probes have chosen, whatever the rates are;
	 * 0, 0: choose */
	struct mtu_pair chosen;
	const struct measurement *m; /* in the order of time */
	size_t count;
	double margin; /* 0.05 */
};

enum recommend_warning {
	RECOMMEND_WARN_MSS = 1 << 0,       /* routed TCP should have its MSS clamped */
	RECOMMEND_WARN_DEAD_ZONE = 1 << 1, /* the current pair loses full-size TCP */
	RECOMMEND_WARN_DRIFT = 1 << 2,     /* capacity changed meanwhile */
	RECOMMEND_WARN_ROAM = 1 << 3, /* over IPv6 the recommended pair would not fit */
	RECOMMEND_WARN_FILTERED = 1 << 4, /* probes filtered: UDP is not proved */
	/* throughput too noisy: the recommendation rests on the probes */
	RECOMMEND_WARN_PROBES = 1 << 5,
	RECOMMEND_WARN_CONTRADICTED = 1 << 6, /* a measurement contradicts the probes */
	RECOMMEND_WARN_ROUTED =
		1 << 7, /* the current pair loses packets other than full-size TCP */
	RECOMMEND_WARN_UNSEEN = 1 << 8,   /* some outer packets cannot be seen */
	RECOMMEND_WARN_BELOW = 1 << 9,    /* no pair of the ranges fits; `whole` does */
	RECOMMEND_WARN_CLAMPED = 1 << 10, /* a lowered MSS made TCP's packets smaller */
	RECOMMEND_WARN_UNREACHED = 1 << 11, /* tests that could not begin */
	RECOMMEND_WARN_LATENCY = 1
				 << 12, /* another pair's latency under load differs */
};
#define RECOMMEND_WARNINGS 13

/* The maximum for one rival, and the value if no number of visits is known to settle
 * it. */
#define RECOMMEND_NEEDED_MAX 100

/* A rate, or a ratio, with its 95 % interval, from `count` tests; 0: unknown. */
struct estimate {
	int count;
	double value;
	double low;
	double high;
};

/* One pair. */
struct recommend_cell {
	struct mtu_pair mtu; /* 0, 0: no pair */
	struct prediction predicted[DIR_COUNT];
	struct estimate bps[DIR_COUNT];
	struct estimate relative[DIR_COUNT]; /* ratio to the recommended pair */
};

/* Latencies under load that differ: geometric means of tests, in microseconds. */
struct latency_difference {
	struct mtu_pair mtu; /* the other pair; 0, 0: none differs */
	double us;
	double best_us; /* the recommended pair's */
};

struct recommendation {
	enum reason_kind why;
	double margin;
	/* other pairs were tested, and none of them can be faster by more than the
	 * margin */
	bool settled;
	struct recommend_cell recommended;
	struct recommend_cell current;
	struct recommend_cell
		fastest; /* fastest measured pair, both directions added */
	/* pair that fits over IPv4 and IPv6, if the recommended one does not; else
	 * 0, 0 */
	struct mtu_pair roam;
	struct mtu_pair
		whole; /* RECOMMEND_WARN_BELOW: largest of all pairs that fits */
	struct mtu_pair rival; /* strongest rival; 0, 0: none */
	int needed;       /* visits that would settle it, if no rival were faster */
	struct path path; /* the path, with the bands derived from throughput */
	bool guessed[DIR_COUNT];
	struct mtu_pair contradicted; /* pair that contradicts the probes; 0, 0: none */
	bool contradiction_confirmed; /* a second visit confirmed it */
	bool is_chosen;               /* the input has chosen the pair */
	/* that pair is lost in two visits, which contradicts the probes */
	bool chosen_fails;
	/* all that contradicts the probes is TCP that gets nothing through in fragments,
	 * as with a sender that loses its bursts of them */
	bool only_fragments_fail;
	/* size of TCP's packets with all larger MTUs, by a lowered MSS; 0: it is not */
	int clamped[DIR_COUNT];
	double noise[DIR_COUNT]; /* standard deviation of a rate's logarithm */
	struct drift drift[DIR_COUNT];
	struct latency_difference latency[DIR_COUNT];
	int visits;
	int unreached;     /* those of which a test could not begin: no connection */
	unsigned warnings; /* enum recommend_warning */
};

/* Compute the drift from the reference series among the measurements, if there is one.
 * -ENOMEM. */
int recommend_drift(const struct measurement *m, size_t count,
		    struct drift ret[DIR_COUNT]);

/* The fate of the current pair's TCP segments as they are sent: by a lowered MSS, if there
 * is one, smaller than the current cell's prediction says. */
struct prediction recommend_current_tcp(const struct recommendation *recommendation,
					enum direction dir);

/* -ENOMEM. */
int recommend_find(const struct recommend_input *input, struct recommendation *ret);

#endif

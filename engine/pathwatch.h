/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_PATHWATCH_H
#define ENGINE_PATHWATCH_H

#include "base/path_probe.h"

/*
 * The judgement of a watch: what a probe says that the probes before did not, and which
 * MTUs to apply. Pure, and of constant size: it keeps a probe or two, however many it has
 * seen.
 *
 *	pathwatch_init(&watch, &config);
 *	for each probe:
 *		pathwatch_feed(&watch, &probe, now_ms, &step);
 *		tell step.event; where step.apply is not 0, 0: apply it, and
 *		pathwatch_tried(&watch, ok, now_ms);
 *		probe again at once if step.again, else after the interval
 *
 * A probe that differs, or that nobody answers, is news only once a second one has
 * confirmed it. Smaller MTUs are applied at once, larger ones when nothing smaller was
 * seen for `settle_ms`; two attempts are at least that far apart. A path that rises and
 * falls again within PATHWATCH_MEMORY_MS flaps: it is told once, and no larger MTU is
 * applied until it has not fallen for that time.
 */

/* A week: a line that fails over once a day must not change the MTU twice a day. */
#define PATHWATCH_MEMORY_MS (INT64_C(7) * 24 * 3600 * 1000)
/* Probes in a row that ask again; one more waits for the next interval. */
#define PATHWATCH_AGAIN_MAX 3

struct pathwatch_config {
	int64_t settle_ms;
	bool applies; /* --persist best */
};

struct pathwatch {
	struct pathwatch_config config;
	/* The last confirmed answer; seq 0: none yet. */
	struct path_probe base;
	/* One that differs from it, not confirmed; seq 0: none. */
	struct path_probe suspect;
	int again;        /* probes in a row that asked again */
	int none;         /* probes in a row without an answer */
	bool silent;      /* that was told */
	int64_t since_ms; /* when the base was first seen */
	int64_t tried_ms; /* the last attempt to apply */
	bool tried;
	int64_t fell_ms; /* the last fall */
	bool fell;
	bool rose;             /* since then */
	int64_t flaps_till_ms; /* it counts as flapping up to then; 0: it does not */
	struct mtu_pair least; /* of a flapping path, as told */
};

struct pathwatch_step {
	enum path_probe_event event;
	bool again;
	struct mtu_pair
		apply; /* 0, 0: nothing. MTU_UNKNOWN: the far end of one alone */
	/* The answer that the event compares this one with; seq 0: there was none. */
	struct path_probe before;
};

void pathwatch_init(struct pathwatch *watch, const struct pathwatch_config *config);

/* `now_ms`: clock_boot_ms(), never less than before. */
void pathwatch_feed(struct pathwatch *watch, const struct path_probe *probe,
		    int64_t now_ms, struct pathwatch_step *ret);

/* The attempt to apply step.apply has ended: `ok` if these are now in use. */
void pathwatch_tried(struct pathwatch *watch, const struct mtu_pair *mtu, bool ok,
		     int64_t now_ms);

/* True while the path counts as flapping. */
bool pathwatch_flaps(const struct pathwatch *watch, int64_t now_ms);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_PROBEORDER_H
#define NETCTL_PROBEORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "netctl/bandfind.h"

/*
 * The order in which the probes of one direction arrive, pure: how long to wait for those
 * that others have overtaken. Probes of a round are numbered from 0 as they are sent; the
 * sender's END follows them. probeorder_begin(), then probeorder_arrived() for each probe
 * and probeorder_ended() for END, in the order of arrival. Times are of clock_boot_us().
 * The path may deliver a packet twice, the second time in a later round.
 *
 * A path that keeps the order shows no disorder and costs no wait but a short one, however
 * slow it is.
 */

/* The most probes of a round. */
#define PROBEORDER_MAX (BANDFIND_ROUND * BANDFIND_COPIES)
/* The rounds whose late probes are still known from their duplicates. */
#define PROBEORDER_ROUNDS 8

struct probeorder_round {
	int round;
	bool arrived[PROBEORDER_MAX];
};

struct probeorder {
	int round;
	struct probeorder_round rounds[PROBEORDER_ROUNDS];
	int64_t at_us[PROBEORDER_MAX]; /* of this round; 0: has not arrived */
	int64_t ended_us;              /* the same of END */
	int64_t last_ended_us;         /* of the round before */
	/* the longest time by which a packet came after one that was sent later */
	int64_t disorder_us;
};

/* `round`: 1 or more, and more than that of the last call. */
void probeorder_begin(struct probeorder *order, int round);
/* Note the arrival of a probe of this round. False: a duplicate. */
bool probeorder_arrived(struct probeorder *order, int number, int64_t now_us);
/* Note the arrival of END; only the first one counts. */
void probeorder_ended(struct probeorder *order, int64_t now_us);
/* Note the arrival of a probe of an earlier round. False: a duplicate, or of a round that
 * is forgotten. */
bool probeorder_late(struct probeorder *order, int round, int number, int64_t now_us);
/* The time until which probes of this round may still arrive, after END. */
int64_t probeorder_deadline_us(const struct probeorder *order);

#endif

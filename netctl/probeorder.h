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
 *
 * A path that keeps the order shows no disorder and costs no wait but a short one, however
 * slow it is.
 */

/* The most probes of a round. */
#define PROBEORDER_MAX (BANDFIND_ROUND * BANDFIND_COPIES)

struct probeorder {
	int64_t at_us[PROBEORDER_MAX]; /* of this round; 0: has not arrived */
	int64_t ended_us;              /* the same of END */
	int64_t last_ended_us;         /* of the round before */
	/* the longest time by which a packet came after one that was sent later */
	int64_t disorder_us;
};

void probeorder_begin(struct probeorder *order);
/* Note the arrival of a probe of this round. False: a duplicate. */
bool probeorder_arrived(struct probeorder *order, int number, int64_t now_us);
/* Note the arrival of END; only the first one counts. */
void probeorder_ended(struct probeorder *order, int64_t now_us);
/* Note the arrival of a probe of an earlier round. */
void probeorder_late(struct probeorder *order, int64_t now_us);
/* The time until which probes of this round may still arrive, after END. */
int64_t probeorder_deadline_us(const struct probeorder *order);

#endif

/* SPDX-License-Identifier: MIT */
/* The order in which probes arrive. */
#include "netctl/probeorder.h"

#include <string.h>

/* Extra time for probes that arrive after END, and its limit. */
#define GRACE_US     3000
#define GRACE_MAX_US 250000

static struct probeorder_round *place_of(struct probeorder *order, int round)
{
	return &order->rounds[round % PROBEORDER_ROUNDS];
}

void probeorder_begin(struct probeorder *order, int round)
{
	order->round = round;
	*place_of(order, round) = (struct probeorder_round){.round = round};
	order->last_ended_us = order->ended_us;
	order->ended_us = 0;
	memset(order->at_us, 0, sizeof(order->at_us));
}

static void note_disorder(struct probeorder *order, int64_t us)
{
	if (us > order->disorder_us)
		order->disorder_us = us;
}

/* The first arrival of a packet that was sent after this one; 0: none. */
static int64_t overtaken_us(const struct probeorder *order, int number)
{
	int64_t first_us = order->ended_us;

	for (int i = number + 1; i < PROBEORDER_MAX; i++) {
		int64_t at_us = order->at_us[i];

		if (at_us && (!first_us || at_us < first_us))
			first_us = at_us;
	}
	return first_us;
}

/* True if this probe has not arrived before, and is noted now. */
static bool is_first(struct probeorder *order, int round, int number)
{
	struct probeorder_round *place = place_of(order, round);

	if (round < 1 || number < 0 || number >= PROBEORDER_MAX ||
	    place->round != round || place->arrived[number])
		return false;
	place->arrived[number] = true;
	return true;
}

bool probeorder_arrived(struct probeorder *order, int number, int64_t now_us)
{
	int64_t first_us;

	if (!is_first(order, order->round, number))
		return false;
	order->at_us[number] = now_us;
	first_us = overtaken_us(order, number);
	if (first_us)
		note_disorder(order, now_us - first_us);
	return true;
}

void probeorder_ended(struct probeorder *order, int64_t now_us)
{
	if (!order->ended_us)
		order->ended_us = now_us;
}

bool probeorder_late(struct probeorder *order, int round, int number, int64_t now_us)
{
	if (!is_first(order, round, number))
		return false;
	if (order->last_ended_us)
		note_disorder(order, now_us - order->last_ended_us);
	return true;
}

/* What was overtaken by less than the longest time seen is the rule, and by a little more
 * no surprise. */
int64_t probeorder_deadline_us(const struct probeorder *order)
{
	int64_t grace_us = GRACE_US + order->disorder_us * 3 / 2;

	return order->ended_us + (grace_us < GRACE_MAX_US ? grace_us : GRACE_MAX_US);
}

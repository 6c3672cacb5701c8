/* SPDX-License-Identifier: MIT */
#include "band_sim.h"

#include <stdlib.h>
#include <string.h>

/* As probehost.c paces single packets, and copies. */
#define PACE_MS        0.2
#define PACE_COPIES_MS 0.5

const struct bandfind_config band_sim_ethernet = {
	.min = 636,
	.max = 1560,
	.sender_mtu = BAND_SIM_LINK,
};

uint64_t band_sim_random(struct band_sim *sim)
{
	sim->random ^= sim->random >> 12;
	sim->random ^= sim->random << 25;
	sim->random ^= sim->random >> 27;
	return sim->random * UINT64_C(2685821657736338717);
}

int band_sim_below(struct band_sim *sim, int limit)
{
	return (int)((band_sim_random(sim) >> 33) % (uint64_t)limit);
}

static bool happens(struct band_sim *sim, double share)
{
	return (double)(band_sim_random(sim) >> 11) / 9007199254740992.0 < share;
}

/* Draw the fate of one packet. */
static enum fate send_one(struct band_sim *sim, int size)
{
	enum fate fate = path_bands_fate(&sim->bands, size);
	int packets = fate == FATE_FRAGMENTED || size > BAND_SIM_LINK ? 2 : 1;

	for (int i = 0; i < packets; i++) {
		if (happens(sim, sim->loss))
			return FATE_LOST;
	}
	if (sim->sometimes && size >= sim->sometimes && size <= BAND_SIM_LINK &&
	    !happens(sim, sim->share))
		return FATE_LOST;
	return fate;
}

/* --- a round --- */

/* Packets on their way; the last one is the round's END. */
struct flight {
	int count;
	struct packet {
		int number;
		int size;
		enum fate fate;
		double at_ms;
	} packet[PROBEORDER_MAX + 1];
};

static double delay_ms(struct band_sim *sim)
{
	double share = (double)(band_sim_random(sim) >> 11) / 9007199254740992.0;
	double ms = sim->jitter_ms * share;

	if (sim->ahead > 0 && !happens(sim, sim->ahead))
		ms += BAND_SIM_AHEAD_MS;
	return ms;
}

static int by_arrival(const void *a, const void *b)
{
	const struct packet *x = a;
	const struct packet *y = b;

	if (x->at_ms != y->at_ms)
		return x->at_ms > y->at_ms ? 1 : -1;
	return x->number - y->number;
}

/* Send each copy of each size and END; sort those that arrive by time. */
static void send_round(struct band_sim *sim, const int *sizes, int count, int copies,
		       double burst_ms, struct flight *ret)
{
	int sent = count * copies;

	ret->count = 0;
	for (int i = 0; i < sent; i++) {
		struct packet p = {.number = i, .size = sizes[i % count]};

		p.fate = send_one(sim, p.size);
		p.at_ms = sim->now_ms + burst_ms * i / sent + delay_ms(sim);
		if (p.fate != FATE_LOST)
			ret->packet[ret->count++] = p;
	}
	ret->packet[ret->count++] = (struct packet){
		.number = sent, .at_ms = sim->now_ms + burst_ms + delay_ms(sim)};
	qsort(ret->packet, (size_t)ret->count, sizeof(ret->packet[0]), by_arrival);
}

static void receive_late(struct band_sim *sim, struct bandfind *find)
{
	for (int i = 0; i < sim->late_count; i++) {
		bandfind_learn_late(find, sim->late[i].size, sim->late[i].fate, 1);
		probeorder_late(&sim->order, sim->round - 1, sim->late[i].number,
				(int64_t)(sim->late[i].at_ms * 1000));
	}
	sim->late_count = 0;
}

/* Receive until all have arrived or the wait is over. Return the number of probes that
 * arrived in time, first in the flight. */
static int receive_round(struct band_sim *sim, const struct flight *flight, int sent)
{
	int arrived = 0;

	for (int i = 0; i < flight->count; i++) {
		const struct packet *p = &flight->packet[i];
		int64_t at_us = (int64_t)(p->at_ms * 1000);

		if (sim->order.ended_us && at_us > probeorder_deadline_us(&sim->order))
			break;
		sim->now_ms = p->at_ms;
		if (p->number == sent)
			probeorder_ended(&sim->order, at_us);
		else
			probeorder_arrived(&sim->order, p->number, at_us);
		arrived++;
	}
	if (arrived < sent + 1)
		sim->now_ms = (double)probeorder_deadline_us(&sim->order) / 1000;
	return arrived;
}

static void learn_size(struct bandfind *find, int size, int copies,
		       const struct flight *flight, int in_time)
{
	enum fate fate = FATE_LOST;
	int arrived = 0;

	for (int i = 0; i < in_time; i++) {
		if (flight->packet[i].size != size)
			continue;
		fate = flight->packet[i].fate;
		arrived++;
	}
	bandfind_learn(find, size, fate, copies, arrived);
}

void band_sim_search(struct band_sim *sim, struct bandfind *find, double rtt_ms,
		     double line_mbps, struct band_sim_cost *ret)
{
	int sizes[BANDFIND_ROUND];
	int copies;
	int count;

	*ret = (struct band_sim_cost){0};
	sim->order = (struct probeorder){0};
	sim->late_count = 0;
	sim->round = 0;
	sim->now_ms = 1;
	while ((count = bandfind_next(find, sizes, &copies)) > 0) {
		double pace_ms = copies > 1 ? PACE_COPIES_MS : PACE_MS;
		double burst_ms = pace_ms * count * copies;
		struct flight flight;
		int bytes = 0;
		int in_time;

		for (int i = 0; i < count; i++)
			bytes += sizes[i] * copies;
		if (burst_ms < bytes * 8 / (line_mbps * 1000))
			burst_ms = bytes * 8 / (line_mbps * 1000);
		send_round(sim, sizes, count, copies, burst_ms, &flight);
		probeorder_begin(&sim->order, ++sim->round);
		receive_late(sim, find);
		in_time = receive_round(sim, &flight, count * copies);
		for (int i = 0; i < count; i++)
			learn_size(find, sizes[i], copies, &flight, in_time);
		for (int i = in_time; i < flight.count; i++)
			sim->late[sim->late_count++] = (struct band_sim_late){
				flight.packet[i].size, flight.packet[i].fate,
				flight.packet[i].at_ms, flight.packet[i].number};
		sim->now_ms += rtt_ms + delay_ms(sim);
		ret->rounds++;
		ret->packets += count * copies;
		ret->bytes += bytes;
	}
	ret->ms = sim->now_ms - 1;
}

static enum fate true_fate(const struct band_sim *sim, int size)
{
	if (sim->sometimes && size >= sim->sometimes && size <= BAND_SIM_LINK)
		return FATE_LOST;
	return path_bands_fate(&sim->bands, size);
}

enum band_sim_verdict band_sim_judge(const struct band_sim *sim,
				     const struct bandfind *find)
{
	enum band_sim_verdict verdict = BAND_SIM_RIGHT;
	struct path_bands found;

	bandfind_result(find, &found);
	for (int size = 1; size <= find->config.max; size++) {
		enum fate fate = path_bands_fate(&found, size);
		enum fate truth = true_fate(sim, size);

		if (fate == truth)
			continue;
		if (fate != FATE_UNKNOWN)
			return truth == FATE_WHOLE ? BAND_SIM_LOW : BAND_SIM_HIGH;
		verdict = BAND_SIM_OPEN;
	}
	return verdict;
}

struct path_bands band_sim_edge(int kind, int edge)
{
	struct path_bands bands = {0};

	path_bands_add(&bands, edge, FATE_WHOLE);
	if (kind == 2)
		path_bands_add(&bands, BAND_SIM_LINK, FATE_LOST);
	path_bands_add(&bands, OUTER_SIZE_MAX, kind == 1 ? FATE_LOST : FATE_FRAGMENTED);
	return bands;
}

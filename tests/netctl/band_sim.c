/* SPDX-License-Identifier: MIT */
#include "band_sim.h"

/* As probehost.c paces single packets, and copies. */
#define PACE_MS        0.2
#define PACE_COPIES_MS 0.5
#define GRACE_MS       3

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

static int send_copies(struct band_sim *sim, int size, int copies, bool waits,
		       enum fate *ret_fate, bool *ret_late)
{
	int arrived = 0;

	*ret_fate = FATE_LOST;
	for (int i = 0; i < copies; i++) {
		enum fate fate = send_one(sim, size);

		if (fate == FATE_LOST)
			continue;
		if (!waits && happens(sim, sim->late)) {
			*ret_late = true;
			continue;
		}
		arrived++;
		*ret_fate = fate;
	}
	return arrived;
}

void band_sim_search(struct band_sim *sim, struct bandfind *find, double rtt_ms,
		     double line_mbps, struct band_sim_cost *ret)
{
	int sizes[BANDFIND_ROUND];
	bool waits = false;
	int copies;
	int count;

	*ret = (struct band_sim_cost){0};
	while ((count = bandfind_next(find, sizes, &copies)) > 0) {
		bool late = false;
		int lost = 0;
		int bytes = 0;
		double pace_ms = copies > 1 ? PACE_COPIES_MS : PACE_MS;
		double burst_ms;

		/* The probes that were late are seen now. */
		bandfind_begin_round(find, waits && ret->rounds == 1);
		for (int i = 0; i < count; i++) {
			enum fate fate;
			int arrived =
				send_copies(sim, sizes[i], copies, waits, &fate, &late);

			bandfind_learn(find, sizes[i], fate, copies, arrived);
			lost += copies - arrived;
			bytes += sizes[i] * copies;
		}
		ret->rounds++;
		ret->packets += count * copies;
		ret->bytes += bytes;
		burst_ms = bytes * 8 / (line_mbps * 1000);
		if (burst_ms < pace_ms * count * copies)
			burst_ms = pace_ms * count * copies;
		ret->ms += rtt_ms + burst_ms + (lost ? GRACE_MS : 0);
		waits |= late;
	}
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

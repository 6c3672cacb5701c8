/* SPDX-License-Identifier: MIT */
/* Measurements that contradict the probes. */
#include "engine/recommend_check.h"

#include "engine/bandguess.h"

static bool is_lost(const struct measurement *m, enum direction dir, double floor_bps)
{
	int64_t rate = bandguess_rate(&m->dir[dir]);

	return rate != NO_FIGURE && (double)rate <= floor_bps;
}

/* The rate that counts as no data: 1 % of the fastest. */
static double find_floor(const struct recommend_input *in, enum direction dir)
{
	int64_t most = 0;

	for (size_t i = 0; i < in->count; i++) {
		int64_t rate = bandguess_rate(&in->m[i].dir[dir]);

		if (rate > most)
			most = rate;
	}
	return (double)most / 100;
}

int recommend_contradicts(const struct path *path, const struct measurement *m,
			  enum direction dir, bool lost)
{
	enum fate fate = pathmodel_predict_test(path, m, dir).tcp;

	if (bandguess_rate(&m->dir[dir]) == NO_FIGURE || fate == FATE_UNKNOWN)
		return 0;
	if (fate == FATE_LOST && !lost && m->dir[dir].packet_bytes <= 0 &&
	    mtu_pair_sender(&m->mtu, dir) == MTU_UNKNOWN)
		return 0;
	return lost != (fate == FATE_LOST) ? 1 : -1;
}

/* The same. A chosen pair also has to carry what another one carries, if no probe shows
 * that it does not. */
static int contradiction(const struct recommend_input *in, const struct measurement *m,
			 enum direction dir, double floor_bps)
{
	bool lost = is_lost(m, dir, floor_bps);

	if (floor_bps > 0 && mtu_pair_same(&m->mtu, &in->chosen) &&
	    bandguess_rate(&m->dir[dir]) != NO_FIGURE &&
	    pathmodel_predict_test(&in->path, m, dir).tcp == FATE_UNKNOWN)
		return lost ? 1 : -1;
	return recommend_contradicts(&in->path, m, dir, lost);
}

/* The number of this pair's measurements that contradict the bands, minus those that
 * agree. */
static int contradictions(const struct recommend_input *in,
			  const struct pair_visits *pair, enum direction dir,
			  double floor_bps)
{
	int count = 0;

	for (size_t i = 0; i < pair->count; i++)
		count += contradiction(in, &in->m[pair->visit[i]], dir, floor_bps);
	return count;
}

/* True if the pair that was chosen for one end alone is lost itself. What the far end sends
 * is lost by this MTU's fault only if it arrives with another one. */
static bool chosen_is_lost(const struct recommend_input *in,
			   const struct pair_visits *pair, enum direction dir,
			   double floor_bps)
{
	if (!mtu_pair_same(&pair->mtu, &in->chosen) ||
	    (mtu_pair_sender(&pair->mtu, dir) == MTU_UNKNOWN && floor_bps <= 0))
		return false;
	for (size_t i = 0; i < pair->count; i++) {
		const struct measurement *m = &in->m[pair->visit[i]];

		if (bandguess_rate(&m->dir[dir]) != NO_FIGURE &&
		    !is_lost(m, dir, floor_bps))
			return false;
	}
	return true;
}

/* True when measurements contradict probed bands; two contradictions are no
 * accident. */
static bool check_model(const struct recommend_input *in, const struct pairs *pairs,
			enum direction dir, struct recommendation *v)
{
	double floor_bps = find_floor(in, dir);
	bool confirmed = false;

	for (size_t i = 0; i < in->count; i++) {
		const struct mtu_pair *mtu = &in->m[i].mtu;
		const struct pair_visits *pair = pairs_find(pairs, mtu);
		bool fails;
		int count;

		/* Take each pair once, in the order of time. */
		if (pair->visit[0] != i)
			continue;
		count = contradictions(in, pair, dir, floor_bps);
		/* One test with data suffices: data cannot arrive by accident. */
		if (count < 1)
			continue;
		fails = count > 1 && chosen_is_lost(in, pair, dir, floor_bps);
		if (fails || !v->contradicted.server ||
		    (count > 1 && !confirmed && !v->chosen_fails))
			v->contradicted = *mtu;
		confirmed |= count > 1;
		v->chosen_fails |= fails;
	}
	v->contradiction_confirmed |= confirmed;
	return confirmed;
}

static bool fits_or_fragments_fail(const struct recommend_input *in, enum direction dir)
{
	double floor_bps = find_floor(in, dir);

	for (size_t i = 0; i < in->count; i++) {
		const struct measurement *m = &in->m[i];
		enum fate fate = pathmodel_predict_test(&in->path, m, dir).tcp;
		bool lost = is_lost(m, dir, floor_bps);

		if (bandguess_rate(&m->dir[dir]) != NO_FIGURE &&
		    ((fate == FATE_WHOLE && lost) || (fate == FATE_LOST && !lost)))
			return false;
	}
	return true;
}

void recommend_check_path(const struct recommend_input *in, const struct pairs *pairs,
			  struct recommendation *v)
{
	v->path = in->path;
	v->only_fragments_fail = true;
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		v->only_fragments_fail &=
			fits_or_fragments_fail(in, (enum direction)dir);
		if (check_model(in, pairs, (enum direction)dir, v))
			v->path.dir[dir] = (struct path_bands){0};
		v->guessed[dir] = v->path.dir[dir].count == 0;
	}
}

int recommend_largest_arrived(const struct recommend_input *in, enum direction dir)
{
	double floor_bps = find_floor(in, dir);
	int largest = 0;

	for (size_t i = 0; i < in->count; i++) {
		const struct measurement *m = &in->m[i];
		int outer = pathmodel_predict_test(&in->path, m, dir).tcp_outer;

		if (bandguess_rate(&m->dir[dir]) != NO_FIGURE &&
		    !is_lost(m, dir, floor_bps) && outer > largest)
			largest = outer;
	}
	return largest;
}

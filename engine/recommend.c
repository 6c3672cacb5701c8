/* SPDX-License-Identifier: MIT */
#include "engine/recommend.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/io.h"
#include "engine/bandguess.h"
#include "engine/recommend_check.h"
#include "engine/recommend_latency.h"
#include "engine/recommend_stats.h"

#define NORMAL_95 1.96
/* One of many rivals looks faster by chance, so each must be certain to 99.9 %. */
#define NORMAL_999 3.29
/* Noise above this: no test of a few visits can show a difference of the margin. */
#define NOISY      0.03
#define PATH_WHOLE 1500

/* --- the path --- */

/* The smallest max of a band that is above `size`. */
static int next_edge(const struct path_bands *bands, int size)
{
	for (int i = 0; i < bands->count; i++) {
		if (bands->band[i].max > size)
			return bands->band[i].max;
	}
	return OUTER_SIZE_MAX;
}

/* Data that arrived does not outweigh probes of larger sizes that were lost. */
static void keep_losses(const struct path_bands *probed, int arrived,
			struct path_bands *ret)
{
	const struct path_bands guess = *ret;
	struct path_bands bands = {0};

	for (int size = 0; size < OUTER_SIZE_MAX;) {
		int max = next_edge(&guess, size);
		int edge = next_edge(probed, size);
		enum fate fate = path_bands_fate(&guess, size + 1);

		if (edge < max)
			max = edge;
		if (size < arrived && max > arrived)
			max = arrived;
		if (size >= arrived && path_bands_fate(probed, size + 1) == FATE_LOST)
			fate = FATE_LOST;
		if (path_bands_add(&bands, max, fate) < 0)
			return;
		size = max;
	}
	*ret = bands;
}

static int guess_path(const struct stats *s, struct recommendation *v)
{
	const struct recommend_input *in = s->input;
	cleanup_free struct measurement *level = calloc(in->count + 1, sizeof(*level));

	if (!level)
		return -ENOMEM;
	stats_level(s, level);
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		int r = 0;

		if (v->guessed[dir])
			r = bandguess(level, in->count, in->path.overhead[dir],
				      (enum direction)dir, v->noise[dir],
				      &v->path.dir[dir]);
		if (r < 0)
			return r;
		if (v->guessed[dir] && in->path.dir[dir].count)
			keep_losses(&in->path.dir[dir],
				    recommend_largest_arrived(in, (enum direction)dir),
				    &v->path.dir[dir]);
	}
	return 0;
}

/* --- tests without a connection --- */

static int count_unreached(const struct recommend_input *in)
{
	int count = 0;

	for (size_t i = 0; i < in->count; i++) {
		bool unreached = false;

		for (int dir = 0; dir < DIR_COUNT; dir++) {
			enum test_status status = in->m[i].dir[dir].status;

			unreached |= status == TEST_UNREACHABLE ||
				     status == TEST_REFUSED;
		}
		count += unreached;
	}
	return count;
}

/* --- a lowered MSS --- */

/* The size of TCP's packets in all tests whose MTUs allow larger ones. 0: a test sent
 * larger ones, or none was kept smaller. */
static int find_clamp(const struct recommend_input *in, enum direction dir)
{
	int clamp = 0;
	int most = 0;

	for (size_t i = 0; i < in->count; i++) {
		const struct measurement *m = &in->m[i];
		int sent = pathmodel_sent_size(m, dir);

		if (m->dir[dir].packet_bytes <= 0)
			continue;
		if (sent > most)
			most = sent;
		if (sent < m->mtu.server && sent < m->mtu.peer && sent > clamp)
			clamp = sent;
	}
	return clamp == most ? clamp : 0;
}

/* --- pairs --- */

static void fill_cell(const struct stats *s, const struct recommendation *v,
		      const struct mtu_pair *mtu, struct recommend_cell *ret)
{
	const struct mtu_pair *best = &v->recommended.mtu;

	*ret = (struct recommend_cell){.mtu = *mtu};
	if (!mtu->server)
		return;
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		enum direction d = (enum direction)dir;

		ret->predicted[dir] = pathmodel_predict(&v->path, mtu, d);
		ret->bps[dir] = stats_rate(s, mtu, d);
		ret->relative[dir] = stats_ratio(s, mtu, best, d, NORMAL_95);
	}
}

/* The sum of both directions' rates; 0 unless both work. */
static double sum_rates(const struct stats *s, const struct mtu_pair *mtu)
{
	double up = stats_rate(s, mtu, DIR_UPLOAD).value;
	double down = stats_rate(s, mtu, DIR_DOWNLOAD).value;

	return up > 0 && down > 0 ? up + down : 0;
}

/* True when a test of each direction sent packets as large as the pair allows. */
static bool sent_full_size(const struct stats *s, const struct mtu_pair *mtu)
{
	const struct pair_visits *pair = pairs_find(s->pairs, mtu);
	bool sent[DIR_COUNT] = {false};

	for (size_t i = 0; i < pair->count * DIR_COUNT; i++) {
		const struct measurement *m = &s->input->m[pair->visit[i / DIR_COUNT]];
		int dir = (int)(i % DIR_COUNT);
		int size = pathmodel_sent_size(m, (enum direction)dir);

		if (bandguess_rate(&m->dir[dir]) > 0)
			sent[dir] |= size >= mtu->server || size >= mtu->peer;
	}
	return sent[DIR_UPLOAD] && sent[DIR_DOWNLOAD];
}

/* `full_size`: among the pairs whose full-size packets were sent. */
static struct mtu_pair find_fastest(const struct stats *s, bool full_size)
{
	const struct recommend_input *in = s->input;
	struct mtu_pair best = {0};
	double most = 0;

	for (size_t i = 0; i < in->count; i++) {
		double sum = sum_rates(s, &in->m[i].mtu);

		if (sum <= most || (full_size && !sent_full_size(s, &in->m[i].mtu)))
			continue;
		most = sum;
		best = in->m[i].mtu;
	}
	return best;
}

/* True when it is shown faster in one direction, and not shown slower in the other. */
static bool is_faster(const struct stats *s, const struct mtu_pair *mtu,
		      const struct mtu_pair *than, double margin)
{
	bool faster = false;

	for (int dir = 0; dir < DIR_COUNT; dir++) {
		struct estimate e =
			stats_ratio(s, mtu, than, (enum direction)dir, NORMAL_999);

		if (e.count < 3 || e.high < 1 || e.value < 1 - margin)
			return false;
		faster |= e.low > 1 && e.value > 1 + margin;
	}
	return faster;
}

/* How much faster than the margin the pair may be, by all that is known. 0: it cannot
 * be. */
static double may_be_faster(const struct stats *s, const struct mtu_pair *mtu,
			    const struct mtu_pair *than, double margin)
{
	double most = 0;

	for (int dir = 0; dir < DIR_COUNT; dir++) {
		struct estimate e =
			stats_ratio(s, mtu, than, (enum direction)dir, NORMAL_95);

		/* A pair that is lost, or shown slower, is excluded; the other
		 * direction does not matter. */
		if (e.count == 0 || e.value == 0 || e.high < 1 - margin)
			return 0;
		if (e.high > 1 + margin && e.high > most)
			most = e.high;
	}
	return most;
}

/* The number of further visits of a rival until its interval is narrow enough to
 * exclude the margin, if it were no faster. The uncertainty of the recommended pair's
 * own visits stays. */
static int needed_visits(const struct stats *s, const struct mtu_pair *mtu,
			 const struct mtu_pair *than, double margin)
{
	int needed = 1;

	for (int dir = 0; dir < DIR_COUNT; dir++) {
		struct estimate e =
			stats_ratio(s, mtu, than, (enum direction)dir, NORMAL_95);
		double base = stats_rate(s, than, (enum direction)dir).count;
		double now, wanted, least;

		if (e.count == 0 || e.value <= 0 || base < 1)
			return RECOMMEND_NEEDED_MAX;
		/* The variance is proportional to 1 / visits + 1 / visits of the other
		 * pair. */
		now = pow(log(e.high / e.value), 2) / (1 / (double)e.count + 1 / base);
		wanted = pow(log(1 + margin), 2);
		least = wanted / now - 1 / base;
		if (least <= 0 || 1 / least > e.count + RECOMMEND_NEEDED_MAX)
			return RECOMMEND_NEEDED_MAX;
		if ((int)ceil(1 / least) - e.count > needed)
			needed = (int)ceil(1 / least) - e.count;
	}
	return needed;
}

/* True when a test of the pair, lost or not, can be compared with the other's. */
static bool is_compared(const struct stats *s, const struct mtu_pair *mtu,
			const struct mtu_pair *than)
{
	return stats_ratio(s, mtu, than, DIR_UPLOAD, NORMAL_95).count > 0 ||
	       stats_ratio(s, mtu, than, DIR_DOWNLOAD, NORMAL_95).count > 0;
}

static void find_rival(const struct stats *s, struct recommendation *v)
{
	const struct recommend_input *in = s->input;
	const struct mtu_pair *best = &v->recommended.mtu;
	bool compared = v->why == REASON_IN_FRAGMENTS;
	double most = 0;

	/* Rates do not choose among pairs that need fragments. */
	for (size_t i = 0; v->why != REASON_IN_FRAGMENTS && i < s->pairs->count; i++) {
		const struct mtu_pair *mtu = &s->pairs->pair[i].mtu;
		double by;

		if (mtu_pair_same(mtu, best))
			continue;
		compared |= is_compared(s, mtu, best);
		by = may_be_faster(s, mtu, best, in->margin);
		if (by > 0)
			v->needed += needed_visits(s, mtu, best, in->margin);
		if (by > most) {
			most = by;
			v->rival = *mtu;
		}
	}
	v->settled = compared && most == 0 &&
		     v->recommended.bps[DIR_UPLOAD].value > 0 &&
		     v->recommended.bps[DIR_DOWNLOAD].value > 0;
}

/* True when packets that arrive may have been in fragments. */
static bool is_doubted(const struct path *path)
{
	return path_is_doubted(path, DIR_UPLOAD) || path_is_doubted(path, DIR_DOWNLOAD);
}

/* True if probes show the fate of every pair of the ranges, none of which fits. Then
 * measurements decide nothing. */
static bool choose_unfit(const struct recommend_input *in, struct recommendation *v)
{
	static const struct mtu_range all = {MTU_MIN, MTU_MAX, 1};
	enum pathmodel_rest rest =
		pathmodel_rest(&v->path, &in->server, &in->peer, &v->recommended.mtu);

	if (v->guessed[DIR_UPLOAD] || v->guessed[DIR_DOWNLOAD])
		rest = PATHMODEL_OPEN;
	if (rest == PATHMODEL_OPEN) {
		v->recommended.mtu = (struct mtu_pair){0};
		return false;
	}
	v->why = rest == PATHMODEL_LOST ? REASON_NONE_ARRIVES : REASON_IN_FRAGMENTS;
	pathmodel_candidate(&v->path, &all, &all, &v->whole);
	return true;
}

static void choose(const struct stats *s, struct recommendation *v)
{
	const struct recommend_input *in = s->input;
	struct mtu_pair best = in->chosen;

	if (best.server) {
		v->recommended.mtu = best;
		v->why = REASON_FITS;
		return;
	}
	if (!pathmodel_candidate(&v->path, &in->server, &in->peer, &best)) {
		if (choose_unfit(in, v))
			return;
		best = find_fastest(s, true);
		if (best.server)
			v->why = REASON_MEASURED;
		else
			v->why = find_fastest(s, false).server ? REASON_UNSENT
							       : REASON_NOTHING;
		v->recommended.mtu = best;
		return;
	}
	if (v->guessed[DIR_UPLOAD] || v->guessed[DIR_DOWNLOAD])
		v->why = REASON_ARRIVES;
	else
		v->why = is_doubted(&v->path) ? REASON_RELAYED : REASON_FITS;
	for (size_t i = 0; i < in->count; i++) {
		const struct mtu_pair *mtu = &in->m[i].mtu;

		if (mtu_pair_same(mtu, &best) || !pathmodel_fits(&v->path, mtu) ||
		    !is_faster(s, mtu, &best, in->margin))
			continue;
		best = *mtu;
		v->why = REASON_FASTER;
	}
	v->recommended.mtu = best;
}

/* --- warnings --- */

struct prediction recommend_current_tcp(const struct recommendation *v,
					enum direction dir)
{
	return pathmodel_predict_packet(&v->path, &v->current.mtu, dir,
					v->clamped[dir] ? v->clamped[dir] : MTU_MAX);
}

/* The current pair's losses: full-size TCP, or in another direction only other
 * packets. */
static unsigned find_losses(const struct recommendation *v)
{
	unsigned found = 0;

	for (int dir = 0; dir < DIR_COUNT; dir++) {
		const struct prediction *p = &v->current.predicted[dir];

		if (recommend_current_tcp(v, (enum direction)dir).tcp == FATE_LOST)
			found |= RECOMMEND_WARN_DEAD_ZONE;
		else if (p->routed == FATE_LOST)
			found |= RECOMMEND_WARN_ROUTED;
	}
	return found;
}

/* True when the recommended pair would not fit whole if an endpoint moved to IPv6, on a
 * path with the same bands; then v->roam is a pair that fits either way, if any. */
static bool would_not_roam(const struct recommend_input *in, struct recommendation *v)
{
	struct path longer = v->path;
	bool over_ipv4 = false;
	struct mtu_pair mtu;

	for (int dir = 0; dir < DIR_COUNT; dir++) {
		over_ipv4 |= longer.overhead[dir] == PATH_OVERHEAD_IPV4;
		longer.overhead[dir] = PATH_OVERHEAD_IPV6;
	}
	if (!over_ipv4 || path_is_relayed(&v->path) || !v->recommended.mtu.server ||
	    v->why == REASON_MEASURED || v->why == REASON_IN_FRAGMENTS ||
	    pathmodel_fits(&longer, &v->recommended.mtu))
		return false;
	if (pathmodel_candidate(&longer, &in->server, &in->peer, &mtu) &&
	    pathmodel_fits(&v->path, &mtu))
		v->roam = mtu;
	return true;
}

static unsigned find_warnings(const struct recommend_input *in,
			      struct recommendation *v)
{
	const struct mtu_pair *best = &v->recommended.mtu;
	unsigned found = in->current.server ? find_losses(v) : 0;

	if (best->server && (best->server < PATH_WHOLE || best->peer < PATH_WHOLE))
		found |= RECOMMEND_WARN_MSS;
	if (v->unreached)
		found |= RECOMMEND_WARN_UNREACHED;
	if (would_not_roam(in, v))
		found |= RECOMMEND_WARN_ROAM;
	if (v->whole.server)
		found |= RECOMMEND_WARN_BELOW;
	if (is_doubted(&v->path))
		found |= RECOMMEND_WARN_UNSEEN;
	if (v->contradicted.server)
		found |= RECOMMEND_WARN_CONTRADICTED;
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		if (v->clamped[dir])
			found |= RECOMMEND_WARN_CLAMPED;
		if (v->drift[dir].beyond_noise)
			found |= RECOMMEND_WARN_DRIFT;
		if (v->latency[dir].mtu.server)
			found |= RECOMMEND_WARN_LATENCY;
		if (in->path.dir[dir].count == 0)
			found |= RECOMMEND_WARN_FILTERED;
		else if (!v->settled && v->noise[dir] > NOISY)
			found |= RECOMMEND_WARN_PROBES;
	}
	return found;
}

static void judge_drift(const struct stats *stats, struct drift ret[DIR_COUNT])
{
	for (int dir = 0; dir < DIR_COUNT; dir++)
		ret[dir] = stats->dir[dir].drift;
}

/* Other pairs' rates are not predicted here, so they cannot be used to estimate the
 * noise. */
int recommend_drift(const struct measurement *m, size_t count,
		    struct drift ret[DIR_COUNT])
{
	cleanup_free struct measurement *series = calloc(count + 1, sizeof(*series));
	struct recommend_input input = {.m = series};
	struct pairs pairs;
	struct stats stats;
	int r;

	if (!series)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		if (m[i].reference)
			series[input.count++] = m[i];
	}
	r = pairs_init(&pairs, series, input.count);
	if (r < 0)
		return r;
	r = stats_init(&stats, &input, &pairs, &input.path);
	if (r == 0) {
		judge_drift(&stats, ret);
		stats_release(&stats);
	}
	pairs_release(&pairs);
	return r;
}

static int judge(const struct stats *s, struct recommendation *v)
{
	const struct recommend_input *in = s->input;
	struct mtu_pair fastest;
	int r;

	for (int dir = 0; dir < DIR_COUNT; dir++) {
		v->noise[dir] = s->dir[dir].noise;
		v->clamped[dir] = find_clamp(in, (enum direction)dir);
	}
	v->unreached = count_unreached(in);
	judge_drift(s, v->drift);
	r = guess_path(s, v);
	if (r < 0)
		return r;
	choose(s, v);
	fastest = find_fastest(s, false);
	fill_cell(s, v, &v->recommended.mtu, &v->recommended);
	fill_cell(s, v, &in->current, &v->current);
	fill_cell(s, v, &fastest, &v->fastest);
	find_rival(s, v);
	for (int dir = 0; dir < DIR_COUNT; dir++)
		recommend_compare_latency(in, s->pairs, &v->recommended.mtu,
					  (enum direction)dir, &v->latency[dir]);
	v->warnings = find_warnings(in, v);
	return 0;
}

int recommend_find(const struct recommend_input *input, struct recommendation *ret)
{
	struct recommendation v = {
		.margin = input->margin,
		.visits = (int)input->count,
		.is_chosen = input->chosen.server != 0,
	};
	struct pairs pairs;
	struct stats stats;
	int r = pairs_init(&pairs, input->m, input->count);

	if (r < 0)
		return r;
	recommend_check_path(input, &pairs, &v);
	r = stats_init(&stats, input, &pairs, &v.path);
	if (r == 0) {
		r = judge(&stats, &v);
		stats_release(&stats);
	}
	pairs_release(&pairs);
	if (r == 0)
		*ret = v;
	return r;
}

/* SPDX-License-Identifier: MIT */
/* The strategy of few visits: those that could prove the probes wrong. */
#include "engine/plan_smart.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "engine/bandguess.h"
#include "engine/recommend.h"

/* The number of a search's visits between two visits of the reference. */
#define REFERENCE_EVERY 6
#define QUEUE_MAX       24
/* Go on while settling needs at most this many times the visits left. */
#define HOPE 3
/* Rates cannot decide if so many visits of two pairs would not show a difference of the
 * margin. */
#define VISITS_HOPELESS 30

enum stage {
	STAGE_CHECK,  /* the model's candidate, and pairs that the probes show lost */
	STAGE_RATES,  /* the candidate and its rivals */
	STAGE_SEARCH, /* the diagonal */
	STAGE_PROVE,  /* the pair that the search found */
	STAGE_DONE,
};

struct smart {
	struct plan plan;
	struct plan_smart_options options;
	enum stage stage;
	struct mtu_pair reference;
	struct visit queue[QUEUE_MAX];
	int queued;
	int taken; /* entries of the queue that were named */
	int since_reference;
	struct visit now;
	bool named; /* the visit was named and its result is not learned yet */
	uint64_t random;
	int count;
	struct measurement known[PLAN_SMART_VISITS_MAX];
	struct recommendation recommendation;
};

static int visits_of(const struct smart *s, const struct mtu_pair *mtu)
{
	int n = 0;

	for (int i = 0; i < s->count; i++)
		n += mtu_pair_same(&s->known[i].mtu, mtu);
	return n;
}

static void enqueue_visit(struct smart *s, const struct mtu_pair *mtu, bool reference)
{
	if (s->queued == QUEUE_MAX)
		return;
	s->queue[s->queued++] = (struct visit){.mtu = *mtu, .reference = reference};
}

/* Enqueue a pair at most once, and never the reference. */
static void enqueue_new(struct smart *s, const struct mtu_pair *mtu)
{
	if (mtu_pair_same(mtu, &s->reference) || visits_of(s, mtu) > 0)
		return;
	for (int i = s->taken; i < s->queued; i++) {
		if (mtu_pair_same(&s->queue[i].mtu, mtu))
			return;
	}
	enqueue_visit(s, mtu, false);
}

static void shuffle_queue(struct smart *s)
{
	for (int left = s->queued - s->taken; left > 1; left--) {
		struct visit *last = &s->queue[s->taken + left - 1];
		struct visit *other =
			&s->queue[s->taken +
				  (int)random_below(&s->random, (uint64_t)left)];
		struct visit swap = *last;

		*last = *other;
		*other = swap;
	}
}

/* The largest MTU of the range that is not above `mtu`; else the smallest of the
 * range. */
static int grid_floor(const struct mtu_range *range, int mtu)
{
	int count = mtu_range_count(range);

	for (int i = count - 1; i > 0; i--) {
		if (mtu_range_at(range, i) <= mtu)
			return mtu_range_at(range, i);
	}
	return range->min;
}

/* The smallest MTU of the range above `mtu`; 0: none. */
static int grid_above(const struct mtu_range *range, int mtu)
{
	int count = mtu_range_count(range);

	for (int i = 0; i < count; i++) {
		if (mtu_range_at(range, i) > mtu)
			return mtu_range_at(range, i);
	}
	return 0;
}

/* The next pair with both MTUs above `mtu`: with a smaller one segments would be no larger.
 * False: there is none. */
static bool pair_above(const struct smart *s, int mtu, struct mtu_pair *ret)
{
	ret->server = grid_above(&s->options.server, mtu);
	ret->peer = grid_above(&s->options.peer, mtu);
	return ret->server && ret->peer;
}

static struct mtu_pair diagonal_pair(const struct smart *s, int mtu)
{
	return (struct mtu_pair){
		.server = grid_floor(&s->options.server, mtu),
		.peer = grid_floor(&s->options.peer, mtu),
	};
}

/* --- the check --- */

static bool is_lost(const struct smart *s, const struct mtu_pair *mtu,
		    enum direction dir)
{
	return pathmodel_predict(&s->options.path, mtu, dir).tcp == FATE_LOST;
}

static bool is_current_allowed(const struct smart *s)
{
	const struct plan_smart_options *o = &s->options;

	return mtu_range_allows(&o->server, o->current.server) &&
	       mtu_range_allows(&o->peer, o->current.peer);
}

/* Enqueue a pair that is lost in a direction in which no other of the queue is. */
static void enqueue_lost(struct smart *s, const struct mtu_pair *mtu,
			 bool shown[DIR_COUNT])
{
	bool adds = false;

	for (int dir = 0; dir < DIR_COUNT; dir++) {
		if (shown[dir] || !is_lost(s, mtu, (enum direction)dir))
			continue;
		shown[dir] = true;
		adds = true;
	}
	if (adds)
		enqueue_new(s, mtu);
}

static void enqueue_above(struct smart *s, int mtu, bool shown[DIR_COUNT])
{
	struct mtu_pair pair;

	if (pair_above(s, mtu, &pair))
		enqueue_lost(s, &pair, shown);
}

/* A pair above an edge can only prove the probes wrong if they show it lost: in fragments
 * it is not recommended, whatever its rate. */
static void begin_check(struct smart *s)
{
	bool shown[DIR_COUNT] = {false};

	enqueue_visit(s, &s->reference, true);
	if (is_current_allowed(s))
		enqueue_lost(s, &s->options.current, shown);
	enqueue_above(s, s->reference.server, shown);
	enqueue_above(s, s->reference.peer, shown);
}

/* The probes know the fate of every pair, and none fits: measure only what is
 * recommended, to compare it with the current pair, or to prove the probes wrong. */
static void begin_unfit(struct smart *s, enum pathmodel_rest rest)
{
	const struct plan_smart_options *o = &s->options;

	if (rest == PATHMODEL_FRAGMENTS) {
		enqueue_visit(s, &s->reference, true);
		if (is_current_allowed(s))
			enqueue_new(s, &o->current);
		return;
	}
	s->reference = (struct mtu_pair){o->server.min, o->peer.min};
	enqueue_visit(s, &s->reference, true);
}

/* --- the search --- */

static void begin_search(struct smart *s)
{
	/* Outer sizes at which paths usually have an edge. */
	static const int sizes[] = {1400, 1440, 1460, 1480, 1492, 1500};
	const struct plan_smart_options *o = &s->options;
	int top = o->server.max > o->peer.max ? o->server.max : o->peer.max;
	const int *overhead = o->path.overhead;
	int first = 1500 - (overhead[DIR_UPLOAD] < overhead[DIR_DOWNLOAD]
				    ? overhead[DIR_UPLOAD]
				    : overhead[DIR_DOWNLOAD]);
	struct mtu_pair mtu;

	s->stage = STAGE_SEARCH;
	s->queued = 0;
	s->taken = 0;
	s->reference = diagonal_pair(s, 0);
	/* If no size fits whole, perhaps only few sizes pass in fragments. */
	if (pathmodel_best(&o->path, &o->server, &o->peer, &mtu))
		enqueue_new(s, &mtu);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (int dir = 0; dir < DIR_COUNT; dir++) {
			mtu = diagonal_pair(s, sizes[i] - overhead[dir]);
			enqueue_new(s, &mtu);
		}
	}
	if (pair_above(s, first, &mtu))
		enqueue_new(s, &mtu);
	for (int part = 1; part <= 3 && top > first; part++) {
		mtu = diagonal_pair(s, first + (top - first) * part / 3);
		enqueue_new(s, &mtu);
	}
	shuffle_queue(s);
	s->since_reference = REFERENCE_EVERY;
}

static enum fate fate_of(const struct smart *s, int mtu, enum direction dir)
{
	struct mtu_pair pair = diagonal_pair(s, mtu);

	return pathmodel_predict(&s->recommendation.path, &pair, dir).tcp;
}

/* Enqueue the pair in the middle of two diagonal visits that have different fates and
 * are not neighbours in the grid. */
static bool halve_gap(struct smart *s, int low, int high)
{
	struct mtu_pair a = diagonal_pair(s, low);
	struct mtu_pair b = diagonal_pair(s, high);
	struct mtu_pair middle = diagonal_pair(s, (low + high) / 2);

	if (fate_of(s, low, DIR_UPLOAD) == fate_of(s, high, DIR_UPLOAD) &&
	    fate_of(s, low, DIR_DOWNLOAD) == fate_of(s, high, DIR_DOWNLOAD))
		return false;
	if (mtu_pair_same(&middle, &a) || mtu_pair_same(&middle, &b))
		return false;
	enqueue_new(s, &middle);
	return s->queued > s->taken;
}

static int compare_ints(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* List the larger MTU of each diagonal visit, ascending. */
static int list_diagonal(const struct smart *s, int *ret)
{
	int n = 0;

	for (int i = 0; i < s->count; i++) {
		const struct mtu_pair *mtu = &s->known[i].mtu;
		int top = mtu->server > mtu->peer ? mtu->server : mtu->peer;
		struct mtu_pair pair = diagonal_pair(s, top);

		if (mtu_pair_same(&pair, mtu))
			ret[n++] = top;
	}
	qsort(ret, (size_t)n, sizeof(ret[0]), compare_ints);
	return n;
}

/* Enqueue outer sizes between two of the diagonal: padding makes them if the sender has
 * room. */
static bool look_between(struct smart *s, int low, int high)
{
	struct mtu_pair a = diagonal_pair(s, low);
	struct mtu_pair b = diagonal_pair(s, high);

	for (int dir = 0; dir < DIR_COUNT; dir++) {
		enum fate below = fate_of(s, low, (enum direction)dir);
		enum fate above = fate_of(s, high, (enum direction)dir);
		struct mtu_pair mtu = dir == DIR_UPLOAD
					      ? (struct mtu_pair){a.server, b.peer}
					      : (struct mtu_pair){b.server, a.peer};

		if (below != above && (below == FATE_LOST || above == FATE_LOST))
			enqueue_new(s, &mtu);
	}
	return s->queued > s->taken;
}

static bool refine_edges(struct smart *s)
{
	int mtu[PLAN_SMART_VISITS_MAX];
	int count = list_diagonal(s, mtu);

	for (int i = 1; i < count; i++) {
		if (mtu[i] != mtu[i - 1] && halve_gap(s, mtu[i - 1], mtu[i]))
			return true;
	}
	for (int i = 1; i < count; i++) {
		if (mtu[i] != mtu[i - 1] && look_between(s, mtu[i - 1], mtu[i]))
			return true;
	}
	return false;
}

/* --- the next visit --- */

static bool consider_known(struct smart *s)
{
	const struct plan_smart_options *o = &s->options;
	const struct recommend_input input = {
		.path = o->path,
		.server = o->server,
		.peer = o->peer,
		.current = o->current,
		.m = s->known,
		.count = (size_t)s->count,
		.margin = o->margin,
	};

	return recommend_find(&input, &s->recommendation) == 0;
}

static void enqueue_again(struct smart *s, const struct mtu_pair *mtu)
{
	enqueue_visit(s, mtu, mtu_pair_same(mtu, &s->reference));
}

/* Enqueue the visit that narrows the interval between the recommended pair and its
 * strongest rival the most. */
static bool plan_duel(struct smart *s)
{
	const struct recommendation *v = &s->recommendation;
	const struct mtu_pair *best = &v->recommended.mtu;
	bool works = v->recommended.bps[DIR_UPLOAD].value > 0 &&
		     v->recommended.bps[DIR_DOWNLOAD].value > 0;
	bool unknown = s->stage == STAGE_RATES &&
		       (v->recommended.bps[DIR_UPLOAD].count == 0 ||
			v->recommended.bps[DIR_DOWNLOAD].count == 0);
	int visits = visits_of(s, best);

	/* Tests that could not begin are made again. */
	if (best->server &&
	    (unknown || (visits < 2 && (s->stage == STAGE_PROVE || !works))))
		enqueue_again(s, best);
	else if (!v->settled && v->rival.server)
		enqueue_again(s, visits <= visits_of(s, &v->rival) ? best : &v->rival);
	return s->queued > s->taken;
}

/* Pursue what contradicts the probes. */
static bool plan_contradiction(struct smart *s)
{
	const struct recommendation *v = &s->recommendation;

	if (v->contradicted.server && !v->contradiction_confirmed &&
	    visits_of(s, &v->contradicted) < 3) {
		enqueue_again(s, &v->contradicted);
		return true;
	}
	/* No search can find a better pair than that of whole packets. */
	if ((v->contradiction_confirmed && !v->only_fragments_fail) ||
	    v->why == REASON_FASTER || v->why == REASON_NOTHING ||
	    v->why == REASON_UNSENT) {
		begin_search(s);
		return true;
	}
	return false;
}

/* The number of visits of two pairs that would show a difference of the margin, by the
 * rate of the recommended pair. 0: its rate is not known. */
static double visits_to_decide(const struct smart *s)
{
	double most = 0;

	for (int dir = 0; dir < DIR_COUNT; dir++) {
		const struct estimate *e = &s->recommendation.recommended.bps[dir];

		if (e->value > 0)
			most = fmax(most, 2 * pow(log(e->high / e->value) /
							  log1p(s->options.margin),
						  2));
	}
	return most;
}

/* The current pair, for whoever wants to know what the change is worth; and one rival that
 * arrives whole. */
static bool begin_rates(struct smart *s)
{
	const struct plan_smart_options *o = &s->options;
	const struct mtu_pair *current = &o->current;
	struct mtu_pair small = {
		.server = grid_floor(&o->server, MTU_MIN_IPV6),
		.peer = grid_floor(&o->peer, MTU_MIN_IPV6),
	};

	s->stage = STAGE_RATES;
	if (o->short_tests && visits_to_decide(s) > VISITS_HOPELESS)
		return false;
	if (is_current_allowed(s) && !is_lost(s, current, DIR_UPLOAD) &&
	    !is_lost(s, current, DIR_DOWNLOAD))
		enqueue_new(s, current);
	if (s->queued == s->taken || !pathmodel_fits(&o->path, current))
		enqueue_new(s, &small);
	return s->queued > s->taken;
}

/* How far the rate is off the prediction, as a logarithm. */
static double surprise_of(const struct smart *s, const struct measurement *m,
			  const struct measurement *reference, enum direction dir)
{
	const struct path *path = &s->options.path;
	double rate = (double)bandguess_rate(&m->dir[dir]);
	double base = (double)bandguess_rate(&reference->dir[dir]);
	double share = pathmodel_predict_test(path, m, dir).goodput;
	double of = pathmodel_predict_test(path, reference, dir).goodput;

	if (rate <= 0 || base <= 0 || share <= 0 || of <= 0)
		return 0;
	return fabs(log(rate / base) - log(share / of));
}

/* Since the last visit of the reference a rate was far off its prediction: perhaps the
 * line has changed meanwhile. */
static bool may_have_changed(const struct smart *s)
{
	int last = s->count - 1;

	while (last >= 0 && !s->known[last].reference)
		last--;
	for (int i = last + 1; last >= 0 && i < s->count; i++) {
		for (int dir = 0; dir < DIR_COUNT; dir++) {
			if (surprise_of(s, &s->known[i], &s->known[last],
					(enum direction)dir) > log1p(s->options.margin))
				return true;
		}
	}
	return false;
}

static bool after_check(struct smart *s)
{
	const struct recommendation *v = &s->recommendation;
	int left = PLAN_SMART_VISITS - s->count;

	if (plan_contradiction(s))
		return true;
	if (s->stage == STAGE_CHECK && v->why != REASON_IN_FRAGMENTS &&
	    v->why != REASON_NONE_ARRIVES && begin_rates(s))
		return true;
	s->stage = STAGE_RATES;
	if (left > 0 && may_have_changed(s)) {
		enqueue_visit(s, &s->reference, true);
		return true;
	}
	/* Visits that cannot settle the recommendation waste time. But a few that agree
	 * may show that noise is lower than it seemed, and settle it sooner. */
	return left > 0 && v->needed <= HOPE * left && plan_duel(s);
}

static bool decide_next(struct smart *s)
{
	s->queued = 0;
	s->taken = 0;
	if (!consider_known(s))
		return false;
	if (s->stage == STAGE_CHECK || s->stage == STAGE_RATES)
		return after_check(s);
	if (s->stage == STAGE_SEARCH) {
		if (refine_edges(s))
			return true;
		s->stage = STAGE_PROVE;
		enqueue_visit(s, &s->reference, true);
		return true;
	}
	return visits_of(s, &s->recommendation.rival) < 4 && plan_duel(s);
}

static bool take_visit(struct smart *s, struct visit *ret)
{
	if (s->stage == STAGE_SEARCH && s->since_reference >= REFERENCE_EVERY) {
		*ret = (struct visit){.mtu = s->reference, .reference = true};
		s->since_reference = 0;
		return true;
	}
	*ret = s->queue[s->taken++];
	s->since_reference++;
	return true;
}

static bool smart_next(struct plan *plan, struct visit *ret)
{
	struct smart *s = (struct smart *)plan;

	if (s->stage == STAGE_DONE || s->count == PLAN_SMART_VISITS_MAX)
		return false;
	if (s->taken == s->queued && !decide_next(s)) {
		s->stage = STAGE_DONE;
		return false;
	}
	take_visit(s, &s->now);
	s->now.pass = visits_of(s, &s->now.mtu) + 1;
	for (int dir = 0; dir < DIR_COUNT; dir++)
		s->now.lost[dir] = s->stage <= STAGE_RATES &&
				   is_lost(s, &s->now.mtu, (enum direction)dir);
	s->named = true;
	*ret = s->now;
	return true;
}

static void smart_learn(struct plan *plan, const struct measurement *m)
{
	struct smart *s = (struct smart *)plan;
	struct measurement *known = &s->known[s->count++];

	*known = *m;
	known->reference = s->now.reference;
	s->named = false;
}

static int smart_total(const struct plan *plan)
{
	const struct smart *s = (const struct smart *)plan;

	return s->count + s->named + s->queued - s->taken;
}

static void smart_free(struct plan *plan)
{
	free(plan);
}

static const struct plan_ops smart_ops = {
	.next = smart_next,
	.learn = smart_learn,
	.total = smart_total,
	.free = smart_free,
};

int plan_smart_new(const struct plan_smart_options *options, struct plan **ret,
		   struct err *err)
{
	enum pathmodel_rest rest;
	struct smart *s;

	if (!mtu_range_count(&options->server) || !mtu_range_count(&options->peer))
		return err_set(err, -EINVAL,
			       "nothing to measure: a range of MTUs is empty");
	s = calloc(1, sizeof(*s));
	if (!s)
		return err_set(err, -ENOMEM, "out of memory for a plan");
	s->plan.ops = &smart_ops;
	s->options = *options;
	s->random = options->seed;
	rest = pathmodel_rest(&options->path, &options->server, &options->peer,
			      &s->reference);
	if (pathmodel_candidate(&options->path, &options->server, &options->peer,
				&s->reference))
		begin_check(s);
	else if (rest != PATHMODEL_OPEN)
		begin_unfit(s, rest);
	else
		begin_search(s);
	*ret = &s->plan;
	return 0;
}

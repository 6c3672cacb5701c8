/* SPDX-License-Identifier: MIT */
#include "engine/pathwatch.h"

void pathwatch_init(struct pathwatch *watch, const struct pathwatch_config *config)
{
	*watch = (struct pathwatch){.config = *config};
}

bool pathwatch_flaps(const struct pathwatch *watch, int64_t now_ms)
{
	return now_ms < watch->flaps_till_ms;
}

/* An MTU that is known of both ends' probes: neither 0 nor MTU_UNKNOWN. */
static bool is_less(int a, int b)
{
	return a && b && a != MTU_UNKNOWN && b != MTU_UNKNOWN && a < b;
}

static bool pair_less(const struct mtu_pair *a, const struct mtu_pair *b)
{
	return is_less(a->server, b->server) || is_less(a->peer, b->peer);
}

/* --- the flapping --- */

static int least_of(int a, int b)
{
	return is_less(b, a) || !a ? b : a;
}

static void note_least(struct pathwatch *watch, const struct mtu_pair *largest)
{
	watch->least.server = least_of(watch->least.server, largest->server);
	watch->least.peer = least_of(watch->least.peer, largest->peer);
}

/* Return true if it falls again, after it has fallen and risen a short time ago. */
static bool note_course(struct pathwatch *watch, const struct path_probe *probe,
			int64_t now_ms)
{
	bool falls = pair_less(&probe->largest, &watch->base.largest);
	bool again = falls && watch->fell && watch->rose &&
		     now_ms - watch->fell_ms < PATHWATCH_MEMORY_MS;

	if (falls) {
		watch->fell = true;
		watch->fell_ms = now_ms;
		watch->rose = false;
	} else if (pair_less(&watch->base.largest, &probe->largest)) {
		watch->rose = true;
	}
	if (again)
		watch->flaps_till_ms = now_ms + PATHWATCH_MEMORY_MS;
	return again;
}

/* --- the news --- */

static enum path_probe_event fit_event(enum path_probe_fit before,
				       enum path_probe_fit now)
{
	if (now == PROBE_MISFIT && before != PROBE_MISFIT)
		return EVENT_MISFIT;
	return now == PROBE_FITS && before == PROBE_MISFIT ? EVENT_FITS : EVENT_MOVED;
}

/* The news of a confirmed change. While the path flaps only a new low is any. */
static enum path_probe_event
change_event(struct pathwatch *watch, const struct path_probe *probe, int64_t now_ms)
{
	bool flapped = pathwatch_flaps(watch, now_ms);
	struct mtu_pair least = watch->least;

	if (note_course(watch, probe, now_ms) && !flapped) {
		watch->least = probe->largest;
		note_least(watch, &watch->base.largest);
		return EVENT_FLAPS;
	}
	if (!flapped)
		return fit_event(watch->base.fit, probe->fit);
	note_least(watch, &probe->largest);
	if (!pair_less(&probe->largest, &least))
		return EVENT_QUIET;
	return probe->fit == PROBE_MISFIT ? EVENT_MISFIT : EVENT_MOVED;
}

/* Take this answer for what the path is. What it leaves open stays as it was known. */
static void take_base(struct pathwatch *watch, const struct path_probe *probe,
		      int64_t now_ms)
{
	struct path_probe before = watch->base;

	watch->base = *probe;
	watch->since_ms = now_ms;
	watch->suspect.seq = 0;
	watch->again = 0;
	if (!before.seq)
		return;
	if (probe->fit == PROBE_FIT_UNKNOWN)
		watch->base.fit = before.fit;
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		if (!probe->dir[dir].count)
			watch->base.dir[dir] = before.dir[dir];
	}
}

/* Ask again at once, but not for ever: a path without two equal probes stays suspected
 * until the next interval. */
static bool may_ask_again(struct pathwatch *watch)
{
	if (++watch->again <= PATHWATCH_AGAIN_MAX)
		return true;
	watch->again = 0;
	return false;
}

static void feed_none(struct pathwatch *watch, struct pathwatch_step *ret)
{
	watch->suspect.seq = 0;
	watch->again = 0;
	if (++watch->none == 1) {
		ret->again = true;
	} else if (!watch->silent) {
		watch->silent = true;
		ret->event = EVENT_SILENT;
	}
}

static void feed_first(struct pathwatch *watch, const struct path_probe *probe,
		       int64_t now_ms, struct pathwatch_step *ret)
{
	if (probe->fit == PROBE_MISFIT)
		ret->event = EVENT_MISFIT;
	take_base(watch, probe, now_ms);
}

static void feed_answer(struct pathwatch *watch, const struct path_probe *probe,
			int64_t now_ms, struct pathwatch_step *ret)
{
	if (path_probe_same(&watch->base, probe)) {
		int64_t since_ms = watch->since_ms;

		take_base(watch, probe, now_ms);
		watch->since_ms = since_ms;
	} else if (watch->suspect.seq && path_probe_same(&watch->suspect, probe)) {
		ret->event = change_event(watch, probe, now_ms);
		take_base(watch, probe, now_ms);
	} else {
		watch->suspect = *probe;
		ret->again = may_ask_again(watch);
	}
}

/* --- the MTUs to apply --- */

static int wanted_mtu(int current, int largest, bool may_rise)
{
	if (is_less(largest, current) || (may_rise && is_less(current, largest)))
		return largest;
	return current;
}

static void want_mtus(const struct pathwatch *watch, const struct path_probe *probe,
		      int64_t now_ms, struct pathwatch_step *ret)
{
	bool may_rise = !pathwatch_flaps(watch, now_ms) &&
			now_ms - watch->since_ms >= watch->config.settle_ms;
	const struct mtu_pair *now = &probe->current;
	struct mtu_pair want = {
		wanted_mtu(now->server, probe->largest.server, may_rise),
		wanted_mtu(now->peer, probe->largest.peer, may_rise),
	};

	if (!watch->config.applies || !want.server || !want.peer ||
	    mtu_pair_same(&want, now))
		return;
	if (watch->tried && now_ms - watch->tried_ms < watch->config.settle_ms)
		return;
	ret->apply = want;
}

void pathwatch_feed(struct pathwatch *watch, const struct path_probe *probe,
		    int64_t now_ms, struct pathwatch_step *ret)
{
	bool was_silent = watch->silent;

	*ret = (struct pathwatch_step){.event = EVENT_QUIET, .before = watch->base};
	if (probe->answer == PROBE_BUSY)
		return;
	if (probe->answer == PROBE_NONE) {
		feed_none(watch, ret);
		return;
	}
	watch->none = 0;
	watch->silent = false;
	if (!watch->base.seq)
		feed_first(watch, probe, now_ms, ret);
	else
		feed_answer(watch, probe, now_ms, ret);
	if (was_silent && ret->event == EVENT_QUIET)
		ret->event = EVENT_BACK;
	if (!watch->suspect.seq)
		want_mtus(watch, probe, now_ms, ret);
}

void pathwatch_tried(struct pathwatch *watch, const struct mtu_pair *mtu, bool ok,
		     int64_t now_ms)
{
	watch->tried = true;
	watch->tried_ms = now_ms;
	if (!ok)
		return;
	watch->base.current = *mtu;
	watch->base.fit = PROBE_FITS;
}

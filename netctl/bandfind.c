/* SPDX-License-Identifier: MIT */
/* The choice of the sizes to probe next, and the bands that the results give. */
#include "netctl/bandfind.h"

#include <limits.h>
#include <math.h>
#include <string.h>

/* How often a size is sent whose fate could not be seen. */
#define UNKNOWN_TRIES 3
/* The chance of a wrong judgement of one size, and its logarithm. */
#define DOUBT     0.001
#define LOG_DOUBT 6.9
/* With fewer losses a size is not lost for sure. */
#define LOSSES_SURE 3
/* The share of packets that a size passes if it passes sometimes: two lines, packet by
 * packet. */
#define SOMETIMES 0.5
/* The chance that a new size gets lost by accident, at most. */
#define LOST_SELDOM 0.03
/* Sizes of a round of which some copies were lost, the lowest ones: if one passes
 * sometimes, larger ones need no proof. */
#define UNCLEAR_MAX 3

/*
 * Sizes at which paths usually change: IPv6's least MTU (RFC 8200), tunnels in tunnels,
 * PPPoE (1492), Ethernet. Above it, links with jumbo frames.
 */
static const int usual[] = {1280, 1400, 1440, 1460, 1480, 1492, 1500, 3000, 6000, 9000};

/* --- the list --- */

static struct bandfind_size *look_up(struct bandfind *find, int size)
{
	for (int i = 0; i < find->count; i++) {
		if (find->sizes[i].size == size)
			return &find->sizes[i];
	}
	return NULL;
}

static int unit_of(const struct bandfind *find)
{
	return find->config.unit > 1 ? find->config.unit : 1;
}

/* Add a size to send, or the next smaller one that can be sent, unless it is listed
 * already. */
static void want_size(struct bandfind *find, int size)
{
	int at = 0;

	if (size >= find->config.min)
		size -= (size - find->config.min) % unit_of(find);

	if (size < find->config.min || size > find->config.max || look_up(find, size) ||
	    find->count == (int)(sizeof(find->sizes) / sizeof(find->sizes[0])))
		return;
	while (at < find->count && find->sizes[at].size < size)
		at++;
	memmove(&find->sizes[at + 1], &find->sizes[at],
		(size_t)(find->count - at) * sizeof(find->sizes[0]));
	find->sizes[at] = (struct bandfind_size){.size = size};
	find->count++;
}

void bandfind_init(struct bandfind *find, const struct bandfind_config *config)
{
	int limit = config->sender_mtu ? config->sender_mtu : config->max;

	*find = (struct bandfind){.config = *config};
	if (config->min > usual[0])
		want_size(find, config->min);
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
		if (usual[i] <= limit)
			want_size(find, usual[i]);
	}
	if (config->sender_mtu) {
		want_size(find, config->sender_mtu);
		want_size(find, config->sender_mtu + unit_of(find));
	}
	want_size(find, config->max);
	for (int i = 0; i < find->count; i++)
		find->sizes[i].listed = true;
}

/* --- chance --- */

/* How often a path loses a packet, before anything is known of it. */
static const struct {
	double loss;
	double weight;
} usual_loss[] = {
	{0.001, 0.36}, {0.005, 0.24}, {0.01, 0.15}, {0.02, 0.10}, {0.05, 0.07},
	{0.10, 0.04},  {0.20, 0.02},  {0.35, 0.01}, {0.50, 0.01},
};

#define LOSSES (sizeof(usual_loss) / sizeof(usual_loss[0]))

/* The smallest size that arrives: its losses are chance. NULL: none. */
static const struct bandfind_size *smallest(const struct bandfind *find)
{
	for (int i = 0; i < find->count; i++) {
		if (find->sizes[i].arrived > 0)
			return &find->sizes[i];
	}
	return NULL;
}

/* The chance of these arrivals and losses of a size that passes `share` of the packets
 * that chance leaves. */
static double chance_of(const struct bandfind *find, const struct bandfind_size *s,
			double share, int arrived, int lost)
{
	const struct bandfind_size *least = smallest(find);
	bool split = s->seen == FATE_FRAGMENTED ||
		     (find->config.sender_mtu && s->size > find->config.sender_mtu);
	double all = 0;
	double sum = 0;

	for (size_t i = 0; i < LOSSES; i++) {
		double pass = 1 - usual_loss[i].loss;
		double weight = usual_loss[i].weight;

		if (least && least != s)
			weight *= pow(pass, least->arrived) *
				  pow(1 - pass, least->sent - least->arrived);
		all += weight;
		/* Both fragments must arrive. */
		pass = share * (split ? pass * pass : pass);
		sum += weight * pow(pass, arrived) * pow(1 - pass, lost);
	}
	return sum / all;
}

/* The logarithm of how much likelier it is that the size passes sometimes than always,
 * if `more` further copies arrive. */
static double doubt_of(const struct bandfind *find, const struct bandfind_size *s,
		       int more)
{
	int lost = s->sent - s->arrived;

	return log(chance_of(find, s, SOMETIMES, s->arrived + more, lost) /
		   chance_of(find, s, 1, s->arrived + more, lost));
}

static bool passes_sometimes(const struct bandfind *find, const struct bandfind_size *s)
{
	return s->arrived > 0 && s->sent > s->arrived && s != smallest(find) &&
	       doubt_of(find, s, 0) >= LOG_DOUBT;
}

/* True when the loss of all copies, and of `more`, would not be chance. */
static bool is_lost_for_sure(const struct bandfind *find, const struct bandfind_size *s,
			     int more)
{
	return s->sent + more >= LOSSES_SURE &&
	       chance_of(find, s, 1, 0, s->sent + more) < DOUBT;
}

/* The smallest size that passes sometimes; INT_MAX: none. */
static int find_sometimes(const struct bandfind *find)
{
	for (int i = 0; i < find->count; i++) {
		if (passes_sometimes(find, &find->sizes[i]))
			return find->sizes[i].size;
	}
	return INT_MAX;
}

/* `sometimes`: from this size on, those that arrive whole are lost, too, unless the
 * reverse is proved. */
static enum fate judge_size(const struct bandfind *find, const struct bandfind_size *s,
			    int sometimes)
{
	if (s->sent == 0)
		return FATE_UNKNOWN;
	if (s->arrived == 0 || passes_sometimes(find, s))
		return FATE_LOST;
	if (s->seen == FATE_WHOLE && s->size >= sometimes &&
	    doubt_of(find, s, 0) > -LOG_DOUBT)
		return FATE_LOST;
	return s->seen;
}

/* --- the known sizes --- */

static bool is_open(const struct bandfind_size *s)
{
	return s->sent == 0 && s->unseen < UNKNOWN_TRIES;
}

struct view {
	const struct bandfind *find;
	const struct bandfind_size *at[2 * BANDFIND_HARD];
	enum fate fate[2 * BANDFIND_HARD];
	int count;
	int unit;      /* sizes that can be sent differ by it */
	int sometimes; /* see find_sometimes() */
};

/* Collect the sizes whose fate is known, or may yet be. A size whose fate stays unknown
 * between neighbours that agree is no edge. */
static void collect_sizes(const struct bandfind *find, struct view *ret)
{
	const struct bandfind_size *sizes = find->sizes;
	enum fate fates[2 * BANDFIND_HARD];

	*ret = (struct view){
		.find = find, .unit = unit_of(find), .sometimes = find_sometimes(find)};
	for (int i = 0; i < find->count; i++)
		fates[i] = judge_size(find, &sizes[i], ret->sometimes);
	for (int i = 0; i < find->count; i++) {
		bool between = i > 0 && i + 1 < find->count &&
			       fates[i - 1] == fates[i + 1];

		if (fates[i] == FATE_UNKNOWN && !is_open(&sizes[i]) && between)
			continue;
		ret->at[ret->count] = &sizes[i];
		ret->fate[ret->count++] = fates[i];
	}
}

static bool fates_differ(const struct view *view, int low)
{
	return view->fate[low] != view->fate[low + 1];
}

static bool is_closed(const struct view *view, int low)
{
	return view->at[low + 1]->size - view->at[low]->size <= view->unit;
}

/* The end of the first `part` of `parts` of the gap above it, as near as can be sent. */
static int cut(const struct view *view, int low, int part, int parts)
{
	int gap = view->at[low + 1]->size - view->at[low]->size;

	return view->at[low]->size + gap * part / parts / view->unit * view->unit;
}

static bool arrives_above(const struct view *view, int i)
{
	for (i++; i < view->count; i++) {
		if (view->at[i]->arrived > 0)
			return true;
	}
	return false;
}

/* True when the loss at `i` decides something, and may be an accident. */
static bool is_doubtful_loss(const struct view *view, int i)
{
	bool below = i > 0 && fates_differ(view, i - 1);
	bool above = i + 1 < view->count && fates_differ(view, i);

	if (is_lost_for_sure(view->find, view->at[i], 0))
		return false;
	/* Larger sizes that arrive, and the sender's fragments, show that the first
	 * losses are no black hole. */
	if (view->at[i]->listed && (arrives_above(view, i) ||
				    view->at[i]->size > view->find->config.sender_mtu))
		return true;
	if (i == 0 || (below && (above || i + 1 == view->count)))
		return true;
	return (below && is_closed(view, i - 1)) || (above && is_closed(view, i));
}

/* True when the arrival at `i` decides something, and other packets of the size may be
 * lost. */
static bool is_doubtful_arrival(const struct view *view, int i)
{
	bool last = i + 1 == view->count;
	double by;

	if (view->at[i] == smallest(view->find) || view->fate[i] == FATE_LOST)
		return false;
	by = doubt_of(view->find, view->at[i], 0);
	if (by <= -LOG_DOUBT)
		return false;
	if (by > 0 || view->sometimes < INT_MAX)
		return true;
	return view->fate[i] == FATE_WHOLE &&
	       (last || (fates_differ(view, i) && is_closed(view, i)));
}

/* True when the size must be sent again, or for the first time. */
static bool is_due(const struct view *view, int i)
{
	if (view->fate[i] == FATE_UNKNOWN)
		return is_open(view->at[i]);
	return view->at[i]->arrived ? is_doubtful_arrival(view, i)
				    : is_doubtful_loss(view, i);
}

/* The copies of a size that is sent for the first time: so many that they seldom all get
 * lost by chance. */
static int fresh_copies(const struct view *view)
{
	const struct bandfind_size any = {.size = 1};
	int copies = 1;

	if (view->sometimes < INT_MAX)
		return BANDFIND_COPIES / 2;
	while (smallest(view->find) && copies < BANDFIND_COPIES / 2 &&
	       chance_of(view->find, &any, 1, 0, copies) > LOST_SELDOM)
		copies++;
	return copies;
}

/* The copies that would remove the doubt, if all had the fate of those before. */
static int needed_copies(const struct view *view, int i)
{
	const struct bandfind_size *s = view->at[i];
	int copies = 1;

	if (s->sent == 0)
		return fresh_copies(view);
	while (copies < BANDFIND_COPIES &&
	       (s->arrived ? doubt_of(view->find, s, copies) > -LOG_DOUBT
			   : !is_lost_for_sure(view->find, s, copies)))
		copies++;
	return copies;
}

/* If the lowest known size did not arrive whole, return the smallest possible size,
 * when that is smaller; else 0. */
static int descend_lowest(const struct view *view)
{
	if (view->count == 0 || view->fate[0] == FATE_WHOLE || is_due(view, 0) ||
	    view->at[0]->size == view->find->config.min)
		return 0;
	return view->find->config.min;
}

static int room_left(const struct bandfind *find)
{
	int left = BANDFIND_SOFT - find->sent;

	if (left > BANDFIND_ROUND)
		left = BANDFIND_ROUND;
	if (find->sent >= BANDFIND_HARD || find->packets >= BANDFIND_PACKETS)
		return 0;
	return find->config.one_by_one || left < 1 ? 1 : left;
}

/* The sizes of a round. */
struct round {
	int *sizes;
	int count;
	int limit;
	int copies;
};

static void add_to_round(struct round *round, int size, int copies)
{
	if (!size || round->count == round->limit)
		return;
	round->sizes[round->count++] = size;
	if (copies > round->copies)
		round->copies = copies;
}

/* Add the sizes that cut the gap above `i`, unless the gap is closed, holds no edge, or is
 * not certain yet. */
static void cut_gap(const struct view *view, int i, int parts, struct round *round,
		    int copies)
{
	int last = view->at[i]->size;

	if (i + 1 >= view->count || !fates_differ(view, i) || is_closed(view, i) ||
	    is_due(view, i) || is_due(view, i + 1))
		return;
	for (int part = 1; part < parts; part++) {
		int size = cut(view, i, part, parts);

		if (size > last)
			add_to_round(round, size, copies);
		last = size;
	}
}

/* Where each size takes many copies, packets take longer than rounds. */
static int choose_parts(const struct view *view, const struct round *round, int copies)
{
	if (view->find->config.parts < 2 || round->limit == 1 || copies > 1)
		return 2;
	return view->find->config.parts;
}

/* Add the smallest size that arrives, whose losses are compared with those of the
 * others. */
static void add_smallest(const struct view *view, struct round *round)
{
	const struct bandfind_size *least = smallest(view->find);
	int at = 0;

	if (!least || round->count == BANDFIND_ROUND || view->find->config.one_by_one)
		return;
	while (at < round->count && round->sizes[at] < least->size)
		at++;
	if (at < round->count && round->sizes[at] == least->size)
		return;
	memmove(&round->sizes[at + 1], &round->sizes[at],
		(size_t)(round->count - at) * sizeof(round->sizes[0]));
	round->sizes[at] = least->size;
	round->count++;
}

static bool is_burst(const struct round *round)
{
	int bytes = 0;

	for (int i = 0; i < round->count; i++)
		bytes += round->sizes[i];
	return round->copies * round->count > BANDFIND_BURST ||
	       round->copies * bytes > BANDFIND_BURST_BYTES;
}

int bandfind_next(const struct bandfind *find, int ret[BANDFIND_ROUND], int *ret_copies)
{
	struct round round = {.sizes = ret, .limit = room_left(find), .copies = 1};
	bool losses = false;
	int unclear = 0;
	struct view view;
	int fresh, parts;

	collect_sizes(find, &view);
	fresh = fresh_copies(&view);
	parts = choose_parts(&view, &round, fresh);
	add_to_round(&round, descend_lowest(&view), fresh);
	for (int i = 0; i < view.count; i++) {
		bool due = is_due(&view, i);
		bool lossy = due && view.at[i]->sent > view.at[i]->arrived;

		unclear += lossy && view.at[i]->arrived > 0;
		if (due && unclear <= UNCLEAR_MAX) {
			losses |= lossy;
			add_to_round(&round, view.at[i]->size, needed_copies(&view, i));
		}
		cut_gap(&view, i, parts, &round, fresh);
	}
	if (losses && round.count > 0)
		add_smallest(&view, &round);
	while (round.copies > 1 && is_burst(&round))
		round.copies--;
	*ret_copies = find->config.one_by_one ? BANDFIND_COPIES : round.copies;
	return round.count;
}

static void note_arrivals(const struct bandfind *find, struct bandfind_size *s,
			  enum fate fate, int arrived)
{
	/* The sender's kernel fragmented it; something on the way reassembled it. */
	if (fate == FATE_WHOLE && find->config.sender_mtu &&
	    s->size > find->config.sender_mtu)
		fate = FATE_FRAGMENTED;
	s->arrived += arrived;
	if (arrived && s->seen != FATE_FRAGMENTED)
		s->seen = fate;
}

void bandfind_learn(struct bandfind *find, int size, enum fate fate, int copies,
		    int arrived)
{
	struct bandfind_size *s;

	want_size(find, size);
	s = look_up(find, size);
	find->sent += !s || !s->sent || s != smallest(find);
	find->packets += copies;
	if (!s)
		return;
	if (fate == FATE_UNKNOWN) {
		s->unseen++;
		return;
	}
	if (fate == FATE_LOST || arrived < 0)
		arrived = 0;
	/* The path may deliver a packet twice. */
	if (arrived > copies)
		arrived = copies;
	s->sent += copies;
	note_arrivals(find, s, fate, arrived);
}

void bandfind_learn_late(struct bandfind *find, int size, enum fate fate, int arrived)
{
	struct bandfind_size *s = look_up(find, size);

	if (!s || arrived < 1)
		return;
	if (arrived > s->sent - s->arrived)
		arrived = s->sent - s->arrived;
	if (fate == FATE_UNKNOWN || fate == FATE_LOST)
		s->sent -= arrived;
	else
		note_arrivals(find, s, fate, arrived);
}

void bandfind_lower_sender_mtu(struct bandfind *find, int mtu)
{
	if (find->config.sender_mtu && mtu >= find->config.sender_mtu)
		return;
	find->config.sender_mtu = mtu;
	while (find->count > 0 && find->sizes[find->count - 1].size > mtu)
		find->count--;
	want_size(find, mtu);
	want_size(find, mtu + unit_of(find));
	want_size(find, find->config.max);
}

/* --- the result --- */

/* Add all known bands; an edge that stayed open becomes a band of FATE_UNKNOWN. Of sizes
 * that were not sent, only this is taken for granted: those below the smallest sent one
 * arrive whole if it does; those above the largest have its fate if it does not. */
static int add_bands(const struct view *view, struct path_bands *ret)
{
	int lowest = view->at[0]->size;
	int last = view->count - 1;
	int r = 0;

	if (view->fate[0] != FATE_WHOLE && lowest > 1)
		r = path_bands_add(ret, lowest - 1, FATE_UNKNOWN);
	for (int i = 0; r == 0 && i < last; i++) {
		r = path_bands_add(ret, view->at[i]->size, view->fate[i]);
		if (r == 0 && fates_differ(view, i) && !is_closed(view, i))
			r = path_bands_add(ret, view->at[i + 1]->size - 1,
					   FATE_UNKNOWN);
	}
	if (r == 0 && view->fate[last] == FATE_WHOLE &&
	    view->at[last]->size < OUTER_SIZE_MAX) {
		r = path_bands_add(ret, view->at[last]->size, FATE_WHOLE);
		if (r == 0)
			r = path_bands_add(ret, OUTER_SIZE_MAX, FATE_UNKNOWN);
	} else if (r == 0) {
		r = path_bands_add(ret, OUTER_SIZE_MAX, view->fate[last]);
	}
	return r;
}

/* View only the sizes that were sent: the others give no evidence. */
static void view_learned(const struct bandfind *find, struct view *ret)
{
	struct view all;

	collect_sizes(find, &all);
	/* What lies between two sizes is unknown, also where none can be sent. */
	*ret = (struct view){.find = find, .unit = 1, .sometimes = all.sometimes};
	for (int i = 0; i < all.count; i++) {
		if (all.at[i]->sent == 0 && all.at[i]->unseen == 0)
			continue;
		ret->at[ret->count] = all.at[i];
		/* The search ended before the losses could be judged. */
		ret->fate[ret->count++] = all.at[i]->sent > all.at[i]->arrived &&
							  is_due(&all, i)
						  ? FATE_UNKNOWN
						  : all.fate[i];
	}
}

void bandfind_result(const struct bandfind *find, struct path_bands *ret)
{
	struct view view;

	*ret = (struct path_bands){0};
	view_learned(find, &view);
	if (view.count == 0)
		return;
	/* There is no room for more bands: all sizes above become unknown. */
	if (add_bands(&view, ret) < 0)
		ret->band[ret->count - 1] =
			(struct path_band){OUTER_SIZE_MAX, FATE_UNKNOWN};
}

struct bandfind_sometimes bandfind_sometimes(const struct bandfind *find)
{
	struct bandfind_sometimes sum = {0};

	for (int i = 0; i < find->count; i++) {
		const struct bandfind_size *s = &find->sizes[i];

		if (!passes_sometimes(find, s))
			continue;
		if (!sum.low)
			sum.low = s->size;
		sum.high = s->size;
		sum.sent += s->sent;
		sum.arrived += s->arrived;
	}
	return sum;
}

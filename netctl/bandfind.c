/* SPDX-License-Identifier: MIT */
/* The choice of the sizes to probe next, and the bands that the results give. */
#include "netctl/bandfind.h"

#include <string.h>

/* How often a size is sent whose fate could not be seen. */
#define UNKNOWN_TRIES 3
/* From this number on, losses are no accident. */
#define LOSSES_SURE 2

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

/* Add a size to send, unless it is listed already or cannot be sent. */
static void want(struct bandfind *find, int size)
{
	int at = 0;

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
		want(find, config->min);
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
		if (usual[i] <= limit)
			want(find, usual[i]);
	}
	if (config->sender_mtu) {
		want(find, config->sender_mtu);
		want(find, config->sender_mtu + 1);
	}
	want(find, config->max);
}

/* --- the known sizes --- */

static bool is_open(const struct bandfind_size *s)
{
	return s->fate == FATE_UNKNOWN && s->sent < UNKNOWN_TRIES;
}

/* Collect the sizes whose fate is known, or may yet be. A size whose fate stays unknown
 * between neighbours that agree is no edge. */
static int collect(const struct bandfind *find, const struct bandfind_size **ret)
{
	const struct bandfind_size *sizes = find->sizes;
	int count = 0;

	for (int i = 0; i < find->count; i++) {
		bool between = i > 0 && i + 1 < find->count &&
			       sizes[i - 1].fate == sizes[i + 1].fate;

		if (sizes[i].fate != FATE_UNKNOWN || is_open(&sizes[i]) || !between)
			ret[count++] = &sizes[i];
	}
	return count;
}

struct view {
	const struct bandfind_size *at[2 * BANDFIND_HARD];
	int count;
};

static bool differ(const struct view *view, int low)
{
	return view->at[low]->fate != view->at[low + 1]->fate;
}

static bool is_closed(const struct view *view, int low)
{
	return view->at[low + 1]->size == view->at[low]->size + 1;
}

/* True when the loss at `i` decides something, and may be an accident. */
static bool is_doubtful(const struct view *view, int i)
{
	bool below = i > 0 && differ(view, i - 1);
	bool above = i + 1 < view->count && differ(view, i);

	if (view->at[i]->fate != FATE_LOST || view->at[i]->losses >= LOSSES_SURE)
		return false;
	if (i == 0 || (below && (above || i + 1 == view->count)))
		return true;
	return (below && is_closed(view, i - 1)) || (above && is_closed(view, i));
}

/* True when the size must be sent again, or for the first time. */
static bool is_due(const struct view *view, int i)
{
	return is_open(view->at[i]) || is_doubtful(view, i);
}

/* The middle of the gap above `i`; 0: the gap is closed, holds no edge, or is not
 * certain yet. */
static int halve(const struct view *view, int i)
{
	if (i + 1 >= view->count || !differ(view, i) || is_closed(view, i) ||
	    is_due(view, i) || is_due(view, i + 1))
		return 0;
	return (view->at[i]->size + view->at[i + 1]->size) / 2;
}

/* If the lowest known size did not arrive whole, return the smallest possible size,
 * when that is smaller; else 0. */
static int descend(const struct bandfind *find, const struct view *view)
{
	const struct bandfind_size *lowest = view->count > 0 ? view->at[0] : NULL;

	if (!lowest || lowest->fate == FATE_WHOLE || is_due(view, 0) ||
	    lowest->size == find->config.min)
		return 0;
	return find->config.min;
}

static int room(const struct bandfind *find)
{
	int left = BANDFIND_SOFT - find->sent;

	if (find->sent >= BANDFIND_HARD)
		return 0;
	return find->config.one_by_one || left < 1 ? 1 : left;
}

int bandfind_next(const struct bandfind *find, int ret[BANDFIND_ROUND])
{
	int limit = room(find);
	struct view view;
	int count = 0;
	int size;

	view.count = collect(find, view.at);
	size = limit > 0 ? descend(find, &view) : 0;
	if (size)
		ret[count++] = size;
	for (int i = 0; i < view.count && count < limit; i++) {
		if (is_due(&view, i))
			ret[count++] = view.at[i]->size;
		size = halve(&view, i);
		if (size && count < limit)
			ret[count++] = size;
	}
	return count;
}

void bandfind_learn(struct bandfind *find, int size, enum fate fate)
{
	struct bandfind_size *s;

	find->sent++;
	want(find, size);
	s = look_up(find, size);
	if (!s)
		return;
	s->sent++;
	s->losses += fate == FATE_LOST;
	/* An unseen fate does not replace one that was seen before. */
	if (fate != FATE_UNKNOWN)
		s->fate = fate;
}

void bandfind_lower_sender_mtu(struct bandfind *find, int mtu)
{
	if (find->config.sender_mtu && mtu >= find->config.sender_mtu)
		return;
	find->config.sender_mtu = mtu;
	while (find->count > 0 && find->sizes[find->count - 1].size > mtu)
		find->count--;
	want(find, mtu);
	want(find, mtu + 1);
	want(find, find->config.max);
}

/* --- the result --- */

/* Add all known bands; an edge that stayed open becomes a band of FATE_UNKNOWN. */
static int add_bands(const struct view *view, struct path_bands *ret)
{
	const struct bandfind_size *lowest = view->at[0];
	int r = 0;

	if (lowest->fate != FATE_WHOLE && lowest->size > 1)
		r = path_bands_add(ret, lowest->size - 1, FATE_UNKNOWN);
	for (int i = 0; r == 0 && i < view->count; i++) {
		bool last = i + 1 == view->count;
		bool same = !last && !differ(view, i);

		r = path_bands_add(ret, last ? OUTER_SIZE_MAX : view->at[i]->size,
				   view->at[i]->fate);
		if (r == 0 && !last && !same && !is_closed(view, i))
			r = path_bands_add(ret, view->at[i + 1]->size - 1,
					   FATE_UNKNOWN);
	}
	return r;
}

/* View only the sizes that were sent: the others give no evidence. */
static void view_learned(const struct bandfind *find, struct view *ret)
{
	struct view all;

	all.count = collect(find, all.at);
	ret->count = 0;
	for (int i = 0; i < all.count; i++) {
		if (all.at[i]->sent > 0)
			ret->at[ret->count++] = all.at[i];
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

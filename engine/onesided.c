/* SPDX-License-Identifier: MIT */
/* The proofs that one end alone can give. */
#include "engine/onesided.h"

#include <stdlib.h>
#include <string.h>

#define LOOKS 4
/* WireGuard's */
#define PADDING 16

struct edges {
	int at[LOOKS * PATH_BANDS_MAX + 2];
	int count;
};

static int compare_ints(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void add_edges(struct edges *edges, const struct path_bands *bands)
{
	for (int i = 0; i < bands->count; i++)
		edges->at[edges->count++] = bands->band[i].max;
}

/* The sizes at which any look changes. */
static void collect_edges(const struct onesided_looks *looks, struct edges *ret)
{
	*ret = (struct edges){0};
	add_edges(ret, &looks->trip);
	add_edges(ret, &looks->there);
	add_edges(ret, &looks->outside);
	add_edges(ret, &looks->back);
	if (looks->too_big)
		ret->at[ret->count++] = looks->too_big;
	ret->at[ret->count++] = OUTER_SIZE_MAX;
	qsort(ret->at, (size_t)ret->count, sizeof(ret->at[0]), compare_ints);
}

static bool arrives(enum fate fate)
{
	return fate == FATE_WHOLE || fate == FATE_FRAGMENTED;
}

/* True when the answer to an echo of this outer size is known to come back: the far end
 * pads it, and splits what exceeds its MTU. */
static bool comes_back(const struct onesided_looks *looks, int size)
{
	int back = (size - looks->overhead + PADDING - 1) / PADDING * PADDING;

	if (looks->back_ends && back > looks->largest_back)
		return arrives(looks->largest_fate);
	return arrives(path_bands_fate(&looks->back, looks->overhead + back));
}

/* The same of an answer outside the tunnel, which the far end does not split. */
static bool comes_back_whole(const struct onesided_looks *looks, int size)
{
	return arrives(path_bands_fate(&looks->back, size));
}

/* The fate on the way there, as the packets of the tunnel show it. */
static enum fate fate_inside(const struct onesided_looks *looks, int size)
{
	enum fate trip = path_bands_fate(&looks->trip, size);
	enum fate there = path_bands_fate(&looks->there, size);

	if (arrives(trip))
		return trip;
	if (looks->there.count)
		return there;
	return trip == FATE_LOST && comes_back(looks, size) ? FATE_LOST : FATE_UNKNOWN;
}

/* Packets of the size arrive; true if the endpoint's silence shows fragments. */
static bool is_split(const struct onesided_looks *looks, int size)
{
	if (looks->too_big && size > looks->too_big)
		return true;
	/* Its answer may have been lost on the way back. */
	return path_bands_fate(&looks->outside, size) == FATE_LOST &&
	       comes_back_whole(looks, size);
}

static enum fate fate_there(const struct onesided_looks *looks, int size)
{
	enum fate fate = fate_inside(looks, size);

	if (fate != FATE_WHOLE || !looks->outside.count)
		return fate;
	return is_split(looks, size) ? FATE_FRAGMENTED : FATE_WHOLE;
}

static void join_looks(const struct onesided_looks *looks, struct path_bands *ret)
{
	struct edges edges;
	int last = 0;

	collect_edges(looks, &edges);
	for (int i = 0; i < edges.count; i++) {
		if (edges.at[i] == last)
			continue;
		last = edges.at[i];
		if (path_bands_add(ret, last, fate_there(looks, last)) == 0)
			continue;
		/* No room: what lies above is not claimed. */
		ret->band[ret->count - 1] =
			(struct path_band){OUTER_SIZE_MAX, FATE_UNKNOWN};
		return;
	}
}

/* The largest size so that it and all smaller ones do not get lost. */
static int arrives_up_to(const struct path_bands *bands)
{
	int max = 0;

	for (int i = 0; i < bands->count && arrives(bands->band[i].fate); i++)
		max = bands->band[i].max;
	return max;
}

/* The largest size seen to arrive whole, below which some may not have been seen. */
static int whole_up_to(const struct path_bands *bands)
{
	int max = 0;

	for (int i = 0; i < bands->count; i++) {
		if (bands->band[i].fate != FATE_WHOLE)
			return max;
		max = bands->band[i].max;
	}
	return max;
}

static void judge_proof(const struct onesided_looks *looks, struct onesided *ret)
{
	int whole = whole_up_to(&ret->there);

	if (!whole)
		return;
	ret->proof = ONESIDED_ARRIVES;
	if (path_bands_fate(&looks->outside, whole) == FATE_WHOLE)
		ret->proof = ONESIDED_WHOLE;
}

/* The fate of the next known size above. */
static enum fate next_fate(const struct path_bands *bands, int size)
{
	for (int i = 0; i < bands->count; i++) {
		if (bands->band[i].max > size && bands->band[i].fate != FATE_UNKNOWN)
			return bands->band[i].fate;
	}
	return FATE_UNKNOWN;
}

/* Without a look from outside, a router that fragments download is thought to do the same
 * to upload. */
static int assume_fragments(const struct onesided_looks *looks,
			    const struct onesided *r)
{
	int back = whole_up_to(&looks->back);

	if (r->proof != ONESIDED_ARRIVES || !back || back >= whole_up_to(&r->there) ||
	    next_fate(&looks->back, back) != FATE_FRAGMENTED)
		return 0;
	return back;
}

/* True if a size above `low`, up to `high`, is known to be lost. */
static bool loses_within(const struct path_bands *bands, int low, int high)
{
	int from = 1;

	for (int i = 0; i < bands->count; i++) {
		if (bands->band[i].fate == FATE_LOST && from <= high &&
		    bands->band[i].max > low)
			return true;
		from = bands->band[i].max + 1;
	}
	return false;
}

/* Compare what arrives through the tunnel with what the endpoint answers. Silence above a
 * size that a router's message or loss on the way back explains is no difference. */
static void compare_looks(const struct onesided_looks *looks, struct onesided *ret)
{
	int outside = whole_up_to(&looks->outside);
	int tunnel = arrives_up_to(&looks->trip);
	bool silent;

	if (arrives_up_to(&looks->there) > tunnel)
		tunnel = arrives_up_to(&looks->there);
	if (tunnel > looks->outside_max)
		tunnel = looks->outside_max;
	if (outside > looks->outside_max)
		outside = looks->outside_max;
	if (!outside || !tunnel)
		return;
	silent = outside < looks->outside_max && !looks->too_big &&
		 comes_back_whole(looks, outside + 1);
	if (tunnel >= outside && !(silent && tunnel > outside))
		return;
	/* Between two sizes of a search in steps nothing is known. */
	if (tunnel < outside && !loses_within(&looks->trip, tunnel, outside) &&
	    !loses_within(&looks->there, tunnel, outside))
		return;
	ret->differ.tunnel = tunnel;
	ret->differ.outside = outside;
}

static int smaller_of(int a, int b)
{
	return a < b ? a : b;
}

/* True if some larger size is known not to arrive whole. */
static bool falls_above(const struct path_bands *bands, int size)
{
	for (int i = 0; i < bands->count; i++) {
		if (bands->band[i].max > size &&
		    (bands->band[i].fate == FATE_LOST ||
		     bands->band[i].fate == FATE_FRAGMENTED))
			return true;
	}
	return false;
}

static void judge_mtus(const struct onesided_looks *looks, struct onesided *ret)
{
	int there = whole_up_to(&ret->there);
	int back = whole_up_to(&looks->back);
	int seen = looks->overhead + looks->largest_back;

	if (ret->assumed)
		there = ret->assumed;
	if (there > looks->overhead)
		ret->own_mtu = there - looks->overhead;
	if (ret->own_mtu >= looks->size_max) {
		ret->own_mtu = looks->size_max;
		ret->own_is_limit = true;
	}
	if (!looks->largest_back || back <= looks->overhead)
		return;
	/* Its MTU is no multiple of the padding, perhaps: that packet was seen, too. */
	if (looks->back_ends && looks->largest_fate == FATE_WHOLE &&
	    back + PADDING > seen)
		back = seen;
	ret->far_is_limit = !falls_above(&looks->back, back);
	ret->far_is_present = ret->far_is_limit && looks->back_ends;
	ret->far_mtu = smaller_of(back, seen) - looks->overhead;
}

static void judge_mss(struct onesided *ret)
{
	int mtu = ret->own_mtu;

	/* A far end that sends no more by itself needs no clamp. */
	if (ret->far_mtu && ret->far_mtu < mtu && !ret->far_is_present)
		mtu = ret->far_mtu;
	if (mtu <= IPV6_TCP)
		return;
	ret->mss[0] = mtu - IPV4_TCP;
	ret->mss[1] = mtu - IPV6_TCP;
}

/* True when the round trip loses a size of which no look shows the way. */
static bool loses_unknown(const struct onesided_looks *looks,
			  const struct path_bands *there)
{
	int edge = arrives_up_to(there);
	int above = path_bands_known_above(&looks->trip, edge);

	return edge && above && path_bands_fate(&looks->trip, above) == FATE_LOST &&
	       path_bands_fate(there, above) == FATE_UNKNOWN;
}

void onesided_judge(const struct onesided_looks *looks, struct onesided *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (looks->trip.count || looks->there.count)
		join_looks(looks, &ret->there);
	ret->back = looks->back;
	ret->either_way = loses_unknown(looks, &ret->there);
	judge_proof(looks, ret);
	ret->assumed = assume_fragments(looks, ret);
	compare_looks(looks, ret);
	judge_mtus(looks, ret);
	judge_mss(ret);
}

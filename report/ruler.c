/* SPDX-License-Identifier: MIT */
#include "report/ruler.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

/* A path with a single edge is shown with this much around it. */
#define SPAN_MIN 100
/* The range is this part of the span larger on each side, */
#define MARGIN_PART 8
/* and has about so many multiples of its step. */
#define STEPS 8

static int overhead_of(const struct ruler_facts *facts, int dir)
{
	int overhead = facts->path.overhead[dir];

	return overhead ? overhead : PATH_OVERHEAD_IPV4;
}

/* Return the first of 5, 10, 20, 50, 100, ... that is not below a part of the span. */
static int round_step(int span)
{
	static const int factors[] = {1, 2, 5};
	int power = 1;

	for (int i = 2;; i++) {
		int step = factors[i % 3] * power;

		if (step * STEPS >= span)
			return step;
		if (i % 3 == 2)
			power *= 10;
	}
}

/* The size of the sender's largest packets; 0: there is no mark, or its MTU is unknown. */
static int mark_size(const struct ruler_facts *facts, int mark, enum direction dir)
{
	int mtu = mtu_pair_sender(&facts->mark[mark], dir);

	return mtu && mtu != MTU_UNKNOWN ? mtu + overhead_of(facts, dir) : 0;
}

static void widen(int size, int *min, int *max)
{
	if (size < *min)
		*min = size;
	if (size > *max)
		*max = size;
}

/* False: nothing is known. */
static bool find_span(const struct ruler_facts *facts, int *min, int *max)
{
	bool known = false;

	for (int d = 0; d < DIR_COUNT; d++) {
		const struct path_bands *bands = &facts->path.dir[d];

		known |= bands->count > 0;
		for (int b = 0; b + 1 < bands->count; b++)
			widen(bands->band[b].max, min, max);
		for (int m = 0; m < HEATMAP_MARKS; m++) {
			int size = mark_size(facts, m, (enum direction)d);

			if (m != HEATMAP_FASTEST && size)
				widen(size, min, max);
		}
	}
	return known;
}

static void set_range(int min, int max, struct ruler *ruler)
{
	int margin;

	/* Only fates that all sizes share: show where tunnels usually are. */
	if (min > max)
		min = max = 1500 - SPAN_MIN / 2;
	if (max - min < SPAN_MIN) {
		int more = SPAN_MIN - (max - min);

		min -= more / 2;
		max += more - more / 2;
	}
	margin = (max - min) / MARGIN_PART;
	ruler->step = round_step(max - min + 2 * margin);
	ruler->from = (min - margin) / ruler->step * ruler->step;
	ruler->to = (max + margin + ruler->step - 1) / ruler->step * ruler->step;
	if (ruler->from < 0)
		ruler->from = 0;
}

/* Cut the bands to the range. */
static void make_bands(const struct path_bands *bands, const struct ruler *ruler,
		       struct ruler_dir *ret)
{
	int from = ruler->from;

	for (int b = 0; b < bands->count; b++) {
		int to = bands->band[b].max;

		if (to < from)
			continue;
		if (to > ruler->to || b == bands->count - 1)
			to = ruler->to;
		ret->band[ret->bands++] =
			(struct ruler_band){from, to, bands->band[b].fate};
		from = to + 1;
		if (from > ruler->to)
			break;
	}
}

static void make_dir(const struct ruler_facts *facts, enum direction dir,
		     struct ruler *ruler)
{
	struct ruler_dir *ret = &ruler->dir[dir];

	ret->overhead = overhead_of(facts, dir);
	ret->guessed = facts->guessed[dir];
	ret->doubted = path_is_doubted(&facts->path, dir);
	make_bands(&facts->path.dir[dir], ruler, ret);
	for (int m = 0; m < HEATMAP_MARKS; m++) {
		int size = mark_size(facts, m, dir);

		if (size && size >= ruler->from && size <= ruler->to)
			ret->mark[m] = size;
	}
}

void ruler_make(const struct ruler_facts *facts, struct ruler *ret)
{
	int min = INT_MAX;
	int max = 0;

	*ret = (struct ruler){.predicted = facts->predicted};
	if (!find_span(facts, &min, &max))
		return;
	set_range(min, max, ret);
	for (int d = 0; d < DIR_COUNT; d++)
		make_dir(facts, (enum direction)d, ret);
}

double ruler_place(const struct ruler *ruler, double size)
{
	double place = (size - ruler->from) / (ruler->to - ruler->from);

	return fmin(fmax(place, 0), 1);
}

/* --- labels --- */

/* Move the labels apart: to the right, and what leaves the ruler there back. */
static void spread(struct ruler_label *labels, int count, double width, double room)
{
	for (int i = 1; i < count; i++)
		labels[i].at = fmax(labels[i].at, labels[i - 1].at + room);
	for (int i = count - 1; i >= 0; i--)
		labels[i].at = fmin(labels[i].at,
				    i + 1 < count ? labels[i + 1].at - room : width);
}

static bool is_free(const struct ruler_label *labels, int count, double at, double room)
{
	for (int i = 0; i < count; i++) {
		if (fabs(labels[i].at - at) < room)
			return false;
	}
	return true;
}

static int by_place(const void *a, const void *b)
{
	const struct ruler_label *x = a;
	const struct ruler_label *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

int ruler_labels(const struct ruler *ruler, enum direction dir, double width,
		 double room, struct ruler_label ret[RULER_LABELS_MAX])
{
	const struct ruler_dir *d = &ruler->dir[dir];
	int most = (int)(width / room) + 1;
	int count = 0;

	for (int b = 0; b + 1 < d->bands && count < most; b++) {
		int size = d->band[b].to;

		ret[count++] = (struct ruler_label){
			width * ruler_place(ruler, size + 0.5), size, true};
	}
	spread(ret, count, width, room);
	for (int size = ruler->from; size <= ruler->to; size += ruler->step) {
		double at = width * ruler_place(ruler, size);

		if (count < RULER_LABELS_MAX && is_free(ret, count, at, room))
			ret[count++] = (struct ruler_label){at, size, false};
	}
	qsort(ret, (size_t)count, sizeof(*ret), by_place);
	return count;
}

/* --- words --- */

bool ruler_has_fate(const struct ruler *ruler, enum fate fate)
{
	for (int d = 0; d < DIR_COUNT; d++) {
		const struct ruler_dir *dir = &ruler->dir[d];

		if (fate == FATE_UNKNOWN && dir->bands == 0)
			return true;
		for (int b = 0; b < dir->bands; b++) {
			if (dir->band[b].fate == fate)
				return true;
		}
	}
	return false;
}

const char *ruler_title(enum direction dir)
{
	return dir == DIR_UPLOAD ? "Upload, peer to server"
				 : "Download, server to peer";
}

const char *ruler_doubt(const struct ruler_dir *dir)
{
	if (dir->bands == 0)
		return " (not known)";
	if (dir->guessed)
		return " (inferred from throughput)";
	return dir->doubted ? " (fragments would not be seen)" : "";
}

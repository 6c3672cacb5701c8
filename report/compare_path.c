/* SPDX-License-Identifier: MIT */
#include "report/compare_path.h"

#include <errno.h>
#include <string.h>

struct edge {
	enum fate below;
	enum fate above;
	struct compare_size size;
	bool joined; /* with an edge of the other run */
};

struct edges {
	int count;
	struct edge edge[PATH_BANDS_MAX];
};

/* Between two bands of the same fate with an unknown one between them is no edge. */
static void find_edges(const struct path_bands *bands, struct edges *ret)
{
	const struct path_band *below = NULL;

	ret->count = 0;
	for (int i = 0; i < bands->count; i++) {
		const struct path_band *band = &bands->band[i];

		if (band->fate == FATE_UNKNOWN)
			continue;
		if (below && below->fate != band->fate)
			ret->edge[ret->count++] = (struct edge){
				.below = below->fate,
				.above = band->fate,
				.size = {below->max, bands->band[i - 1].max},
			};
		below = band;
	}
}

static bool may_be_same(const struct edge *a, const struct edge *b)
{
	return a->size.low <= b->size.high && b->size.low <= a->size.high;
}

/* The edge of the other run with the same fates: at the same size, or at any. */
static struct edge *find_partner(struct edges *all, const struct edge *edge,
				 bool anywhere)
{
	for (int i = 0; i < all->count; i++) {
		struct edge *other = &all->edge[i];

		if (!other->joined && other->below == edge->below &&
		    other->above == edge->above &&
		    (anywhere || may_be_same(edge, other)))
			return other;
	}
	return NULL;
}

static void drop_same(struct edges *first, struct edges *second)
{
	for (int i = 0; i < first->count; i++) {
		struct edge *edge = &first->edge[i];
		struct edge *other = find_partner(second, edge, false);

		if (other)
			edge->joined = other->joined = true;
	}
}

static void add_edge(struct compare_path *ret, enum direction dir,
		     const struct edge *first, const struct edge *second)
{
	const struct edge *either = first ? first : second;

	ret->edge[ret->edges++] = (struct compare_edge){
		.dir = dir,
		.below = either->below,
		.above = either->above,
		.size = {first ? first->size : (struct compare_size){0},
			 second ? second->size : (struct compare_size){0}},
	};
}

static void compare_direction(enum direction dir, const struct path_bands *before,
			      const struct path_bands *now, struct compare_path *ret)
{
	struct edges first;
	struct edges second;

	find_edges(before, &first);
	find_edges(now, &second);
	drop_same(&first, &second);
	for (int i = 0; i < first.count; i++) {
		struct edge *edge = &first.edge[i];
		struct edge *other;

		if (edge->joined)
			continue;
		other = find_partner(&second, edge, true);
		if (other)
			other->joined = true;
		add_edge(ret, dir, edge, other);
	}
	for (int i = 0; i < second.count; i++) {
		if (!second.edge[i].joined)
			add_edge(ret, dir, NULL, &second.edge[i]);
	}
}

void compare_surveys(const struct path_survey *first, const struct path_survey *second,
		     struct compare_path *ret)
{
	const struct path_survey *const both[2] = {first, second};

	*ret = (struct compare_path){.known = {first, second}};
	for (int i = 0; i < 2; i++) {
		for (int dir = 0; both[i] && dir < DIR_COUNT; dir++) {
			ret->guessed[i][dir] = both[i]->path.dir[dir].count &&
					       !both[i]->probes[dir];
			ret->overhead[i][dir] = both[i]->path.overhead[dir];
		}
	}
	if (!first || !second)
		return;
	for (int i = 0; i < DIR_COUNT; i++) {
		enum direction dir = (enum direction)i;
		const struct path_bands *before = &first->path.dir[dir];
		const struct path_bands *now = &second->path.dir[dir];

		ret->doubt_differs |= path_is_doubted(&first->path, dir) !=
				      path_is_doubted(&second->path, dir);
		/* A direction without bands is unknown, not without edges. */
		if (before->count && now->count)
			compare_direction(dir, before, now, ret);
		else
			ret->unknown[dir] = true;
	}
}

int compare_paths(struct query *query, int64_t first, int64_t second,
		  struct compare_path *ret, struct err *err)
{
	struct path_survey survey[2];
	int r[2];

	r[0] = query_path(query, first, &survey[0], err);
	if (r[0] < 0 && r[0] != -ENODATA)
		return r[0];
	r[1] = query_path(query, second, &survey[1], err);
	if (r[1] < 0 && r[1] != -ENODATA)
		return r[1];
	compare_surveys(r[0] < 0 ? NULL : &survey[0], r[1] < 0 ? NULL : &survey[1],
			ret);
	return 0;
}

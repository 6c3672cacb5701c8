/* SPDX-License-Identifier: MIT */
/* A heatmap as a value: cells, edges, scales. */
#include "report/heatmap.h"

#include <math.h>
#include <stdlib.h>

void heatmap_release(struct heatmap *map)
{
	for (int p = 0; p < map->panels; p++)
		free(map->panel[p].cells);
	free(map->server.mtu);
	free(map->peer.mtu);
	*map = (struct heatmap){0};
}

struct heatmap_cell *heatmap_at(const struct heatmap *map, int panel, int i, int j)
{
	return &map->panel[panel]
			.cells[(size_t)i * (size_t)map->peer.count + (size_t)j];
}

void heatmap_predict(struct heatmap *map, enum direction dir, int i, int j,
		     enum fate fate)
{
	for (int p = 0; p < map->panels; p++) {
		const bool *shows = map->panel[p].shows;

		if (shows[dir] && shows[DIR_UPLOAD] != shows[DIR_DOWNLOAD])
			heatmap_at(map, p, i, j)->predicted = fate;
	}
}

void heatmap_add_edges(struct heatmap *map, enum direction dir, int overhead,
		       const struct path_bands *bands)
{
	map->path.overhead[dir] = overhead;
	map->path.dir[dir] = *bands;
	for (int b = 0; b + 1 < bands->count; b++) {
		if (map->edges == HEATMAP_EDGES_MAX)
			return;
		map->edge[map->edges++] = (struct heatmap_edge){
			.dir = dir,
			.size = bands->band[b].max,
			.mtu_sent = bands->band[b].max - overhead,
			.below = bands->band[b].fate,
			.above = bands->band[b + 1].fate,
		};
	}
}

void heatmap_ruler(const struct heatmap *map, struct ruler *ret)
{
	struct ruler_facts facts = {.path = map->path, .predicted = map->predicted};

	for (int d = 0; d < DIR_COUNT; d++)
		facts.guessed[d] = map->edges_guessed[d];
	for (int m = 0; m < HEATMAP_MARKS; m++) {
		if (map->mark[m].set)
			facts.mark[m] = map->mark[m].mtu;
	}
	ruler_make(&facts, ret);
}

double heatmap_round_step(double span)
{
	static const double factors[] = {1, 2, 2.5, 5, 10};
	double power = pow(10, floor(log10(span / 5)));
	int i = 0;

	while (i < 4 && factors[i] * power < span / 5 * 0.999)
		i++;
	return factors[i] * power;
}

struct heatmap_unit heatmap_unit(const struct heatmap_panel *panel)
{
	if (panel->figure == HEATMAP_LATENCY)
		return (struct heatmap_unit){"ms", 1e3};
	return (struct heatmap_unit){"Mbit/s", 1e6};
}

void heatmap_scale(const struct heatmap *map, int panel, int64_t *ret_low,
		   int64_t *ret_high)
{
	const struct heatmap_cell *cells = map->panel[panel].cells;
	int count = map->server.count * map->peer.count;
	double low = INFINITY;
	double high = 0;
	double step;

	for (int i = 0; i < count; i++) {
		if (cells[i].kind != HEATMAP_MEASURED)
			continue;
		low = fmin(low, (double)cells[i].value);
		high = fmax(high, (double)cells[i].value);
	}
	if (high < 1)
		high = heatmap_unit(&map->panel[panel]).size;
	low = low < high / 2 || !isfinite(low) ? 0 : high / 2;
	step = heatmap_round_step(high - low);
	*ret_low = (int64_t)(floor(low / step + 1e-9) * step);
	*ret_high = (int64_t)(ceil(high / step - 1e-9) * step);
}

double heatmap_fraction(const struct heatmap_panel *panel, int64_t value)
{
	double t = (double)(value - panel->low) / (double)(panel->high - panel->low);

	return fmin(fmax(t, 0), 1);
}

int heatmap_boundary(const struct heatmap_axis *axis, int mtu)
{
	int below = 0; /* all indices before it are at or below the MTU */
	int above = axis->count;

	while (below < above) {
		int middle = (below + above) / 2;

		if (axis->mtu[middle] <= mtu)
			below = middle + 1;
		else
			above = middle;
	}
	return below;
}

bool heatmap_find(const struct heatmap *map, const struct mtu_pair *mtu, int *ret_i,
		  int *ret_j)
{
	int i = heatmap_boundary(&map->server, mtu->server) - 1;
	int j = heatmap_boundary(&map->peer, mtu->peer) - 1;

	if (i < 0 || j < 0)
		return false;
	*ret_i = i;
	*ret_j = j;
	return true;
}

double heatmap_position(const struct heatmap_axis *axis, int mtu)
{
	int above = heatmap_boundary(axis, mtu);
	int below = above - 1;

	if (below < 0 || (above == axis->count && axis->mtu[below] != mtu))
		return NAN;
	if (above == axis->count)
		return below;
	return below +
	       (double)(mtu - axis->mtu[below]) / (axis->mtu[above] - axis->mtu[below]);
}

int heatmap_edge_confidence(const struct heatmap *map, const struct heatmap_edge *edge)
{
	if (!map->edges_guessed[edge->dir] || edge->above != FATE_FRAGMENTED)
		return 0;
	/* What is larger than a lost size and arrives does so in fragments. */
	for (int e = 0; e < map->edges; e++) {
		const struct heatmap_edge *other = &map->edge[e];

		if (other->dir == edge->dir && other->size <= edge->size &&
		    other->below == FATE_LOST)
			return 0;
	}
	return PATH_GUESS_CONFIDENCE;
}

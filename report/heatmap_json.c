/* SPDX-License-Identifier: MIT */
#include "report/heatmap_json.h"

#include "report/runjson.h"

/* Append to an array; either may be NULL without memory. */
static json_t *array_with(json_t *array, json_t *value)
{
	if (array && json_array_append_new(array, value) == 0)
		return array;
	json_decref(array);
	return NULL;
}

static json_t *axis_array(const struct heatmap_axis *axis)
{
	json_t *array = json_array();

	for (int i = 0; i < axis->count; i++)
		array = array_with(array, runjson_mtu(axis->mtu[i]));
	return array;
}

static json_t *status_of(const struct heatmap_cell *cell)
{
	switch (cell->kind) {
	case HEATMAP_MEASURED:
		return json_string(test_status_name(TEST_OK));
	case HEATMAP_FAILED:
		return json_string(test_status_name(cell->status));
	case HEATMAP_BLANK:
		break;
	}
	return json_null();
}

static json_t *cell_object(const struct heatmap *map, int panel, int i, int j)
{
	const struct heatmap_cell *cell = heatmap_at(map, panel, i, j);

	bool latency = map->panel[panel].figure == HEATMAP_LATENCY;

	return json_pack("{so so so so so}", "server_mtu",
			 runjson_mtu(map->server.mtu[i]), "peer_mtu",
			 runjson_mtu(map->peer.mtu[j]), "status", status_of(cell),
			 latency ? "latency_us" : "rate_bps",
			 cell->kind == HEATMAP_MEASURED ? json_integer(cell->value)
							: json_null(),
			 "predicted",
			 cell->predicted == FATE_UNKNOWN
				 ? json_null()
				 : json_string(fate_name(cell->predicted)));
}

static json_t *map_object(const struct heatmap *map, int panel)
{
	const struct heatmap_panel *p = &map->panel[panel];
	json_t *cells = json_array();

	for (int i = 0; i < map->server.count; i++) {
		for (int j = 0; j < map->peer.count; j++)
			cells = array_with(cells, cell_object(map, panel, i, j));
	}
	bool latency = p->figure == HEATMAP_LATENCY;

	return json_pack("{ss sI sI so}", "title", p->title,
			 latency ? "low_us" : "low_bps", (json_int_t)p->low,
			 latency ? "high_us" : "high_bps", (json_int_t)p->high, "cells",
			 cells);
}

static json_t *mark_object(const struct heatmap_mark *mark)
{
	return mark->set ? runjson_pair(&mark->mtu) : json_null();
}

static json_t *marks_object(const struct heatmap *map)
{
	json_t *object = json_object();

	for (int m = 0; m < HEATMAP_MARKS; m++)
		json_object_set_new(object, signs[m].name, mark_object(&map->mark[m]));
	return object;
}

static json_t *edge_object(const struct heatmap *map, const struct heatmap_edge *edge)
{
	int confidence = heatmap_edge_confidence(map, edge);

	return json_pack("{ss si ss ss ss so}", "direction", direction_name(edge->dir),
			 "size", edge->size, "below", fate_name(edge->below), "above",
			 fate_name(edge->above), "told_from",
			 map->edges_guessed[edge->dir] ? "throughput" : "probes",
			 "confidence_percent",
			 confidence ? json_integer(confidence) : json_null());
}

json_t *heatmap_json(const struct heatmap *map, json_t *run)
{
	json_t *maps = json_array();
	json_t *edges = json_array();

	for (int p = 0; p < map->panels; p++)
		maps = array_with(maps, map_object(map, p));
	for (int e = 0; e < map->edges; e++)
		edges = array_with(edges, edge_object(map, &map->edge[e]));
	return json_pack("{so so so so so so}", "run", run, "server_mtus",
			 axis_array(&map->server), "peer_mtus", axis_array(&map->peer),
			 "maps", maps, "marks", marks_object(map), "edges", edges);
}

#ifndef REPORT_HEATMAP_JSON_H
#define REPORT_HEATMAP_JSON_H

#include <jansson.h>

#include "report/heatmap.h"

/*
 * A map's content, under the names of docs/schema.md: "server_mtus" and "peer_mtus", the
 * "maps" with their scale and a cell for each pair, row by row of the server's MTUs from
 * the smallest, "marks", and the path's "edges". A cell that was not measured has a null
 * status, what is not predicted is null too.
 *
 * `run` is taken over, and becomes "run". A new object, freed with json_decref(); NULL:
 * out of memory.
 */
json_t *heatmap_json(const struct heatmap *map, json_t *run);

#endif

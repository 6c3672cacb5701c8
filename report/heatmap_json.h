/* SPDX-License-Identifier: MIT */
#ifndef REPORT_HEATMAP_JSON_H
#define REPORT_HEATMAP_JSON_H

#include <jansson.h>

#include "report/heatmap.h"

/*
 * A map's content under the names of docs/schema.md: "server_mtus" and "peer_mtus"; the
 * "maps" with their scale and a cell for each pair, row by row from the smallest server
 * MTU; "marks"; and the path's "edges". A cell without a measurement has a null status;
 * a missing prediction is null too.
 *
 * The function takes ownership of `run`, which becomes "run". It returns a new object,
 * freed with json_decref(), or NULL without memory.
 */
json_t *heatmap_json(const struct heatmap *map, json_t *run);

#endif

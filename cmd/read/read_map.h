/* SPDX-License-Identifier: MIT */
#ifndef CMD_READ_READ_MAP_H
#define CMD_READ_READ_MAP_H

#include "report/heatmap.h"

/*
 * heatmap_load(), and what the path does to TCP's full-size segments in each cell, as far
 * as the run knows its path. Of what it does not know, the edges are those that its rates
 * tell: its cells show already what they would let expect. Not of a run so large that the
 * time it takes would be noticed.
 */
int read_map_load(struct query *query, const struct query_run *run,
		  const struct heatmap_options *options, struct heatmap *ret,
		  struct err *err);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef CMD_RUN_RUNMAP_H
#define CMD_RUN_RUNMAP_H

#include <stdio.h>

#include "report/heatmap.h"

/*
 * heatmap_load(), and what the path does to TCP's full-size segments in each cell, as
 * far as the run knows its path. Directions that were not probed get edges from the
 * rates, but no predictions: their cells show the rates already. A run so large that
 * this takes a noticeable time gets none.
 */
int runmap_load(struct query *query, const struct query_run *run,
		const struct heatmap_options *options, struct heatmap *ret,
		struct err *err);

/* Print the map for a reader of `fd`: in the colours and the width of a terminal, else in
 * letters. */
void runmap_print(const struct heatmap *map, int fd, FILE *out);
/* Print an empty line and the path's rulers; nothing if the path is unknown. */
void runmap_print_path(const struct heatmap *map, int fd, FILE *out);

#endif

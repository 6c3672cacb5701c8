/* SPDX-License-Identifier: MIT */
#ifndef CMD_READ_TABLE_H
#define CMD_READ_TABLE_H

#include <stdio.h>

#include "base/clock.h"
#include "report/compare.h"
#include "report/compare_path.h"
#include "report/history.h"
#include "store/query.h"

/*
 * The reader program's output of runs and results: lines for people, in columns. Text
 * that came from hosts is made harmless for terminals. The caller finds errors of `out`
 * with ferror().
 */

/* A line a run, for query_runs(); the heading before the first. */
void table_runs_heading(FILE *out);
void table_run_line(FILE *out, const struct query_run *run);

/* All of a run's row, a few lines. */
void table_run(FILE *out, const struct query_run *run);
void table_warning(FILE *out, const struct warning *w);
/* The pair, its reason and its warnings; for version 1 the stored text. */
void table_recommended(FILE *out, const struct query_recommendation *recommended);
/* Print the evidence of a recommendation as it is stored. */
void table_lines(FILE *out, const char *text);

/* A line a pair; a direction that failed has its status in place of a rate. */
void table_results_heading(FILE *out);
void table_result_line(FILE *out, const struct query_result *result);

/* The requested result, in two lines. */
void table_best(FILE *out, const struct query_result *result);

/* "2026-11-22 12:20:39" */
void table_time(int64_t at_ms, char ret[CLOCK_ISO_SIZE]);

/* A watch over time: its run, a heading, and a line a stretch. Sizes are those of outer
 * packets, up to which all arrive whole; pairs are those in use and the largest that
 * fits. */
void table_history_heading(FILE *out, const struct query_run *run);
void table_stretch(FILE *out, const struct history_stretch *stretch);

/* Print the differences between the first run and the second. */
void table_comparison(FILE *out, const struct query_run runs[2],
		      const struct comparison *comparison,
		      const struct compare_path *path);

#endif

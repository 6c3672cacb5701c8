/* SPDX-License-Identifier: MIT */
#ifndef REPORT_RUNJSON_H
#define REPORT_RUNJSON_H

#include <jansson.h>
#include <stdio.h>

#include "store/query.h"

/*
 * Stored runs as JSON: the values of docs/schema.md under its names, null for unknown
 * values, rates in bit/s, times in ISO 8601 UTC. docs/export.schema.json describes an
 * export. Text is UTF-8; if a stored text is not, its bytes outside ASCII become '?'.
 *
 * Texts may come from anybody. The two functions below therefore print ASCII alone, so
 * that no text controls a terminal.
 */

/* The members "format" and "version" of an export. The version is raised whenever what an
 * export has changes its meaning. */
#define RUNJSON_FORMAT  "mtusweep"
#define RUNJSON_VERSION 1

/* `flags` are jansson's. Errors of `out` are left for the caller to find with ferror(). */
void runjson_dumpf(const json_t *value, FILE *out, size_t flags);
/* As text, freed by the caller; NULL: out of memory. */
char *runjson_dumps(const json_t *value, size_t flags);

/* New objects, freed with json_decref(); NULL: out of memory. */
/* A time in ISO 8601. */
json_t *runjson_time(int64_t at_ms);
/* A list of "size_max" and "fate". */
json_t *runjson_bands(const struct path_bands *bands);
/* An MTU; null: it is not known. */
json_t *runjson_mtu(int mtu);
/* A pair; null: there is none. */
json_t *runjson_pair(const struct mtu_pair *mtu);
/* How many of a run's visits; null where they were not counted. */
json_t *runjson_count(const struct query_run *run, int visits);
json_t *runjson_run(const struct query_run *run);
json_t *runjson_result(const struct query_result *result);
/* The figures that the page shows: name, label and unit of each (base/figures.h). */
json_t *runjson_figures(void);
json_t *runjson_measurement(const struct measurement *m);
/* A warning: its columns, null for those that its kind does not use, and "sentence". */
json_t *runjson_warning(const struct warning *w);
/* Pair (both null: there is none to set, as where tests contradict one end's, which then
 * is the pair "contradicted"), "settled", "text", "warnings", and "reason": { "kind",
 * "sentence", "margin", "visits", "rival", "upload", "download" }, the kind alone if an
 * older version kept no figures. */
json_t *runjson_recommended(const struct query_recommendation *r);
/* The same, read from the database; null: the run recommends nothing, as where one end
 * alone knows no MTU. */
int runjson_recommendation(struct query *query, int64_t run, json_t **ret,
			   struct err *err);

/*
 * Lists are written element by element, whatever their length:
 *
 *	struct runjson_list list = {.out = stdout};
 *	query_results(query, run, runjson_put_result, &list, err);
 *
 * writes what stands between the brackets. -ENOMEM; errors of `out` are left for the
 * caller to find with ferror().
 */
struct runjson_list {
	FILE *out;
	bool begun;
};

int runjson_put_run(void *list, const struct query_run *run);
int runjson_put_result(void *list, const struct query_result *result);
int runjson_put_measurement(void *list, const struct measurement *m);
int runjson_put_probe(void *list, const struct path_probe *probe);
int runjson_put_warning(void *list, const struct query_warning *w);

/* "run", "warnings", "recommendation", "one_end", "results" and "path" of a run, as an
 * object: what show has. */
int runjson_show(struct query *query, const struct query_run *run, FILE *out,
		 struct err *err);
/* The same of a run of this database, as a text. The caller frees *ret, which is untouched
 * on failure. */
int runjson_text(const char *db, int64_t run, char **ret, struct err *err);

/* Everything of a run. -EIO and others when `out` cannot be written. */
int runjson_export(struct query *query, const struct query_run *run, FILE *out,
		   struct err *err);

#endif

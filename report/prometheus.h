/* SPDX-License-Identifier: MIT */
#ifndef REPORT_PROMETHEUS_H
#define REPORT_PROMETHEUS_H

#include <stdio.h>

#include "store/query.h"

/*
 * A run in Prometheus' text format, fit for node_exporter's textfile collector: no
 * timestamps, base units (bytes, seconds). Failed directions have no rate, only counts.
 */

/* The run alone, then its pairs as well. -EIO and others when `out` cannot be written. */
int prometheus_export_run(struct query *query, const struct query_run *run, FILE *out,
			  struct err *err);
int prometheus_export(struct query *query, const struct query_run *run, FILE *out,
		      struct err *err);

/* Write the server's own metrics: its version, and 1 while a session is open. */
void prometheus_put_server(FILE *out, const char *version, bool session_open);

#endif

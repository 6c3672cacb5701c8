#ifndef STORE_PROMETHEUS_H
#define STORE_PROMETHEUS_H

#include <stdio.h>

#include "store/query.h"

/*
 * A run in Prometheus' text format, fit for node_exporter's textfile collector: no
 * timestamps, base units (bytes, seconds). Failed directions have no rate, only counts.
 */

/* -EIO and others when `out` cannot be written. */
int prometheus_export(struct query *query, const struct query_run *run, FILE *out,
		      struct err *err);

#endif

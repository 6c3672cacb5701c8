/* SPDX-License-Identifier: MIT */
#ifndef REPORT_POSTGRES_H
#define REPORT_POSTGRES_H

#include <stdio.h>

#include "store/query.h"

/*
 * Runs as a script for psql, which loads them into the tables of
 * contrib/postgres/schema.sql in one transaction. It has COPY ... FROM stdin, and ends with
 * the script's own count of runs stored, replaced and known. The same script again changes
 * nothing.
 */

/* One run. -EMEDIUMTYPE: the file is of an older version; errors of query_table(); -EIO and
 * others when `out` cannot be written. */
int postgres_export(struct query *query, const struct query_run *run, FILE *out,
		    struct err *err);
/* All runs of the file. */
int postgres_export_all(struct query *query, FILE *out, struct err *err);

#endif

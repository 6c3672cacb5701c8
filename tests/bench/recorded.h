/* SPDX-License-Identifier: MIT */
#ifndef TESTS_BENCH_RECORDED_H
#define TESTS_BENCH_RECORDED_H

#include <stddef.h>

#include "base/err.h"
#include "engine/plan.h"
#include "store/csvread.h"

/*
 * A recorded sweep that answers visits as a network would, with the pair's records one
 * after another; after the last it begins again with the first. A pair that was not
 * recorded is an error.
 *
 * A rate of at most 1 % of its direction's median (of those above 0) counts as lost:
 * programs that do not detect a black hole record the few bytes that came before it.
 */

/* A pair and its records. */
struct recorded_cell {
	struct mtu_pair mtu;
	struct measurement **record;
	size_t records;
	size_t used;
	double rate[DIR_COUNT]; /* bit/s, mean of the records; 0: all lost */
};

struct recorded {
	struct csv_log log;
	struct measurement **sorted;
	struct recorded_cell *cells; /* sorted by server MTU, then by peer MTU */
	size_t count;
	struct mtu_range server;
	struct mtu_range peer;
};

/* Errors of import_read(); -ENOMEM. Release *ret in any case. */
int recorded_load(const char *file, struct recorded *ret, struct err *err);
void recorded_release(struct recorded *recorded);

/* NULL: the pair was not recorded. */
struct recorded_cell *recorded_find(const struct recorded *recorded,
				    const struct mtu_pair *mtu);

/* Answer the visit with number `seq`, from 1. Its times are invented, its goodput is
 * the received rate. */
void recorded_visit(const struct recorded *recorded, const struct visit *visit,
		    size_t seq, struct measurement *ret);

/* Return the median, 0 without values. Sorts them. */
double recorded_median(double *values, size_t count);

#endif

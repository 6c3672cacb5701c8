#ifndef TESTS_BENCH_RECORDED_H
#define TESTS_BENCH_RECORDED_H

#include <stddef.h>

#include "base/err.h"
#include "engine/plan.h"
#include "store/csvread.h"

/*
 * A recorded sweep that answers visits as a network would: with what was recorded for the
 * pair, one record after the other where there are several, from the first again after the
 * last. A pair that was not recorded is an error.
 *
 * What is at most 1 % of its direction's median (of what got through) is lost: programs
 * that do not tell a black hole record the few bytes that came before it.
 */

/* A pair and its records. */
struct recorded_cell {
	struct mtu_pair mtu;
	struct measurement **record;
	size_t records;
	size_t used;
	double rate[DIR_COUNT]; /* bit/s, mean of the records; 0: lost in all */
};

struct recorded {
	struct csv_log log;
	struct measurement **sorted;
	struct recorded_cell *cells; /* by server, then by peer MTU */
	size_t count;
	struct mtu_range server;
	struct mtu_range peer;
};

/* -ENOENT and others of reading a file; -EINVAL for what is no log, or one without a
 * pair; -ENOMEM. To be released in any case. */
int recorded_load(const char *file, struct recorded *ret, struct err *err);
void recorded_release(struct recorded *recorded);

/* NULL: it was not recorded. */
struct recorded_cell *recorded_find(const struct recorded *recorded,
				    const struct mtu_pair *mtu);

/* The visit that is number `seq`, from 1. Its times are made up, its goodput is what was
 * received. */
void recorded_visit(const struct recorded *recorded, const struct visit *visit,
		    size_t seq, struct measurement *ret);

/* 0 for none. Sorts them. */
double recorded_median(double *values, size_t count);

#endif

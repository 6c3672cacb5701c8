/* SPDX-License-Identifier: MIT */
/* A plan without the visits that were measured before. */
#include "engine/plan_rest.h"

#include <errno.h>
#include <stdlib.h>

struct rest {
	struct plan plan;
	struct plan *whole;
	struct visit pending; /* the next visit without a measurement */
	bool is_pending;
	int made; /* visits measured since the resume */
	int count;
	/* one measurement for each visit, in the order of compare_done() */
	const struct measurement *done[];
};

static int compare_ints(int a, int b)
{
	return (a > b) - (a < b);
}

static int compare_visits(const struct measurement *a, const struct measurement *b)
{
	int by = compare_ints(a->pass, b->pass);

	if (by == 0)
		by = compare_ints(a->mtu.server, b->mtu.server);
	return by ? by : compare_ints(a->mtu.peer, b->mtu.peer);
}

/* Among the measurements of one visit, those that are ok come first. */
static int compare_done(const void *a, const void *b)
{
	const struct measurement *x = *(const struct measurement *const *)a;
	const struct measurement *y = *(const struct measurement *const *)b;
	int by = compare_visits(x, y);

	return by ? by
		  : compare_ints(measurement_status(x) != TEST_OK,
				 measurement_status(y) != TEST_OK);
}

/* Sort, and keep the first measurement of each visit, except visits to be measured
 * again. */
static void settle_visits(struct rest *rest, bool repeat_failed)
{
	int kept = 0;

	qsort(rest->done, (size_t)rest->count, sizeof(rest->done[0]), compare_done);
	for (int i = 0; i < rest->count; i++) {
		const struct measurement *m = rest->done[i];

		if (kept > 0 && compare_visits(rest->done[kept - 1], m) == 0)
			continue;
		rest->done[kept++] = m;
	}
	rest->count = kept;
	if (!repeat_failed)
		return;
	kept = 0;
	for (int i = 0; i < rest->count; i++) {
		if (measurement_status(rest->done[i]) == TEST_OK)
			rest->done[kept++] = rest->done[i];
	}
	rest->count = kept;
}

static const struct measurement *find_done(const struct rest *rest,
					   const struct visit *visit)
{
	struct measurement key = {.pass = visit->pass, .mtu = visit->mtu};
	int low = 0;
	int high = rest->count;

	while (low < high) {
		int middle = low + (high - low) / 2;
		int by = compare_visits(rest->done[middle], &key);

		if (by == 0)
			return rest->done[middle];
		if (by < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* Tell the plan all known results at once: a plan that decides by results needs them
 * for plan_total(). */
static void catch_up(struct rest *rest)
{
	const struct measurement *m;

	rest->is_pending = plan_next(rest->whole, &rest->pending);
	while (rest->is_pending && (m = find_done(rest, &rest->pending))) {
		plan_learn(rest->whole, m);
		rest->is_pending = plan_next(rest->whole, &rest->pending);
	}
}

static bool rest_next(struct plan *plan, struct visit *ret)
{
	struct rest *rest = (struct rest *)plan;

	if (!rest->is_pending)
		return false;
	*ret = rest->pending;
	return true;
}

static void rest_learn(struct plan *plan, const struct measurement *m)
{
	struct rest *rest = (struct rest *)plan;

	plan_learn(rest->whole, m);
	rest->made++;
	catch_up(rest);
}

/* A plan that decides by results may omit known visits. */
static int rest_total(const struct plan *plan)
{
	const struct rest *rest = (const struct rest *)plan;
	int total = plan_total(rest->whole) - rest->count;

	return total > rest->made + rest->is_pending ? total
						     : rest->made + rest->is_pending;
}

static void rest_free(struct plan *plan)
{
	plan_free(((struct rest *)plan)->whole);
	free(plan);
}

static const struct plan_ops rest_ops = {
	.next = rest_next,
	.learn = rest_learn,
	.total = rest_total,
	.free = rest_free,
};

int plan_rest_new(const struct plan_rest_options *options, struct plan **ret,
		  struct err *err)
{
	size_t count = options->known_count;
	struct rest *rest =
		calloc(1, sizeof(*rest) + count * sizeof(struct measurement *));

	if (!rest) {
		plan_free(options->whole);
		return err_set(err, -ENOMEM, "out of memory for %zu measurements",
			       count);
	}
	rest->plan.ops = &rest_ops;
	rest->whole = options->whole;
	rest->count = (int)count;
	for (size_t i = 0; i < count; i++)
		rest->done[i] = &options->known[i];
	settle_visits(rest, options->repeat_failed);
	catch_up(rest);
	*ret = &rest->plan;
	return 0;
}

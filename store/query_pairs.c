/* SPDX-License-Identifier: MIT */
/* The results of a run's pairs: medians, counts, ranks. */
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "store/query_db.h"
#include "store/schema.h"

/* --- pairs, each with its visits --- */

struct visits {
	struct row_visit *list;
	size_t count;
	uint32_t since_seq; /* up to it another path was measured; 0: none was */
};

/* A grid's change is found at the grid's end, and not when it happened. */
static int find_since(struct query *query, int64_t run, uint32_t *ret, struct err *err)
{
	static const char sql[] =
		"SELECT since_seq FROM path_detail JOIN run ON run.id = run_id"
		" WHERE run_id = ? AND strategy = 'smart'";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	struct row row = {.column = 0};
	int r = query->db.version > 1 ? query_fetch(query, sql, run, &stmt, err) : 0;

	*ret = 0;
	if (r <= 0)
		return r;
	row.stmt = stmt;
	*ret = (uint32_t)row_read_int(&row, 0, UINT32_MAX);
	return row_check(&row, &query->db, "a path", err);
}

/* Rows come by pair and number, each once, whatever the file says. */
static int check_order(const struct query *query, const struct visits *pair,
		       const struct row_visit *visit, struct err *err)
{
	const struct row_visit *last;
	int order;

	if (!pair->count)
		return 0;
	last = &pair->list[pair->count - 1];
	order = mtu_pair_compare(&last->mtu, &visit->mtu);
	if (order > 0 || (order == 0 && last->seq >= visit->seq))
		return query_fail_order(query, visit->seq, err);
	return 0;
}

/* Measurements of the path as it was, and a later one. */
static bool is_measured_anew(const struct visits *pair, const struct row_visit *visit)
{
	return pair->list[pair->count - 1].seq <= pair->since_seq &&
	       visit->seq > pair->since_seq;
}

/* The visit joins its pair, whose visits on another path it replaces; the pair before it is
 * handed on. */
static int take_visit(struct visits *pair, const struct row_visit *visit,
		      query_pair_fn *fn, void *ctx)
{
	int r = 0;

	if (pair->count && !mtu_pair_same(&pair->list[0].mtu, &visit->mtu)) {
		r = fn(ctx, pair->list, pair->count);
		pair->count = 0;
	}
	if (pair->count && is_measured_anew(pair, visit))
		pair->count = 0;
	return r ? r : array_append(&pair->list, &pair->count, visit, sizeof(*visit));
}

static int walk_pairs(struct query *query, sqlite3_stmt *stmt, struct visits *pair,
		      query_pair_fn *fn, void *ctx, struct err *err)
{
	int r;

	while ((r = db_step(&query->db, stmt, err)) > 0) {
		struct row row = {.stmt = stmt};
		struct row_visit visit;

		row_read_visit(&row, &visit);
		r = row_check(&row, &query->db, "a measurement", err);
		if (r == 0)
			r = check_order(query, pair, &visit, err);
		if (r == 0)
			r = take_visit(pair, &visit, fn, ctx);
		if (r)
			return r;
	}
	if (r == 0 && pair->count)
		r = fn(ctx, pair->list, pair->count);
	return r;
}

/* The one text by which pairs are read; which of them is put behind it. */
#define PAIRS_SELECT(which)                                                    \
	"SELECT " ROW_VISIT_COLUMNS " FROM measurement WHERE run_id = ?" which \
	" ORDER BY server_mtu, peer_mtu, seq"

static int list_pairs(struct query *query, int64_t run, sqlite3_stmt *stmt,
		      query_pair_fn *fn, void *ctx, struct err *err)
{
	struct visits pair = {0};
	int r = find_since(query, run, &pair.since_seq, err);

	if (r == 0)
		r = walk_pairs(query, stmt, &pair, fn, ctx, err);
	free(pair.list);
	if (r == -ENOMEM)
		err_set(err, r, "out of memory");
	return r;
}

int query_pairs(struct query *query, int64_t run, query_pair_fn *pair, void *ctx,
		struct err *err)
{
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	int r = query_prepare_rows(query, PAIRS_SELECT(""), run, &stmt, err);

	return r < 0 ? r : list_pairs(query, run, stmt, pair, ctx, err);
}

int query_latencies(struct query *query, int64_t run, query_pair_fn *pair, void *ctx,
		    struct err *err)
{
	static const char *const sql[SCHEMA_VERSION] = {
		PAIRS_SELECT(""),
		"SELECT " ROW_VISIT_LATENCIES " FROM " ROW_MEASUREMENTS
		" WHERE run_id = ? ORDER BY server_mtu, peer_mtu, seq",
	};
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	int r = query_prepare_rows(query, sql[query->db.version - 1], run, &stmt, err);

	return r < 0 ? r : list_pairs(query, run, stmt, pair, ctx, err);
}

/* --- how many visits there are --- */

struct counts {
	int measured;
	int failed;
};

static int by_pass(const void *left, const void *right)
{
	const struct row_visit *a = left;
	const struct row_visit *b = right;

	if (a->pass != b->pass)
		return a->pass < b->pass ? -1 : 1;
	return (a->seq > b->seq) - (a->seq < b->seq);
}

static int count_pair(void *ctx, struct row_visit *visits, size_t count)
{
	struct counts *counts = ctx;

	qsort(visits, count, sizeof(*visits), by_pass);
	for (size_t i = 0; i < count; i++) {
		if (i + 1 < count && visits[i + 1].pass == visits[i].pass)
			continue;
		counts->measured++;
		counts->failed += visits[i].status[DIR_UPLOAD] != TEST_OK ||
				  visits[i].status[DIR_DOWNLOAD] != TEST_OK;
	}
	return 0;
}

int query_count(struct query *query, int64_t run, int *ret_measured, int *ret_failed,
		struct err *err)
{
	struct counts counts = {0};
	int r = query_pairs(query, run, count_pair, &counts, err);

	if (r < 0)
		return r;
	*ret_measured = counts.measured;
	*ret_failed = counts.failed;
	return 0;
}

/* --- results of pairs --- */

static int by_value(const void *left, const void *right)
{
	int64_t a = *(const int64_t *)left;
	int64_t b = *(const int64_t *)right;

	return (a > b) - (a < b);
}

/* Rounded to a multiple of `unit`. */
static int64_t median_in(int64_t *values, size_t count, int64_t unit)
{
	if (count == 0)
		return NO_FIGURE;
	qsort(values, count, sizeof(*values), by_value);
	return (values[(count - 1) / 2] + values[count / 2] + unit) / (2 * unit) * unit;
}

int64_t query_median(int64_t *rates, size_t count)
{
	return median_in(rates, count, 1000);
}

int64_t query_median_us(int64_t *times, size_t count)
{
	return median_in(times, count, 1);
}

/* The medians of the ok visits; `rates` and `times` have room for all. */
static int64_t median_latency(const struct row_visit *visits, size_t count,
			      enum direction dir, int64_t *times)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		if (visits[i].latency_us[dir] != NO_FIGURE)
			times[n++] = visits[i].latency_us[dir];
	}
	return query_median_us(times, n);
}

static int64_t median_rate(const struct row_visit *visits, size_t count,
			   enum direction dir, int64_t *rates)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		if (visits[i].rate_bps[dir] != NO_FIGURE)
			rates[n++] = visits[i].rate_bps[dir];
	}
	return query_median(rates, n);
}

static int count_ok(const struct row_visit *visits, size_t count, enum direction dir)
{
	int ok = 0;

	for (size_t i = 0; i < count; i++)
		ok += visits[i].status[dir] == TEST_OK;
	return ok;
}

struct results {
	int (*row)(void *ctx, const struct query_result *result);
	void *ctx;
	int64_t *rates;
	size_t room;
};

void query_sum_up(const struct row_visit *visits, size_t count, int64_t *rates,
		  struct query_result *ret)
{
	const struct row_visit *last = &visits[count - 1];

	*ret = (struct query_result){
		.mtu = last->mtu,
		.upload_bps = median_rate(visits, count, DIR_UPLOAD, rates),
		.download_bps = median_rate(visits, count, DIR_DOWNLOAD, rates),
		.visits = (int)count,
		.upload_ok = count_ok(visits, count, DIR_UPLOAD),
		.download_ok = count_ok(visits, count, DIR_DOWNLOAD),
	};
	ret->upload_status = ret->upload_ok ? TEST_OK : last->status[DIR_UPLOAD];
	ret->download_status = ret->download_ok ? TEST_OK : last->status[DIR_DOWNLOAD];
	for (int dir = 0; dir < DIR_COUNT; dir++)
		ret->latency_us[dir] =
			median_latency(visits, count, (enum direction)dir, rates);
	ret->status = test_status_of_both(ret->upload_status, ret->download_status);
}

static int make_result(void *ctx, struct row_visit *visits, size_t count)
{
	struct results *results = ctx;
	struct query_result result;

	if (count > results->room) {
		void *more = reallocarray(results->rates, 2 * count, sizeof(int64_t));

		if (!more)
			return -ENOMEM;
		results->rates = more;
		results->room = 2 * count;
	}
	query_sum_up(visits, count, results->rates, &result);
	return results->row(results->ctx, &result);
}

int query_results(struct query *query, int64_t run,
		  int (*row)(void *ctx, const struct query_result *result), void *ctx,
		  struct err *err)
{
	struct results results = {.row = row, .ctx = ctx};
	int r = query_pairs(query, run, make_result, &results, err);

	free(results.rates);
	return r;
}

int query_result_latencies(struct query *query, int64_t run,
			   int (*row)(void *ctx, const struct query_result *result),
			   void *ctx, struct err *err)
{
	struct results results = {.row = row, .ctx = ctx};
	int r = query_latencies(query, run, make_result, &results, err);

	free(results.rates);
	return r;
}

static int take_first(void *ctx, const struct query_result *result)
{
	*(struct query_result *)ctx = *result;
	return 1;
}

int query_result(struct query *query, int64_t run, const struct mtu_pair *mtu,
		 struct query_result *ret, struct err *err)
{
	static const char sql[] = PAIRS_SELECT(" AND server_mtu = ? AND peer_mtu = ?");
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	struct results results = {.row = take_first, .ctx = ret};
	int r = query_prepare_pair(query, sql, run, mtu, &stmt, err);

	if (r == 0)
		r = list_pairs(query, run, stmt, make_result, &results, err);
	free(results.rates);
	if (r == 0)
		return err_set(err, -ENODATA, "pair %d/%d was not visited in this run",
			       mtu->server, mtu->peer);
	return r < 0 ? r : 0;
}

struct ranking {
	enum query_by by;
	struct query_result *list;
	size_t count;
};

static int keep_ranked(void *ctx, const struct query_result *result)
{
	struct ranking *all = ctx;

	if (!query_may_rank(result, all->by))
		return 0;
	return array_append(&all->list, &all->count, result, sizeof(*result));
}

static int64_t figure_of(const struct query_result *result, enum query_by by)
{
	switch (by) {
	case QUERY_BY_UP:
		return result->upload_bps;
	case QUERY_BY_DOWN:
		return result->download_bps;
	case QUERY_BY_SUM:
		break;
	}
	return result->upload_bps + result->download_bps;
}

bool query_may_rank(const struct query_result *result, enum query_by by)
{
	return result->status == TEST_OK &&
	       (by == QUERY_BY_DOWN || result->upload_bps != NO_FIGURE) &&
	       (by == QUERY_BY_UP || result->download_bps != NO_FIGURE);
}

static bool never_failed(const struct query_result *result)
{
	return result->upload_ok == result->visits &&
	       result->download_ok == result->visits;
}

int query_rank(const struct query_result *a, const struct query_result *b,
	       enum query_by by)
{
	int64_t figures[] = {figure_of(a, by), figure_of(b, by)};
	int mtus = b->mtu.server + b->mtu.peer - a->mtu.server - a->mtu.peer;

	if (never_failed(a) != never_failed(b))
		return never_failed(a) ? -1 : 1;
	if (figures[0] != figures[1])
		return figures[0] > figures[1] ? -1 : 1;
	return mtus ? mtus : b->mtu.server - a->mtu.server;
}

static int by_rank(const void *left, const void *right, void *by)
{
	return query_rank(left, right, *(const enum query_by *)by);
}

int query_ranked(struct query *query, int64_t run, enum query_by by,
		 int (*row)(void *ctx, const struct query_result *result), void *ctx,
		 struct err *err)
{
	struct ranking all = {.by = by};
	int r = query_results(query, run, keep_ranked, &all, err);

	if (r == 0 && all.count)
		qsort_r(all.list, all.count, sizeof(*all.list), by_rank, &all.by);
	for (size_t i = 0; r == 0 && i < all.count; i++)
		r = row(ctx, &all.list[i]);
	free(all.list);
	return r;
}

int query_best(struct query *query, int64_t run, enum query_by by,
	       struct query_result *ret, struct err *err)
{
	int r = query_ranked(query, run, by, take_first, ret, err);

	if (r == 0)
		return err_set(err, -ENODATA,
			       "no pair of MTUs worked in both directions in this run");
	return r < 0 ? r : 0;
}

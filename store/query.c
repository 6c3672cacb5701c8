#include "store/query.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/db.h"
#include "store/row.h"
#include "store/schema.h"

/* Shorter beginnings of a UUID are rather a typing mistake than a name. */
#define PREFIX_MIN 4

struct query {
	struct db db;
	int rows_max; /* of a run that is read; 0: all */
};

int query_open(const char *path, struct query **ret, struct err *err)
{
	struct query *query = malloc(sizeof(*query));
	int version = 0;
	int r;

	if (!query)
		return err_set(err, -ENOMEM, "out of memory");
	query->rows_max = 0;
	db_init(&query->db);
	r = db_open(&query->db, path, DB_READ, err);
	if (r == 0)
		r = db_check(&query->db, &version, err);
	if (r == 0 && version < SCHEMA_VERSION)
		r = err_set(err, -EMEDIUMTYPE,
			    "database '%s' is empty: no run was stored in it", path);
	if (r < 0) {
		query_close(query);
		return r;
	}
	*ret = query;
	return 0;
}

void query_close(struct query *query)
{
	if (!query)
		return;
	db_release(&query->db);
	free(query);
}

/* A statement whose first parameter is a run's id. */
static int prepare_for_run(struct query *query, const char *sql, int64_t run,
			   sqlite3_stmt **ret, struct err *err)
{
	int r = db_prepare(&query->db, sql, ret, err);

	if (r == 0)
		sqlite3_bind_int64(*ret, 1, run);
	return r;
}

/* prepare_for_run() and its first row: 1, or 0 where there is none. */
static int fetch_for_run(struct query *query, const char *sql, int64_t run,
			 sqlite3_stmt **ret, struct err *err)
{
	int r = prepare_for_run(query, sql, run, ret, err);

	return r < 0 ? r : db_step(&query->db, *ret, err);
}

void query_bound(struct query *query, int rows)
{
	query->rows_max = rows;
}

/* How many rows a run has, `max` at most. */
static int count_rows(struct query *query, int64_t run, int max, int *ret,
		      struct err *err)
{
	static const char sql[] =
		"SELECT count(*) FROM (SELECT 1 FROM measurement WHERE run_id = ?1"
		" LIMIT ?2)";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	int r = prepare_for_run(query, sql, run, &stmt, err);

	if (r == 0)
		r = sqlite3_bind_int(stmt, 2, max) == SQLITE_OK
			    ? db_step(&query->db, stmt, err)
			    : db_fail(&query->db, err);
	if (r < 0)
		return r;
	*ret = sqlite3_column_int(stmt, 0);
	return 0;
}

/* -E2BIG: the run has more rows than are read. */
static int check_bound(struct query *query, int64_t run, struct err *err)
{
	int rows;
	int r;

	if (!query->rows_max)
		return 0;
	r = count_rows(query, run, query->rows_max + 1, &rows, err);
	if (r == 0 && rows > query->rows_max)
		return err_set(err, -E2BIG,
			       "run %lld has more than %d rows: they are not read here",
			       (long long)run, query->rows_max);
	return r;
}

/* --- pairs, each with its visits --- */

struct visits {
	struct row_visit *list;
	size_t count;
	size_t room;
};

static int keep_visit(struct visits *all, const struct row_visit *visit)
{
	if (all->count == all->room) {
		size_t room = all->room ? 2 * all->room : 16;
		void *more = reallocarray(all->list, room, sizeof(*all->list));

		if (!more)
			return -ENOMEM;
		all->list = more;
		all->room = room;
	}
	all->list[all->count++] = *visit;
	return 0;
}

static int fail_order(const struct query *query, uint32_t seq, struct err *err)
{
	return err_set(
		err, -EUCLEAN,
		"database '%s' has a measurement that cannot be: number %u comes "
		"twice, or not in its place; the file is damaged",
		query->db.path, seq);
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
		return fail_order(query, visit->seq, err);
	return 0;
}

/* The visit joins its pair; the pair before it is handed on. */
static int take_visit(struct visits *pair, const struct row_visit *visit,
		      query_pair_fn *fn, void *ctx)
{
	int r = 0;

	if (pair->count && !mtu_pair_same(&pair->list[0].mtu, &visit->mtu)) {
		r = fn(ctx, pair->list, pair->count);
		pair->count = 0;
	}
	return r ? r : keep_visit(pair, visit);
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

static int list_pairs(struct query *query, sqlite3_stmt *stmt, query_pair_fn *fn,
		      void *ctx, struct err *err)
{
	struct visits pair = {0};
	int r = walk_pairs(query, stmt, &pair, fn, ctx, err);

	free(pair.list);
	if (r == -ENOMEM)
		err_set(err, r, "out of memory");
	return r;
}

int query_pairs(struct query *query, int64_t run, query_pair_fn *pair, void *ctx,
		struct err *err)
{
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	int r = check_bound(query, run, err);

	if (r == 0)
		r = prepare_for_run(query, PAIRS_SELECT(""), run, &stmt, err);
	return r < 0 ? r : list_pairs(query, stmt, pair, ctx, err);
}

static bool is_ok(const struct row_visit *visit)
{
	return visit->status[DIR_UPLOAD] == TEST_OK &&
	       visit->status[DIR_DOWNLOAD] == TEST_OK;
}

/* --- runs --- */

struct counts {
	int measured;
	int failed;
	struct visits sorted;
};

static int by_pass(const void *left, const void *right)
{
	const struct row_visit *a = left;
	const struct row_visit *b = right;

	if (a->pass != b->pass)
		return a->pass < b->pass ? -1 : 1;
	return (a->seq > b->seq) - (a->seq < b->seq);
}

/* A visit that was made again, in the same pass, counts by its last row. */
static int count_pair(void *ctx, const struct row_visit *visits, size_t count)
{
	struct counts *counts = ctx;
	struct visits *sorted = &counts->sorted;

	sorted->count = 0;
	for (size_t i = 0; i < count; i++) {
		if (keep_visit(sorted, &visits[i]) < 0)
			return -ENOMEM;
	}
	qsort(sorted->list, count, sizeof(*sorted->list), by_pass);
	for (size_t i = 0; i < count; i++) {
		if (i + 1 < count && sorted->list[i + 1].pass == sorted->list[i].pass)
			continue;
		counts->measured++;
		counts->failed += !is_ok(&sorted->list[i]);
	}
	return 0;
}

static int count_visits(struct query *query, struct query_run *run, struct err *err)
{
	struct counts counts = {0};
	int r = query_pairs(query, run->id, count_pair, &counts, err);

	free(counts.sorted.list);
	if (r == -E2BIG)
		return 0;
	if (r < 0)
		return r;
	run->counted = true;
	run->measured = counts.measured;
	run->failed = counts.failed;
	return 0;
}

/* What picks a run is put behind it. */
#define RUN_SELECT                                                                    \
	"SELECT id, role, outcome, process, ended_at, outcome_text, " ROW_RUN_COLUMNS \
	" FROM run"

static void read_run(struct row *row, struct query_run *ret)
{
	char process[PROCESS_ID_SIZE];

	memset(ret, 0, sizeof(*ret));
	ret->id = row_read_int(row, 1, ROW_ID_MAX);
	row_read_role(row, ret->role, sizeof(ret->role));
	ret->outcome = row_read_outcome(row);
	row_read_text_or_none(row, process, sizeof(process));
	ret->life = process_life(process);
	ret->ended_at_ms = row_read_time(row);
	row_read_sentence(row, ret->text, sizeof(ret->text));
	row_read_run(row, &ret->info);
}

const char *query_run_state(const struct query_run *run)
{
	if (run->outcome != RUN_RUNNING)
		return run_outcome_name(run->outcome);
	switch (run->life) {
	case PROCESS_LIVES:
		return "running";
	case PROCESS_GONE:
		return "crashed";
	case PROCESS_UNKNOWN:
		break;
	}
	return "unfinished";
}

/* The next run of a statement, without its counts: 1, 0 at the end. */
static int step_run(struct query *query, sqlite3_stmt *stmt, struct query_run *ret,
		    struct err *err)
{
	struct row row = {.stmt = stmt};
	int r = db_step(&query->db, stmt, err);

	if (r <= 0)
		return r;
	read_run(&row, ret);
	r = row_check(&row, &query->db, "a run", err);
	return r < 0 ? r : 1;
}

/* Whether the runs so far left room for the rows of this one. */
static int take_share(struct query *query, int64_t run, int *left, struct err *err)
{
	int rows;
	int r;

	if (!query->rows_max)
		return 1;
	r = count_rows(query, run, *left + 1, &rows, err);
	if (r < 0)
		return r;
	if (rows > *left)
		return 0;
	*left -= rows;
	return 1;
}

static int fail_run_order(const struct query *query, int64_t id, struct err *err)
{
	return err_set(
		err, -EUCLEAN,
		"database '%s' has a run that cannot be: its id %lld comes twice, "
		"or not in its place; the file is damaged",
		query->db.path, (long long)id);
}

int query_runs(struct query *query, int (*row)(void *ctx, const struct query_run *run),
	       void *ctx, struct err *err)
{
	static const char sql[] = RUN_SELECT " ORDER BY id";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	struct query_run run = {0};
	int left = query->rows_max;
	int r = db_prepare(&query->db, sql, &stmt, err);

	while (r == 0) {
		int64_t before = run.id;

		r = step_run(query, stmt, &run, err);
		if (r <= 0)
			return r;
		if (run.id <= before)
			return fail_run_order(query, run.id, err);
		r = take_share(query, run.id, &left, err);
		if (r > 0)
			r = count_visits(query, &run, err);
		if (r == 0)
			r = row(ctx, &run);
	}
	return r;
}

/* -ENOENT without a sentence. */
static int fetch_run(struct query *query, sqlite3_stmt *stmt, struct query_run *ret,
		     struct err *err)
{
	int r = step_run(query, stmt, ret, err);

	if (r == 0)
		return -ENOENT;
	return r < 0 ? r : count_visits(query, ret, err);
}

static int find_newest(struct query *query, struct query_run *ret, struct err *err)
{
	static const char sql[] = RUN_SELECT " ORDER BY id DESC LIMIT 1";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	int r = db_prepare(&query->db, sql, &stmt, err);

	if (r < 0)
		return r;
	r = fetch_run(query, stmt, ret, err);
	if (r == -ENOENT)
		err_set(err, r, "no run is stored in database '%s' yet",
			query->db.path);
	return r;
}

/* -ENOENT without a sentence. */
static int find_by_id(struct query *query, const char *name, struct query_run *ret,
		      struct err *err)
{
	static const char sql[] = RUN_SELECT " WHERE id = ?";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	char *end;
	int64_t id = strtoll(name, &end, 10);
	int r;

	if (!isdigit((unsigned char)name[0]) || *end)
		return -ENOENT;
	r = prepare_for_run(query, sql, id, &stmt, err);
	return r < 0 ? r : fetch_run(query, stmt, ret, err);
}

/* -ENOENT without a sentence. */
static int find_by_uuid(struct query *query, const char *name, struct query_run *ret,
			struct err *err)
{
	static const char sql[] = RUN_SELECT
		" WHERE substr(uuid, 1, length(?1)) = lower(?1) LIMIT 2";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	struct query_run other;
	int r;

	if (strlen(name) < PREFIX_MIN)
		return -ENOENT;
	r = db_prepare(&query->db, sql, &stmt, err);
	if (r < 0)
		return r;
	sqlite3_bind_text(stmt, 1, name, -1, SQLITE_TRANSIENT);
	r = fetch_run(query, stmt, ret, err);
	if (r < 0)
		return r;
	r = step_run(query, stmt, &other, err);
	if (r > 0)
		return err_set(
			err, -ENOTUNIQ,
			"more than one run begins with '%s': %s and %s; give more "
			"of it",
			name, ret->info.uuid, other.info.uuid);
	return r;
}

int query_run(struct query *query, const char *name, struct query_run *ret,
	      struct err *err)
{
	int r;

	if (!name)
		return find_newest(query, ret, err);
	r = find_by_id(query, name, ret, err);
	if (r == -ENOENT)
		r = find_by_uuid(query, name, ret, err);
	if (r == -ENOENT)
		err_set(err, r,
			"no run '%s' in database '%s'; 'mtusweep runs' lists them, by "
			"id "
			"and by UUID (%d characters of it or more)",
			name, query->db.path, PREFIX_MIN);
	return r;
}

int query_options(struct query *query, int64_t run, char **ret, struct err *err)
{
	static const char sql[] =
		"SELECT coalesce(options, '{}') AS options FROM run WHERE id = ?";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	struct row row = {.column = 0};
	const char *text;
	int r = fetch_for_run(query, sql, run, &stmt, err);

	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, -ENOENT, "no run %lld in database '%s'",
			       (long long)run, query->db.path);
	row.stmt = stmt;
	text = row_read_words(&row);
	r = row_check(&row, &query->db, "a run", err);
	if (r < 0)
		return r;
	*ret = strdup(text);
	return *ret ? 0 : err_set(err, -ENOMEM, "out of memory");
}

/* --- what pairs come to --- */

static int by_value(const void *left, const void *right)
{
	int64_t a = *(const int64_t *)left;
	int64_t b = *(const int64_t *)right;

	return (a > b) - (a < b);
}

/* Of the ok visits, in whole kbit/s, as view results rounds. `rates` has room for all. */
static int64_t median_rate(const struct row_visit *visits, size_t count,
			   enum direction dir, int64_t *rates)
{
	int64_t twice_bps;
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		if (visits[i].rate_bps[dir] != NO_FIGURE)
			rates[n++] = visits[i].rate_bps[dir];
	}
	if (n == 0)
		return NO_FIGURE;
	qsort(rates, n, sizeof(*rates), by_value);
	twice_bps = rates[(n - 1) / 2] + rates[n / 2];
	return (twice_bps + 1000) / 2000 * 1000;
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
	ret->status = ret->upload_status != TEST_OK ? ret->upload_status
						    : ret->download_status;
}

static int make_result(void *ctx, const struct row_visit *visits, size_t count)
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

/* "?" of the run, the server's and the peer's MTU, in this order. */
static int prepare_for_pair(struct query *query, const char *sql, int64_t run,
			    const struct mtu_pair *mtu, sqlite3_stmt **ret,
			    struct err *err)
{
	int r = prepare_for_run(query, sql, run, ret, err);

	if (r < 0)
		return r;
	sqlite3_bind_int(*ret, 2, mtu->server);
	sqlite3_bind_int(*ret, 3, mtu->peer);
	return 0;
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
	int r = check_bound(query, run, err);

	if (r == 0)
		r = prepare_for_pair(query, sql, run, mtu, &stmt, err);
	if (r == 0)
		r = list_pairs(query, stmt, make_result, &results, err);
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
	size_t room;
};

static int keep_ranked(void *ctx, const struct query_result *result)
{
	struct ranking *all = ctx;

	if (!query_may_rank(result, all->by))
		return 0;
	if (all->count == all->room) {
		size_t room = all->room ? 2 * all->room : 256;
		void *more = reallocarray(all->list, room, sizeof(*all->list));

		if (!more)
			return -ENOMEM;
		all->list = more;
		all->room = room;
	}
	all->list[all->count++] = *result;
	return 0;
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

/* What picks a run's visits is put behind it. */
#define VISIT_SELECT \
	"SELECT " ROW_MEASUREMENT_COLUMNS " FROM measurement WHERE run_id = ?"

/* A statement of that kind, its parameters bound, to its end. Numbers ascend, or, `down`,
 * descend. */
static int list_visits(struct query *query, sqlite3_stmt *stmt, bool down,
		       int (*row)(void *ctx, const struct measurement *m), void *ctx,
		       struct err *err)
{
	struct measurement m;
	int r;

	for (int64_t last = down ? INT64_MAX : 0;; last = m.seq) {
		struct row from = {.stmt = stmt};

		r = db_step(&query->db, stmt, err);
		if (r <= 0)
			return r;
		row_read_measurement(&from, &m);
		r = row_check(&from, &query->db, "a measurement", err);
		if (r == 0 && (down ? m.seq >= last : m.seq <= last))
			r = fail_order(query, m.seq, err);
		if (r == 0)
			r = row(ctx, &m);
		if (r)
			return r;
	}
}

int query_visits_after(struct query *query, int64_t run, uint32_t after,
		       int (*row)(void *ctx, const struct measurement *m), void *ctx,
		       struct err *err)
{
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	int r = check_bound(query, run, err);

	if (r == 0)
		r = prepare_for_run(query, VISIT_SELECT " AND seq > ? ORDER BY seq",
				    run, &stmt, err);
	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 2, after);
	return list_visits(query, stmt, false, row, ctx, err);
}

int query_measurements(struct query *query, int64_t run,
		       int (*row)(void *ctx, const struct measurement *m), void *ctx,
		       struct err *err)
{
	return query_visits_after(query, run, 0, row, ctx, err);
}

int query_visits(struct query *query, int64_t run, const struct mtu_pair *mtu,
		 int (*row)(void *ctx, const struct measurement *m), void *ctx,
		 struct err *err)
{
	static const char sql[] = VISIT_SELECT
		" AND server_mtu = ? AND peer_mtu = ? ORDER BY seq DESC";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	int r = prepare_for_pair(query, sql, run, mtu, &stmt, err);

	return r < 0 ? r : list_visits(query, stmt, true, row, ctx, err);
}

int query_last_visit(struct query *query, int64_t run, uint32_t *ret, struct err *err)
{
	static const char sql[] = "SELECT max(seq) AS seq FROM measurement"
				  " WHERE run_id = ?";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	struct row row = {.column = 0};
	int r = fetch_for_run(query, sql, run, &stmt, err);

	if (r < 0)
		return r;
	row.stmt = stmt;
	*ret = (uint32_t)row_read_int_or(&row, 0, 1, UINT32_MAX);
	return row_check(&row, &query->db, "a measurement", err);
}

struct measurements {
	struct measurement *list;
	size_t count;
};

static int keep_measurement(void *ctx, const struct measurement *m)
{
	struct measurements *all = ctx;
	size_t count = all->count;
	struct measurement *grown;

	/* Room doubles at each power of two. */
	if ((count & (count - 1)) == 0) {
		grown = realloc(all->list, (count ? 2 * count : 1) * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		all->list = grown;
	}
	all->list[all->count++] = *m;
	return 0;
}

int query_load_measurements(struct query *query, int64_t run, struct measurement **ret,
			    size_t *ret_count, struct err *err)
{
	struct measurements all = {0};
	int r = query_measurements(query, run, keep_measurement, &all, err);

	if (r == -ENOMEM)
		err_set(err, r, "out of memory for run %lld", (long long)run);
	if (r < 0) {
		free(all.list);
		return r;
	}
	*ret = all.list;
	*ret_count = all.count;
	return 0;
}

static int fail_bands(const struct query *query, int64_t run, struct err *err)
{
	return err_set(err, -EUCLEAN,
		       "run %lld in database '%s' has bands of its path that cannot be",
		       (long long)run, query->db.path);
}

static int read_bands(struct query *query, int64_t run, struct path *ret,
		      struct err *err)
{
	static const char sql[] = "SELECT direction, size_max, fate FROM path_band"
				  " WHERE run_id = ? ORDER BY direction, size_max";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	int r = prepare_for_run(query, sql, run, &stmt, err);

	while (r == 0 && (r = db_step(&query->db, stmt, err)) > 0) {
		struct row row = {.stmt = stmt};
		enum direction dir = row_read_direction(&row);
		int max = row_read_small(&row, 1, OUTER_SIZE_MAX);
		enum fate fate = row_read_fate(&row);

		r = row_check(&row, &query->db, "a band of a path", err);
		if (r < 0)
			return r;
		if (path_bands_add(&ret->dir[dir], max, fate) < 0)
			return fail_bands(query, run, err);
	}
	for (int dir = 0; r == 0 && dir < DIR_COUNT; dir++) {
		const struct path_bands *bands = &ret->dir[dir];

		if (bands->count && bands->band[bands->count - 1].max != OUTER_SIZE_MAX)
			return fail_bands(query, run, err);
	}
	return r;
}

/* Far above what there is. */
#define OVERHEAD_MAX 1000
#define PROBES_MAX   1000000
#define PROBE_MAX_MS 1000000000

int query_path(struct query *query, int64_t run, struct path_survey *ret,
	       struct err *err)
{
	static const char sql[] =
		"SELECT overhead, upload_probes, download_probes, probe_ms FROM path"
		" WHERE run_id = ?";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	struct path_survey survey = {0};
	struct row row = {.column = 0};
	int r = fetch_for_run(query, sql, run, &stmt, err);

	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, -ENODATA,
			       "nothing is stored of the path of run %lld",
			       (long long)run);
	row.stmt = stmt;
	survey.path.overhead = row_read_small(&row, 0, OVERHEAD_MAX);
	survey.probes[DIR_UPLOAD] = row_read_small(&row, 0, PROBES_MAX);
	survey.probes[DIR_DOWNLOAD] = row_read_small(&row, 0, PROBES_MAX);
	survey.probe_ms = row_read_int(&row, 0, PROBE_MAX_MS);
	r = row_check(&row, &query->db, "a path", err);
	if (r == 0)
		r = read_bands(query, run, &survey.path, err);
	if (r == 0)
		*ret = survey;
	return r;
}

int query_recommended(struct query *query, int64_t run,
		      struct query_recommendation *ret, struct err *err)
{
	static const char sql[] = "SELECT server_mtu, peer_mtu, settled, text"
				  " FROM recommendation WHERE run_id = ?";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	struct query_recommendation found;
	struct row row = {.column = 0};
	const char *text;
	int r = fetch_for_run(query, sql, run, &stmt, err);

	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, -ENODATA, "run %lld recommends no pair",
			       (long long)run);
	row.stmt = stmt;
	found.mtu.server = row_read_small(&row, MTU_MIN, MTU_MAX);
	found.mtu.peer = row_read_small(&row, MTU_MIN, MTU_MAX);
	found.settled = row_read_small(&row, 0, 1) != 0;
	text = row_read_words(&row);
	r = row_check(&row, &query->db, "a recommendation", err);
	if (r < 0)
		return r;
	found.text = strdup(text);
	if (!found.text)
		return err_set(err, -ENOMEM, "out of memory");
	*ret = found;
	return 0;
}

int query_warnings(struct query *query, int64_t run,
		   int (*row)(void *ctx, const char *text), void *ctx, struct err *err)
{
	static const char sql[] =
		"SELECT text FROM warning WHERE run_id = ? ORDER BY id";
	cleanup_stmt sqlite3_stmt *stmt = NULL;
	int r = prepare_for_run(query, sql, run, &stmt, err);

	while (r == 0) {
		struct row from = {.stmt = stmt};
		const char *text;

		r = db_step(&query->db, stmt, err);
		if (r <= 0)
			return r;
		text = row_read_words(&from);
		r = row_check(&from, &query->db, "a warning", err);
		if (r == 0)
			r = row(ctx, text);
	}
	return r;
}

/* SPDX-License-Identifier: MIT */
#ifndef STORE_QUERY_H
#define STORE_QUERY_H

#include <jansson.h>
#include <stdio.h>

#include "base/err.h"
#include "base/evidence.h"
#include "base/path.h"
#include "base/path_probe.h"
#include "base/process.h"
#include "base/types.h"
#include "store/row.h"

/*
 * Reading what was stored. A query opens the database read-only, so that it works for
 * any user who may read the file, also while a run goes on. Callbacks return 0 to go
 * on; any other value ends the query, which returns it. Pointers in rows are borrowed
 * for the call.
 *
 * The file may come from anybody (store/db.h). A row with a value that cannot be ends any
 * of these with -EUCLEAN and a sentence that names it.
 */

struct query;

/* -ENOENT no such file; -EMEDIUMTYPE not ours; -EOVERFLOW newer than this program. */
int query_open(const char *path, struct query **ret, struct err *err);
void query_close(struct query *query);
/* For __attribute__((cleanup)); the query may be NULL. */
void query_closep(struct query **query);
#define cleanup_query __attribute__((cleanup(query_closep)))

struct query_run {
	int64_t id;
	struct run_info info;
	char role[8];
	enum run_outcome outcome;
	enum process_life life; /* the writing process's; valid while RUN_RUNNING */
	int64_t ended_at_ms;    /* 0 while it goes on */
	char text[256];
	bool counted; /* false: there are more rows than query_bound() allows to be read */
	int measured; /* visits stored; one that was made again counts once */
	int failed;   /* those whose last status is not ok */
	/* zeros: none, or one that tests of one end alone contradict */
	struct mtu_pair recommended;
};

/* Above it, who asks over HTTP is answered without the run's rows: to read so many once
 * takes a fifth of a second, and an answer reads them up to three times. */
#define QUERY_ROWS_SERVED 200000

/* From now on the rows of runs that have more than `rows` of them are not read, for who
 * must answer in time: query_run() and query_runs() leave their counts out, query_runs()
 * also those of runs beyond so many rows together, and what reads such a run's rows
 * returns -E2BIG. Without it everything is read. */
void query_bound(struct query *query, int rows);

/* From now on runs of other tunnels, and of none, are not there. `name` is an id
 * (base/tunnel.h), a public key, or the beginning of one. -ENOENT: no stored run has such a
 * tunnel; -ENOTUNIQ. */
int query_choose_tunnel(struct query *query, const char *name, struct err *err);

/* How it stands with a run, in a word: its outcome, or, of one that has not ended,
 * "running", "crashed" (who wrote it is gone), or "unfinished" (nobody can tell). */
const char *query_run_state(const struct query_run *run);

/* All runs, in the order in which they were stored. */
int query_runs(struct query *query, int (*row)(void *ctx, const struct query_run *run),
	       void *ctx, struct err *err);

/* The run named by its id, its UUID or the UUID's unique beginning (4 characters or
 * more); NULL for the newest, which is the one that was stored last, whatever its date
 * says. -ENOENT, -ENOTUNIQ. */
int query_run(struct query *query, const char *name, struct query_run *ret,
	      struct err *err);
/* The run with this id. -ENOENT. */
int query_run_numbered(struct query *query, int64_t id, struct query_run *ret,
		       struct err *err);

/* The newest run that has something to tell: a pair that was ok, a path, or a
 * recommendation. A run that applied a pair counts only where no other has: it repeats one
 * pair of another run. Where none has, the newest of all, whose id is *ret_newest. -ENOENT:
 * no run is stored. */
int query_run_of_result(struct query *query, struct query_run *ret, int64_t *ret_newest,
			struct err *err);

/* Of each tunnel the newest run that has something to tell, and is no --apply, or if none
 * has, the newest watch; the newest of them first. All runs whose keys are not known are as
 * of one tunnel. */
int query_each_tunnel(struct query *query,
		      int (*row)(void *ctx, const struct query_run *run), void *ctx,
		      struct err *err);

/* The options it was started with, a JSON object (freed by the caller); "{}" where none
 * are stored. -ENOENT: no such run. */
int query_options(struct query *query, int64_t run, char **ret, struct err *err);

/* A pair as view results has it (docs/schema.md): medians of the ok visits, in whole
 * kbit/s, NO_FIGURE where there are none. A direction's status is ok as soon as one of its
 * visits is. */
struct query_result {
	struct mtu_pair mtu;
	int64_t upload_bps;
	int64_t download_bps;
	int visits;
	int upload_ok; /* visits that are ok in this direction */
	int download_ok;
	enum test_status upload_status;
	enum test_status download_status;
	enum test_status status;
	int64_t latency_us[DIR_COUNT]; /* NO_FIGURE from the other functions */
};

/* Handle the `count` measurements of one pair, sorted by sequence number. It may
 * reorder them. */
typedef int query_pair_fn(void *ctx, struct row_visit *visits, size_t count);

/* By server MTU, then peer MTU. */
int query_pairs(struct query *query, int64_t run, query_pair_fn *pair, void *ctx,
		struct err *err);

/* The same with latencies, which cost another table's rows. */
int query_latencies(struct query *query, int64_t run, query_pair_fn *pair, void *ctx,
		    struct err *err);

int query_results(struct query *query, int64_t run,
		  int (*row)(void *ctx, const struct query_result *result), void *ctx,
		  struct err *err);

/* The same with latencies. */
int query_result_latencies(struct query *query, int64_t run,
			   int (*row)(void *ctx, const struct query_result *result),
			   void *ctx, struct err *err);

/* That of one pair. -ENODATA: it was not visited. */
int query_result(struct query *query, int64_t run, const struct mtu_pair *mtu,
		 struct query_result *ret, struct err *err);

enum query_by {
	QUERY_BY_SUM,
	QUERY_BY_UP,
	QUERY_BY_DOWN,
};

/* The median of rates in bit/s, in whole kbit/s as view results rounds; NO_FIGURE of none.
 * It sorts them. */
int64_t query_median(int64_t *rates, size_t count);
/* That of times in microseconds. */
int64_t query_median_us(int64_t *times, size_t count);

/* A pair of what query_pairs() handed on; `rates` has room for `count`. */
void query_sum_up(const struct row_visit *visits, size_t count, int64_t *rates,
		  struct query_result *ret);

/* The first is true if a pair is ranked. The second compares two pairs: negative if a
 * comes first, positive if b does. */
bool query_may_rank(const struct query_result *result, enum query_by by);
int query_rank(const struct query_result *a, const struct query_result *b,
	       enum query_by by);

/* The fastest measured pair whose status is ok. A pair that failed in some of its visits
 * comes after all that never did; equal ones: the larger MTUs. -ENODATA:
 * no pair of the run is ok. */
int query_best(struct query *query, int64_t run, enum query_by by,
	       struct query_result *ret, struct err *err);

/* All pairs that query_best() chooses from, the best first. */
int query_ranked(struct query *query, int64_t run, enum query_by by,
		 int (*row)(void *ctx, const struct query_result *result), void *ctx,
		 struct err *err);

/* All of them in an array, which the caller frees; NULL and 0 where there are none. */
int query_load_measurements(struct query *query, int64_t run, struct measurement **ret,
			    size_t *ret_count, struct err *err);

/* Every visit, by sequence number. */
int query_measurements(struct query *query, int64_t run,
		       int (*row)(void *ctx, const struct measurement *m), void *ctx,
		       struct err *err);

/* Those of one pair, the last one first. */
int query_visits(struct query *query, int64_t run, const struct mtu_pair *mtu,
		 int (*row)(void *ctx, const struct measurement *m), void *ctx,
		 struct err *err);

/* Those with a sequence number above `after`, in order; and the highest number that there
 * is, 0 without visits. */
int query_visits_after(struct query *query, int64_t run, uint32_t after,
		       int (*row)(void *ctx, const struct measurement *m), void *ctx,
		       struct err *err);
int query_last_visit(struct query *query, int64_t run, uint32_t *ret, struct err *err);

/* Read the path of the run. -ENODATA: none is stored. */
int query_path(struct query *query, int64_t run, struct path_survey *ret,
	       struct err *err);

/* The probes of a watch, in their order. A run that is none has none. */
int query_probes(struct query *query, int64_t run,
		 int (*row)(void *ctx, const struct path_probe *probe), void *ctx,
		 struct err *err);
/* The first one, and those with news or after which MTUs were applied, the last one first.
 * A result of `row` other than 0 ends it and is the result. */
int query_changes(struct query *query, int64_t run,
		  int (*row)(void *ctx, const struct path_probe *probe), void *ctx,
		  struct err *err);
/* The last one. -ENODATA: the run has none. */
int query_last_probe(struct query *query, int64_t run, struct path_probe *ret,
		     struct err *err);
/* The last one of the newest watch of the run's tunnel. -ENODATA: it was not watched. */
int query_tunnel_probe(struct query *query, int64_t run, struct path_probe *ret,
		       struct err *err);
/* The newest run that has probes of a watch. -ENOENT: no run has. */
int query_last_watch(struct query *query, struct query_run *ret, struct err *err);

/* Read the facts of a run with one end alone. -ENODATA: it has two. */
int query_one_end(struct query *query, int64_t run, struct one_end *ret,
		  struct err *err);

/* With REASON_TEXT an older version kept sentences, but no facts beyond the pair. */
struct query_recommendation {
	struct evidence evidence;
	char *text; /* the sentences, in lines; freed by the caller */
};

/* Read the recommendation of the run. -ENODATA: none is stored. A run with one end alone
 * that knows no MTU has one without a pair, and with its sentences. */
int query_recommended(struct query *query, int64_t run,
		      struct query_recommendation *ret, struct err *err);

struct query_warning {
	int64_t warned_at_ms;
	struct warning facts;
};

/* The warnings about the "run" or its "recommendation", in the order they came. */
int query_warnings(struct query *query, int64_t run, const char *about,
		   int (*row)(void *ctx, const struct query_warning *w), void *ctx,
		   struct err *err);

/* The run's rows of a table of docs/schema.md, in the order in which they were stored, as
 * objects that the callback takes. A member is a column, but ids, which mean nothing
 * outside the file: an integer from 0 to ROW_ID_MAX, a text, or null. Narrower ranges are
 * not checked. -EMEDIUMTYPE: the file's version has no such table. */
int query_table(struct query *query, const char *table, int64_t run,
		int (*row)(void *ctx, json_t *object), void *ctx, struct err *err);

#endif

#ifndef REPORT_LIVE_H
#define REPORT_LIVE_H

#include <jansson.h>
#include <stddef.h>

#include "base/err.h"
#include "base/types.h"
#include "store/query.h"

/*
 * Runs for a reader that asks repeatedly, also while they go on: an answer omits the
 * facts that the reader has. The database is open only while it is read, and is read
 * only when its file has changed: a permanent WAL reader would prevent the writer's
 * orderly close. The pause between two readings depends on the time one takes, so that
 * reading costs at most a twentieth of one processor. One thread at a time.
 */

struct live;

/* The database need not exist yet; `path` is copied. -ENOMEM. */
int live_new(const char *path, struct live **ret, struct err *err);
void live_free(struct live *live);

struct live_ask {
	const char *run;      /* the run's name as for query_run(); "": the newest */
	const char *have;     /* UUID of the run that the reader has */
	const char *revision; /* revision of the facts that the reader has */
	uint32_t after;       /* rows up to this one are known to the reader */
	size_t room;          /* approximate limit for the rows, bytes */
};

/*
 * Make docs/protocol.md's answer to GET /progress, without "now" and "pair"; "run" is
 * null while no run is stored. Errors of reading. The caller owns *ret.
 */
int live_progress(struct live *live, const struct live_ask *ask, json_t **ret,
		  struct err *err);

struct live_pair_ask {
	const char *run; /* the run's name as above */
	struct mtu_pair mtu;
	int visits_max;
	/* Called while the database is open, to read more about the run. */
	int (*look)(void *ctx, struct query *query, const struct query_run *run,
		    struct err *err);
	void *ctx;
};

/* Make the answer about a pair of a run: "result" as runjson_result() or null, and
 * "visits", its last measurements, the newest first. Errors of reading, and look's
 * errors. */
int live_pair(struct live *live, const struct live_pair_ask *ask, json_t **ret,
	      struct err *err);

/* List all runs in the order they were stored: runjson_run() of each. */
int live_runs(struct live *live, json_t **ret, struct err *err);

#endif

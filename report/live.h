/* SPDX-License-Identifier: MIT */
#ifndef REPORT_LIVE_H
#define REPORT_LIVE_H

#include <jansson.h>
#include <stddef.h>

#include "base/err.h"
#include "base/types.h"
#include "store/query.h"

/*
 * Runs as somebody sees them who looks again and again, also while they go on: what was
 * known the last time is not told again. The database is open only while it is read, and
 * read only when its file has changed: a reader of WAL that stayed would keep the writer
 * from its orderly end. How often it is read depends on how long that takes, with success
 * or without, so that it costs a twentieth of one processor at most, whichever runs are
 * asked for: until then an answer holds what was read before, or is -EAGAIN. One thread at
 * a time.
 */

struct live;

/* The database need not exist yet; `path` is copied. -ENOMEM. */
int live_new(const char *path, struct live **ret, struct err *err);
void live_free(struct live *live);
/* From now on only runs of this tunnel are there: query_choose_tunnel(), of each reading.
 * NULL: all. `name` is borrowed. */
void live_choose_tunnel(struct live *live, const char *name);

struct live_ask {
	const char *run;      /* its name, as query_run() has it; "": the newest */
	const char *have;     /* UUID of the run that the fields below refer to */
	const char *revision; /* the known facts' revision */
	uint32_t after;       /* rows up to this one are known */
	size_t room;          /* bytes that rows may take, about */
	bool near;            /* asked for on this host: rows are read at once */
};

/*
 * docs/protocol.md's answer to GET /progress, but for "now" and "pair"; "run" is null while
 * no run is stored. -EINVAL: no run, or more than one, has that name; -EAGAIN; the errors
 * of reading. *ret is the caller's.
 */
int live_progress(struct live *live, const struct live_ask *ask, json_t **ret,
		  struct err *err);

struct live_pair_ask {
	const char *run; /* as above, */
	bool near;       /* and so is this */
	struct mtu_pair mtu;
	int visits_max;
	/* Called while the database is open, to read more about the run. */
	int (*look)(void *ctx, struct query *query, const struct query_run *run,
		    struct err *err);
	void *ctx;
};

/* A pair of a run: "result" as runjson_result() or null, and "visits", its last ones, the
 * newest first. The errors of live_progress(), and look's. */
int live_pair(struct live *live, const struct live_pair_ask *ask, json_t **ret,
	      struct err *err);

/* All runs, as they were stored: runjson_run() of each. -EAGAIN; the errors of reading. */
int live_runs(struct live *live, json_t **ret, struct err *err);

#endif

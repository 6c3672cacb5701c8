/* SPDX-License-Identifier: MIT */
#ifndef CMD_RUN_LIVE_PAGE_H
#define CMD_RUN_LIVE_PAGE_H

#include <jansson.h>

#include "cmd/run/runpath.h"
#include "report/live.h"
#include "sync/page.h"

/*
 * The data that the page's script gets from a database: the stored rows and facts
 * (report/live.h) and the path model's explanation of a pair (engine/pathmodel.h). The
 * server and mtusweep view use it.
 */

/* The path of the run whose pair was requested last. */
struct live_page_path {
	char run[UUID_SIZE];
	int visits; /* measurements that it is guessed from */
	int64_t again_at_ms;
	struct runpath path;
};

struct live_page {
	struct live *live;
	const char *run; /* shown unless another is requested; NULL: the newest */
	bool choose;     /* there is a list of runs */
	struct live_page_path path;
	bool told_end; /* the last answer was the rest of a run that has ended */
};

/* The size limit in bytes of an answer over the tunnel, except for the facts of a run,
 * which are sent once, and a requested pair. */
#define LIVE_PAGE_FAR_BYTES 1200

/* page_ops.progress; `now`: what is measured of the newest run, or NULL (it is taken). */
int live_page_progress(struct live_page *page, const struct page_ask *ask, json_t *now,
		       char **ret_json, struct err *err);

/* page_ops.runs. */
int live_page_runs(struct live_page *page, char **ret_json, struct err *err);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef REPORT_HISTORY_H
#define REPORT_HISTORY_H

#include <jansson.h>

#include "store/query.h"

/*
 * The probes of a watch over time: those in a row that say the same are one stretch, for a
 * table of a few lines and a picture of months.
 */

struct history_stretch {
	int64_t from_ms; /* since 1970: its first probe and its last one */
	int64_t to_ms;
	int probes;
	struct path_probe first; /* with the news that began it */
	struct path_probe last;  /* with the MTUs that were applied after it */
};

/* Hand on each stretch, in order; `each` probe is one of its own if that is set. */
int history_read(struct query *query, int64_t run, bool each,
		 int (*stretch)(void *ctx, const struct history_stretch *stretch),
		 void *ctx, struct err *err);

/* New objects; NULL: out of memory. A probe has the columns of path_probe, its bands as
 * lists. A stretch has from, to, probes, and the columns of its last probe that it is
 * about. A change has event, probed_at, and the columns that a stretch shares. */
json_t *history_probe_json(const struct path_probe *probe);
json_t *history_stretch_json(const struct history_stretch *stretch);
json_t *history_change_json(const struct path_probe *probe);

#endif

/* SPDX-License-Identifier: MIT */
/* The server's metrics for Prometheus: the newest run of each tunnel, and the server
 * itself. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/io.h"
#include "cmd/run/runmetrics.h"
#include "cmd/server/server_ops.h"
#include "sync/http.h"

/* An answer stays valid for this time at least. */
#define FRESH_MS 2000
/* Reading a thousand pairs takes 50 ms, during tests too. Limit this to one part in so
 * many of the time, however often a scraper asks. */
#define SHARE 20
/* The pairs of a run with more measurements would not fit into the answer. */
#define PAIRS_VISITS_MAX 20000
/* As many tunnels as an answer has room for, about; halved until they fit. */
#define TUNNELS_MAX 64
/* Room for the head of the answer. */
#define HEAD_MAX 1000

static int put_runs(struct query *query, struct runmetrics *runs, FILE *out,
		    struct err *err)
{
	int r = runmetrics_collect(runs, query, err);

	if (r == 0)
		r = prometheus_export(query, runs->run, runs->count, out, err);
	runmetrics_release(runs);
	return r;
}

static int put_all(struct server *f, struct runmetrics *runs, FILE *out,
		   struct err *err)
{
	cleanup_query struct query *query = NULL;
	int r = query_open(f->config->options->db, &query, err);

	if (r < 0)
		return r;
	query_bound(query, QUERY_ROWS_SERVED);
	prometheus_put_server(out, &f->facts, MTUSWEEP_VERSION,
			      atomic_load(&f->session_open));
	return put_runs(query, runs, out, err);
}

static int write_tunnels(struct server *f, bool pairs, int tunnels, char **ret,
			 size_t *ret_size, struct err *err)
{
	struct runmetrics runs = {
		.max = tunnels,
		.pair_rows = pairs ? PAIRS_VISITS_MAX : -1,
	};
	FILE *out = open_memstream(ret, ret_size);
	int r;

	if (!out)
		return err_set(err, -ENOMEM, "out of memory");
	r = put_all(f, &runs, out, err);
	if (fclose(out) == EOF && r == 0)
		r = err_set(err, -ENOMEM, "out of memory");
	return r;
}

/* A slow reader must not occupy a worker (sync/http.h): leave pairs out, then tunnels. */
static int write_text(struct server *f, bool pairs, char **ret, struct err *err)
{
	/* Others in the tunnel may know of the newest run alone. */
	int tunnels = pairs ? TUNNELS_MAX : 1;

	for (;;) {
		cleanup_free char *text = NULL;
		size_t size = 0;
		int r = write_tunnels(f, pairs, tunnels, &text, &size, err);

		if (r < 0)
			return r;
		if (size <= HTTP_ANSWER_MAX - HEAD_MAX || (!pairs && tunnels == 1)) {
			*ret = text;
			text = NULL;
			return 0;
		}
		if (!pairs)
			tunnels /= 2;
		pairs = false;
	}
}

/* One at a time, see page_ops. */
int server_metrics(void *ctx, bool near, char **ret_text, struct err *err)
{
	struct server *f = ctx;
	struct server_metrics *m = &f->metrics;
	int64_t now_ms = clock_boot_ms();
	int r;

	if (now_ms >= m->again_at_ms[near]) {
		char *text = NULL;

		/* Over the tunnel, the figures of pairs would disturb the tests. */
		r = write_text(f, near, &text, err);
		free(m->text[near]);
		m->text[near] = text;
		m->again_at_ms[near] = clock_again_ms(now_ms, SHARE);
		if (m->again_at_ms[near] < now_ms + FRESH_MS)
			m->again_at_ms[near] = now_ms + FRESH_MS;
		if (r < 0)
			return r;
	}
	if (!m->text[near])
		return err_set(err, -EAGAIN,
			       "the database cannot be read now: try again later");
	*ret_text = strdup(m->text[near]);
	return *ret_text ? 0 : err_set(err, -ENOMEM, "out of memory");
}

void server_metrics_release(struct server_metrics *metrics)
{
	for (int i = 0; i < 2; i++)
		free(metrics->text[i]);
}

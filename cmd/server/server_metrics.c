/* SPDX-License-Identifier: MIT */
/* The server's metrics for Prometheus: its newest run, and the server itself. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/io.h"
#include "cmd/server/server_ops.h"
#include "report/prometheus.h"
#include "store/query.h"
#include "sync/http.h"

/* An answer stays valid for this time at least. */
#define FRESH_MS 2000
/* Reading a thousand pairs takes 50 ms, during tests too. Limit this to one part in so
 * many of the time, however often a scraper asks. */
#define SHARE 20
/* The pairs of a run with more measurements would not fit into the answer. */
#define PAIRS_VISITS_MAX 20000
/* Room for the head of the answer. */
#define HEAD_MAX 1000

static int put_newest(struct query *query, bool pairs, FILE *out, struct err *err)
{
	struct query_run run;
	int r = query_run(query, NULL, &run, err);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	pairs = pairs && run.measured <= PAIRS_VISITS_MAX;
	return (pairs ? prometheus_export : prometheus_export_run)(query, &run, out,
								   err);
}

static int put_all(struct server *f, bool pairs, FILE *out, struct err *err)
{
	cleanup_query struct query *query = NULL;
	int r = query_open(f->config->options->db, &query, err);

	if (r < 0)
		return r;
	query_bound(query, QUERY_ROWS_SERVED);
	prometheus_put_server(out, MTUSWEEP_VERSION, atomic_load(&f->session_open));
	return put_newest(query, pairs, out, err);
}

static int write_text(struct server *f, bool pairs, char **ret, struct err *err)
{
	cleanup_free char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int r;

	if (!out)
		return err_set(err, -ENOMEM, "out of memory");
	r = put_all(f, pairs, out, err);
	if (fclose(out) == EOF && r == 0)
		r = err_set(err, -ENOMEM, "out of memory");
	if (r < 0)
		return r;
	/* A slow reader must not occupy a worker (sync/http.h). */
	if (pairs && size > HTTP_ANSWER_MAX - HEAD_MAX)
		return write_text(f, false, ret, err);
	*ret = text;
	text = NULL;
	return 0;
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

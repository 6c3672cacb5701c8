/* SPDX-License-Identifier: MIT */
/* The format wants all samples of a metric together: a table of metrics, each written for
 * all runs. */
#include "report/prometheus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/text.h"
#include "base/tunnel.h"

/* A run with all that its samples are made of, but for the pairs. */
struct item {
	const struct prometheus_run *given;
	char *labels; /* those of each series */
	bool path_known;
	struct path_survey path;
	bool recommended_known;
	struct evidence recommended;
	bool fastest_known;
	struct query_result fastest;
	bool watched;
	struct path_probe probe;        /* the last of the tunnel's newest watch */
	int warnings[2][WARNING_COUNT]; /* by `about` */
};

static const char *const about[] = {"run", "recommendation"};

/* A metric's samples on their way out. */
struct sink {
	FILE *out;
	const char *name;
	const struct item *item;
};

struct metric {
	const char *name;
	const char *help;
	void (*put)(const struct sink *sink);
	/* Instead, for each pair of runs that show theirs. */
	int (*put_pair)(void *sink, const struct query_result *result);
};

/* --- text --- */

/* name="value", with what the format wants escaped. The value may be anybody's. */
static void put_label(FILE *out, const char *name, const char *text)
{
	cleanup_free char *value = strdup(text);

	if (value)
		text_printable(value);
	fprintf(out, "%s=\"", name);
	for (size_t i = 0; value && value[i]; i++) {
		if (text[i] == '\n')
			fputs("\\n", out);
		else
			fprintf(out, "%s%c", strchr("\"\\", value[i]) ? "\\" : "",
				value[i]);
	}
	fputc('"', out);
}

static char *make_labels(const char *server, const char *peer, const char *interface,
			 const char *tunnel)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	put_label(out, "server", server);
	put_label(out, ",peer", peer);
	put_label(out, ",interface", interface);
	put_label(out, ",tunnel", tunnel);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

static void put_help(FILE *out, const char *name, const char *help)
{
	fprintf(out, "# HELP mtusweep_%s %s\n# TYPE mtusweep_%s gauge\n", name, help,
		name);
}

/* `more`: further labels, with a comma before each. */
static void put_sample(const struct sink *sink, const char *more, double value)
{
	fprintf(sink->out, "mtusweep_%s{%s%s} %.15g\n", sink->name, sink->item->labels,
		more, value);
}

static void put_direction(const struct sink *sink, enum direction dir, double value)
{
	char more[40];

	snprintf(more, sizeof(more), ",direction=\"%s\"", direction_name(dir));
	put_sample(sink, more, value);
}

static void put_mtus(const struct sink *sink, const struct mtu_pair *mtu)
{
	if (mtu->server && mtu->server != MTU_UNKNOWN)
		put_sample(sink, ",end=\"server\"", mtu->server);
	if (mtu->peer && mtu->peer != MTU_UNKNOWN)
		put_sample(sink, ",end=\"peer\"", mtu->peer);
}

/* --- the run --- */

static const struct query_run *run_of(const struct sink *sink)
{
	return &sink->item->given->run;
}

static void put_info(const struct sink *sink)
{
	const struct query_run *run = run_of(sink);

	fprintf(sink->out, "mtusweep_%s{%s", sink->name, sink->item->labels);
	put_label(sink->out, ",uuid", run->info.uuid);
	put_label(sink->out, ",server_interface", run->info.server.interface);
	put_label(sink->out, ",peer_interface", run->info.peer.interface);
	put_label(sink->out, ",strategy", run->info.strategy);
	put_label(sink->out, ",state", query_run_state(run));
	fputs("} 1\n", sink->out);
}

static void put_start(const struct sink *sink)
{
	put_sample(sink, "", (double)run_of(sink)->info.started_at_ms / 1000);
}

static void put_end(const struct sink *sink)
{
	if (run_of(sink)->ended_at_ms)
		put_sample(sink, "", (double)run_of(sink)->ended_at_ms / 1000);
}

/* A run under way has the path, or the prediction, from its start on. */
static void put_last_result(const struct sink *sink)
{
	const struct query_run *run = run_of(sink);
	int64_t at_ms = run->ended_at_ms ? run->ended_at_ms : run->info.started_at_ms;

	if (sink->item->path_known || sink->item->recommended_known ||
	    run->measured > run->failed)
		put_sample(sink, "", (double)at_ms / 1000);
}

static void put_left_out(const struct sink *sink)
{
	put_sample(sink, "", !run_of(sink)->counted);
}

static void put_visits(const struct sink *sink)
{
	if (run_of(sink)->counted)
		put_sample(sink, "", run_of(sink)->measured);
}

static void put_failed(const struct sink *sink)
{
	if (run_of(sink)->counted)
		put_sample(sink, "", run_of(sink)->failed);
}

static void put_planned(const struct sink *sink)
{
	if (run_of(sink)->info.pairs_planned)
		put_sample(sink, "", run_of(sink)->info.pairs_planned);
}

/* --- the path and the recommendation --- */

static void put_bands(const struct sink *sink, enum direction dir,
		      const struct path_bands *bands)
{
	if (bands->count && bands->band[0].fate != FATE_UNKNOWN)
		put_direction(sink, dir, path_bands_whole_max(bands));
}

static void put_whole(const struct sink *sink)
{
	for (int d = 0; d < DIR_COUNT && sink->item->path_known; d++)
		put_bands(sink, (enum direction)d, &sink->item->path.path.dir[d]);
}

static void put_doubt(const struct sink *sink)
{
	const struct path_survey *survey = &sink->item->path;

	for (int d = 0; d < DIR_COUNT && sink->item->path_known; d++)
		put_direction(sink, (enum direction)d,
			      path_is_doubted(&survey->path, (enum direction)d) ||
				      !survey->probes[d]);
}

static void put_fastest(const struct sink *sink)
{
	if (sink->item->fastest_known)
		put_mtus(sink, &sink->item->fastest.mtu);
}

static void put_why(const struct sink *sink)
{
	const struct evidence *e = &sink->item->recommended;

	if (!sink->item->recommended_known)
		return;
	fprintf(sink->out, "mtusweep_%s{%s", sink->name, sink->item->labels);
	put_label(sink->out, ",reason", reason_name(e->reason.kind));
	if (e->reason.kind != REASON_TEXT)
		put_label(sink->out, ",status", evidence_status_name(e->status));
	fputs("} 1\n", sink->out);
}

/* One end alone that knows no MTU has a reason all the same. */
static struct mtu_pair recommended_mtu(const struct sink *sink)
{
	if (!sink->item->recommended_known)
		return (struct mtu_pair){0};
	return evidence_pair(&sink->item->recommended);
}

static void put_settled(const struct sink *sink)
{
	if (recommended_mtu(sink).peer)
		put_sample(sink, "", sink->item->recommended.settled);
}

static void put_recommended(const struct sink *sink)
{
	struct mtu_pair mtu = recommended_mtu(sink);

	put_mtus(sink, &mtu);
}

static void put_live(const struct sink *sink)
{
	put_mtus(sink, &sink->item->given->live);
}

static void put_warnings(const struct sink *sink)
{
	for (int i = 0; i < 2 * WARNING_COUNT; i++) {
		int kind = i % WARNING_COUNT;
		int count = sink->item->warnings[i / WARNING_COUNT][kind];
		char more[80];

		snprintf(more, sizeof(more), ",about=\"%s\",kind=\"%s\"",
			 about[i / WARNING_COUNT],
			 warning_name((enum warning_kind)kind));
		if (count)
			put_sample(sink, more, count);
	}
}

/* --- the watch --- */

static void put_probed(const struct sink *sink)
{
	if (sink->item->watched)
		put_sample(sink, "", (double)sink->item->probe.probed_at_ms / 1000);
}

static void put_answered(const struct sink *sink)
{
	if (sink->item->watched)
		put_sample(sink, "", sink->item->probe.answer == PROBE_OK);
}

/* What was applied after the probe fits. Where the path flaps it is not the largest that
 * fits, and the next probe tells it. */
static bool has_applied(const struct sink *sink)
{
	return sink->item->probe.applied == PROBE_APPLIED;
}

static void put_fits(const struct sink *sink)
{
	if (sink->item->watched && sink->item->probe.fit != PROBE_FIT_UNKNOWN)
		put_sample(sink, "",
			   has_applied(sink) || sink->item->probe.fit == PROBE_FITS);
}

static void put_watched_whole(const struct sink *sink)
{
	for (int d = 0; d < DIR_COUNT && sink->item->watched; d++)
		put_bands(sink, (enum direction)d, &sink->item->probe.dir[d]);
}

static void put_watched_mtu(const struct sink *sink)
{
	if (sink->item->watched && !has_applied(sink))
		put_mtus(sink, &sink->item->probe.current);
}

static void put_largest(const struct sink *sink)
{
	if (sink->item->watched)
		put_mtus(sink, &sink->item->probe.largest);
}

/* --- the pairs --- */

static void put_of_pair(const struct sink *sink, const struct query_result *result,
			enum direction dir, double value)
{
	char server[32] = "";
	char peer[32] = "";
	char more[120];

	/* An empty label would be the same as none. */
	if (result->mtu.server != MTU_UNKNOWN)
		snprintf(server, sizeof(server), ",server_mtu=\"%d\"",
			 result->mtu.server);
	if (result->mtu.peer != MTU_UNKNOWN)
		snprintf(peer, sizeof(peer), ",peer_mtu=\"%d\"", result->mtu.peer);
	snprintf(more, sizeof(more), "%s%s,direction=\"%s\"", server, peer,
		 direction_name(dir));
	put_sample(sink, more, value);
}

static int put_rates(void *sink, const struct query_result *result)
{
	if (result->upload_bps != NO_FIGURE)
		put_of_pair(sink, result, DIR_UPLOAD, (double)result->upload_bps / 8);
	if (result->download_bps != NO_FIGURE)
		put_of_pair(sink, result, DIR_DOWNLOAD,
			    (double)result->download_bps / 8);
	return 0;
}

static int put_failures(void *sink, const struct query_result *result)
{
	put_of_pair(sink, result, DIR_UPLOAD, result->visits - result->upload_ok);
	put_of_pair(sink, result, DIR_DOWNLOAD, result->visits - result->download_ok);
	return 0;
}

/* --- the list --- */

static const struct metric metrics[] = {
	{"run_info", "The run that the other metrics describe.", put_info, NULL},
	{"run_start_time_seconds", "Start of the run, in seconds since 1970.",
	 put_start, NULL},
	{"run_end_time_seconds", "End of the run, in seconds since 1970.", put_end,
	 NULL},
	{"last_result_timestamp_seconds",
	 "Time of the last result of the tunnel, in seconds since 1970.",
	 put_last_result, NULL},
	{"run_left_out",
	 "State of the run's rows: 1 too many for this answer, 0 included.",
	 put_left_out, NULL},
	{"run_visits", "Number of stored measurements.", put_visits, NULL},
	{"run_failed_visits", "Number of measurements that failed in a direction.",
	 put_failed, NULL},
	{"run_planned_visits", "Number of planned measurements.", put_planned, NULL},
	{"path_whole_bytes",
	 "Outer packets of up to this size all arrive whole; 0: none does.", put_whole,
	 NULL},
	{"path_doubtful",
	 "1 if fragments cannot be told from whole packets in this direction, or only "
	 "throughput tells.",
	 put_doubt, NULL},
	{"mtu_fastest_bytes", "MTUs of the fastest measured pair.", put_fastest, NULL},
	{"recommended_info", "Why the run recommends its MTUs.", put_why, NULL},
	{"recommended_settled",
	 "1 if no tested pair can still be more than the margin faster.", put_settled,
	 NULL},
	{"mtu_recommended_bytes", "MTUs of the recommended pair.", put_recommended,
	 NULL},
	{"mtu_live_bytes",
	 "MTU of packets into the tunnel, at an end on this host, when this was "
	 "written.",
	 put_live, NULL},
	{"watch_last_probe_timestamp_seconds",
	 "Time of the newest watch's last probe, in seconds since 1970.", put_probed,
	 NULL},
	{"watch_answered", "1 if that probe was answered.", put_answered, NULL},
	{"watch_fits", "1 if packets of the MTUs in use arrive whole.", put_fits, NULL},
	{"watch_whole_bytes",
	 "Outer packets of up to this size all arrived whole; 0: none did.",
	 put_watched_whole, NULL},
	{"watch_mtu_bytes", "MTUs in use at that probe.", put_watched_mtu, NULL},
	{"watch_mtu_largest_bytes", "Largest MTUs that fit at that probe.", put_largest,
	 NULL},
	{"warnings", "Stored warnings of the run, by kind.", put_warnings, NULL},
	{"pair_goodput_bytes_per_second",
	 "Median of the measurements that were ok in this direction.", NULL, put_rates},
	{"pair_failed_visits",
	 "Number of measurements without a rate in this direction.", NULL,
	 put_failures},
};

#define METRICS ((int)(sizeof(metrics) / sizeof(metrics[0])))

/* --- reading --- */

static int count_warning(void *ctx, const struct query_warning *w)
{
	int *counts = ctx;

	counts[w->facts.kind]++;
	return 0;
}

static int load_recommended(struct query *query, struct item *item, struct err *err)
{
	struct query_recommendation recommended = {0};
	int r = query_recommended(query, item->given->run.id, &recommended, err);

	if (r < 0)
		return r == -ENODATA ? 0 : r;
	free(recommended.text);
	item->recommended = recommended.evidence;
	item->recommended_known = true;
	return 0;
}

static int load_item(struct query *query, const struct prometheus_run *given,
		     struct item *ret, struct err *err)
{
	const struct query_run *run = &given->run;
	const struct run_info *info = &run->info;
	bool of_server = strcmp(run->role, "server") == 0;
	char tunnel[TUNNEL_ID_SIZE];
	int r;

	ret->given = given;
	ret->labels =
		make_labels(info->server.host, info->peer.host,
			    of_server ? info->server.interface : info->peer.interface,
			    tunnel_id_of_run(info, tunnel));
	if (!ret->labels)
		return err_set(err, -ENOMEM, "out of memory");
	r = query_path(query, run->id, &ret->path, err);
	ret->path_known = r == 0;
	if (r == 0 || r == -ENODATA)
		r = query_tunnel_probe(query, run->id, &ret->probe, err);
	ret->watched = r == 0;
	if (r == 0 || r == -ENODATA)
		r = load_recommended(query, ret, err);
	for (int i = 0; r == 0 && i < 2; i++)
		r = query_warnings(query, run->id, about[i], count_warning,
				   ret->warnings[i], err);
	if (r < 0 || !run->counted)
		return r;
	r = query_best(query, run->id, QUERY_BY_SUM, &ret->fastest, err);
	ret->fastest_known = r == 0;
	return r == -ENODATA || r == -E2BIG ? 0 : r;
}

/* --- writing --- */

static int put_samples(struct query *query, const struct metric *metric,
		       const struct item *items, int count, FILE *out, struct err *err)
{
	int r = 0;

	for (int i = 0; r == 0 && i < count; i++) {
		const struct prometheus_run *given = items[i].given;
		struct sink sink = {out, metric->name, &items[i]};

		if (metric->put)
			metric->put(&sink);
		else if (given->pairs && given->run.counted)
			r = query_results(query, given->run.id, metric->put_pair, &sink,
					  err);
	}
	return r;
}

static int fail_output(struct err *err)
{
	return err_sys(err, errno ? errno : EIO, "cannot write the export");
}

/* A metric without samples has no help either. */
static int put_metric(struct query *query, const struct metric *metric,
		      const struct item *items, int count, FILE *out, struct err *err)
{
	cleanup_free char *text = NULL;
	size_t size = 0;
	FILE *samples = open_memstream(&text, &size);
	int r;

	if (!samples)
		return err_set(err, -ENOMEM, "out of memory");
	r = put_samples(query, metric, items, count, samples, err);
	if (fclose(samples) == EOF && r == 0)
		r = err_set(err, -ENOMEM, "out of memory");
	if (r < 0 || size == 0)
		return r;
	errno = 0;
	put_help(out, metric->name, metric->help);
	if (fwrite(text, 1, size, out) != size || ferror(out))
		return fail_output(err);
	return 0;
}

static int finish_output(FILE *out, struct err *err)
{
	errno = 0;
	return fflush(out) == EOF || ferror(out) ? fail_output(err) : 0;
}

int prometheus_export(struct query *query, const struct prometheus_run *runs, int count,
		      FILE *out, struct err *err)
{
	struct item *items = calloc((size_t)count + 1, sizeof(*items));
	int r = items ? 0 : err_set(err, -ENOMEM, "out of memory");

	for (int i = 0; r == 0 && i < count; i++)
		r = load_item(query, &runs[i], &items[i], err);
	for (int i = 0; r == 0 && i < METRICS; i++)
		r = put_metric(query, &metrics[i], items, count, out, err);
	for (int i = 0; items && i < count; i++)
		free(items[i].labels);
	free(items);
	return r < 0 ? r : finish_output(out, err);
}

void prometheus_put_server(FILE *out, const struct end_facts *server,
			   const char *version, bool session_open)
{
	cleanup_free char *labels =
		make_labels(server->host, "", server->interface, "");

	if (!labels)
		return;
	put_help(out, "server_info", "The server that gives this answer.");
	fprintf(out, "mtusweep_server_info{%s", labels);
	put_label(out, ",version", version);
	fputs("} 1\n", out);
	put_help(out, "session_open", "State of a peer's session: 1 open, 0 none.");
	fprintf(out, "mtusweep_session_open{%s} %d\n", labels, session_open);
}

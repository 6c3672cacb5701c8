/* SPDX-License-Identifier: MIT */
#include "report/prometheus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/text.h"

static void put_help(FILE *out, const char *name, const char *help)
{
	fprintf(out, "# HELP mtusweep_%s %s\n# TYPE mtusweep_%s gauge\n", name, help,
		name);
}

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

static void put_number(FILE *out, const char *name, const char *help, double value)
{
	put_help(out, name, help);
	fprintf(out, "mtusweep_%s %.15g\n", name, value);
}

static void put_counts(const struct query_run *run, FILE *out)
{
	put_number(out, "run_visits", "Number of stored measurements.", run->measured);
	put_number(out, "run_failed_visits",
		   "Number of measurements that failed in a direction.", run->failed);
}

static void put_run(const struct query_run *run, FILE *out)
{
	const struct run_info *info = &run->info;
	const struct {
		const char *name;
		const char *value;
	} labels[] = {
		{"uuid", info->uuid},
		{"server", info->server.host},
		{"server_interface", info->server.interface},
		{"peer", info->peer.host},
		{"peer_interface", info->peer.interface},
		{"strategy", info->strategy},
		{"state", query_run_state(run)},
	};

	put_help(out, "run_info", "The run that the other metrics describe.");
	fputs("mtusweep_run_info{", out);
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		if (i > 0)
			fputc(',', out);
		put_label(out, labels[i].name, labels[i].value);
	}
	fputs("} 1\n", out);
	put_number(out, "run_start_time_seconds",
		   "Start of the run, in seconds since 1970.",
		   (double)info->started_at_ms / 1000);
	if (run->ended_at_ms)
		put_number(out, "run_end_time_seconds",
			   "End of the run, in seconds since 1970.",
			   (double)run->ended_at_ms / 1000);
	put_number(out, "run_left_out",
		   "State of the run's rows: 1 too many for this answer, 0 included.",
		   !run->counted);
	if (run->counted)
		put_counts(run, out);
	if (info->pairs_planned)
		put_number(out, "run_planned_visits", "Number of planned measurements.",
			   info->pairs_planned);
}

static void put_pair(FILE *out, const char *name, const struct query_result *result,
		     const char *direction, double value)
{
	fprintf(out, "mtusweep_%s{", name);
	/* An empty label would be the same as none. */
	if (result->mtu.server != MTU_UNKNOWN)
		fprintf(out, "server_mtu=\"%d\",", result->mtu.server);
	if (result->mtu.peer != MTU_UNKNOWN)
		fprintf(out, "peer_mtu=\"%d\",", result->mtu.peer);
	fprintf(out, "direction=\"%s\"} %.15g\n", direction, value);
}

static int put_rates(void *ctx, const struct query_result *result)
{
	static const char name[] = "pair_goodput_bytes_per_second";

	if (result->upload_bps != NO_FIGURE)
		put_pair(ctx, name, result, "upload", (double)result->upload_bps / 8);
	if (result->download_bps != NO_FIGURE)
		put_pair(ctx, name, result, "download",
			 (double)result->download_bps / 8);
	return 0;
}

static int put_failures(void *ctx, const struct query_result *result)
{
	static const char name[] = "pair_failed_visits";

	put_pair(ctx, name, result, "upload", result->visits - result->upload_ok);
	put_pair(ctx, name, result, "download", result->visits - result->download_ok);
	return 0;
}

static void put_mtus(FILE *out, const char *name, const char *help,
		     const struct mtu_pair *mtu)
{
	put_help(out, name, help);
	if (mtu->server != MTU_UNKNOWN)
		fprintf(out, "mtusweep_%s{end=\"server\"} %d\n", name, mtu->server);
	if (mtu->peer != MTU_UNKNOWN)
		fprintf(out, "mtusweep_%s{end=\"peer\"} %d\n", name, mtu->peer);
}

static int put_best(struct query *query, const struct query_run *run, FILE *out,
		    struct err *err)
{
	struct query_result best;
	int r = query_best(query, run->id, QUERY_BY_SUM, &best, err);

	if (r < 0)
		return r == -ENODATA || r == -E2BIG ? 0 : r;
	put_mtus(out, "fastest_mtu_bytes", "MTUs of the fastest measured pair.",
		 &best.mtu);
	return 0;
}

static int put_recommended(struct query *query, const struct query_run *run, FILE *out,
			   struct err *err)
{
	struct query_recommendation recommended = {0};
	struct mtu_pair mtu;
	int r = query_recommended(query, run->id, &recommended, err);

	if (r < 0)
		return r == -ENODATA ? 0 : r;
	free(recommended.text);
	mtu = evidence_pair(&recommended.evidence);
	/* One end alone that knows no MTU has a reason all the same. */
	put_help(out, "recommended_info", "Why the run recommends its MTUs.");
	fputs("mtusweep_recommended_info{", out);
	put_label(out, "reason", reason_name(recommended.evidence.reason.kind));
	if (recommended.evidence.reason.kind != REASON_TEXT) {
		fputc(',', out);
		put_label(out, "status",
			  evidence_status_name(recommended.evidence.status));
	}
	fputs("} 1\n", out);
	if (!mtu.peer)
		return 0;
	put_number(out, "recommended_settled",
		   "1 if no tested pair can still be more than the margin faster.",
		   recommended.evidence.settled);
	put_mtus(out, "recommended_mtu_bytes", "MTUs of the recommended pair.", &mtu);
	return 0;
}

static int count_warning(void *ctx, const struct query_warning *w)
{
	int *counts = ctx;

	counts[w->facts.kind]++;
	return 0;
}

static int put_warnings(struct query *query, const struct query_run *run, FILE *out,
			struct err *err)
{
	static const char *const about[] = {"run", "recommendation"};
	int counts[2][WARNING_COUNT] = {0};
	int r = 0;

	put_help(out, "warnings", "Stored warnings of the run, by kind.");
	for (int i = 0; r == 0 && i < 2; i++)
		r = query_warnings(query, run->id, about[i], count_warning, counts[i],
				   err);
	for (int i = 0; r == 0 && i < 2 * WARNING_COUNT; i++) {
		int count = counts[i / WARNING_COUNT][i % WARNING_COUNT];

		if (count)
			fprintf(out, "mtusweep_warnings{about=\"%s\",kind=\"%s\"} %d\n",
				about[i / WARNING_COUNT],
				warning_name((enum warning_kind)(i % WARNING_COUNT)),
				count);
	}
	return r;
}

static int finish_output(FILE *out, struct err *err)
{
	errno = 0;
	if (fflush(out) == EOF || ferror(out))
		return err_sys(err, errno ? errno : EIO, "cannot write the export");
	return 0;
}

void prometheus_put_server(FILE *out, const char *version, bool session_open)
{
	put_help(out, "server_info", "The server that gives this answer.");
	fputs("mtusweep_server_info{", out);
	put_label(out, "version", version);
	fputs("} 1\n", out);
	put_number(out, "session_open", "State of a peer's session: 1 open, 0 none.",
		   session_open);
}

int prometheus_export_run(struct query *query, const struct query_run *run, FILE *out,
			  struct err *err)
{
	int r;

	put_run(run, out);
	r = run->counted ? put_best(query, run, out, err) : 0;
	if (r == 0)
		r = put_recommended(query, run, out, err);
	if (r == 0)
		r = put_warnings(query, run, out, err);
	return r < 0 ? r : finish_output(out, err);
}

int prometheus_export(struct query *query, const struct query_run *run, FILE *out,
		      struct err *err)
{
	int r = prometheus_export_run(query, run, out, err);

	if (r < 0)
		return r;
	if (!run->counted)
		return 0;
	put_help(out, "pair_goodput_bytes_per_second",
		 "Median of the measurements that were ok in this direction.");
	r = query_results(query, run->id, put_rates, out, err);
	put_help(out, "pair_failed_visits",
		 "Number of measurements without a rate in this direction.");
	if (r == 0)
		r = query_results(query, run->id, put_failures, out, err);
	return r < 0 ? r : finish_output(out, err);
}

/* SPDX-License-Identifier: MIT */
#include "cmd/read/table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/one_end_tests.h"
#include "base/text.h"
#include "base/tunnel.h"

void table_time(int64_t at_ms, char ret[CLOCK_ISO_SIZE])
{
	clock_iso(at_ms, ret);
	ret[10] = ' ';
	ret[19] = '\0';
}

/* Print text of a database. All of it goes through here: names and messages may come
 * from the other host, or from another author of the file. */
static void print_text(FILE *out, const char *text)
{
	cleanup_free char *copy = strdup(text);

	if (!copy)
		return;
	text_printable(copy);
	fputs(copy, out);
}

void table_runs_heading(FILE *out)
{
	fprintf(out, "%4s  %-8s  %-19s  %-6s  %-8s  %-11s  %8s  %6s  %-11s  %-*s  %s\n",
		"run", "uuid", "started (UTC)", "role", "strategy", "outcome",
		"measured", "failed", "recommended", TUNNEL_ID_SIZE - 1, "tunnel",
		"server - peer");
}

static void print_end_name(FILE *out, const struct end_facts *end)
{
	print_text(out, *end->host ? end->host : "?");
	if (*end->interface) {
		fputc(' ', out);
		print_text(out, end->interface);
	}
}

/* One end alone knows nothing of the far one. */
static void print_name_of(FILE *out, const struct run_info *info, enum direction sends)
{
	if (run_info_has_end(info, sends))
		print_end_name(out, sends == DIR_UPLOAD ? &info->peer : &info->server);
	else
		fputc('-', out);
}

void table_run_line(FILE *out, const struct query_run *run)
{
	char started[CLOCK_ISO_SIZE];
	char uuid[UUID_SIZE];
	char role[sizeof(run->role)];
	char strategy[sizeof(run->info.strategy)];
	char recommended[PAIR_TEXT_SIZE] = "-";
	char tunnel[TUNNEL_ID_SIZE];

	table_time(run->info.started_at_ms, started);
	text_copy(uuid, sizeof(uuid), run->info.uuid);
	text_copy(role, sizeof(role), run->role);
	text_printable(uuid);
	text_printable(role);
	text_copy(strategy, sizeof(strategy), run->info.strategy);
	text_printable(strategy);
	if (run->recommended.server)
		mtu_pair_text(&run->recommended, recommended);
	fprintf(out,
		"%4" PRId64
		"  %-8.8s  %-19s  %-6s  %-8s  %-11s  %8d  %6d  %-11s  %-*s  ",
		run->id, uuid, started, role, strategy, query_run_state(run),
		run->measured, run->failed, recommended, TUNNEL_ID_SIZE - 1,
		*tunnel_id_of_run(&run->info, tunnel) ? tunnel : "-");
	print_name_of(out, &run->info, DIR_DOWNLOAD);
	fputs(" - ", out);
	print_name_of(out, &run->info, DIR_UPLOAD);
	fputc('\n', out);
}

static const char *backend_words(enum backend backend)
{
	switch (backend) {
	case BACKEND_KERNEL:
		return "WireGuard in the kernel";
	case BACKEND_USERSPACE:
		return "WireGuard in userspace";
	case BACKEND_NONE:
	case BACKEND_COUNT:
		break;
	}
	return "";
}

static void print_tunnel(FILE *out, const struct end_facts *end)
{
	const char *words = backend_words(end->backend);

	if (!*words && !end->endpoint_family)
		return;
	fputs(words, out);
	if (end->endpoint_family)
		fprintf(out, "%sover IPv%d", *words ? " " : "", end->endpoint_family);
	fputs(", ", out);
}

/* Omit facts that are unknown, as after an import. */
static void print_end(FILE *out, const char *name, const struct end_facts *end,
		      const struct mtu_range *range)
{
	fprintf(out, "%-8s  ", name);
	if (*end->host || *end->interface || *end->address) {
		print_end_name(out, end);
		if (*end->address) {
			fputc(' ', out);
			print_text(out, end->address);
		}
		fputs(", ", out);
	}
	if (end->link_mtu)
		fprintf(out, "MTU %d before, ", end->link_mtu);
	print_tunnel(out, end);
	fprintf(out, "MTUs %d to %d by %d\n", range->min, range->max, range->step);
}

static void print_outcome(FILE *out, const struct query_run *run)
{
	char ended[CLOCK_ISO_SIZE];

	fprintf(out, "outcome   %s", query_run_state(run));
	if (run->ended_at_ms) {
		table_time(run->ended_at_ms, ended);
		fprintf(out, " at %s UTC", ended);
	}
	if (*run->text) {
		fputs(": ", out);
		print_text(out, run->text);
	}
	fprintf(out, "\nmeasured  %d", run->measured);
	if (run->info.pairs_planned)
		fprintf(out, " of %d", run->info.pairs_planned);
	fprintf(out, ", %d failed\n", run->failed);
}

/* As `wg show` has the keys. */
static void print_keys(FILE *out, const struct run_info *info)
{
	char id[TUNNEL_ID_SIZE];

	if (!*info->server.key && !*info->peer.key)
		return;
	fprintf(out, "tunnel    %s, public keys: server %s, peer %s\n",
		*tunnel_id_of_run(info, id) ? id : "-",
		*info->server.key ? info->server.key : "-",
		*info->peer.key ? info->peer.key : "-");
}

void table_run(FILE *out, const struct query_run *run)
{
	const struct run_info *info = &run->info;
	char started[CLOCK_ISO_SIZE];

	table_time(info->started_at_ms, started);
	fprintf(out, "run       %" PRId64 " (", run->id);
	print_text(out, info->uuid);
	fputs("), the ", out);
	print_text(out, run->role);
	fprintf(out, "'s record\nstarted   %s UTC, strategy ", started);
	print_text(out, info->strategy);
	fprintf(out, ", %d pass%s", info->passes, info->passes == 1 ? "" : "es");
	if (info->duration_ms)
		fprintf(out, ", %g s a test", (double)info->duration_ms / 1000);
	fputc('\n', out);
	print_outcome(out, run);
	print_keys(out, info);
	if (run_info_has_end(info, DIR_DOWNLOAD))
		print_end(out, "server", &info->server, &info->server_range);
	else
		fputs("server    -\n", out);
	if (run_info_has_end(info, DIR_UPLOAD))
		print_end(out, "peer", &info->peer, &info->peer_range);
	else
		fputs("peer      -\n", out);
}

void table_warning(FILE *out, const struct warning *w)
{
	cleanup_free char *text = warning_sentence(w);

	fprintf(out, "%-10s", warning_label(w->kind));
	print_text(out, text ? text : warning_name(w->kind));
	fputc('\n', out);
}

void table_lines(FILE *out, const char *text)
{
	cleanup_free char *copy = strdup(text);
	char *rest = NULL;

	for (char *line = copy ? strtok_r(copy, "\n", &rest) : NULL; line;
	     line = strtok_r(NULL, "\n", &rest)) {
		print_text(out, line);
		fputc('\n', out);
	}
}

void table_recommended(FILE *out, const struct query_recommendation *recommended)
{
	const struct evidence *e = &recommended->evidence;
	char words[PAIR_WORDS_SIZE] = "no MTU";

	fputs("pair      ", out);
	if (e->mtu.peer)
		mtu_pair_words(&e->mtu, words);
	if (e->one_ended && e->mtu.peer)
		one_end_tests_print_first(e, false, out);
	else
		fprintf(out, "recommended: %s%s\n", words,
			e->reason.kind == REASON_TEXT || !e->mtu.peer
				? ""
				: evidence_doubt(e));
	if (e->reason.kind == REASON_TEXT) {
		table_lines(out, recommended->text);
		return;
	}
	/* The reason of an MTU that tests contradict does not hold. */
	if (!one_end_is_contradicted(e))
		fprintf(out, "why       %s\n", reason_sentence(e->reason.kind));
	for (int i = 0; i < e->warnings; i++)
		table_warning(out, &e->warning[i]);
}

void table_results_heading(FILE *out)
{
	fprintf(out, "\n%10s  %8s  %13s  %13s  %12s\n", "server MTU", "peer MTU",
		"upload Mbit/s", "download", "measurements");
}

/* A pair that works now and then looks like any other by its medians alone. */
static void print_flaky(FILE *out, const struct query_result *result)
{
	const int ok[] = {
		[DIR_UPLOAD] = result->upload_ok,
		[DIR_DOWNLOAD] = result->download_ok,
	};

	for (int dir = 0; dir < DIR_COUNT; dir++) {
		if (ok[dir] > 0 && ok[dir] < result->visits)
			fprintf(out, ", %s ok in %d of %d",
				direction_name((enum direction)dir), ok[dir],
				result->visits);
	}
}

void table_result_line(FILE *out, const struct query_result *result)
{
	char server[MTU_TEXT_SIZE];
	char peer[MTU_TEXT_SIZE];
	char up[RATE_TEXT_SIZE];
	char down[RATE_TEXT_SIZE];

	rate_text(result->upload_status, result->upload_bps, 3, up);
	rate_text(result->download_status, result->download_bps, 3, down);
	fprintf(out, "%10s  %8s  %13s  %13s  %12d",
		mtu_text(result->mtu.server, server), mtu_text(result->mtu.peer, peer),
		up, down, result->visits);
	print_flaky(out, result);
	fputc('\n', out);
}

void table_best(FILE *out, const struct query_result *result)
{
	static const char unit[] = " Mbit/s";
	char words[PAIR_WORDS_SIZE];
	char up[RATE_TEXT_SIZE];
	char down[RATE_TEXT_SIZE];
	bool up_known = rate_text(result->upload_status, result->upload_bps, 3, up);
	bool down_known =
		rate_text(result->download_status, result->download_bps, 3, down);
	bool both = up_known && down_known;

	fprintf(out, "%s\n", mtu_pair_words(&result->mtu, words));
	fprintf(out, "upload %s%s, download %s%s", up, up_known && !both ? unit : "",
		down, down_known && !both ? unit : "");
	if (both)
		fprintf(out, ", sum %.3f%s",
			(double)(result->upload_bps + result->download_bps) / 1e6,
			unit);
	if (result->visits > 1)
		fprintf(out, ", medians of %d measurements", result->visits);
	print_flaky(out, result);
	fputc('\n', out);
}

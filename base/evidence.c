/* SPDX-License-Identifier: MIT */
#include "base/evidence.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/one_end_tests.h"
#include "base/text.h"

void evidence_init(struct evidence *e)
{
	*e = (struct evidence){0};
	for (int dir = 0; dir < DIR_COUNT; dir++) {
#define NO_EVIDENCE(name, ...) e->dir[dir].name = NO_FIGURE;
		EVIDENCE_FIGURES(NO_EVIDENCE)
#undef NO_EVIDENCE
	}
}

void evidence_warn(struct evidence *e, struct warning w)
{
	if (e->warnings < EVIDENCE_WARNINGS_MAX)
		e->warning[e->warnings++] = w;
}

bool evidence_incomplete(const struct evidence *e)
{
	for (int i = 0; i < e->warnings; i++) {
		if (e->warning[i].kind == WARNING_INCOMPLETE)
			return true;
	}
	return false;
}

static const char *const status_names[EVIDENCE_STATUS_COUNT] = {
#define STATUS_NAME(status, name) [EVIDENCE_##status] = name,
	EVIDENCE_STATUSES(STATUS_NAME)
#undef STATUS_NAME
};

TEXT_DEFINE_WORDS(evidence_status, evidence_status, status_names, EVIDENCE_STATUS_COUNT)

static double percent(int64_t permille)
{
	return (double)permille / 10 - 100;
}

static void print_interval(const struct evidence_dir *dir, const char *name, FILE *out)
{
	char rate[RATE_TEXT_SIZE];
	char low[RATE_TEXT_SIZE];
	char high[RATE_TEXT_SIZE];

	rate_number(dir->bps, dir->bps, rate);
	rate_number(dir->low_bps, dir->bps, low);
	rate_number(dir->high_bps, dir->bps, high);
	fprintf(out, "%s %s %s (%s to %s)", name, rate, rate_unit(dir->bps), low, high);
}

static void print_rate(const struct evidence_dir *dir, const char *name, FILE *out)
{
	if (dir->bps == NO_FIGURE)
		fprintf(out, "%s not measured", name);
	else if (dir->bps == 0)
		fprintf(out, "%s nothing got through", name);
	else
		print_interval(dir, name, out);
}

struct mtu_pair evidence_pair(const struct evidence *e)
{
	return one_end_is_contradicted(e) ? (struct mtu_pair){0} : e->mtu;
}

bool evidence_is_predicted(const struct evidence *e)
{
	return e->status == EVIDENCE_PREDICTED && e->reason.kind != REASON_TEXT;
}

bool evidence_correct_bands(const struct evidence *e, enum direction dir,
			    struct path_bands *bands)
{
	if (!e->dir[dir].guessed || bands->count == 0)
		return false;
	*bands = e->survey.path.dir[dir];
	return true;
}

/* True if the probes alone tell. */
static bool is_untested(const struct evidence *e)
{
	return e->status == EVIDENCE_PREDICTED && !evidence_incomplete(e) &&
	       e->dir[DIR_UPLOAD].bps == NO_FIGURE &&
	       e->dir[DIR_DOWNLOAD].bps == NO_FIGURE;
}

const char *evidence_doubt(const struct evidence *e)
{
	return is_untested(e) ? "; predicted by probes, not measured" : "";
}

/* True if a lowered MSS kept TCP's packets below the size that the pair allows. */
static bool is_clamped(const struct evidence *e)
{
	int full = e->mtu.server < e->mtu.peer ? e->mtu.server : e->mtu.peer;

	for (int i = 0; i < e->warnings; i++) {
		const struct warning *w = &e->warning[i];

		if (w->kind == WARNING_CLAMPED && w->size_max < full)
			return true;
	}
	return false;
}

const char *evidence_confirmation(const struct evidence *e)
{
	return is_clamped(e) ? "confirmed by tests of smaller packets"
			     : "confirmed by tests";
}

const char *evidence_proof(const struct evidence *e, bool tests_follow)
{
	if (e->reason.kind == REASON_TEXT)
		return "";
	switch (e->status) {
	case EVIDENCE_PREDICTED:
		if (tests_follow)
			return "predicted, tests follow";
		return e->reason.visits ? "predicted, not confirmed by tests"
					: "predicted by probes, not measured";
	case EVIDENCE_CONTRADICTED:
		return "tests contradict the probes";
	case EVIDENCE_CONFIRMED:
	case EVIDENCE_STATUS_COUNT:
		break;
	}
	if (e->settled)
		return evidence_confirmation(e);
	return is_clamped(e) ? "confirmed by tests of smaller packets, not settled"
			     : "confirmed by tests, not settled";
}

static void print_pair(const struct evidence *e, FILE *out)
{
	fprintf(out, "recommended: server MTU %d, peer MTU %d", e->mtu.server,
		e->mtu.peer);
	if (is_untested(e)) {
		fputs(evidence_doubt(e), out);
	} else if (!evidence_incomplete(e)) {
		fputs("; ", out);
		print_rate(&e->dir[DIR_UPLOAD], "upload", out);
		fputs(", ", out);
		print_rate(&e->dir[DIR_DOWNLOAD], "download", out);
	}
	fputc('\n', out);
}

/* "packets of up to 1460 bytes arrive whole, of 1461 to 1500 are lost, ..." `unseen`:
 * nobody saw outer packets. */
static void print_bands(FILE *out, const struct path_bands *bands, bool unseen)
{
	if (bands->count == 0)
		fputs("nothing is known of packets by their size", out);
	for (int i = 0; i < bands->count; i++) {
		const char *words = fate_phrase(bands->band[i].fate, unseen);
		int above = i > 0 ? bands->band[i - 1].max : 0;
		int max = bands->band[i].max;

		if (i == 0 && max == OUTER_SIZE_MAX)
			fprintf(out, "all packets %s", words);
		else if (i == 0)
			fprintf(out, "packets of up to %d bytes %s", max, words);
		else if (max == OUTER_SIZE_MAX)
			fprintf(out, ", larger ones %s", words);
		else if (max == above + 1)
			fprintf(out, ", those of %d %s", max, words);
		else
			fprintf(out, ", those of %d to %d %s", above + 1, max, words);
	}
}

static int family_of(int overhead)
{
	return overhead == PATH_OVERHEAD_IPV6 ? 6 : 4;
}

static void print_overhead(const int overhead[DIR_COUNT], FILE *out)
{
	int up = overhead[DIR_UPLOAD];
	int down = overhead[DIR_DOWNLOAD];

	if (up == down)
		fprintf(out,
			"WireGuard makes each packet %d bytes larger (IPv%d outside)\n",
			up, family_of(up));
	else
		fprintf(out,
			"WireGuard makes each packet larger: the server's by %d bytes "
			"(IPv%d outside), the peer's by %d (IPv%d outside)\n",
			down, family_of(down), up, family_of(up));
}

static void print_path(const struct evidence *e, FILE *out)
{
	const struct path *path = &e->survey.path;

	if (!path->overhead[DIR_UPLOAD])
		return;
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		int probes = e->survey.probes[dir];

		fprintf(out, "path, %s: ", direction_name((enum direction)dir));
		print_bands(out, &path->dir[dir],
			    path_is_doubted(path, (enum direction)dir) ||
				    e->dir[dir].guessed);
		if (e->dir[dir].guessed && path_bands_slowed(&path->dir[dir]))
			fprintf(out,
				" (inferred from throughput, fragments with %d %% "
				"confidence)\n",
				PATH_GUESS_CONFIDENCE);
		else if (e->dir[dir].guessed)
			fputs(" (inferred from throughput)\n", out);
		else
			fprintf(out, " (%d probe%s)\n", probes, text_plural(probes));
	}
	print_overhead(path->overhead, out);
}

/* Print one direction; false: unknown. */
static bool print_gain_of(const struct evidence_dir *dir, const char *name,
			  const char *before, FILE *out)
{
	if (dir->current_bps == 0) {
		char rate[RATE_TEXT_SIZE];

		rate_number(dir->bps, dir->bps, rate);
		fprintf(out, "%s %s ", before, name);
		if (dir->bps > 0)
			fprintf(out, "%s %s instead of nothing", rate,
				rate_unit(dir->bps));
		else
			fputs("nothing got through", out);
		return true;
	}
	if (dir->ratio_permille == NO_FIGURE)
		return false;
	fprintf(out, "%s %s %+.1f %% (%+.1f to %+.1f)", before, name,
		percent(dir->ratio_permille), percent(dir->ratio_low_permille),
		percent(dir->ratio_high_permille));
	return true;
}

/* True if no measurement of the current pair is known; one without a rate leaves a
 * warning. */
static bool lacks_current(const struct evidence *e)
{
	for (int i = 0; i < e->warnings; i++) {
		if (e->warning[i].kind == WARNING_UNREACHED)
			return false;
	}
	return !e->survey.since_seq && e->dir[DIR_UPLOAD].current_bps == NO_FIGURE &&
	       e->dir[DIR_DOWNLOAD].current_bps == NO_FIGURE;
}

static void print_gain(const struct evidence *e, FILE *out)
{
	bool known = false;

	if (!e->current.server || !e->current.peer)
		return;
	if (mtu_pair_same(&e->current, &e->mtu)) {
		fputs("it is the current pair\n", out);
		return;
	}
	fprintf(out, "against the current pair, %d/%d:", e->current.server,
		e->current.peer);
	for (int dir = 0; dir < DIR_COUNT; dir++)
		known |= print_gain_of(&e->dir[dir],
				       direction_name((enum direction)dir),
				       known ? ";" : "", out);
	if (known)
		fputc('\n', out);
	else if (lacks_current(e))
		fputs(" it was not measured\n", out);
	else
		fputs(" the measurements do not allow a comparison\n", out);
}

static void print_settled(const struct evidence *e, FILE *out)
{
	const struct reason *reason = &e->reason;

	fprintf(out, "%d measurement%s; ", reason->visits, text_plural(reason->visits));
	if (e->settled && reason->kind == REASON_IN_FRAGMENTS)
		fputs("settled: the probes choose it, not rates\n", out);
	else if (e->settled)
		fprintf(out,
			"settled: no tested pair can still be more than %d %% faster\n",
			reason->margin);
	else if (reason->rival.server)
		fprintf(out,
			"not settled: no pair was faster, but tests scatter too much "
			"to exclude that %d/%d is over %d %% faster\n",
			reason->rival.server, reason->rival.peer, reason->margin);
	else if (e->dir[DIR_UPLOAD].bps > 0 && e->dir[DIR_DOWNLOAD].bps > 0)
		fputs("not settled: no other pair was compared with it\n", out);
	else
		fputs("not settled: no measurement shows the recommended pair working "
		      "both ways\n",
		      out);
}

/* `doubts`: only the warnings of packets that are not seen, which say what the sizes below
 * them mean; else only the others. */
static void print_warnings(const struct evidence *e, bool doubts, FILE *out)
{
	for (int i = 0; i < e->warnings; i++) {
		const struct warning *w = &e->warning[i];

		if ((w->kind == WARNING_RELAYED || w->kind == WARNING_UNSEEN) != doubts)
			continue;
		fprintf(out, "%s: ", warning_label(w->kind));
		warning_print(w, out);
		fputc('\n', out);
	}
}

static void print_all(const struct evidence *e, FILE *out)
{
	if (e->mtu.server)
		print_pair(e, out);
	else
		fputs("recommended: none\n", out);
	fprintf(out, "why: %s\n", reason_sentence(e->reason.kind));
	print_warnings(e, true, out);
	if (e->survey.since_seq)
		fprintf(out,
			"the path changed during the run: its measurements up to "
			"number %" PRIu32 " are of another path and do not count\n",
			e->survey.since_seq);
	print_path(e, out);
	if (e->mtu.server && !is_untested(e)) {
		if (!evidence_incomplete(e))
			print_gain(e, out);
		print_settled(e, out);
	}
	print_warnings(e, false, out);
}

static void print_prediction(const struct evidence *e, FILE *out)
{
	fprintf(out, "predicted: server MTU %d, peer MTU %d; tests follow\n",
		e->mtu.server, e->mtu.peer);
	fprintf(out, "why: %s\n", reason_sentence(e->reason.kind));
	print_warnings(e, true, out);
	print_path(e, out);
}

static int make_text(const struct evidence *e,
		     void (*print)(const struct evidence *, FILE *), char **ret,
		     struct err *err)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out)
		print(e, out);
	if (!out || fclose(out) == EOF) {
		free(text);
		return err_set(err, -ENOMEM, "out of memory");
	}
	*ret = text;
	return 0;
}

int evidence_prediction_text(const struct evidence *e, char **ret, struct err *err)
{
	return make_text(e, e->one_ended ? one_end_print_prediction : print_prediction,
			 ret, err);
}

int evidence_text(const struct evidence *e, char **ret, struct err *err)
{
	return make_text(e, e->one_ended ? one_end_print : print_all, ret, err);
}

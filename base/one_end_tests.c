/* SPDX-License-Identifier: MIT */
#include "base/one_end_tests.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

bool one_end_is_contradicted(const struct evidence *e)
{
	return e->one_ended && e->status == EVIDENCE_CONTRADICTED;
}

static const char *proof_of(const struct evidence *e, bool tests_follow)
{
	if (tests_follow)
		return "tests follow";
	if (e->status == EVIDENCE_CONFIRMED)
		return evidence_confirmation(e);
	return e->reason.visits ? "not confirmed by tests" : "not measured";
}

void one_end_tests_print_first(const struct evidence *e, bool tests_follow, FILE *out)
{
	char words[PAIR_WORDS_SIZE];

	mtu_pair_words(&e->mtu, words);
	if (one_end_is_contradicted(e))
		fprintf(out,
			"recommended: no MTU: %s was predicted by probes of this end "
			"alone, and tests contradict them\n",
			words);
	else
		fprintf(out,
			"recommended: %s; predicted by probes of this end alone, %s\n",
			words, proof_of(e, tests_follow));
}

/* --- rates --- */

static void put_rate(FILE *out, enum direction dir, int64_t rate_bps)
{
	char number[RATE_TEXT_SIZE];

	fprintf(out, "%s %s ", dir == DIR_UPLOAD ? ":" : ",", direction_name(dir));
	if (rate_bps == NO_FIGURE) {
		fputs("not measured", out);
	} else if (rate_bps == 0) {
		fputs("nothing got through", out);
	} else {
		rate_number(rate_bps, rate_bps, number);
		fprintf(out, "%s %s", number, rate_unit(rate_bps));
	}
}

static void put_rates(FILE *out, const struct evidence *e)
{
	int mtu = mtu_pair_sender(&e->mtu, e->one_end.own);
	int now = mtu_pair_sender(&e->current, e->one_end.own);
	bool same = now == mtu;

	if (e->dir[DIR_UPLOAD].bps != NO_FIGURE ||
	    e->dir[DIR_DOWNLOAD].bps != NO_FIGURE) {
		fprintf(out, "  tests with MTU %d%s", mtu,
			same ? ", the current one" : "");
		for (int dir = 0; dir < DIR_COUNT; dir++)
			put_rate(out, (enum direction)dir, e->dir[dir].bps);
		fputc('\n', out);
	}
	if (same || (e->dir[DIR_UPLOAD].current_bps == NO_FIGURE &&
		     e->dir[DIR_DOWNLOAD].current_bps == NO_FIGURE))
		return;
	fprintf(out, "  tests with MTU %d, the current one", now);
	for (int dir = 0; dir < DIR_COUNT; dir++)
		put_rate(out, (enum direction)dir, e->dir[dir].current_bps);
	fputc('\n', out);
}

/* Larger packets of the far end are known to be lost, so its MTU explains the loss. */
static void put_far_cause(FILE *out, const struct evidence *e)
{
	const struct one_end *r = &e->one_end;
	enum direction back = direction_back(r->own);

	if (e->dir[back].bps == 0 && !one_end_is_contradicted(e) && r->far_mtu &&
	    !r->far_is_limit)
		fprintf(out,
			"  the probes explain the %s: the far end's MTU is too large\n",
			direction_name(back));
}

/* --- warnings --- */

/* True if it contradicts the probes by data of an MTU that is larger than the recommended
 * one: they lost packets of that size. */
static bool larger_arrives(const struct evidence *e, const struct warning *w,
			   int64_t mtu)
{
	const struct path *path = &e->survey.path;
	enum direction own = e->one_end.own;

	return (w->kind == WARNING_CONTRADICTED ||
		w->kind == WARNING_CONTRADICTED_ONCE) &&
	       mtu > mtu_pair_sender(&e->mtu, own) &&
	       path_bands_fate(&path->dir[own], path->overhead[own] + (int)mtu) ==
		       FATE_LOST;
}

static void put_warning(FILE *out, const struct evidence *e, const struct warning *w)
{
	enum direction own = e->one_end.own;
	int64_t mtu = own == DIR_UPLOAD ? w->peer_mtu : w->server_mtu;

	if (larger_arrives(e, w, mtu)) {
		fprintf(out,
			"  with MTU %" PRId64 " TCP arrives, although probes of that "
			"size were lost: MTUs above %d may fit, for example if a "
			"firewall drops large probes\n",
			mtu, mtu_pair_sender(&e->mtu, own));
		return;
	}
	switch ((int)w->kind) {
	case WARNING_CONTRADICTED:
		fprintf(out,
			"  with MTU %" PRId64 " tests contradict the probes, and "
			"another test confirmed it: the path may have changed, or "
			"treats TCP differently\n",
			mtu);
		break;
	case WARNING_CONTRADICTED_ONCE:
		fprintf(out,
			"  with MTU %" PRId64
			" a test contradicts the probes, which no "
			"other test confirmed\n",
			mtu);
		break;
	case WARNING_CLAMPED:
		fprintf(out,
			"  TCP sent packets of %" PRId64 " bytes at most, by the far "
			"end's MTU or an MSS clamp: tests say nothing of larger "
			"ones\n",
			w->size_max);
		break;
	default:
		fputs("  ", out);
		warning_print(w, out);
		fputc('\n', out);
		break;
	}
}

void one_end_tests_print(const struct evidence *e, bool tests_follow, FILE *out)
{
	one_end_tests_print_first(e, tests_follow, out);
	put_rates(out, e);
	put_far_cause(out, e);
	for (int i = 0; i < e->warnings; i++)
		put_warning(out, e, &e->warning[i]);
}

int one_end_tests_text(const struct evidence *e, char **ret, struct err *err)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out)
		one_end_tests_print(e, false, out);
	if (!out || fclose(out) == EOF) {
		free(text);
		return err_set(err, -ENOMEM, "out of memory");
	}
	*ret = text;
	return 0;
}

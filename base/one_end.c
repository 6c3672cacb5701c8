/* SPDX-License-Identifier: MIT */
#include "base/one_end.h"

#include <inttypes.h>
#include <string.h>

#include "base/evidence.h"
#include "base/one_end_tests.h"
#include "base/text.h"

static const char *const small_names[] = {
#define SMALL_NAME(kind, name, words) [ONE_END_SMALL_##kind] = name,
	ONE_END_SMALLS(SMALL_NAME)
#undef SMALL_NAME
};

static const char *const small_words[] = {
#define SMALL_WORDS(kind, name, words) [ONE_END_SMALL_##kind] = words,
	ONE_END_SMALLS(SMALL_WORDS)
#undef SMALL_WORDS
};

static const char *const proof_names[] = {
#define PROOF_NAME(proof, name) [ONE_END_##proof] = name,
	ONE_END_PROOFS(PROOF_NAME)
#undef PROOF_NAME
};

TEXT_DEFINE_WORDS(one_end_small, one_end_small, small_names, ONE_END_SMALL_COUNT)
TEXT_DEFINE_WORDS(one_end_proof, one_end_proof, proof_names, ONE_END_PROOF_COUNT)

int one_end_clamp_mtu(const struct one_end *one_end)
{
	return one_end->mss_ipv4 ? one_end->mss_ipv4 + IPV4_TCP : 0;
}

const char *one_end_small_words(enum one_end_small small)
{
	return small_words[small];
}

static const char *phrase(enum fate fate)
{
	static const char *const phrases[FATE_COUNT] = {
		[FATE_UNKNOWN] = "are not known",
		[FATE_WHOLE] = "arrive whole",
		[FATE_FRAGMENTED] = "arrive in fragments",
		[FATE_LOST] = "are lost",
	};

	return phrases[fate];
}

/* "outer packets up to 1500 bytes arrive whole, larger ones arrive in fragments" */
static void put_bands(FILE *out, const struct path_bands *bands)
{
	if (bands->count == 1) {
		fprintf(out, "outer packets of all sizes %s",
			phrase(bands->band[0].fate));
		return;
	}
	for (int i = 0; i < bands->count; i++) {
		const char *fate = phrase(bands->band[i].fate);

		if (i + 1 == bands->count)
			fprintf(out, ", larger ones %s", fate);
		else
			fprintf(out, "%s up to %d bytes %s", i ? "," : "outer packets",
				bands->band[i].max, fate);
	}
}

/* --- the MTUs --- */

/* Up to which MTU of this end nothing is known to get lost or fragmented. */
static int may_fit(const struct evidence *e)
{
	enum direction own = e->one_end.own;
	int overhead = e->survey.path.overhead[own];
	int mtu = mtu_pair_sender(&e->mtu, own);
	int known = path_bands_known_above(&e->survey.path.dir[own], overhead + mtu);

	return known ? known - 1 - overhead : mtu;
}

static void put_own(FILE *out, const struct evidence *e, bool tests_follow)
{
	int own = mtu_pair_sender(&e->mtu, e->one_end.own);
	int now = mtu_pair_sender(&e->current, e->one_end.own);

	if (!own) {
		fprintf(out,
			"recommended: no MTU, since none of %d or more is known to "
			"fit\n",
			e->one_end.least_mtu);
		return;
	}
	one_end_tests_print(e, tests_follow, out);
	if (one_end_is_contradicted(e))
		return;
	if (e->one_end.own_is_limit)
		fprintf(out, "  nothing larger was sent: %s\n",
			e->one_end.by_route
				? "the link keeps its MTU"
				: "this end's links, or --mtu-max, allow no "
				  "more");
	else if (e->one_end.by_route)
		fprintf(out,
			"  for the routes to the far end, proved in steps: up to %d "
			"may "
			"fit\n",
			may_fit(e));
	if (now > own)
		fprintf(out, "current MTU of this end: %d: does not fit\n", now);
	else if (now)
		fprintf(out, "current MTU of this end: %d: fits%s\n", now,
			now < own ? ", and may be larger" : "");
}

static void put_far(FILE *out, const struct one_end *r, int own)
{
	if (!r->far_mtu)
		fputs("far end: nothing is known of the MTU that it should have\n",
		      out);
	else if (r->far_is_present)
		fprintf(out,
			"far end: its present MTU, about %d, fits; if it could be "
			"larger is not visible here\n",
			r->far_mtu);
	else if (r->far_is_limit)
		fprintf(out,
			"far end: an MTU of %d fits; what larger packets would do is "
			"not "
			"visible here\n",
			r->far_mtu);
	else
		fprintf(out,
			"far end: MTU %d at most, for its administrator (proved in "
			"steps of 16: up to %d may fit)\n",
			r->far_mtu, r->far_mtu + 15);
	if (r->far_mtu && !r->far_is_limit && own > r->far_mtu)
		fprintf(out,
			"  until it has that, TCP works both ways with MTU %d here, or "
			"with the clamp below\n",
			r->far_mtu);
}

/* The server's user has the peer's configuration in mind, whoever sets it. */
static void put_far_line(FILE *out, const struct one_end *r)
{
	if (r->own != DIR_DOWNLOAD || !r->far_mtu)
		return;
	if (r->far_is_limit)
		fputs("  leave the peer's MTU if it works\n", out);
	else
		fprintf(out,
			"  in the peer's configuration, section [Interface]: MTU = "
			"%d\n",
			r->far_mtu);
}

/* --- each direction --- */

static void put_there_proof(FILE *out, const struct one_end *r, bool relayed)
{
	if (r->proof == ONE_END_WHOLE)
		fprintf(out,
			"  whole or not is proved: the endpoint %s answers echoes with "
			"DF\n",
			r->endpoint);
	else if (r->proof == ONE_END_ARRIVES)
		fprintf(out,
			"  that they arrive is proved; if a router fragments them is "
			"not "
			"visible here: %s\n",
			relayed ? "the endpoint is on this host"
			: r->endpoint_answers
				? "the endpoint answers no echoes of that size"
				: "the endpoint answers no echoes with DF");
	if (relayed)
		fputs("  a relay on this host sends the packets on the line, and they "
		      "cannot be seen; these are the sizes that it receives\n",
		      out);
	if (r->too_big)
		fprintf(out, "  a router says that its next link takes %d bytes\n",
			r->too_big);
	if (r->small != ONE_END_SMALL_NONE)
		fprintf(out,
			"  lost on the way there or back was told apart with small "
			"answers (to %s)\n",
			one_end_small_words(r->small));
	if (r->either_way)
		fputs("  larger ones are lost there or on the way back: which of both "
		      "cannot be told, since the far end answers nothing small\n",
		      out);
	if (r->assumed)
		fprintf(out,
			"  %s is fragmented above %d bytes, and %s is assumed to be as "
			"well\n",
			direction_name(direction_back(r->own)), r->assumed,
			direction_name(r->own));
}

static void put_there(FILE *out, const struct evidence *e)
{
	const struct one_end *r = &e->one_end;
	const struct path_bands *bands = &e->survey.path.dir[r->own];

	fprintf(out, "%s, as far as %s: ", direction_name(r->own), r->target);
	if (bands->count)
		put_bands(out, bands);
	else
		fputs("nothing is known", out);
	fputc('\n', out);
	put_there_proof(out, r, e->survey.path.relayed[r->own]);
	if (r->differ_tunnel)
		fprintf(out,
			"  two looks disagree: packets of the tunnel arrive up to %d "
			"bytes, echoes beside it up to %d; the smaller one counts\n",
			r->differ_tunnel, r->differ_outside);
}

static void put_back_limit(FILE *out, const struct one_end *r)
{
	if (r->back_ends)
		fprintf(out,
			"  the far end's answers never exceed %d bytes inside: %s "
			"above that is not visible\n",
			r->largest_back, direction_name(direction_back(r->own)));
	if (r->pieces_lost)
		fputs("  larger packets do not reach the far end, so their answers are "
		      "not visible\n",
		      out);
}

static void put_back(FILE *out, const struct evidence *e)
{
	const struct one_end *r = &e->one_end;
	enum direction back = direction_back(r->own);
	const struct path_bands *bands = &e->survey.path.dir[back];

	fprintf(out, "%s, from %s: ", direction_name(back), r->target);
	if (!r->echoes)
		fputs("nothing is visible, since it answers no echoes", out);
	else if (e->survey.path.unseen[back])
		fputs("not visible, since outer packets cannot be captured here", out);
	else if (bands->count)
		put_bands(out, bands);
	else
		fputs("nothing is known", out);
	fputc('\n', out);
	put_back_limit(out, r);
}

/* --- the clamp --- */

/* The kernel lowers an announced MSS only (net/netfilter/nft_exthdr.c, xt_TCPMSS.c). */
static void put_nft(FILE *out, const struct one_end *r)
{
	const struct {
		const char *chain;
		const char *hook;
		const char *match;
	} ways[] = {{"in", "prerouting", "iifname"}, {"out", "postrouting", "oifname"}};

	fputs("  nft 'table inet mtusweep_mss {", out);
	for (size_t i = 0; i < 2; i++) {
		fprintf(out, " chain %s { type filter hook %s priority mangle;",
			ways[i].chain, ways[i].hook);
		for (int v6 = 0; v6 < 2; v6++)
			fprintf(out,
				" %s \"%s\" meta nfproto %s tcp flags syn tcp option "
				"maxseg size set %d;",
				ways[i].match, r->interface, v6 ? "ipv6" : "ipv4",
				v6 ? r->mss_ipv6 : r->mss_ipv4);
		fputs(" };", out);
	}
	fputs(" }'\n", out);
}

static void put_iptables(FILE *out, const struct one_end *r)
{
	static const char *const ways[] = {"PREROUTING -i", "POSTROUTING -o"};

	for (int v6 = 0; v6 < 2; v6++) {
		for (size_t i = 0; i < 2; i++)
			fprintf(out,
				"  %s -t mangle -A %s %s -p tcp --tcp-flags "
				"SYN,RST SYN -j TCPMSS --set-mss %d\n",
				v6 ? "ip6tables" : "iptables", ways[i], r->interface,
				v6 ? r->mss_ipv6 : r->mss_ipv4);
	}
}

/* The name may come from somebody else's database, and the lines are made to be run. */
static void put_clamp(FILE *out, const struct one_end *r)
{
	if (!r->mss_ipv4)
		return;
	fprintf(out,
		"to protect TCP until both ends have their MTU, clamp the MSS here%s",
		r->by_route ? ", for all peers of the interface" : "");
	if (!text_is_plain_name(r->interface)) {
		fprintf(out, " to %d over IPv4 and %d over IPv6\n", r->mss_ipv4,
			r->mss_ipv6);
		return;
	}
	fputs(":\n", out);
	put_nft(out, r);
	put_iptables(out, r);
}

static void print_all(const struct evidence *e, bool tests_follow, FILE *out)
{
	const struct path_survey *survey = &e->survey;
	int sizes = survey->probes[DIR_UPLOAD] + survey->probes[DIR_DOWNLOAD];

	put_own(out, e, tests_follow);
	put_far(out, &e->one_end, mtu_pair_sender(&e->mtu, e->one_end.own));
	put_far_line(out, &e->one_end);
	put_there(out, e);
	put_back(out, e);
	put_clamp(out, &e->one_end);
	fprintf(out, "probes: %d size%s, %d round%s, %" PRId64 " ms\n", sizes,
		text_plural(sizes), e->one_end.rounds, text_plural(e->one_end.rounds),
		survey->probe_ms);
}

void one_end_print(const struct evidence *e, FILE *out)
{
	print_all(e, false, out);
}

void one_end_print_prediction(const struct evidence *e, FILE *out)
{
	print_all(e, true, out);
}

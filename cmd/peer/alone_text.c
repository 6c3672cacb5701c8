/* SPDX-License-Identifier: MIT */
#include "cmd/peer/alone_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/text.h"
#include "cmd/peer/peer.h"

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

static void put_own(FILE *out, const struct alone *alone)
{
	const struct onesided *r = &alone->result;
	int now = alone->config->host->link.mtu;

	if (!r->own_mtu) {
		fprintf(out,
			"recommended: no MTU, since none of %d or more is known to "
			"fit\n",
			alone->find.size_min);
		return;
	}
	fprintf(out,
		"recommended: peer MTU %d; predicted by probes of this end alone, not "
		"measured\n",
		r->own_mtu);
	if (r->own_is_limit)
		fputs("  nothing larger was sent: this end's links carry no more\n",
		      out);
	if (now > r->own_mtu)
		fprintf(out, "current MTU of this end: %d: does not fit\n", now);
	else
		fprintf(out, "current MTU of this end: %d: fits%s\n", now,
			now < r->own_mtu ? ", and may be larger" : "");
}

static void put_far(FILE *out, const struct alone *alone)
{
	const struct onesided *r = &alone->result;

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
}

/* --- each direction --- */

static void put_up_proof(FILE *out, const struct alone *alone)
{
	const struct onesided *r = &alone->result;
	const struct onesided_looks *looks = &alone->looks;

	if (r->proof == ONESIDED_WHOLE)
		fprintf(out,
			"  whole or not is proved: the endpoint %s answers echoes with "
			"DF\n",
			alone->find.facts.endpoint);
	else if (r->proof == ONESIDED_ARRIVES)
		fprintf(out,
			"  that they arrive is proved; if a router fragments them is "
			"not "
			"visible here: %s\n",
			looks->outside.count
				? "the endpoint answers no echoes of that size"
				: "the endpoint answers no echoes with DF");
	if (looks->too_big)
		fprintf(out, "  a router says that its next link takes %d bytes\n",
			looks->too_big);
	if (looks->there.count)
		fprintf(out,
			"  lost on the way there or back was told apart with small "
			"answers (to %s)\n",
			echo_kind_name(alone->there));
	if (r->either_way)
		fputs("  larger ones are lost there or on the way back: which of both "
		      "cannot be told, since the far end answers nothing small\n",
		      out);
	if (r->assumed)
		fprintf(out,
			"  download is fragmented above %d bytes, and upload is "
			"assumed "
			"to be as well\n",
			r->assumed);
}

static void put_up(FILE *out, const struct alone *alone)
{
	const struct onesided *r = &alone->result;

	fprintf(out, "upload, as far as %s: ", alone->target->address);
	if (r->up.count)
		put_bands(out, &r->up);
	else
		fputs("nothing is known", out);
	fputc('\n', out);
	put_up_proof(out, alone);
	if (r->differ.tunnel)
		fprintf(out,
			"  two looks disagree: packets of the tunnel arrive up to %d "
			"bytes, echoes beside it up to %d; the smaller one counts\n",
			r->differ.tunnel, r->differ.outside);
}

static void put_down_limit(FILE *out, const struct alone *alone)
{
	const struct onesided_looks *looks = &alone->looks;

	if (looks->back_ends)
		fprintf(out,
			"  the far end's answers never exceed %d bytes inside: "
			"download "
			"above that is not visible\n",
			looks->largest_back);
	if (alone->pieces_lost)
		fputs("  larger packets do not reach the far end, so their answers are "
		      "not visible\n",
		      out);
}

static void put_down(FILE *out, const struct alone *alone)
{
	fprintf(out, "download, from %s: ", alone->target->address);
	if (!alone->echoes)
		fputs("nothing is visible, since it answers no echoes", out);
	else if (alone->unseen)
		fputs("not visible, since outer packets cannot be captured here", out);
	else if (alone->looks.back.count)
		put_bands(out, &alone->looks.back);
	else
		fputs("nothing is known", out);
	fputc('\n', out);
	put_down_limit(out, alone);
}

/* --- the clamp --- */

/* The kernel lowers an announced MSS only (net/netfilter/nft_exthdr.c, xt_TCPMSS.c). */
static void put_clamp(FILE *out, const struct alone *alone)
{
	const char *interface = alone->config->options->interface;
	const int *mss = alone->result.mss;

	if (!mss[0])
		return;
	fprintf(out,
		"to protect TCP until both ends have their MTU, clamp the MSS here:\n"
		"  nft 'table inet mtusweep_mss { chain post { type filter hook "
		"postrouting priority mangle; oifname \"%s\" meta nfproto ipv4 tcp "
		"flags syn tcp option maxseg size set %d; oifname \"%s\" meta nfproto "
		"ipv6 tcp flags syn tcp option maxseg size set %d; }; }'\n",
		interface, mss[0], interface, mss[1]);
	fprintf(out,
		"  iptables -t mangle -A POSTROUTING -o %s -p tcp --tcp-flags SYN,RST "
		"SYN -j TCPMSS --set-mss %d\n"
		"  ip6tables -t mangle -A POSTROUTING -o %s -p tcp --tcp-flags SYN,RST "
		"SYN -j TCPMSS --set-mss %d\n",
		interface, mss[0], interface, mss[1]);
}

int alone_text(const struct alone *alone, char **ret, struct err *err)
{
	size_t size;
	FILE *out = open_memstream(ret, &size);

	if (!out)
		return err_set(err, -ENOMEM, "out of memory");
	put_own(out, alone);
	put_far(out, alone);
	put_up(out, alone);
	put_down(out, alone);
	put_clamp(out, alone);
	fprintf(out, "probes: %d size%s, %d round%s, %" PRId64 " ms\n",
		alone->find.sizes, text_plural(alone->find.sizes), alone->find.rounds,
		text_plural(alone->find.rounds), alone->took_ms);
	if (fclose(out) == EOF)
		return err_set(err, -ENOMEM, "out of memory");
	return 0;
}

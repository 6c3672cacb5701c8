#include "engine/verdict_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* Headers of IPv4 and TCP, of IPv6 and TCP: what the MTU has beside a segment's data. */
#define HEADERS_IPV4 40
#define HEADERS_IPV6 60

static double percent(double ratio)
{
	return 100 * (ratio - 1);
}

static void say_rate(FILE *out, const char *what, const struct estimate *bps)
{
	if (bps->count > 0)
		fprintf(out, "%s %.1f Mbit/s (%.1f to %.1f)", what, bps->value / 1e6,
			bps->low / 1e6, bps->high / 1e6);
	else
		fprintf(out, "%s not measured", what);
}

static void say_cell(FILE *out, const char *what, const struct verdict_cell *cell)
{
	fprintf(out, "%s: server MTU %d, peer MTU %d; ", what, cell->mtu.server,
		cell->mtu.peer);
	say_rate(out, "upload", &cell->bps[DIR_UPLOAD]);
	fputs(", ", out);
	say_rate(out, "download", &cell->bps[DIR_DOWNLOAD]);
	fputc('\n', out);
}

static void say_why(FILE *out, const struct verdict *v)
{
	fputs("why: ", out);
	switch (v->why) {
	case VERDICT_NOTHING:
		fputs("no pair was seen to work both ways\n", out);
		return;
	case VERDICT_FITS:
		fputs("the largest pair at which every packet, TCP or not, arrives "
		      "whole "
		      "both ways\n",
		      out);
		return;
	case VERDICT_FASTER:
		fputs("every packet arrives whole both ways, and it was measured "
		      "faster "
		      "than the largest pair of which that is true\n",
		      out);
		return;
	case VERDICT_ARRIVES:
		fputs("the largest pair at which data was seen to arrive undiminished; "
		      "whether other packets than TCP's do is not proved\n",
		      out);
		return;
	case VERDICT_MEASURED:
		fputs("no pair is known to fit; of those measured it is the fastest "
		      "that works both ways\n",
		      out);
		return;
	}
}

/* "packets of up to 1460 bytes arrive whole, of 1461 to 1500 are lost, ..." */
static void say_bands(FILE *out, const struct path_bands *bands)
{
	if (bands->count == 0)
		fputs("nothing is known of packets by their size", out);
	for (int i = 0; i < bands->count; i++) {
		const char *words = fate_phrase(bands->band[i].fate);
		int above = i > 0 ? bands->band[i - 1].max : 0;
		int max = bands->band[i].max;

		if (i == 0 && max == OUTER_SIZE_MAX)
			fprintf(out, "all packets %s", words);
		else if (i == 0)
			fprintf(out, "packets of up to %d bytes %s", max, words);
		else if (max == OUTER_SIZE_MAX)
			fprintf(out, ", larger ones %s", words);
		else
			fprintf(out, ", those of %d to %d %s", above + 1, max, words);
	}
}

static void say_path(FILE *out, const struct verdict *v,
		     const struct path_survey *survey)
{
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		fprintf(out, "path, %s: ", direction_name((enum direction)dir));
		say_bands(out, &v->path.dir[dir]);
		if (v->guessed[dir])
			fputs(" (told from throughput)\n", out);
		else
			fprintf(out, " (%d probes)\n", survey->probes[dir]);
	}
	fprintf(out, "WireGuard makes each packet %d bytes larger (IPv%d outside)\n",
		v->path.overhead, v->path.overhead == PATH_OVERHEAD_IPV6 ? 6 : 4);
}

static void say_gain(FILE *out, const struct verdict *v)
{
	const struct verdict_cell *now = &v->current;
	bool known = false;

	if (!now->mtu.server)
		return;
	fprintf(out, "against the current pair, %d and %d:", now->mtu.server,
		now->mtu.peer);
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		const struct estimate *e = &now->relative[dir];

		if (e->count == 0 || e->low <= 0)
			continue;
		fprintf(out, "%s %s %+.1f %% (%+.1f to %+.1f)", known ? "," : "",
			direction_name((enum direction)dir), percent(1 / e->value),
			percent(1 / e->high), percent(1 / e->low));
		known = true;
	}
	fputs(known ? "\n" : " not to be told from what was measured\n", out);
}

static void say_settled(FILE *out, const struct verdict *v)
{
	fprintf(out, "%d visits; ", v->visits);
	if (v->settled)
		fputs("settled: no pair that was tested may be faster by more than the "
		      "margin\n",
		      out);
	else if (v->rival.server)
		fprintf(out,
			"not settled: %d and %d may still be faster; no pair was shown "
			"to be\n",
			v->rival.server, v->rival.peer);
	else
		fputs("not settled\n", out);
}

static void say_drift(FILE *out, const struct verdict *v)
{
	fputs("warning: the line's capacity changed meanwhile:", out);
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		if (v->drift[dir].beyond_noise)
			fprintf(out, " %s by %+.0f %%",
				direction_name((enum direction)dir),
				100 * v->drift[dir].size);
	}
	fputs("; rates are compared with those of the same time\n", out);
}

static void say_mss(FILE *out, const struct verdict *v)
{
	const struct mtu_pair *mtu = &v->recommended.mtu;
	int least = mtu->server < mtu->peer ? mtu->server : mtu->peer;

	fprintf(out,
		"warning: connections of networks routed through the tunnel do not "
		"know "
		"its MTU: clamp their MSS to %d (IPv4) and %d (IPv6) where they "
		"enter it\n",
		least - HEADERS_IPV4, least - HEADERS_IPV6);
}

static void say_warnings(FILE *out, const struct verdict *v)
{
	if (v->warnings & VERDICT_WARN_DEAD_ZONE)
		fprintf(out,
			"warning: the current pair, %d and %d, loses full-size "
			"packets\n",
			v->current.mtu.server, v->current.mtu.peer);
	if (v->warnings & VERDICT_WARN_CONTRADICTED)
		fprintf(out,
			"warning: what was measured at %d and %d contradicts the "
			"probes; "
			"throughput was believed\n",
			v->contradicted.server, v->contradicted.peer);
	if (v->warnings & VERDICT_WARN_FILTERED)
		fputs("warning: probes got no answer, so it is not proved that UDP "
		      "fits: "
		      "let UDP in on the server's port\n",
		      out);
	if (v->warnings & VERDICT_WARN_PROBES)
		fputs("warning: rates are too noisy to tell pairs apart: this rests on "
		      "the probes\n",
		      out);
	if (v->warnings & VERDICT_WARN_DRIFT)
		say_drift(out, v);
	if (v->warnings & VERDICT_WARN_MSS)
		say_mss(out, v);
	if (v->warnings & VERDICT_WARN_ROAM)
		fputs("note: should an endpoint move to IPv6, 20 bytes less fit\n",
		      out);
}

static void say_all(FILE *out, const struct verdict *v,
		    const struct path_survey *survey)
{
	if (v->recommended.mtu.server)
		say_cell(out, "recommended", &v->recommended);
	else
		fputs("recommended: none\n", out);
	say_why(out, v);
	say_path(out, v, survey);
	if (v->recommended.mtu.server) {
		say_gain(out, v);
		say_settled(out, v);
	}
	say_warnings(out, v);
}

int verdict_text(const struct verdict *verdict, const struct path_survey *survey,
		 char **ret, struct err *err)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out)
		say_all(out, verdict, survey);
	if (!out || fclose(out) == EOF) {
		free(text);
		return err_set(err, -ENOMEM, "out of memory");
	}
	*ret = text;
	return 0;
}

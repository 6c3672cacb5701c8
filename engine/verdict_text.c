/* SPDX-License-Identifier: MIT */
#include "engine/verdict_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

/* Headers of IPv4 and TCP, of IPv6 and TCP: the difference between MTU and segment
 * data. */
#define HEADERS_IPV4 40
#define HEADERS_IPV6 60

static double percent(double ratio)
{
	return 100 * (ratio - 1);
}

static void say_rate(FILE *out, const char *what, const struct estimate *bps)
{
	if (bps->count == 0)
		fprintf(out, "%s not measured", what);
	else if (bps->value == 0)
		fprintf(out, "%s nothing got through", what);
	else
		fprintf(out, "%s %.1f Mbit/s (%.1f to %.1f)", what, bps->value / 1e6,
			bps->low / 1e6, bps->high / 1e6);
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
		else if (max == above + 1)
			fprintf(out, ", those of %d %s", max, words);
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
			fprintf(out, " (%d probe%s)\n", survey->probes[dir],
				text_plural(survey->probes[dir]));
	}
	fprintf(out, "WireGuard makes each packet %d bytes larger (IPv%d outside)\n",
		v->path.overhead, v->path.overhead == PATH_OVERHEAD_IPV6 ? 6 : 4);
}

/* Print one direction; false: unknown. */
static bool say_gain_of(FILE *out, const struct verdict *v, enum direction dir,
			const char *before)
{
	const struct estimate *now = &v->current.bps[dir];
	const struct estimate *then = &v->recommended.bps[dir];
	const struct estimate *e = &v->current.relative[dir];
	const char *name = direction_name(dir);

	if (now->count > 0 && now->value == 0) {
		fprintf(out, "%s %s ", before, name);
		if (then->count > 0 && then->value > 0)
			fprintf(out, "%.1f Mbit/s, where nothing got through",
				then->value / 1e6);
		else
			fputs("nothing got through", out);
		return true;
	}
	if (e->count == 0 || e->low <= 0)
		return false;
	fprintf(out, "%s %s %+.1f %% (%+.1f to %+.1f)", before, name,
		percent(1 / e->value), percent(1 / e->high), percent(1 / e->low));
	return true;
}

static void say_gain(FILE *out, const struct verdict *v)
{
	const struct mtu_pair *now = &v->current.mtu;
	const struct mtu_pair *best = &v->recommended.mtu;
	bool known = false;

	if (!now->server)
		return;
	if (mtu_pair_same(now, best)) {
		fputs("it is the current pair\n", out);
		return;
	}
	fprintf(out, "against the current pair, %d and %d:", now->server, now->peer);
	for (int dir = 0; dir < DIR_COUNT; dir++)
		known |= say_gain_of(out, v, (enum direction)dir, known ? ";" : "");
	fputs(known ? "\n" : " not to be told from what was measured\n", out);
}

static void say_settled(FILE *out, const struct verdict *v)
{
	double margin = 100 * v->margin;

	fprintf(out, "%d visit%s; ", v->visits, text_plural(v->visits));
	if (v->settled)
		fprintf(out,
			"settled: no pair that was tested may be faster by more than "
			"%g %%\n",
			margin);
	else if (v->rival.server)
		fprintf(out,
			"no pair was shown to be faster; tests differ too much to "
			"rule out more than %g %% for %d and %d (not settled)\n",
			margin, v->rival.server, v->rival.peer);
	else
		fputs("not settled: the recommended pair was not seen to work both "
		      "ways\n",
		      out);
}

void verdict_drift_text(const struct drift drift[DIR_COUNT],
			char ret[VERDICT_DRIFT_SIZE])
{
	size_t used = 0;

	ret[0] = '\0';
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		if (!drift[dir].beyond_noise || used >= VERDICT_DRIFT_SIZE)
			continue;
		used += (size_t)snprintf(ret + used, VERDICT_DRIFT_SIZE - used,
					 "%s%s by %+.0f %%", used ? ", " : "",
					 direction_name((enum direction)dir),
					 100 * drift[dir].size);
	}
}

static void say_drift(FILE *out, const struct verdict *v)
{
	char text[VERDICT_DRIFT_SIZE];

	verdict_drift_text(v->drift, text);
	fprintf(out,
		"warning: the line's capacity changed meanwhile: %s; rates are "
		"compared with those of the same time\n",
		text);
}

static void say_mss(FILE *out, const struct verdict *v)
{
	const struct mtu_pair *mtu = &v->recommended.mtu;
	int least = mtu->server < mtu->peer ? mtu->server : mtu->peer;

	fprintf(out,
		"warning: connections of networks routed through the tunnel do not "
		"know its MTU: clamp their MSS to %d (IPv4) and %d (IPv6) where they "
		"enter it\n",
		least - HEADERS_IPV4, least - HEADERS_IPV6);
}

/* "UDP and routed packets above 1392 bytes are lost" */
static void say_lost_sizes(FILE *out, const struct verdict *v, enum direction dir,
			   const char *kind)
{
	const struct mtu_pair *mtu = &v->current.mtu;
	int tx_mtu = dir == DIR_UPLOAD ? mtu->peer : mtu->server;
	int lost[2];
	bool all;

	if (!pathmodel_lost_sizes(&v->path, mtu, dir, lost, &all))
		return;
	fprintf(out, "%s ", kind);
	if (lost[1] == tx_mtu)
		fprintf(out, "above %d bytes", lost[0] - 1);
	else if (lost[0] == lost[1])
		fprintf(out, "of %d bytes", lost[0]);
	else
		fprintf(out, "of %d to %d bytes", lost[0], lost[1]);
	fputs(all ? " are lost\n" : " are lost, not of every size\n", out);
}

/* True when TCP works only because the other end's MTU keeps segments small: a segment
 * of the sender's own MTU would be lost. */
static bool mss_protects(const struct verdict *v, enum direction dir)
{
	const struct mtu_pair *mtu = &v->current.mtu;
	int tx_mtu = dir == DIR_UPLOAD ? mtu->peer : mtu->server;

	return path_bands_fate(&v->path.dir[dir],
			       pathmodel_outer(&v->path, tx_mtu, tx_mtu)) == FATE_LOST;
}

/* Print the losses of the current pair in one direction. */
static void say_losses(FILE *out, const struct verdict *v, enum direction dir)
{
	const struct mtu_pair *mtu = &v->current.mtu;
	const struct prediction *p = &v->current.predicted[dir];

	if (p->tcp != FATE_LOST && p->routed != FATE_LOST)
		return;
	fprintf(out, "warning: current pair, %d and %d, %s: ", mtu->server, mtu->peer,
		direction_name(dir));
	if (p->tcp == FATE_LOST)
		fprintf(out,
			"full-size TCP packets are lost, which leave with %d bytes\n",
			p->tcp_outer);
	else if (mss_protects(v, dir)) {
		fprintf(out, "TCP passes only because the %s's MSS protects it; ",
			dir == DIR_UPLOAD ? "server" : "peer");
		say_lost_sizes(out, v, dir, "UDP and routed packets");
	} else {
		fputs("full-size TCP packets pass, but ", out);
		say_lost_sizes(out, v, dir, "others");
	}
}

static void say_contradicted(FILE *out, const struct verdict *v)
{
	fprintf(out, "warning: what was measured at %d and %d contradicts the probes; ",
		v->contradicted.server, v->contradicted.peer);
	if (v->contradiction_confirmed)
		fputs("a second visit confirmed it, so throughput was believed\n", out);
	else
		fputs("no second visit confirmed it, so the probes were believed\n",
		      out);
}

static void say_filtered(FILE *out, const struct path_survey *survey)
{
	/* A size whose probes were all unanswered does not count as probed. */
	if (survey->probe_ms || survey->probes[DIR_UPLOAD] ||
	    survey->probes[DIR_DOWNLOAD])
		fputs("warning: probes got no answer, so it is not proved that UDP "
		      "fits: let UDP in on the server's port\n",
		      out);
	else
		fputs("warning: the path was not probed, so it is not proved that UDP "
		      "fits\n",
		      out);
}

static void say_roam(FILE *out, const struct verdict *v)
{
	struct path longer = v->path;
	enum fate fate = FATE_WHOLE;

	longer.overhead = PATH_OVERHEAD_IPV6;
	for (int dir = 0; dir < DIR_COUNT; dir++)
		fate = pathmodel_worse(fate,
				       pathmodel_predict(&longer, &v->recommended.mtu,
							 (enum direction)dir)
					       .routed);
	fprintf(out,
		"note: should an endpoint move to IPv6 (20 bytes more), this pair %s "
		"not fit whole",
		fate == FATE_UNKNOWN ? "might" : "would");
	if (v->roam.server)
		fprintf(out, "; %d and %d would either way", v->roam.server,
			v->roam.peer);
	fputc('\n', out);
}

static void say_warnings(FILE *out, const struct verdict *v,
			 const struct path_survey *survey)
{
	if (v->warnings & (VERDICT_WARN_DEAD_ZONE | VERDICT_WARN_ROUTED)) {
		say_losses(out, v, DIR_UPLOAD);
		say_losses(out, v, DIR_DOWNLOAD);
	}
	if (v->warnings & VERDICT_WARN_CONTRADICTED)
		say_contradicted(out, v);
	if (v->warnings & VERDICT_WARN_FILTERED)
		say_filtered(out, survey);
	if (v->warnings & VERDICT_WARN_PROBES)
		fputs("warning: rates are too noisy to tell pairs apart: this rests on "
		      "the probes\n",
		      out);
	if (v->warnings & VERDICT_WARN_DRIFT)
		say_drift(out, v);
	if (v->warnings & VERDICT_WARN_MSS)
		say_mss(out, v);
	if (v->warnings & VERDICT_WARN_ROAM)
		say_roam(out, v);
}

static void say_all(FILE *out, const struct verdict *v,
		    const struct path_survey *survey)
{
	if (v->recommended.mtu.server)
		say_cell(out, "recommended", &v->recommended);
	else
		fputs("recommended: none\n", out);
	fprintf(out, "why: %s\n", reason_sentence(v->why));
	say_path(out, v, survey);
	if (v->recommended.mtu.server) {
		say_gain(out, v);
		say_settled(out, v);
	}
	say_warnings(out, v, survey);
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

/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "base/underlay.h"
#include "cmd/read/read.h"
#include "cmd/read/table.h"
#include "cmd/run/runpath.h"
#include "engine/pathmodel.h"
#include "report/runjson.h"

static struct mtu_pair pair;

static const struct option_spec options[] = {
	{.name = "pair",
	 .value = "S/P",
	 .kind = OPTION_PAIR_OPEN,
	 .into = &pair,
	 .help = "server MTU S and peer MTU P; - for the end that a run\n"
		 "with --alone does not know (default: the pair that the\n"
		 "run recommends)"},
	{.name = NULL, .more = read_json_result_options},
};

/* Rates show that data arrives, and no more. */
static const char *fate_word(enum fate fate, bool guessed)
{
	return fate_name(guessed && fate == FATE_WHOLE ? FATE_UNKNOWN : fate);
}

/* What usually has an edge where this direction has one; NULL: nothing known. Rates tell
 * only about where an edge is. */
static const char *plausible_cause(const struct runpath *known, enum direction dir)
{
	const struct path_bands *bands = &known->path.dir[dir];
	int edge = path_bands_whole_max(bands);

	if (known->guessed[dir] || path_bands_fate(bands, edge + 1) == FATE_UNKNOWN)
		return NULL;
	return underlay_phrase(edge);
}

/* True if the sender's MTU, and so the size of its packets but TCP's, is not known. */
static bool is_open(enum direction dir)
{
	return mtu_pair_sender(&pair, dir) == MTU_UNKNOWN;
}

/* A word for each direction, then the sentence. */
static json_t *predicted_json(const struct runpath *known, enum direction dir)
{
	struct prediction p = pathmodel_predict(&known->path, &pair, dir);
	bool guessed = known->guessed[dir];
	bool open = is_open(dir);
	char text[PATHMODEL_TEXT];

	pathmodel_explain(&known->path, &pair, dir, guessed, text);
	return json_pack("{ss si ss? so ss ss ss?}", "tcp", fate_word(p.tcp, guessed),
			 "tcp_outer", p.tcp_outer, "routed",
			 open ? NULL : fate_word(p.routed, guessed), "routed_outer",
			 open ? json_null() : json_integer(p.routed_outer), "told_from",
			 guessed ? "throughput" : "probes", "text", text,
			 "plausible_cause", plausible_cause(known, dir));
}

static int print_json(const struct runpath *path, const struct query_result *measured,
		      struct err *err)
{
	json_t *object = json_pack(
		"{so si so so so}", "server_mtu", runjson_mtu(pair.server), "peer_mtu",
		pair.peer, "upload", predicted_json(path, DIR_UPLOAD), "download",
		predicted_json(path, DIR_DOWNLOAD), "measured",
		measured->visits ? runjson_result(measured) : json_null());

	return read_print_json(object, err);
}

static void print_causes(const struct runpath *known)
{
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		const char *cause = plausible_cause(known, (enum direction)dir);

		if (cause)
			printf("plausible cause, %s: packets of up to %d bytes arrive "
			       "whole, like with %s; a number proves nothing\n",
			       direction_name((enum direction)dir),
			       path_bands_whole_max(&known->path.dir[dir]), cause);
	}
}

static void print_doubts(const struct runpath *known, const struct run_info *info)
{
	if (known->guessed[DIR_UPLOAD] || known->guessed[DIR_DOWNLOAD])
		printf("doubt: this run did not probe the path. Rates show fragments "
		       "with %d %% confidence on a steady line, and only where they "
		       "cost more than the noise; mtusweep-peer --strategy probe "
		       "finds the edges\n",
		       PATH_GUESS_CONFIDENCE);
	if (path_is_relayed(&known->path))
		puts("doubt: a relay on an end's own host sends the packets on the "
		     "line, and they cannot be seen; these are the sizes that the "
		     "relay receives");
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		enum direction sends = direction_back((enum direction)dir);

		if (known->path.unseen[dir])
			printf("doubt: the %s %s its outer packets, so fragments there "
			       "cannot be told from whole packets\n",
			       direction_receiver(dir),
			       run_info_has_end(info, sends) ? "does not see"
							     : "does not tell of");
	}
	if (known->family_assumed)
		puts("sizes: of outer packets over IPv4, since the run does not record "
		     "the IP version; 20 bytes more over IPv6");
}

static void print_directions(const struct runpath *known)
{
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		char text[PATHMODEL_TEXT];

		pathmodel_explain(&known->path, &pair, (enum direction)dir,
				  known->guessed[dir], text);
		printf("%s%s: %s\n", direction_name((enum direction)dir),
		       known->guessed[dir] ? ", by throughput alone" : "", text);
	}
}

static void print_measured(const struct query_result *measured)
{
	if (!measured->visits) {
		puts("measured: not in this run");
		return;
	}
	fputs("measured: ", stdout);
	table_best(stdout, measured);
}

/* `sentences`: those of a run with one end alone, in place of what the path does to the
 * pair, which no --pair has named; NULL: none. */
static void print_explanation(const struct runpath *known, const struct run_info *info,
			      const char *sentences,
			      const struct query_result *measured)
{
	if (sentences)
		table_lines(stdout, sentences);
	else
		print_directions(known);
	print_causes(known);
	if (!sentences)
		print_doubts(known, info);
	print_measured(measured);
}

/* Without --pair, that of the recommendation. One end alone has its own MTU at least. */
static int find_pair(const struct query_run *run,
		     const struct query_recommendation *recommended, struct err *err)
{
	if (!pair.server)
		pair = recommended->evidence.mtu;
	if (!pair.server && run_info_is_one_ended(&run->info))
		pair = run_info_current(&run->info);
	if (pair.server && (run_info_is_one_ended(&run->info) ||
			    (pair.server != MTU_UNKNOWN && pair.peer != MTU_UNKNOWN)))
		return 0;
	if (pair.server)
		return err_set(
			err, -EINVAL,
			"run %lld measured both ends: name both MTUs with --pair, "
			"as in 1420/1400",
			(long long)run->id);
	return err_set(err, -ENODATA,
		       "run %lld recommends no pair: name one with --pair, server MTU "
		       "and peer MTU, as in 1420/1400",
		       (long long)run->id);
}

static int explain_run(struct query *query, const struct query_run *run,
		       const struct query_recommendation *recommended, struct err *err)
{
	bool one_ended = run_info_is_one_ended(&run->info);
	const char *sentences = one_ended && !pair.server ? recommended->text : NULL;
	struct query_result measured = {0};
	struct runpath path;
	int r = find_pair(run, recommended, err);

	if (r == 0)
		r = runpath_read(query, run, INT_MAX, &path, err);
	if (r < 0)
		return r;
	r = query_result(query, run->id, &pair, &measured, err);
	if (r < 0 && r != -ENODATA)
		return r;
	if (read_given.json)
		return print_json(&path, &measured, err);
	print_explanation(&path, &run->info, sentences, &measured);
	return 0;
}

static int run_explain(struct query *query, struct err *err)
{
	struct query_recommendation recommended = {0};
	struct query_run run;
	int r = read_find_result(query, &run, err);

	if (r == 0)
		r = query_recommended(query, run.id, &recommended, err);
	if (r == 0 || r == -ENODATA)
		r = explain_run(query, &run, &recommended, err);
	free(recommended.text);
	return r;
}

const struct read_command read_explain = {
	.name = "explain",
	.help = "explain what the path does to a pair of MTUs",
	.options = options,
	.takes_run = true,
	.run = run_explain,
};

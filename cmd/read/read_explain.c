/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>

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
	 .kind = OPTION_PAIR,
	 .into = &pair,
	 .help = "server MTU S and peer MTU P (required)"},
	{.name = NULL, .more = read_json_result_options},
};

static int check_options(struct err *err)
{
	if (pair.server)
		return 0;
	return err_set(err, -EINVAL,
		       "--pair is missing: server MTU and peer MTU, as in 1420/1400");
}

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

/* A word for each direction, then the sentence. */
static json_t *predicted_json(const struct runpath *known, enum direction dir)
{
	struct prediction p = pathmodel_predict(&known->path, &pair, dir);
	bool guessed = known->guessed[dir];
	char text[PATHMODEL_TEXT];

	pathmodel_explain(&known->path, &pair, dir, guessed, text);
	return json_pack("{ss si ss si ss ss ss?}", "tcp", fate_word(p.tcp, guessed),
			 "tcp_outer", p.tcp_outer, "routed",
			 fate_word(p.routed, guessed), "routed_outer", p.routed_outer,
			 "told_from", guessed ? "throughput" : "probes", "text", text,
			 "plausible_cause", plausible_cause(known, dir));
}

static int print_json(const struct runpath *path, const struct query_result *measured,
		      struct err *err)
{
	json_t *object =
		json_pack("{si si so so so}", "server_mtu", pair.server, "peer_mtu",
			  pair.peer, "upload", predicted_json(path, DIR_UPLOAD),
			  "download", predicted_json(path, DIR_DOWNLOAD), "measured",
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

static void print_explanation(const struct runpath *known,
			      const struct query_result *measured)
{
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		char text[PATHMODEL_TEXT];

		pathmodel_explain(&known->path, &pair, (enum direction)dir,
				  known->guessed[dir], text);
		printf("%s%s: %s\n", direction_name((enum direction)dir),
		       known->guessed[dir] ? ", by throughput alone" : "", text);
	}
	print_causes(known);
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
		if (known->path.unseen[dir])
			printf("doubt: the %s does not see its outer packets, so "
			       "fragments there cannot be told from whole packets\n",
			       direction_receiver(dir));
	}
	if (known->family_assumed)
		puts("sizes: of outer packets over IPv4, since the run does not record "
		     "the IP version; 20 bytes more over IPv6");
	if (!measured->visits) {
		puts("measured: not in this run");
		return;
	}
	fputs("measured: ", stdout);
	table_best(stdout, measured);
}

static int run_explain(struct query *query, struct err *err)
{
	struct query_result measured = {0};
	struct runpath path;
	struct query_run run;
	int r = read_find_result(query, &run, err);

	if (r == 0)
		r = runpath_read(query, &run, INT_MAX, &path, err);
	if (r < 0)
		return r;
	r = query_result(query, run.id, &pair, &measured, err);
	if (r < 0 && r != -ENODATA)
		return r;
	if (read_given.json)
		return print_json(&path, &measured, err);
	print_explanation(&path, &measured);
	return 0;
}

const struct read_command read_explain = {
	.name = "explain",
	.help = "explain what the path does to a pair of MTUs",
	.options = options,
	.check = check_options,
	.takes_run = true,
	.run = run_explain,
};

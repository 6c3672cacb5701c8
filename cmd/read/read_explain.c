/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>

#include "base/pair.h"
#include "cmd/read/read.h"
#include "cmd/read/table.h"
#include "cmd/run/runpath.h"
#include "engine/pathmodel.h"
#include "report/runjson.h"

static const char *pair_text;
static struct mtu_pair pair;

static const struct option_spec options[] = {
	{.name = "pair",
	 .value = "S,P",
	 .kind = OPTION_STRING,
	 .into = &pair_text,
	 .help = "server MTU S and peer MTU P (needed)"},
	{.name = NULL, .more = read_json_run_options},
};

static int check(struct err *err)
{
	if (!pair_text)
		return err_set(err, -EINVAL,
			       "--pair is missing: server MTU and peer MTU, as in "
			       "1420,1400");
	return pair_parse(pair_text, &pair, err);
}

/* A word for each direction, then the sentence. */
static json_t *predicted_json(const struct runpath *known, enum direction dir)
{
	struct prediction p = pathmodel_predict(&known->path, &pair, dir);
	char text[PATHMODEL_TEXT];

	pathmodel_explain(&known->path, &pair, dir, text);
	return json_pack("{ss si ss si ss ss}", "tcp", fate_name(p.tcp), "tcp_outer",
			 p.tcp_outer, "routed", fate_name(p.routed), "routed_outer",
			 p.routed_outer, "told_from",
			 known->guessed[dir] ? "throughput" : "probes", "text", text);
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

static void print(const struct runpath *known, const struct query_result *measured)
{
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		char text[PATHMODEL_TEXT];

		pathmodel_explain(&known->path, &pair, (enum direction)dir, text);
		printf("%s%s: %s\n", direction_name((enum direction)dir),
		       known->guessed[dir] ? ", by throughput alone" : "", text);
	}
	if (known->guessed[DIR_UPLOAD] || known->guessed[DIR_DOWNLOAD])
		puts("doubt: this run did not probe the path, and rates are noisy: an "
		     "edge may be none; mtusweep-peer --strategy probe tells");
	if (known->family_assumed)
		puts("sizes: of outer packets over IPv4, which the run does not say; "
		     "over IPv6, 20 bytes more");
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
	int r = read_find_run(query, &run, err);

	if (r == 0)
		r = runpath_read(query, &run, INT_MAX, &path, err);
	if (r < 0)
		return r;
	r = query_result(query, run.id, &pair, &measured, err);
	if (r < 0 && r != -ENODATA)
		return r;
	if (read_given.json)
		return print_json(&path, &measured, err);
	print(&path, &measured);
	return 0;
}

const struct read_command read_explain = {
	.name = "explain",
	.help = "say what the path does to a pair of MTUs, and why",
	.options = options,
	.check = check,
	.run = run_explain,
};

/* SPDX-License-Identifier: MIT */
#include "cmd/peer/peer_advice.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "cmd/host/progress.h"
#include "cmd/run/runmap.h"
#include "engine/pathmodel.h"
#include "store/query.h"

/* --- commands, as they are typed here --- */

static bool needs_quotes(const char *word)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789_./:@%+=,-";

	return !*word || word[strspn(word, plain)];
}

static void print_word(FILE *out, const char *word)
{
	if (!needs_quotes(word)) {
		fprintf(out, " %s", word);
		return;
	}
	fputs(" '", out);
	for (; *word; word++) {
		if (*word == '\'')
			fputs("'\\''", out);
		else
			fputc(*word, out);
	}
	fputc('\'', out);
}

static void print_option(FILE *out, const char *option, const char *value)
{
	if (!value)
		return;
	fprintf(out, " --%s", option);
	print_word(out, value);
}

static void print_port(FILE *out, const char *option, int port, int usual)
{
	if (port != usual)
		fprintf(out, " --%s %d", option, port);
}

/* The program as this one was started: from the same folder. */
static void print_program(FILE *out, const char *name)
{
	const char *slash = strrchr(program_invocation_name, '/');
	char path[512];

	snprintf(path, sizeof(path), "%.*s%s",
		 slash ? (int)(slash + 1 - program_invocation_name) : 0,
		 program_invocation_name, name);
	print_word(out, path);
}

static void print_database(FILE *out, const struct peer *peer)
{
	if (strcmp(peer->run.db, "mtusweep.db") != 0)
		print_option(out, "db", peer->run.db);
}

static void print_read(FILE *out, const struct peer *peer, const char *what,
		       const char *command)
{
	fprintf(out, "%s:", what);
	print_program(out, "mtusweep");
	fprintf(out, " %s %lld", command, (long long)peer->run.id);
	print_database(out, peer);
}

static void print_apply(FILE *out, const struct peer *peer, const struct mtu_pair *mtu)
{
	const struct peer_config *config = peer->config;
	const struct msg_hello *hello = &peer->session.hello;

	fputs("to apply it, start at the server: mtusweep-server", out);
	print_option(out, "interface", hello->server.interface);
	print_option(out, "server-ip", config->server_ip);
	print_port(out, "server-port", config->server_port, HOST_SERVER_PORT);
	print_port(out, "iperf-port", hello->iperf_port, HOST_IPERF_PORT);
	fputs(" --once --persist best\nand here:", out);
	print_program(out, "mtusweep-peer");
	print_option(out, "interface", config->options->interface);
	print_option(out, "server-ip", config->server_ip);
	print_port(out, "server-port", config->server_port, HOST_SERVER_PORT);
	print_option(out, "conf-file", config->options->conf_file);
	print_option(out, "user", config->options->user);
	print_database(out, peer);
	fprintf(out, " --apply --pair %d/%d\n", mtu->server, mtu->peer);
}

/* --- what the current pair does --- */

/* Packets inside the tunnel, by their size, up to the sender's MTU. */
struct fault {
	enum fate fate;
	int from;
	int to;
};

static enum fate fate_of(const struct path *path, enum direction dir, int size, int mtu)
{
	return path_bands_fate(&path->dir[dir], pathmodel_outer(path, dir, size, mtu));
}

/* Find the largest sizes that are lost, else the largest that are fragmented; false: there
 * are none. */
static bool find_fault(const struct path *path, enum direction dir, int mtu,
		       enum fate fate, struct fault *ret)
{
	int size = mtu;

	while (size > 0 && fate_of(path, dir, size, mtu) != fate)
		size--;
	*ret = (struct fault){.fate = fate, .to = size};
	while (size > 0 && fate_of(path, dir, size, mtu) == fate)
		size--;
	ret->from = size + 1;
	return ret->to > 0;
}

/* `other_mtu`: the recommended one. If larger packets pass with that, say why. */
static void print_fault(FILE *out, const struct fault *fault, const char *loss,
			int padded, int mtu, int other_mtu)
{
	fprintf(out, "the tunnel %s",
		fault->fate == FATE_LOST ? loss : "breaks every packet");
	if (fault->to == mtu)
		fprintf(out, " above %d bytes", fault->from - 1);
	else
		fprintf(out, " of %d to %d bytes", fault->from, fault->to);
	if (fault->fate != FATE_LOST)
		fputs(" into fragments", out);
	if (fault->from <= other_mtu && padded > other_mtu)
		fprintf(out, " (with this MTU WireGuard pads one of %d to %d)",
			fault->from, padded);
}

static void print_fine(FILE *out, const struct path *path, enum direction dir, int mtu)
{
	enum fate full = fate_of(path, dir, mtu, mtu);

	if (full != FATE_WHOLE)
		fputs("what happens to the largest packets is not known", out);
	else if (path_is_doubted(path, dir))
		fprintf(out, "packets of up to %d bytes arrive, in fragments or not",
			mtu);
	else
		fprintf(out, "packets of up to %d bytes, its MTU, arrive whole", mtu);
}

static void print_effect(FILE *out, const struct evidence *e,
			 const struct bandfind_sometimes sometimes[DIR_COUNT])
{
	const struct path *path = &e->survey.path;

	for (int d = 0; d < DIR_COUNT; d++) {
		enum direction dir = (enum direction)d;
		int mtu = mtu_pair_sender(&e->current, dir);
		struct fault fault;

		if (path->dir[d].count == 0)
			continue;
		fprintf(out, "with %d/%d, %s%s: ", e->current.server, e->current.peer,
			direction_name(dir),
			e->dir[d].guessed ? ", as far as rates tell" : "");
		if (find_fault(path, dir, mtu, FATE_LOST, &fault) ||
		    find_fault(path, dir, mtu, FATE_FRAGMENTED, &fault))
			print_fault(out, &fault,
				    sometimes[dir].low ? "loses some of the packets"
						       : "loses every packet",
				    pathmodel_outer(path, dir, fault.from, mtu) -
					    path->overhead[dir],
				    mtu, mtu_pair_sender(&e->mtu, dir));
		else
			print_fine(out, path, dir, mtu);
		fputc('\n', out);
	}
}

/* --- the whole --- */

static void print_recommended(FILE *out, const struct peer *peer,
			      const struct evidence *e)
{
	const struct mtu_pair *applied = &peer->kept.applied;
	bool known = e->current.server && e->current.peer;
	bool same = known && mtu_pair_same(&e->current, &e->mtu);

	fprintf(out, "\nrecommended: %d/%d (server MTU %d, peer MTU %d)", e->mtu.server,
		e->mtu.peer, e->mtu.server, e->mtu.peer);
	if (same)
		fputs(", which was the pair before the run", out);
	else if (known)
		fprintf(out, "; before the run: %d/%d", e->current.server,
			e->current.peer);
	if (applied->server)
		fprintf(out, "; applied: %d/%d", applied->server, applied->peer);
	fputc('\n', out);
	if (known && !mtu_pair_same(applied, &e->current))
		print_effect(out, e, peer->findings.sometimes);
	if (!applied->server && !same)
		print_apply(out, peer, &e->mtu);
}

/* The path, and a grid's rates, where there is somebody to look at them. */
static void print_map(FILE *out, const struct peer *peer, struct query *query)
{
	static const struct heatmap_options options = {0};
	struct query_run run;
	struct heatmap map;

	if (!isatty(progress_print_fd()) ||
	    query_run_numbered(query, peer->run.id, &run, NULL) < 0 ||
	    runmap_load(query, &run, &options, &map, NULL) < 0)
		return;
	if (peer->config->strategy->is_grid) {
		fputc('\n', out);
		runmap_print(&map, progress_print_fd(), out);
	} else {
		runmap_print_path(&map, progress_print_fd(), out);
	}
	heatmap_release(&map);
}

static void print_advice(FILE *out, const struct peer *peer, bool any_ok)
{
	cleanup_query struct query *query = NULL;
	struct query_recommendation found = {0};
	const struct evidence *e = &found.evidence;
	const struct mtu_pair *pair;
	bool any;

	if (query_open(peer->run.db, &query, NULL) < 0)
		return;
	print_map(out, peer, query);
	any = query_recommended(query, peer->run.id, &found, NULL) == 0 &&
	      e->mtu.server;
	if (any)
		print_recommended(out, peer, e);
	print_read(out, peer, "map", "heatmap");
	fputc('\n', out);
	if (any) {
		pair = e->current.server ? &e->current : &e->mtu;
		print_read(out, peer, "explanation", "explain");
		fprintf(out, " --pair %d/%d\n", pair->server, pair->peer);
	}
	if (any_ok) {
		print_read(out, peer, "fastest pair", "best");
		fputc('\n', out);
	}
	free(found.text);
}

void peer_advice_print(const struct peer *peer, bool any_ok)
{
	cleanup_free char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return;
	print_advice(out, peer, any_ok);
	if (fclose(out) == 0)
		progress_print(text);
}

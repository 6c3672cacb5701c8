/* SPDX-License-Identifier: MIT */
#include "cmd/peer/peer.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/debug.h"
#include "base/io.h"
#include "base/random.h"
#include "base/stop.h"
#include "base/text.h"
#include "cmd/alone/alone.h"
#include "cmd/peer/peer_check.h"
#include "cmd/peer/peer_options.h"
#include "cmd/peer/peer_parts.h"
#include "cmd/peer/peer_sweep.h"
#include "cmd/peer/peer_watch.h"
#include "engine/iperf_test.h"
#include "netctl/linkipv6.h"
#include "store/query.h"

/* --- the start of a run --- */

/* A database that is opened for writing is made where there is none: not for a name that
 * has a run to be found in it. */
static int check_database(const struct peer_config *config, struct err *err)
{
	bool needs_run = config->resume || config->apply_run ||
			 (config->apply && !config->pair.server);
	cleanup_query struct query *query = NULL;
	int r = needs_run ? query_open(config->options->db, &query, err) : 0;

	/* The others come again as it is opened. */
	return r == -ENOENT ? r : 0;
}

static void join_parts(struct peer *peer)
{
	peer->session.config = peer->config;
	peer->session.run = &peer->run.info;
	peer->session.stop_fd = stop_fd();
	peer->run.db = peer->config->options->db;
	peer->visit.session = &peer->session;
	peer->visit.run = &peer->run;
}

static int open_all(struct peer *peer, int guard_socket, int runner_socket,
		    struct err *err)
{
	const struct peer_config *config = peer->config;
	struct client_config client;
	int r;

	peer_session_client_config(&peer->session, &client);
	r = client_new(&client, &peer->session.client, err);
	/* The handshake takes its time while the database is opened. */
	if (r == 0)
		client_hello_begin(peer->session.client);
	if (r == 0)
		r = guard_new(guard_socket, &peer->session.guard, err);
	if (r == 0)
		r = runner_new(runner_socket, &peer->visit.runner, err);
	if (r == 0)
		r = check_database(config, err);
	/* A probe answers first; a check needs no database. */
	if (r == 0 && config->strategy->make_plan)
		r = peer_run_open(&peer->run, err);
	if (r == 0)
		r = rtwatch_new(config->options->interface, &peer->visit.watch, err);
	return r;
}

static const char *run_strategy(const struct peer_config *config)
{
	if (config->apply)
		return STRATEGY_APPLY;
	return config->check ? STRATEGY_CHECK : strategy_name(config->strategy);
}

const char *peer_libraries(void)
{
	static char text[64];

	snprintf(text, sizeof(text), "libiperf %s, curl %s, sqlite %s",
		 iperf_test_version(), client_library_version(),
		 store_library_version());
	return text;
}

static void describe_run(struct peer *peer)
{
	const struct peer_config *config = peer->config;
	struct run_info *run = &peer->run.info;
	char versions[sizeof(run->peer.versions)];

	uuid_make(run->uuid);
	token_make(peer->session.secret);
	run->started_at_ms = clock_wall_ms();
	run->peer_range = config->options->range;
	run->passes = config->passes;
	run->seed = config->seed;
	run->duration_ms = config->strategy->make_plan && !config->duration_by_path
				   ? config->duration_ms
				   : 0;
	run->persist = (enum persist)config->options->persist;
	text_copy(run->strategy, sizeof(run->strategy), run_strategy(config));
	snprintf(versions, sizeof(versions), "mtusweep " MTUSWEEP_VERSION ", %s",
		 peer_libraries());
	host_facts(config->host, versions, &run->peer);
	text_copy(run->peer.address, sizeof(run->peer.address), config->local);
}

/* The keys and the outer packets' family, which WireGuard alone knows. */
static int ask_guard(struct peer *peer, struct err *err)
{
	struct guard_facts facts = {0};
	int r = guard_get_facts(peer->session.guard, peer->config->server_ip, &facts,
				err);

	peer->run.info.peer.endpoint_family = facts.endpoint_family;
	text_copy(peer->endpoint, sizeof(peer->endpoint), facts.endpoint);
	if (r < 0)
		return r;
	text_copy(peer->run.info.peer.key, KEY_SIZE, facts.own_key);
	text_copy(peer->session.server_key, KEY_SIZE, facts.far_key);
	peer->tunnel_known = tunnel_of(facts.far_key, facts.own_key, &peer->tunnel);
	host_tell_keys(peer->config->host, &facts);
	return 0;
}

static char *options_json(const struct peer_config *config)
{
	const struct host_options *options = config->options;
	char seed[24];
	json_t *object;
	char *text;

	/* JSON's integers have a sign, here and in SQLite. */
	snprintf(seed, sizeof(seed), "%" PRIu64, config->seed);
	object = json_pack(
		"{s:s, s:i, s:s, s:i, s:i, s:i, s:f, s:i, s:s, s:s, s:s, s:f, s:f, "
		"s:b, s:i, s:s?, s:s, s:i, s:f, s:b}",
		"server-ip", config->server_ip, "server-port", config->server_port,
		"interface", options->interface, "mtu-min", options->range.min,
		"mtu-max", options->range.max, "mtu-step", options->range.step,
		"duration", (double)config->duration_ms / 1000, "passes",
		config->passes, "order", peer_order_names[config->order], "seed", seed,
		"persist", persist_name((enum persist)options->persist), "wait",
		(double)config->wait_ms / 1000, "lease",
		(double)options->lease_ms / 1000, "peer-skip-errors",
		config->skip_errors, "precision", config->precision, "congestion",
		config->congestion, "strategy", strategy_name(config->strategy),
		"margin", config->margin, "budget", (double)config->budget_ms / 1000,
		"no-probe", config->no_probe);
	if (object)
		watch_options_note(&config->watch, object);
	text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	return text;
}

static int find_secret(struct peer *peer, struct err *err)
{
	struct err why = ERR_INIT;
	int r = store_find_secret(peer->run.store, peer->run.info.uuid,
				  peer->session.secret, &why);

	if (r != -ENOENT)
		return r < 0 ? err_set(err, r, "%s", why.text) : 0;
	return err_set(err, r,
		       "run %lld cannot be resumed: %.300s; copy the file of secrets "
		       "along with the database, or start a new run",
		       (long long)peer->run.resumed.run, why.text);
}

/* With --resume: the run of the database in place of a new one. */
static int find_run(struct peer *peer, struct err *err)
{
	struct resume_wish wish = {
		.db = peer->run.db,
		.run = peer->config->resume_run,
		.options = peer->run.options,
		.seed_given = peer->config->seed_given,
		.tunnel = peer->tunnel_known ? &peer->tunnel : NULL,
	};
	char key[KEY_SIZE];
	int r;

	if (!peer->config->resume)
		return 0;
	r = resume_load(&wish, &peer->run.resumed, err);
	if (r == 0)
		r = resume_check_end("peer", &peer->run.resumed.info.peer,
				     &peer->run.info.peer, err);
	if (r < 0)
		return r;
	text_copy(key, KEY_SIZE, peer->run.info.peer.key);
	peer->run.info = peer->run.resumed.info;
	text_copy(peer->run.info.peer.key, KEY_SIZE, key);
	peer->session.server_known = true;
	peer->session.bound = true;
	return find_secret(peer, err);
}

static int check_allowed(const struct host *host, int mtu, struct err *err)
{
	const struct mtu_range *allowed = &host->guard.bounds.range;

	if (mtu_range_allows(allowed, mtu))
		return 0;
	if (mtu < MTU_MIN_IPV6 && !linkipv6_may_fall(&host->link))
		return err_set(err, -ERANGE,
			       "peer MTU %d is not allowed: IPv6 on '%s' of this end "
			       "needs 1280, and the kernel would remove it for good "
			       "below; apply a larger pair, or remove IPv6 there",
			       mtu, host->link.name);
	return err_set(err, -ERANGE,
		       "this end allows MTUs %d to %d, not peer MTU %d: start it with "
		       "other --mtu-min and --mtu-max",
		       allowed->min, allowed->max, mtu);
}

/* With --apply: the one pair, and where it was measured the two ends it was measured
 * on. */
static int find_pair(struct peer *peer, struct err *err)
{
	const struct peer_config *config = peer->config;
	struct apply_wish wish = {
		.db = config->options->db,
		.run = config->apply_run,
		.mtu = config->pair,
		.tunnel = peer->tunnel_known ? &peer->tunnel : NULL,
	};
	struct applied found = {.mtu = config->pair};
	int r;

	if (!config->apply)
		return 0;
	r = wish.mtu.server && !wish.run ? 0 : apply_load(&wish, &found, err);
	if (r == 0 && found.measured) {
		r = resume_check_end("peer", &found.peer, &peer->run.info.peer, err);
		peer->run.info.server = found.server;
		peer->session.server_known = true;
	}
	if (r == 0)
		r = check_allowed(config->host, found.mtu.peer, err);
	peer->run.info.server_range =
		(struct mtu_range){found.mtu.server, found.mtu.server, 1};
	peer->run.info.peer_range =
		(struct mtu_range){found.mtu.peer, found.mtu.peer, 1};
	return r;
}

static int run_watch(struct peer *peer, struct err *err)
{
	int r = peer_watch(peer, err);

	if (r < 0)
		host_tell("%s", err->text);
	return r;
}

static int run_peer(struct peer *peer, struct err *err)
{
	int r = ask_guard(peer, err);

	if (r == 0 && peer->config->watch.every_ms)
		return run_watch(peer, err);
	if (r == 0)
		r = find_run(peer, err);
	if (r == 0)
		r = find_pair(peer, err);
	if (r == 0)
		r = peer_session_connect(&peer->session, peer->config->wait_ms, err);
	if (r == -EINTR && stop_requested())
		err_set(err, r, "stopped before the run began; nothing was changed");
	if (r < 0) {
		host_tell("%s", err->text);
		return r;
	}
	return peer_sweep(peer, err);
}

/* After a failure that was told of, the database has little to add. */
static void close_all(struct peer *peer, bool failed)
{
	struct err err = ERR_INIT;

	peer_session_stop_lease(&peer->session);
	free(peer->run.options);
	resume_release(&peer->run.resumed);
	client_free(peer->session.client);
	rtwatch_free(peer->visit.watch);
	if (store_close(peer->run.store, &err) < 0 && !failed)
		host_tell("%s", err.text);
	runner_free(peer->visit.runner);
	guard_free(peer->session.guard);
}

int peer_main(void *ctx, int guard_socket, int runner_socket)
{
	struct peer peer = {
		.config = ctx,
		.session.lapse.lock = PTHREAD_MUTEX_INITIALIZER,
	};
	struct err err = ERR_INIT;
	int r;

	if (peer.config->alone)
		return alone_main(&peer.config->one_end, guard_socket, runner_socket);
	/* A background job must not be stopped for writing its progress. */
	signal(SIGTTOU, SIG_IGN);
	if (stop_install() < 0)
		return 1;
	join_parts(&peer);
	r = open_all(&peer, guard_socket, runner_socket, &err);
	if (r < 0) {
		host_tell("%s", err.text);
	} else {
		describe_run(&peer);
		peer.run.options = options_json(peer.config);
		r = run_peer(&peer, &err);
	}
	debug_phase("close");
	close_all(&peer, r < 0);
	if (r < 0 && peer.config->check)
		peer_check_failed(err.text);
	return r < 0 ? PROGRAM_FAILED : r;
}

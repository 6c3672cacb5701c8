/* SPDX-License-Identifier: MIT */
#include "cmd/alone/alone_answer.h"

#include <errno.h>
#include <jansson.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/random.h"
#include "base/text.h"
#include "cmd/alone/alone_rates.h"

/* --- the facts --- */

static enum one_end_small small_of(const struct alone *alone)
{
	if (!alone->looks.there.count)
		return ONE_END_SMALL_NONE;
	switch (alone->there) {
	case ECHO_TCP:
		return ONE_END_SMALL_TCP;
	case ECHO_STAMP:
		return ONE_END_SMALL_STAMP;
	case ECHO_UDP:
		return ONE_END_SMALL_UDP;
	case ECHO_PLAIN:
	case ECHO_OUTER:
	case ECHO_KINDS:
		break;
	}
	return ONE_END_SMALL_NONE;
}

static enum one_end_proof proof_of(enum onesided_proof proof)
{
	switch (proof) {
	case ONESIDED_ARRIVES:
		return ONE_END_ARRIVES;
	case ONESIDED_WHOLE:
		return ONE_END_WHOLE;
	case ONESIDED_NOTHING:
		break;
	}
	return ONE_END_NOTHING;
}

static void fill_one_end(const struct alone *alone, struct one_end *ret)
{
	const struct onesided_looks *looks = &alone->looks;
	const struct onesided *found = &alone->result;

	*ret = (struct one_end){
		.own = alone->config->own,
		.small = small_of(alone),
		.proof = proof_of(found->proof),
		.echoes = alone->echoes,
		.endpoint_answers = looks->outside.count > 0,
		.own_is_limit = found->own_is_limit,
		.by_route = alone->find.unit != 0,
		.either_way = found->either_way,
		.far_is_limit = found->far_is_limit,
		.far_is_present = found->far_is_present,
		.back_ends = looks->back_ends,
		.pieces_lost = alone->pieces_lost,
		.least_mtu = alone->find.size_min,
		.far_mtu = found->far_mtu,
		.largest_back = looks->largest_back,
		.too_big = looks->too_big,
		.assumed = found->assumed,
		.differ_tunnel = found->differ.tunnel,
		.differ_outside = found->differ.outside,
		.mss_ipv4 = found->mss[0],
		.mss_ipv6 = found->mss[1],
		.rounds = alone->find.rounds,
	};
	text_copy(ret->target, sizeof(ret->target), alone->target->address);
	text_copy(ret->endpoint, sizeof(ret->endpoint), alone->find.facts.endpoint);
	text_copy(ret->interface, sizeof(ret->interface),
		  alone->config->host->link.name);
}

/* The far end adds what this end adds, as far as one can see. */
static void fill_path(const struct alone *alone, struct path_survey *ret)
{
	const struct onesided *found = &alone->result;
	enum direction own = alone->config->own;
	enum direction back = direction_back(own);
	struct path *path = &ret->path;

	path->overhead[DIR_UPLOAD] = path->overhead[DIR_DOWNLOAD] =
		alone->find.overhead;
	path->relayed[own] = alone->find.facts.endpoint_local;
	path->unseen[own] = found->proof != ONESIDED_WHOLE;
	path->unseen[back] = alone->unseen;
	path->dir[own] = found->there;
	path->dir[back] = found->back;
	ret->probes[own] = alone->find.sizes - alone->sizes_back;
	ret->probes[back] = alone->sizes_back;
	ret->probe_ms = alone->took_ms;
}

static enum reason_kind reason_of(const struct onesided *found)
{
	if (!found->own_mtu)
		return REASON_OWN_NONE;
	if (found->assumed)
		return REASON_OWN_ASSUMED;
	return found->proof == ONESIDED_WHOLE ? REASON_OWN_WHOLE : REASON_OWN_ARRIVES;
}

void alone_answer_make(const struct alone *alone, struct evidence *ret)
{
	evidence_init(ret);
	if (alone->result.own_mtu)
		ret->mtu =
			mtu_pair_of_sender(alone->config->own, alone->result.own_mtu);
	ret->status = EVIDENCE_PREDICTED;
	ret->reason.kind = reason_of(&alone->result);
	ret->current = mtu_pair_of_sender(alone->config->own, alone_current_mtu(alone));
	fill_path(alone, &ret->survey);
	ret->one_ended = true;
	fill_one_end(alone, &ret->one_end);
}

/* --- the run --- */

struct writing {
	const struct alone *alone;
	const struct evidence *evidence;
	int64_t began_at_ms;
	bool goes_on;
	struct store *store;
	int64_t run;
};

static void describe_run(const struct writing *w, struct run_info *ret)
{
	const struct alone *alone = w->alone;
	const struct alone_config *config = alone->config;
	bool is_peer = config->own == DIR_UPLOAD;
	const struct mtu_range *range = &config->options->range;
	struct end_facts *end = is_peer ? &ret->peer : &ret->server;
	struct end_facts *far = is_peer ? &ret->server : &ret->peer;
	char versions[sizeof(end->versions)];

	*ret = (struct run_info){
		.started_at_ms = w->began_at_ms,
		.server_range = is_peer ? MTU_RANGE_UNKNOWN : *range,
		.peer_range = is_peer ? *range : MTU_RANGE_UNKNOWN,
		.strategy = STRATEGY_PROBE,
		.passes = 1,
		.persist = (enum persist)config->options->persist,
	};
	uuid_make(ret->uuid);
	snprintf(versions, sizeof(versions), "mtusweep " MTUSWEEP_VERSION ", sqlite %s",
		 store_library_version());
	host_facts(config->host, versions, end);
	text_copy(end->address, sizeof(end->address), alone->target->local);
	end->endpoint_family = alone->find.facts.endpoint_family;
	text_copy(end->key, sizeof(end->key), alone->find.facts.own_key);
	text_copy(far->key, sizeof(far->key), alone->find.facts.far_key);
	host_tell_keys(config->host, &alone->find.facts);
	alone_rates_describe(alone, ret);
}

static char *options_json(const struct alone_config *config)
{
	const struct host_options *options = config->options;
	json_t *targets = json_array();
	json_t *object;
	char *text;

	for (int i = 0; i < config->named.count; i++)
		json_array_append_new(targets, json_string(config->named.words[i]));
	object = json_pack("{s:b, s:o, s:s, s:s, s:i, s:i, s:i, s:f}", "alone", 1,
			   config->option, targets, "interface", options->interface,
			   "persist", persist_name((enum persist)options->persist),
			   "mtu-min", options->range.min, "mtu-max", options->range.max,
			   "mtu-step", options->range.step, "lease",
			   (double)options->lease_ms / 1000);
	if (object)
		alone_rates_note_options(config, object);
	if (object && config->watch)
		watch_options_note(config->watch, object);
	text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	return text;
}

static int begin_run(struct writing *w, struct err *err)
{
	cleanup_free char *options = options_json(w->alone->config);
	struct run_info info;

	describe_run(w, &info);
	return store_begin_record(w->store, &info, options, &w->run, err);
}

int alone_answer_begin_watch(const struct alone *alone, struct store *store,
			     int64_t *ret_run, struct err *err)
{
	cleanup_free char *options = options_json(alone->config);
	const struct writing w = {.alone = alone, .began_at_ms = clock_wall_ms()};
	struct run_info info;

	describe_run(&w, &info);
	text_copy(info.strategy, sizeof(info.strategy), STRATEGY_WATCH);
	return store_begin_record(store, &info, options, ret_run, err);
}

/* The MTU concerns other peers, or leaves them out. */
static int warn_of_hub(const struct writing *w, struct err *err)
{
	const struct alone_config *config = w->alone->config;
	const struct warning warning = {
		.kind = config->host->by_route ? WARNING_HUB_ROUTES : WARNING_HUB_LINK,
		.at_end = config->own == DIR_UPLOAD ? WARNING_END_PEER
						    : WARNING_END_SERVER,
		.value = config->host->peers,
	};

	if (config->host->peers < 2)
		return 0;
	return store_warn(w->store, w->run, &warning, err);
}

static int write_run(void *ctx, struct err *err)
{
	struct writing *w = ctx;
	const struct evidence *e = w->evidence;
	int r = begin_run(w, err);

	if (r == 0)
		r = store_put_path(w->store, w->run, &e->survey, err);
	if (r == 0)
		r = store_put_one_end(w->store, w->run, &e->one_end, err);
	if (r == 0)
		r = warn_of_hub(w, err);
	if (r == 0 && e->mtu.server)
		r = store_recommend(w->store, w->run, e, err);
	if (r < 0 || w->goes_on)
		return r;
	return store_end_run(w->store, w->run, RUN_DONE, "", err);
}

/* Nothing is lost if this fails: its sentence is for who copies the file. */
static void close_store(struct store *store)
{
	struct err err = ERR_INIT;

	if (store_close(store, &err) < 0)
		host_tell("%s", err.text);
}

int alone_answer_store(const struct alone *alone, const struct evidence *evidence,
		       int64_t began_at_ms, bool goes_on, int64_t *ret_run,
		       struct err *err)
{
	struct writing w = {
		.alone = alone,
		.evidence = evidence,
		.began_at_ms = began_at_ms,
		.goes_on = goes_on,
	};
	int r = store_open(alone->config->options->db, &w.store, err);

	if (r < 0)
		return r;
	r = store_transact(w.store, write_run, &w, err);
	close_store(w.store);
	if (r == 0)
		*ret_run = w.run;
	return r;
}

int alone_answer_end(const struct alone *alone, int64_t run, enum run_outcome outcome,
		     const char *text, struct err *err)
{
	struct store *store;
	int r = store_open(alone->config->options->db, &store, err);

	if (r < 0)
		return r;
	r = store_end_run(store, run, outcome, text, err);
	close_store(store);
	return r;
}

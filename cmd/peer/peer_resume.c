/* SPDX-License-Identifier: MIT */
#include "cmd/peer/peer_resume.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/text.h"
#include "cmd/host/host.h"
#include "store/import.h"
#include "store/query.h"

/* Options that do not change what is measured: they may differ. */
static const char *const free_options[] = {"wait", "lease", "peer-skip-errors", NULL};

/* --- the same options --- */

static bool is_free(const char *name, bool seed_given)
{
	if (strcmp(name, "seed") == 0)
		return !seed_given;
	for (int i = 0; free_options[i]; i++) {
		if (strcmp(free_options[i], name) == 0)
			return true;
	}
	return false;
}

/* As it is typed: without quotes. */
static void value_text(const json_t *value, char *ret, size_t size)
{
	cleanup_free char *text = NULL;

	if (json_is_string(value)) {
		text_copy(ret, size, json_string_value(value));
		return;
	}
	if (value)
		text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
	text_copy(ret, size, text ? text : "?");
}

static int compare_options(const json_t *then, const json_t *now, bool seed_given,
			   struct err *err)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)then, name, value)
	{
		const json_t *other = json_object_get(now, name);
		char was[64];
		char is[64];

		if (is_free(name, seed_given) || (other && json_equal(value, other)))
			continue;
		value_text(value, was, sizeof(was));
		value_text(other, is, sizeof(is));
		return err_set(err, -EINVAL,
			       "the run was started with --%s %s, not %s: --resume "
			       "needs the same options",
			       name, was, is);
	}
	return 0;
}

static int check_options(struct query *query, const struct resume_wish *wish,
			 int64_t run, struct err *err)
{
	cleanup_free char *text = NULL;
	json_t *then;
	json_t *now;
	int r = query_options(query, run, &text, err);

	if (r < 0)
		return r;
	then = json_loads(text, 0, NULL);
	now = wish->options ? json_loads(wish->options, 0, NULL) : NULL;
	if (!json_is_object(then) || !json_is_object(now))
		r = err_set(err, -EINVAL,
			    "the options stored with run %lld cannot be read",
			    (long long)run);
	else
		r = compare_options(then, now, wish->seed_given, err);
	json_decref(then);
	json_decref(now);
	return r;
}

/* --- selection of the run --- */

static bool is_apply(const struct query_run *run)
{
	return strcmp(run->info.strategy, STRATEGY_APPLY) == 0;
}

static bool is_imported(const struct query_run *run)
{
	return strcmp(run->info.strategy, STRATEGY_IMPORTED) == 0;
}

/* It measured no pair. */
static bool is_probe(const struct query_run *run)
{
	return strcmp(run->info.strategy, STRATEGY_PROBE) == 0;
}

/* The newest runs of a peer: of all, of sweeps, which go on, and of those that have a pair
 * which was ok, or which probes alone recommend. */
struct newest_runs {
	const struct tunnel *tunnel; /* of this one, or of one that is not known */
	struct query_run any;
	struct query_run sweep;
	struct query_run pair;
};

static bool is_of_other(const struct query_run *run, const struct tunnel *tunnel)
{
	struct tunnel its;

	return tunnel && tunnel_of_run(&run->info, &its) && !tunnel_same(&its, tunnel);
}

/* A file that both ends write has the peer's records and the server's copies. What was
 * imported may be another tunnel's. One end alone knows no pair. */
static int keep_newest(void *ctx, const struct query_run *run)
{
	struct newest_runs *newest = ctx;

	if (strcmp(run->role, "peer") != 0 || is_apply(run) || is_imported(run) ||
	    run_info_is_one_ended(&run->info) || is_of_other(run, newest->tunnel))
		return 0;
	newest->any = *run;
	if (!is_probe(run))
		newest->sweep = *run;
	if (run->measured > run->failed || (run->recommended.server && !run->measured))
		newest->pair = *run;
	return 0;
}

static int find_newest(struct query *query, const struct tunnel *tunnel,
		       struct newest_runs *ret, struct err *err)
{
	memset(ret, 0, sizeof(*ret));
	ret->tunnel = tunnel;
	return query_runs(query, keep_newest, ret, err);
}

/* The run of the wish, or the newest sweep of a peer. */
static int find_run(struct query *query, const struct resume_wish *wish,
		    struct query_run *ret, struct err *err)
{
	struct newest_runs newest;
	int r;

	if (wish->run)
		return query_run(query, wish->run, ret, err);
	r = find_newest(query, wish->tunnel, &newest, err);
	if (r == 0 && !newest.sweep.id)
		r = err_set(err, -ENOENT,
			    "no sweep of a peer%s is stored in database '%s'",
			    wish->tunnel ? " through this tunnel" : "", wish->db);
	*ret = newest.sweep;
	return r;
}

static int check_run(const struct query_run *run, struct err *err)
{
	if (strcmp(run->role, "peer") != 0)
		return err_set(err, -EINVAL,
			       "run %lld is the server's copy: --resume takes the "
			       "database of the peer that measured it",
			       (long long)run->id);
	if (is_apply(run))
		return err_set(err, -EINVAL,
			       "run %lld was an --apply of one pair: there is nothing "
			       "to resume; apply it again",
			       (long long)run->id);
	if (is_probe(run))
		return err_set(err, -EINVAL,
			       "run %lld only probed: there is nothing to resume; "
			       "probe again",
			       (long long)run->id);
	if (is_imported(run))
		return err_set(err, -EINVAL,
			       "run %lld was imported: there is no sweep to resume",
			       (long long)run->id);
	if (run->outcome == RUN_RUNNING && run->life == PROCESS_LIVES)
		return err_set(err, -EBUSY,
			       "run %lld is still being measured by another "
			       "mtusweep-peer",
			       (long long)run->id);
	return 0;
}

/* --- measurements --- */

static int load_resumed(struct query *query, const struct resume_wish *wish,
			struct resumed *ret, struct err *err)
{
	struct query_run run;
	int r = find_run(query, wish, &run, err);

	if (r == 0)
		r = check_run(&run, err);
	if (r == 0)
		r = check_options(query, wish, run.id, err);
	if (r < 0)
		return r;
	ret->run = run.id;
	ret->info = run.info;
	r = query_load_measurements(query, run.id, &ret->known, &ret->count, err);
	/* They come by their numbers. */
	if (ret->count > 0)
		ret->last_seq = ret->known[ret->count - 1].seq;
	return r;
}

int resume_load(const struct resume_wish *wish, struct resumed *ret, struct err *err)
{
	cleanup_query struct query *query = NULL;
	int r;

	memset(ret, 0, sizeof(*ret));
	r = query_open(wish->db, &query, err);
	return r < 0 ? r : load_resumed(query, wish, ret, err);
}

void resume_release(struct resumed *resumed)
{
	free(resumed->known);
	memset(resumed, 0, sizeof(*resumed));
}

/* --- a pair to apply --- */

static int find_best(void *ctx, const struct query_result *result)
{
	*(struct query_result *)ctx = *result;
	return 1;
}

static int find_same(void *ctx, const struct query_result *result)
{
	struct query_result *wanted = ctx;

	if (!mtu_pair_same(&result->mtu, &wanted->mtu))
		return 0;
	*wanted = *result;
	return 1;
}

/* *ret stays as it is where the run recommends none. */
static int find_recommended(struct query *query, int64_t run, struct mtu_pair *ret,
			    struct err *err)
{
	struct query_recommendation recommended = {0};
	int r = query_recommended(query, run, &recommended, err);

	if (r == 0)
		*ret = recommended.evidence.mtu;
	free(recommended.text);
	return r == -ENODATA ? 0 : r;
}

/* Without a name, the newest run that has a pair to apply. */
static int find_applied_run(struct query *query, const struct apply_wish *wish,
			    struct query_run *ret, struct err *err)
{
	struct newest_runs newest;
	int r;

	if (wish->run)
		return query_run(query, wish->run, ret, err);
	r = find_newest(query, wish->tunnel, &newest, err);
	if (r == 0 && !newest.any.id)
		r = err_set(err, -ENOENT,
			    "no run of a peer%s is stored in database '%s'",
			    wish->tunnel ? " through this tunnel" : "", wish->db);
	*ret = newest.pair.id ? newest.pair : newest.any;
	if (r == 0 && ret->id != newest.any.id)
		host_tell("run %lld has no pair to apply; the pair is that of run "
			  "%lld, the newest that has one",
			  (long long)newest.any.id, (long long)ret->id);
	return r;
}

static void tell_pair(const struct query_run *run, const struct mtu_pair *mtu,
		      bool recommended)
{
	host_tell("the pair to apply is %d/%d, %s run %lld (%s)", mtu->server,
		  mtu->peer, recommended ? "recommended by" : "the fastest of",
		  (long long)run->id, query_run_state(run));
}

/* 1: the run recommends the pair and has not measured it. 0: it has; or does not. */
static int is_predicted(struct query *query, int64_t run, const struct mtu_pair *mtu,
			const struct mtu_pair *recommended, struct err *err)
{
	struct query_result result;
	struct err none = ERR_INIT;
	int r;

	if (!recommended->server || !mtu_pair_same(mtu, recommended))
		return 0;
	r = query_result(query, run, mtu, &result, &none);
	if (r == -ENODATA)
		return 1;
	return r < 0 ? err_set(err, r, "%s", none.text) : 0;
}

/* The pair of the wish, or the one that the run recommends, or else its fastest. 1: it is
 * predicted and not measured. */
static int find_wanted(struct query *query, const struct query_run *run,
		       const struct apply_wish *wish, struct query_result *ret,
		       bool *ret_recommended, struct err *err)
{
	struct mtu_pair recommended = {0};
	int r = find_recommended(query, run->id, &recommended, err);

	if (r < 0)
		return r;
	ret->mtu = wish->mtu.server ? wish->mtu : recommended;
	*ret_recommended = recommended.server && !wish->mtu.server;
	r = is_predicted(query, run->id, &ret->mtu, &recommended, err);
	if (r)
		return r;
	r = query_ranked(query, run->id, QUERY_BY_SUM,
			 ret->mtu.server ? find_same : find_best, ret, err);
	if (r < 0)
		return r;
	if (r == 0 && wish->mtu.server)
		return err_set(err, -ENODATA,
			       "run %lld has no pair %d/%d that was ok in both "
			       "directions",
			       (long long)run->id, wish->mtu.server, wish->mtu.peer);
	if (r > 0 && ret->upload_ok == ret->visits && ret->download_ok == ret->visits)
		return 0;
	if (wish->mtu.server)
		return err_set(err, -ENODATA,
			       "the pair %d/%d was not ok in both directions each time "
			       "in run %lld: --pair alone applies it all the same",
			       wish->mtu.server, wish->mtu.peer, (long long)run->id);
	return err_set(err, -ENODATA,
		       "no pair to apply in run %lld: its %s pair was not ok in both "
		       "directions each time",
		       (long long)run->id,
		       *ret_recommended ? "recommended" : "fastest");
}

static int load_pair(struct query *query, const struct apply_wish *wish,
		     struct applied *ret, struct err *err)
{
	struct query_result result = {0};
	struct query_run run;
	bool recommended = false;
	int r = find_applied_run(query, wish, &run, err);

	if (r == 0 && is_imported(&run))
		r = err_set(err, -EINVAL,
			    "run %lld was imported and does not say which ends it "
			    "measured: name the pair with --pair alone",
			    (long long)run.id);
	if (r == 0 && run_info_is_one_ended(&run.info))
		r = err_set(err, -EINVAL,
			    "run %lld has one end alone and does not know the server's "
			    "MTU: name the pair with --pair alone",
			    (long long)run.id);
	if (r == 0)
		r = find_wanted(query, &run, wish, &result, &recommended, err);
	if (r < 0)
		return r;
	if (!wish->mtu.server)
		tell_pair(&run, &result.mtu, recommended);
	if (r == 1)
		host_tell("run %lld predicted %d/%d by probes and did not measure it: "
			  "it is measured now",
			  (long long)run.id, result.mtu.server, result.mtu.peer);
	ret->mtu = result.mtu;
	ret->measured = true;
	ret->server = run.info.server;
	ret->peer = run.info.peer;
	return 0;
}

int apply_load(const struct apply_wish *wish, struct applied *ret, struct err *err)
{
	cleanup_query struct query *query = NULL;
	int r = query_open(wish->db, &query, err);

	return r < 0 ? r : load_pair(query, wish, ret, err);
}

/* --- the same tunnel --- */

static int fail_difference(const char *which, const char *what, const char *then,
			   const char *now, struct err *err)
{
	return err_set(err, -EINVAL,
		       "another tunnel: the %s's %s is '%s', but was '%s' in the run; "
		       "results of different tunnels do not belong together",
		       which, what, now, then);
}

static int check_names(const char *which, const struct end_facts *then,
		       const struct end_facts *now, struct err *err)
{
	if (strcmp(then->host, now->host) != 0)
		return fail_difference(which, "host", then->host, now->host, err);
	if (strcmp(then->interface, now->interface) != 0)
		return fail_difference(which, "interface", then->interface,
				       now->interface, err);
	if (strcmp(then->address, now->address) != 0)
		return fail_difference(which, "tunnel address", then->address,
				       now->address, err);
	return 0;
}

int resume_check_end(const char *which, const struct end_facts *then,
		     const struct end_facts *now, struct err *err)
{
	int r = 0;

	if (!*then->key || !*now->key)
		r = check_names(which, then, now, err);
	else if (strcmp(then->key, now->key) != 0)
		r = fail_difference(which, "public key", then->key, now->key, err);
	if (r < 0)
		return r;
	if (then->backend != now->backend)
		return fail_difference(which, "WireGuard", backend_name(then->backend),
				       backend_name(now->backend), err);
	if (then->endpoint_family && now->endpoint_family &&
	    then->endpoint_family != now->endpoint_family)
		return fail_difference(which, "IP version of the outer packets",
				       then->endpoint_family == 6 ? "6" : "4",
				       now->endpoint_family == 6 ? "6" : "4", err);
	return 0;
}

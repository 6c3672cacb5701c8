/* SPDX-License-Identifier: MIT */
#include "cmd/peer/peer_keep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/io.h"
#include "netctl/keeper.h"
#include "store/query.h"

/* A request to commit. */
#define COMMIT_TIMEOUT_MS 5000
/* How long a commit without an answer is tried again. */
#define COMMIT_LIMIT_MS 10000
/* The last try may begin then: setting 3 s or proving 4.5 s, and committing 5 s. Where
 * nobody answers it is 2 s for rows that are left and 7 s for the close. */
#define AFTER_LIMIT_MS 18500
/* Tries of a proof that fails for reasons other than the path. */
#define TRIES_MAX 3

/* Signals wait for all of that, and the keeper for it since the first signal. */
_Static_assert(COMMIT_LIMIT_MS + AFTER_LIMIT_MS < KEEPER_MAIN_END_MS,
	       "main is killed while it keeps a pair");

/* --- the candidates --- */

struct candidates {
	struct query_result *list; /* the best first */
	int count;
};

static int keep_candidate(void *ctx, const struct query_result *result)
{
	struct candidates *all = ctx;
	struct query_result *grown;

	/* A pair that works now and then comes after all others: here they end. */
	if (result->upload_ok < result->visits || result->download_ok < result->visits)
		return 1;
	grown = realloc(all->list, (size_t)(all->count + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	all->list = grown;
	all->list[all->count++] = *result;
	return 0;
}

static void put_first(struct candidates *all, const struct mtu_pair *first)
{
	for (int i = 1; i < all->count; i++) {
		struct query_result found = all->list[i];

		if (!mtu_pair_same(&found.mtu, first))
			continue;
		memmove(all->list + 1, all->list, (size_t)i * sizeof(found));
		all->list[0] = found;
		return;
	}
}

static int find_candidates(const struct peer_run *run, const struct mtu_pair *first,
			   struct candidates *ret, struct err *err)
{
	cleanup_query struct query *query = NULL;
	int r = query_open(run->db, &query, err);

	if (r == 0)
		r = query_ranked(query, run->id, QUERY_BY_SUM, keep_candidate, ret,
				 err);
	if (r == -ENOMEM)
		return err_set(err, r, "out of memory");
	if (r < 0)
		return r;
	put_first(ret, first);
	if (ret->count == 0)
		return err_set(err, -ENODATA,
			       "no pair was ok at each of its visits: none is kept");
	return 0;
}

/* --- the proof --- */

static const char *who(enum direction dir)
{
	return dir == DIR_UPLOAD ? "peer" : "server";
}

static int mtu_of(const struct mtu_pair *mtu, enum direction dir)
{
	return dir == DIR_UPLOAD ? mtu->peer : mtu->server;
}

/* The pair set, and one direction tried; what a lost session or server spoils is done
 * again once they are back. */
static int try_direction(struct peer_visit *visit, const struct mtu_pair *mtu,
			 enum direction dir, struct dir_result *ret, struct err *err)
{
	for (int tries = 1;; tries++) {
		struct err why;
		int r = peer_set_pair(visit, mtu, err);

		if (r == 0)
			r = peer_measure_full_size(visit, dir, ret, err);
		if (r != -EAGAIN)
			return r;
		why = *err;
		if (tries == TRIES_MAX)
			return err_set(
				err, -EIO,
				"no pair is kept, since it could not be proved that "
				"its packets arrive (%.250s)",
				why.text);
		r = peer_session_connect(visit->session,
					 visit->session->config->wait_ms, err);
		if (r < 0)
			return r;
	}
}

/* 1 proved, 0 they do not arrive (told), or why that could not be found out. */
static int prove_direction(struct peer_visit *visit, const struct mtu_pair *mtu,
			   enum direction dir, struct err *err)
{
	struct dir_result result;
	int r = try_direction(visit, mtu, dir, &result, err);

	if (r < 0)
		return r;
	if (result.status == TEST_OK)
		return 1;
	if (result.status != TEST_BLACKHOLE)
		return err_set(
			err, -EPROTONOSUPPORT,
			"no pair is kept, since it cannot be proved that its "
			"packets arrive (%s): let UDP port %d in on the tunnel's "
			"interface of the server",
			result.text, visit->session->config->server_port);
	host_tell(
		"server MTU %d, peer MTU %d is not kept: packets as large as the %s's "
		"MTU do not arrive",
		mtu->server, mtu->peer, who(dir));
	return 0;
}

/* True if an earlier pair has shown that packets of one of these MTUs are lost. */
static bool is_refuted(const struct candidates *all, int limit, const int *refuted)
{
	for (int i = 0; i < limit; i++) {
		for (int dir = 0; dir < DIR_COUNT; dir++) {
			if ((refuted[i] & (1 << dir)) &&
			    mtu_of(&all->list[i].mtu, (enum direction)dir) ==
				    mtu_of(&all->list[limit].mtu, (enum direction)dir))
				return true;
		}
	}
	return false;
}

/* 1 proved, 0 refuted with the direction's bit in *refuted, or -errno. */
static int prove(struct peer_visit *visit, const struct mtu_pair *mtu, int *refuted,
		 struct err *err)
{
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		int r = prove_direction(visit, mtu, (enum direction)dir, err);

		if (r == 0)
			*refuted |= 1 << dir;
		if (r <= 0)
			return r;
	}
	return 1;
}

/* The index of the first that is proved, or -errno. */
static int choose(struct peer_visit *visit, const struct candidates *all,
		  struct err *err)
{
	cleanup_free int *refuted = calloc((size_t)all->count, sizeof(*refuted));

	if (!refuted)
		return err_set(err, -ENOMEM, "out of memory");
	for (int i = 0; i < all->count; i++) {
		int r;

		if (is_refuted(all, i, refuted))
			continue;
		r = prove(visit, &all->list[i].mtu, &refuted[i], err);
		if (r != 0)
			return r < 0 ? r : i;
	}
	return err_set(
		err, -ENODATA,
		"no pair is kept: of none do packets as large as both ends' MTUs "
		"arrive");
}

/* --- the two commits --- */

/* A refusal means that the server did not commit, unless it lost its guard (-EPIPE). */
static int commit_there(struct peer_kept *kept, const struct peer_session *session,
			struct err *err)
{
	int r = client_commit(session->client, session->id,
			      peer_session_timeout_ms(session, COMMIT_TIMEOUT_MS), err);

	if (r == 0)
		kept->there = PEER_THERE_KEPT;
	else if (!client_answered(session->client) || r == -EPIPE)
		kept->there = PEER_THERE_MAYBE;
	if (r == 0 && err->text[0])
		host_tell("the server: %.400s", err->text);
	return peer_session_mendable(r);
}

/* For the server's eyes: it keeps no MTU whose packets it has not seen arrive in this
 * session. */
static int prove_there(struct peer_visit *visit, struct err *err)
{
	struct dir_result result;
	int r = peer_measure_full_size(visit, DIR_DOWNLOAD, &result, err);

	if (r < 0 || result.status == TEST_OK)
		return r;
	return err_set(err, -EAGAIN,
		       "packets as large as its MTU do not arrive any more (%.200s)",
		       result.text);
}

/* Setting and committing again what was committed already changes nothing. */
static int commit_again(struct peer_kept *kept, struct peer_visit *visit,
			const struct mtu_pair *mtu, bool prove, int64_t deadline_ms,
			struct err *err)
{
	int r = peer_session_connect(visit->session, clock_left_ms(deadline_ms), err);

	if (r == 0)
		r = peer_set_pair(visit, mtu, err);
	/* Later than that there would be no time left to commit. */
	if (r == 0 && prove && clock_left_ms(deadline_ms) == 0)
		return err_set(err, -EAGAIN, "no time is left to prove the pair again");
	if (r == 0 && prove)
		r = prove_there(visit, err);
	return r < 0 ? peer_session_mendable(r)
		     : commit_there(kept, visit->session, err);
}

/* An answer that came late came after this end's lease, and it had gone back. */
static int commit_here(const struct peer_session *session, int mtu, struct err *err)
{
	int r = guard_commit(session->guard, err);

	if (r != -ESTALE)
		return r;
	r = guard_set(session->guard, mtu, session->lease_ms, err);
	return r < 0 ? r : guard_commit(session->guard, err);
}

static int not_kept_there(int r, const struct peer_kept *kept, struct err *err)
{
	static const char prefix[] = "the server: ";
	struct err why = *err;

	if (kept->there == PEER_THERE_MAYBE)
		return err_set(err, r,
			       "the server did not confirm that it keeps MTU %d, so it "
			       "may hold it or not: look at its link and conf file "
			       "(%.200s)",
			       kept->mtu, why.text);
	return err_set(err, r, "the server could not keep MTU %d: %.300s", kept->mtu,
		       strncmp(why.text, prefix, strlen(prefix)) == 0
			       ? why.text + strlen(prefix)
			       : why.text);
}

static int commit_both(struct peer_kept *kept, struct peer_visit *visit,
		       const struct mtu_pair *mtu, struct err *err)
{
	int64_t deadline_ms = clock_boot_ms() + COMMIT_LIMIT_MS;
	struct err why = ERR_INIT;
	int r;

	kept->mtu = mtu->server;
	peer_session_ignore_stop(visit->session);
	r = commit_there(kept, visit->session, err);
	while ((r == -EAGAIN || r == -ENODATA) && clock_left_ms(deadline_ms) > 0)
		r = commit_again(kept, visit, mtu, r == -ENODATA, deadline_ms, err);
	if (r < 0)
		return not_kept_there(r, kept, err);
	r = commit_here(visit->session, mtu->peer, &why);
	if (r < 0)
		return err_set(
			err, r,
			"the server keeps MTU %d, but this end could not keep %d: "
			"%.250s",
			mtu->server, mtu->peer, why.text);
	if (why.text[0])
		host_tell("this end: %.400s", why.text);
	host_tell(
		"both ends keep this pair, in link and conf file: server MTU %d, peer "
		"MTU %d",
		mtu->server, mtu->peer);
	return 0;
}

int peer_keep_best(struct peer_kept *kept, struct peer_visit *visit,
		   const struct mtu_pair *first, struct err *err)
{
	struct candidates all = {0};
	int r = find_candidates(visit->run, first, &all, err);

	if (r == 0)
		r = choose(visit, &all, err);
	if (r >= 0)
		r = commit_both(kept, visit, &all.list[r].mtu, err);
	free(all.list);
	return r;
}

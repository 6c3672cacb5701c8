/* SPDX-License-Identifier: MIT */
#include "cmd/peer/peer_keep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/io.h"
#include "cmd/alone/alone_lines.h"
#include "cmd/host/host_conf.h"
#include "cmd/peer/peer_probe.h"
#include "cmd/peer/peer_test.h"
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
	size_t count;
};

static int keep_candidate(void *ctx, const struct query_result *result)
{
	struct candidates *all = ctx;

	/* A pair that works now and then comes after all others: here they end. */
	if (result->upload_ok < result->visits || result->download_ok < result->visits)
		return 1;
	return array_append(&all->list, &all->count, result, sizeof(*result));
}

static void put_first(struct candidates *all, const struct mtu_pair *first)
{
	for (size_t i = 1; i < all->count; i++) {
		struct query_result found = all->list[i];

		if (!mtu_pair_same(&found.mtu, first))
			continue;
		memmove(all->list + 1, all->list, i * sizeof(found));
		all->list[0] = found;
		return;
	}
}

static int take_only(const struct mtu_pair *only, struct candidates *ret,
		     struct err *err)
{
	if (!only->server)
		return err_set(err, -ENODATA,
			       "no pair applied: none is known to fit the path");
	ret->list = calloc(1, sizeof(*ret->list));
	if (!ret->list)
		return err_set(err, -ENOMEM, "out of memory");
	ret->list[0].mtu = *only;
	ret->count = 1;
	return 0;
}

/* Leave only the first candidate, which must be this pair. */
static int keep_only(const struct mtu_pair *first, struct candidates *all,
		     struct err *err)
{
	if (!first->server)
		return err_set(err, -ENODATA,
			       "no pair applied: none is known to fit the path");
	if (all->count == 0 || !mtu_pair_same(&all->list[0].mtu, first))
		return err_set(err, -ENODATA,
			       "no pair applied: the recommended one, server MTU %d, "
			       "peer MTU %d, was not ok in each of its measurements",
			       first->server, first->peer);
	all->count = 1;
	return 0;
}

static int find_candidates(const struct peer_run *run, const struct mtu_pair *first,
			   enum peer_candidates from, struct candidates *ret,
			   struct err *err)
{
	cleanup_query struct query *query = NULL;
	int r;

	if (from == PEER_KEEP_UNMEASURED)
		return take_only(first, ret, err);
	r = query_open(run->db, &query, err);
	if (r == 0)
		r = query_ranked(query, run->id, QUERY_BY_SUM, keep_candidate, ret,
				 err);
	if (r == -ENOMEM)
		return err_set(err, r, "out of memory");
	if (r < 0)
		return r;
	put_first(ret, first);
	if (from == PEER_KEEP_FIRST)
		return keep_only(first, ret, err);
	if (ret->count == 0)
		return err_set(
			err, -ENODATA,
			"no pair applied: none was ok in each of its measurements");
	return 0;
}

/* --- the proof --- */

/* Set the pair and try one direction. If the session or the server is lost, do both
 * again once they are back. */
static int try_direction(struct peer_visit *visit, const struct mtu_pair *mtu,
			 enum direction dir, struct dir_result *ret, struct err *err)
{
	for (int tries = 1;; tries++) {
		struct err why;
		int r = peer_set_pair(visit, mtu, err);

		if (r == 0)
			r = peer_test_full_size(visit, dir, ret, err);
		if (r != -EAGAIN)
			return r;
		why = *err;
		if (tries == TRIES_MAX)
			return err_set(err, -EIO,
				       "no pair applied: cannot prove that its "
				       "full-size packets arrive (%.250s)",
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
		return err_set(err, -EPROTONOSUPPORT,
			       "no pair applied: cannot prove that its full-size "
			       "packets arrive (%s): let in UDP port %d on the "
			       "server's tunnel interface",
			       result.text, visit->session->config->server_port);
	host_tell("server MTU %d, peer MTU %d is not applied: packets as large as the "
		  "%s's MTU do not arrive",
		  mtu->server, mtu->peer, direction_sender(dir));
	return 0;
}

/* Findings about a candidate: bits of directions. */
struct finding {
	int lost;
	int fragmented;
};

/* True if a pair has shown that packets of one of these MTUs are lost, or that they
 * arrive in fragments where that counts. */
static bool is_refuted(const struct candidates *all, int at,
		       const struct finding *found, bool whole)
{
	for (size_t i = 0; i < all->count; i++) {
		int bits = found[i].lost | (whole ? found[i].fragmented : 0);

		for (int dir = 0; dir < DIR_COUNT; dir++) {
			if ((bits & (1 << dir)) &&
			    mtu_pair_sender(&all->list[i].mtu, (enum direction)dir) ==
				    mtu_pair_sender(&all->list[at].mtu,
						    (enum direction)dir))
				return true;
		}
	}
	return false;
}

/* 0, with the fate of each direction's full-size packets and the reason why one is not
 * seen. What an outage spoils is done again. */
static int look_at_outer(struct peer_visit *visit, const struct mtu_pair *mtu,
			 enum fate ret[DIR_COUNT], struct err *ret_why, struct err *err)
{
	struct peer_session *session = visit->session;
	struct probe_summary summary;
	struct path path;
	int r;

	for (int tries = 1;; tries++) {
		r = peer_probe(session, mtu, &path, &summary, err);
		if (r != -EAGAIN || tries == TRIES_MAX)
			break;
		r = peer_session_connect(session, session->config->wait_ms, err);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	for (int dir = 0; dir < DIR_COUNT; dir++)
		ret[dir] = path_bands_fate(
			&path.dir[dir],
			path.overhead[dir] + mtu_pair_sender(mtu, (enum direction)dir));
	if (summary.filtered)
		*ret_why = *err;
	else if (path_is_relayed(&path))
		err_set(ret_why, 0,
			"a relay on an end's own host sends the packets on the line");
	else if (path.unseen[DIR_UPLOAD] || path.unseen[DIR_DOWNLOAD])
		err_set(ret_why, 0, "the %s does not see its outer packets",
			path.unseen[DIR_UPLOAD] ? "server" : "peer");
	else if (ret[DIR_UPLOAD] == FATE_UNKNOWN || ret[DIR_DOWNLOAD] == FATE_UNKNOWN)
		err_set(ret_why, 0, "the other end did not see its outer packets");
	return 0;
}

/* True if none is known to arrive in fragments; else that is told, and noted. */
static bool note_fragments(const struct mtu_pair *mtu, const enum fate fate[DIR_COUNT],
			   struct finding *ret)
{
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		if (fate[dir] != FATE_FRAGMENTED)
			continue;
		host_tell(
			"server MTU %d, peer MTU %d: packets as large as the %s's MTU "
			"arrive in fragments",
			mtu->server, mtu->peer, direction_sender((enum direction)dir));
		ret->fragmented |= 1 << dir;
	}
	return !ret->fragmented;
}

/* 1 proved, 0 refuted with the direction's bit in *refuted, or -errno. */
static int prove_pair(struct peer_visit *visit, const struct mtu_pair *mtu,
		      int *refuted, struct err *err)
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

/* 1 the pair's packets arrive whole as far as can be seen, 0 they do not, or -errno. */
static int prove_whole(struct peer_visit *visit, const struct mtu_pair *mtu,
		       struct finding *found, bool *told, struct err *err)
{
	struct err why = ERR_INIT;
	enum fate fate[DIR_COUNT];
	int r = look_at_outer(visit, mtu, fate, &why, err);

	if (r < 0)
		return r;
	if (!note_fragments(mtu, fate, found))
		return 0;
	if (why.text[0] && !*told)
		host_tell("cannot see if full-size packets arrive whole (%.300s): "
			  "it is only proved that they arrive",
			  why.text);
	*told |= why.text[0] != '\0';
	return prove_pair(visit, mtu, &found->lost, err);
}

/* 1, 0 or -errno, as prove_whole(). */
static int prove_arrives(struct peer_visit *visit, const struct mtu_pair *mtu,
			 struct finding *found, struct err *err)
{
	int r = prove_pair(visit, mtu, &found->lost, err);

	if (r > 0)
		host_tell("server MTU %d, peer MTU %d: no candidate's packets arrive "
			  "whole, so it is applied although they are fragmented",
			  mtu->server, mtu->peer);
	return r;
}

/* The index of the first that is proved, or -errno. */
static int choose_proved(struct peer_visit *visit, const struct candidates *all,
			 struct err *err)
{
	cleanup_free struct finding *found = calloc(all->count, sizeof(*found));
	bool told = false;

	if (!found)
		return err_set(err, -ENOMEM, "out of memory");
	for (int i = 0; i < 2 * (int)all->count; i++) {
		bool whole = i < (int)all->count;
		int at = i % (int)all->count;
		const struct mtu_pair *mtu = &all->list[at].mtu;
		int r;

		if (is_refuted(all, at, found, whole))
			continue;
		r = whole ? prove_whole(visit, mtu, &found[at], &told, err)
			  : prove_arrives(visit, mtu, &found[at], err);
		if (r != 0)
			return r < 0 ? r : at;
	}
	return err_set(
		err, -ENODATA,
		"no pair applied: full-size packets were lost with every candidate");
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

/* Prove the MTU to the server, which applies no MTU whose packets it has not seen
 * arrive in this session. */
static int prove_there(struct peer_visit *visit, struct err *err)
{
	struct dir_result result;
	int r = peer_test_full_size(visit, DIR_DOWNLOAD, &result, err);

	if (r < 0 || result.status == TEST_OK)
		return r;
	return err_set(err, -EAGAIN,
		       "packets as large as its MTU no longer arrive (%.200s)",
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

/* After a late answer this end's lease has expired, and its MTU is restored: set it
 * again. */
static int commit_here(const struct peer_session *session, int mtu, struct err *err)
{
	int r = guard_commit(session->guard, err);

	if (r != -ESTALE)
		return r;
	r = guard_set_for(session->guard, session->config->server_ip, mtu,
			  session->lease_ms, err);
	return r < 0 ? r : guard_commit(session->guard, err);
}

static int not_kept_there(int r, const struct peer_kept *kept, struct err *err)
{
	static const char prefix[] = "the server: ";
	struct err why = *err;

	if (kept->there == PEER_THERE_MAYBE)
		return err_set(err, r,
			       "the server did not confirm that it applied MTU %d: "
			       "check its link and conf file (%.200s)",
			       kept->mtu, why.text);
	return err_set(err, r, "the server could not apply MTU %d: %.300s", kept->mtu,
		       strncmp(why.text, prefix, strlen(prefix)) == 0
			       ? why.text + strlen(prefix)
			       : why.text);
}

/* A hub's link keeps its own MTU. */
static void tell_applied(const struct peer_session *session, const struct mtu_pair *mtu)
{
	const struct host *host = session->config->host;
	const struct msg_hello *hello = &session->hello;
	const char *here = host_kept_in(host->by_route, host_is_live_only(host));
	const char *there = host_kept_in(hello->by_route, hello->live_only);

	if (strcmp(here, there) == 0)
		host_tell("both ends have applied this pair, in %s: server MTU %d, "
			  "peer MTU %d",
			  here, mtu->server, mtu->peer);
	else
		host_tell("both ends have applied this pair, the server in %s, the "
			  "peer in %s: server MTU %d, peer MTU %d",
			  there, here, mtu->server, mtu->peer);
	alone_tell_lines(host, "peer", host->by_route, mtu->peer);
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
		return err_set(err, r,
			       "the server has applied MTU %d, but this end could not "
			       "apply %d: %.250s",
			       mtu->server, mtu->peer, why.text);
	if (why.text[0])
		host_tell("this end: %.400s", why.text);
	tell_applied(visit->session, mtu);
	kept->applied = *mtu;
	return 0;
}

int peer_keep_best(struct peer_kept *kept, struct peer_visit *visit,
		   const struct mtu_pair *first, enum peer_candidates from,
		   struct err *err)
{
	struct candidates all = {0};
	int r = find_candidates(visit->run, first, from, &all, err);

	if (r == 0)
		r = choose_proved(visit, &all, err);
	if (r >= 0)
		r = commit_both(kept, visit, &all.list[r].mtu, err);
	free(all.list);
	return r;
}

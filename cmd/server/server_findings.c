/* SPDX-License-Identifier: MIT */
/* Store the peer's findings in this end's copy of the run. */

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "cmd/run/conclude.h"
#include "cmd/server/server_ops.h"

int server_begin_copy(struct server *f, const struct run_info *run, const char *secret,
		      bool *ret_known, struct err *err)
{
	struct quota_peer *peer = quota_find(&f->quota, f->who, clock_boot_ms());
	int r = quota_check_run(peer, err);

	if (r == 0)
		r = store_begin_copy(f->store, run, secret, &f->run_id, ret_known, err);
	if (r == 0)
		peer->runs += !*ret_known;
	return r;
}

static int begin_late(struct server *f, struct err *err)
{
	bool known;
	int r = server_begin_copy(f, &f->late, f->late_secret, &known, err);

	if (r < 0)
		return r;
	f->is_late = false;
	for (int i = 0; i < f->warnings.count; i++) {
		const struct warning w = warnings_get(&f->warnings, i);

		store_warn(f->store, f->run_id, &w, NULL);
	}
	return 0;
}

int server_check_stored(struct server *f, struct err *err)
{
	if (f->is_late)
		return begin_late(f, err);
	return f->run_id ? 0
			 : err_set(err, -EINVAL,
				   "a check has no rows, path or recommendation to "
				   "store");
}

int server_path(void *ctx, const struct msg_path *m, struct err *err)
{
	struct server *f = ctx;
	enum direction dir = m->download ? DIR_DOWNLOAD : DIR_UPLOAD;
	struct path_survey *survey = &f->survey;
	int r = server_check_stored(f, err);

	if (r == 0)
		r = path_bands_parse(m->bands, &survey->path.dir[dir], err);
	if (r < 0)
		return r;
	survey->path.overhead[dir] = m->overhead;
	survey->path.relayed[dir] = m->relayed;
	survey->path.unseen[dir] = m->unseen;
	survey->since_seq = m->since_seq;
	survey->probes[dir] = m->probes;
	survey->probe_ms = m->probe_ms;
	f->surveyed[dir] = true;
	if (f->surveyed[DIR_UPLOAD] && f->surveyed[DIR_DOWNLOAD]) {
		r = store_put_path(f->store, f->run_id, survey, err);
		/* A survey of another path comes in two messages again. */
		if (r == 0)
			memset(f->surveyed, 0, sizeof(f->surveyed));
	}
	if (r == 0)
		server_heard(f);
	return r;
}

static int check_pair(const struct server *f, const struct mtu_pair *mtu,
		      struct err *err)
{
	if (mtu_range_allows(&f->check.server, mtu->server) &&
	    mtu_range_allows(&f->check.peer, mtu->peer))
		return 0;
	return err_set(err, -EINVAL,
		       "recommendation refused: pair %d/%d is not in the run's ranges",
		       mtu->server, mtu->peer);
}

/* This end's rows and path are the peer's, unless rows were lost on the way. */
static bool is_same(const struct evidence *e, const struct msg_recommendation *m)
{
	return mtu_pair_same(&e->mtu, &m->mtu) && e->status == m->status &&
	       e->settled == m->settled && e->reason.kind == m->reason.kind &&
	       e->reason.visits == m->reason.visits &&
	       mtu_pair_same(&e->reason.rival, &m->reason.rival);
}

static void note_recommended(struct server *f, const struct msg_recommendation *m)
{
	f->recommended = m->number;
	server_heard(f);
}

/* What was predicted turned out wrong, and no pair takes its place. */
static int withdraw(struct server *f, const struct msg_recommendation *m,
		    struct err *err)
{
	int r = store_withdraw(f->store, f->run_id, err);

	if (r == 0)
		note_recommended(f, m);
	return r;
}

int server_recommendation(void *ctx, const struct msg_recommendation *m,
			  struct err *err)
{
	struct server *f = ctx;
	struct evidence here;
	struct evidence told;
	int r = server_check_stored(f, err);

	/* Predictions come on a connection of their own, which may be the slower one. */
	if (r == 0 && m->number < f->recommended)
		return 0;
	if (r == 0 && !m->mtu.server && !m->mtu.peer)
		return withdraw(f, m, err);
	if (r == 0)
		r = check_pair(f, &m->mtu, err);
	if (r == 0 && (m->reason.rival.server || m->reason.rival.peer))
		r = check_pair(f, &m->reason.rival, err);
	if (r < 0)
		return r;
	evidence_init(&here);
	r = conclude_run(f->config->options->db, f->run_id, m->reason.margin,
			 CONCLUDE_ROWS_MAX, &here, err);
	if (r < 0 && r != -ERANGE)
		return r;
	evidence_init(&told);
	told.mtu = m->mtu;
	told.status = m->status;
	told.settled = m->settled;
	told.reason = m->reason;
	evidence_warn(&told, (struct warning){.kind = WARNING_INCOMPLETE});
	r = store_recommend(f->store, f->run_id, is_same(&here, m) ? &here : &told,
			    err);
	if (r < 0)
		return r;
	note_recommended(f, m);
	return 0;
}

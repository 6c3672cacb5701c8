/* SPDX-License-Identifier: MIT */
/* Store the peer's findings in this end's copy of the run. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd/run/conclude.h"
#include "cmd/server/server_ops.h"

int server_check_stored(const struct server *f, struct err *err)
{
	return f->run_id ? 0
			 : err_set(err, -EINVAL,
				   "a probe has no rows, path or verdict to store");
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
	survey->path.overhead = m->overhead;
	survey->probes[dir] = m->probes;
	survey->probe_ms = m->probe_ms;
	f->surveyed[dir] = true;
	if (f->surveyed[DIR_UPLOAD] && f->surveyed[DIR_DOWNLOAD])
		r = store_put_path(f->store, f->run_id, survey, err);
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
		       "verdict refused: pair %d/%d is not in the run's ranges",
		       mtu->server, mtu->peer);
}

/* This end's rows and path are the peer's, unless rows were lost on the way. */
static bool is_same(const struct verdict *v, const struct msg_verdict *m)
{
	return mtu_pair_same(&v->recommended.mtu, &m->mtu) &&
	       v->settled == m->settled && v->visits == m->visits;
}

int server_verdict(void *ctx, const struct msg_verdict *m, struct err *err)
{
	struct server *f = ctx;
	struct conclusion here;
	struct reason told = {
		.kind = REASON_TOLD, .margin = m->margin, .visits = m->visits};
	bool same;
	char text[160];
	int r = server_check_stored(f, err);

	if (r == 0)
		r = check_pair(f, &m->mtu, err);
	if (r < 0)
		return r;
	r = conclude_run(f->config->options->db, f->run_id, m->margin, &here, err);
	/* A path that was not sent is no name of the protocol's. */
	if (r < 0)
		return r == -ENODATA ? -EIO : r;
	snprintf(text, sizeof(text),
		 "recommended: server MTU %d, peer MTU %d\n"
		 "why: %s\n",
		 m->mtu.server, m->mtu.peer, reason_sentence(REASON_TOLD));
	same = is_same(&here.verdict, m);
	r = store_recommend(f->store, f->run_id, &m->mtu, m->settled,
			    same ? &here.reason : &told, same ? here.text : text, err);
	free(here.text);
	if (r == 0)
		server_heard(f);
	return r;
}

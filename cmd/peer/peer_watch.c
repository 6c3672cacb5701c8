/* SPDX-License-Identifier: MIT */
#include "cmd/peer/peer_watch.h"

#include <errno.h>

#include "base/clock.h"
#include "base/stop.h"
#include "base/text.h"
#include "cmd/peer/peer_end.h"
#include "cmd/peer/peer_parts.h"
#include "cmd/peer/peer_probe.h"
#include "cmd/run/conclude.h"
#include "cmd/run/runpath.h"

/* The peer, with options that wait for nobody. */
struct peer_watcher {
	struct peer *peer;
	struct peer_config config;
	bool connected; /* the first session is open already */
};

/* --- the session --- */

static int connect_to(struct peer_watcher *w, int64_t wait_ms, struct err *err)
{
	struct peer_session *session = &w->peer->session;

	/* The server's MTU is that of this moment. */
	session->bound = false;
	session->stop_fd = stop_fd();
	pthread_mutex_lock(&session->lapse.lock);
	session->lapse.code = 0;
	pthread_mutex_unlock(&session->lapse.lock);
	atomic_store(&session->lapsed, false);
	return peer_session_connect(session, wait_ms, err);
}

/* A server that is told to stop ends a session, but not the watch. */
static int not_stopped(int r)
{
	return r == -EINTR && !stop_requested() ? -ESHUTDOWN : r;
}

/* A session that went well has nothing to tell. */
static void leave_session(struct peer_watcher *w, enum run_outcome outcome,
			  const char *why)
{
	peer_restore(w->peer, outcome, why);
	w->peer->session.stop_fd = stop_fd();
}

static int begin_run(void *ctx, struct store *store, int64_t *ret_run, struct err *err)
{
	struct peer_watcher *w = ctx;
	struct peer *peer = w->peer;
	int r = not_stopped(connect_to(w, peer->config->wait_ms, err));

	if (r < 0)
		return r;
	w->connected = true;
	peer->session.config = &w->config;
	r = store_begin_record(store, &peer->run.info, peer->run.options, ret_run, err);
	if (r < 0)
		leave_session(w, RUN_FAILED, err->text);
	return r;
}

/* --- a probe --- */

static int read_current(struct peer_watcher *w, struct err *err)
{
	struct host now = *w->config.host;
	int r = host_read_mtus(&now, w->peer->session.guard, w->config.server_ip, err);

	if (r == 0)
		w->peer->run.info.peer.link_mtu = host_mtu(&now);
	return r;
}

static enum path_probe_fit fit_of(enum program_status status)
{
	switch (status) {
	case PROGRAM_DONE:
		return PROBE_FITS;
	case PROGRAM_MISFIT:
		return PROBE_MISFIT;
	case PROGRAM_FAILED:
	case PROGRAM_USAGE:
	case PROGRAM_CHANGED:
		break;
	}
	return PROBE_FIT_UNKNOWN;
}

/* The pair that --persist best applies, if it is known to fit. */
static int find_largest(const struct peer *peer, const struct path_survey *survey,
			struct mtu_pair *ret, struct err *err)
{
	struct evidence e;
	int r = conclude_path(&peer->run.info, survey, peer->config->margin, &e, err);

	if (r < 0)
		return r;
	if (e.reason.kind == REASON_FITS || e.reason.kind == REASON_RELAYED)
		*ret = e.mtu;
	return 0;
}

static int judge_path(struct peer *peer, const struct probe_summary *summary,
		      struct path_survey *survey, struct path_probe *ret,
		      struct err *err)
{
	struct peer_check check;

	if (!survey->path.overhead[DIR_UPLOAD])
		runpath_assume_overhead(&peer->run.info, survey->path.overhead);
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		survey->probes[dir] = summary->sizes[dir];
		ret->dir[dir] = survey->path.dir[dir];
	}
	ret->answer = PROBE_OK;
	peer_check_pair(&survey->path, summary->sometimes, &ret->current, &check);
	ret->fit = fit_of(check.status);
	return find_largest(peer, survey, &ret->largest, err);
}

static int probe_session(struct peer_watcher *w, struct path_probe *ret,
			 struct err *err)
{
	struct peer *peer = w->peer;
	struct path_survey survey = {0};
	struct probe_summary summary;
	int r = peer_probe(&peer->session, NULL, &survey.path, &summary, err);

	if (r < 0)
		return r;
	ret->current = (struct mtu_pair){peer->run.info.server.link_mtu,
					 peer->run.info.peer.link_mtu};
	if (summary.filtered) {
		ret->answer = PROBE_NONE;
		return 0;
	}
	return judge_path(peer, &summary, &survey, ret, err);
}

/* Other failures may pass. */
static bool is_end(int r)
{
	return r == -EINTR || r == -EPIPE || r == -ENOMEM;
}

static int probe_path(void *ctx, struct path_probe *ret, struct err *err)
{
	struct peer_watcher *w = ctx;
	int r = read_current(w, err);

	if (r == 0 && !w->connected)
		r = connect_to(w, 0, err);
	if (r == 0) {
		struct err why;

		r = probe_session(w, ret, err);
		why = *err;
		leave_session(w, RUN_DONE, "");
		*err = why;
	}
	w->connected = false;
	peer_session_stop_lease(&w->peer->session);
	if (r == 0)
		return 0;
	r = not_stopped(r);
	if (r == -EINTR)
		peer_session_stop_reason(&w->peer->session, err);
	if (is_end(r))
		return r;
	ret->answer = r == -EBUSY ? PROBE_BUSY : PROBE_NONE;
	return 0;
}

/* --- applying --- */

/* The server stores a copy of this run, as of --apply; the watch's own row has it here. */
static void describe_apply(struct peer *peer)
{
	struct run_info *run = &peer->run.info;

	uuid_make(run->uuid);
	token_make(peer->session.secret);
	text_copy(run->strategy, sizeof(run->strategy), STRATEGY_APPLY);
	run->started_at_ms = clock_wall_ms();
	peer->kept = (struct peer_kept){0};
}

static int apply_pair(void *ctx, const struct mtu_pair *mtu, struct err *err)
{
	struct peer_watcher *w = ctx;
	struct peer *peer = w->peer;
	struct run_info watch = peer->run.info;
	char secret[TOKEN_SIZE];
	int r;

	text_copy(secret, sizeof(secret), peer->session.secret);
	describe_apply(peer);
	r = connect_to(w, 0, err);
	if (r == 0) {
		r = peer_keep_best(&peer->kept, &peer->visit, mtu, PEER_KEEP_UNMEASURED,
				   err);
		leave_session(w, peer_outcome(r), r < 0 ? err->text : "");
		r = not_stopped(r);
	}
	peer_session_stop_lease(&peer->session);
	watch.server = peer->run.info.server;
	peer->run.info = watch;
	text_copy(peer->session.secret, sizeof(peer->session.secret), secret);
	return r;
}

int peer_watch(struct peer *peer, struct err *err)
{
	static const struct watch_ops ops = {
		.begin = begin_run,
		.probe = probe_path,
		.apply = apply_pair,
	};
	const struct peer_config *config = peer->config;
	struct peer_watcher w = {.peer = peer, .config = *config};
	const struct watch_config loop = {
		.options = &config->watch,
		.db = config->options->db,
		.interface = config->options->interface,
		.applies = config->options->persist == PERSIST_BEST,
		.guard = peer->session.guard,
		.address = config->server_ip,
	};
	int r;

	/* The next probe asks again. */
	w.config.wait_ms = 0;
	text_copy(peer->run.info.strategy, sizeof(peer->run.info.strategy),
		  STRATEGY_WATCH);
	r = watch_run(&loop, &ops, &w, err);
	peer->session.config = config;
	return r;
}

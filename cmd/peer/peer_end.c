/* SPDX-License-Identifier: MIT */
#include "cmd/peer/peer_end.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/stop.h"
#include "base/text.h"
#include "cmd/peer/apply_path.h"
#include "store/query.h"

/* For each of: the rows that are left, the close. */
#define END_TIMEOUT_MS 5000
/* A close is asked for again where no answer came. */
#define CLOSE_TRY_MS   2000
#define CLOSE_PAUSE_MS 200

static void print_best(const struct query_result *best)
{
	char text[160];
	int length = snprintf(
		text, sizeof(text),
		"fastest measured: server MTU %d, peer MTU %d (upload %.1f, "
		"download %.1f Mbit/s)\n",
		best->mtu.server, best->mtu.peer, (double)best->upload_bps / 1e6,
		(double)best->download_bps / 1e6);

	/* The database has it too: a reader who does not read is not waited for. */
	io_write_or_drop(STDOUT_FILENO, text, (size_t)length, 1000);
}

/* --- putting back --- */

static int close_session(struct peer_session *session, enum run_outcome outcome,
			 const char *why, struct err *err)
{
	int64_t deadline_ms = clock_boot_ms() + END_TIMEOUT_MS;
	struct msg_close m = {.outcome = outcome};
	int r;

	text_copy(m.session, sizeof(m.session), session->id);
	text_copy(m.text, sizeof(m.text), why);
	for (;;) {
		r = client_close(session->client, &m,
				 peer_session_timeout_ms(session, CLOSE_TRY_MS), err);
		/* Where nobody listens nobody has a session. */
		if (r == 0 || r == -ECONNREFUSED || client_answered(session->client) ||
		    clock_left_ms(deadline_ms) == 0)
			return r;
		/* Without the interface, for instance, a try fails at once: wait. */
		io_wait(-1, -1, clock_boot_ms() + CLOSE_PAUSE_MS);
	}
}

/* After a commit whose answer came late the session is over there, and the pair is kept. */
static void tell_not_closed(const struct peer_kept *kept, int64_t lease_ms,
			    const struct err *why)
{
	char then[160];
	int lease_s = (int)(lease_ms / 1000);

	switch (kept->there) {
	case PEER_THERE_LEASED:
		snprintf(then, sizeof(then),
			 "without that it goes back by itself after %d s", lease_s);
		break;
	case PEER_THERE_MAYBE:
		snprintf(then, sizeof(then),
			 "without that it goes back by itself after %d s, unless it "
			 "keeps MTU %d",
			 lease_s, kept->mtu);
		break;
	case PEER_THERE_KEPT:
		snprintf(then, sizeof(then), "it keeps MTU %d, in link and conf file",
			 kept->mtu);
		break;
	}
	host_tell("the server could not be told that the run ended (%.200s); %s",
		  why->text, then);
}

/* A no may also be why the server could not restore; but not from one that knows of no such
 * session. */
static bool was_told(const struct peer_session *session, int r)
{
	return client_answered(session->client) && r != -ESTALE && r != -EPERM;
}

/* `why` the run ended was told, and may be all there is to say. */
static void tell_restored(const char *end, const struct err *text, const char *why)
{
	const char *words = text->text[0] ? text->text : "as it was";
	size_t length = strlen(end);

	if (strncmp(words, end, length) == 0 && strncmp(words + length, ": ", 2) == 0)
		words += length + 2;
	if (!strstr(why, words))
		host_tell("%s: %.400s", end, words);
}

void peer_put_back(struct peer *peer, enum run_outcome outcome, const char *why)
{
	struct err here = ERR_INIT;
	struct err there = ERR_INIT;
	int r;

	peer_session_ignore_stop(&peer->session);
	if (peer->run.id)
		peer_run_send_rows(&peer->run, &peer->session, END_TIMEOUT_MS);
	peer_session_stop_lease(&peer->session);
	r = guard_restore(peer->session.guard, &here);
	if (r < 0 || outcome != RUN_DONE)
		tell_restored("this end", &here, why);
	r = close_session(&peer->session, outcome, why, &there);
	if (r < 0 && !was_told(&peer->session, r))
		tell_not_closed(&peer->kept, peer->session.lease_ms, &there);
	else if (there.text[0] || outcome != RUN_DONE)
		tell_restored("the server", &there, why);
	if (peer->run.id)
		peer_run_tell_unsent(&peer->run);
}

/* --- the whole --- */

enum run_outcome peer_outcome(int r)
{
	if (r == 0)
		return RUN_DONE;
	return r == -EINTR && stop_signal() != STOP_SIGNAL_DEATH ? RUN_INTERRUPTED
								 : RUN_FAILED;
}

static void put_outcome(const struct measurement *m, enum direction dir, char *ret,
			size_t size)
{
	const struct dir_result *result = &m->dir[dir];

	snprintf(ret, size, "%s %s%s%.150s%s", direction_name(dir),
		 test_status_name(result->status), result->text[0] ? " (" : "",
		 result->text, result->text[0] ? ")" : "");
}

/* The one pair of --apply was not ok in both directions: say which, and why. */
static int not_kept(const struct peer *peer, struct err *err)
{
	cleanup_free struct measurement *rows = NULL;
	const struct measurement *last;
	char up[192];
	char down[192];
	size_t count;
	int r = peer_run_load_rows(&peer->run, &rows, &count, err);

	if (r < 0)
		return r;
	if (count == 0)
		return err_set(err, -ENODATA,
			       "server MTU %d, peer MTU %d is not kept: it was not "
			       "measured",
			       peer->run.info.server_range.min,
			       peer->run.info.peer_range.min);
	last = &rows[count - 1];
	put_outcome(last, DIR_UPLOAD, up, sizeof(up));
	put_outcome(last, DIR_DOWNLOAD, down, sizeof(down));
	return err_set(err, -ENODATA,
		       "server MTU %d, peer MTU %d is not kept: it was not ok in both "
		       "directions: %s, %s",
		       last->mtu.server, last->mtu.peer, up, down);
}

/* The user has chosen the pair: it is applied all the same. */
static int apply_pair(struct peer *peer, const struct mtu_pair *recommended,
		      struct err *err)
{
	struct apply_path wish = {
		.db = peer->config->options->db,
		.run = peer->config->apply_run,
		.server = &peer->run.info.server,
		.peer = &peer->run.info.peer,
		.mtu = {peer->run.info.server_range.min, peer->run.info.peer_range.min},
	};
	struct err warning;
	int r;

	apply_path_warning(&wish, &warning);
	peer_run_warn(&peer->run, warning.text);
	r = peer_keep_best(&peer->kept, &peer->visit, recommended, err);
	if (r == 0 && warning.text[0])
		host_tell("the pair is applied, but %.350s", warning.text);
	return r;
}

/* Without any pair that is ok a run is done all the same, unless one was to be kept. */
static int conclude(struct peer *peer, struct query_result *best, struct err *err)
{
	struct mtu_pair recommended = {0};
	int r = peer_run_find_best(&peer->run, best, err);

	if (r == -ENODATA && peer->config->apply)
		return not_kept(peer, err);
	if (r == 0)
		r = peer->config->strategy->conclude(peer, &recommended, err);
	if (r == -ENODATA && peer->run.info.persist != PERSIST_BEST) {
		host_tell("%s", err->text);
		return 0;
	}
	if (r < 0 || peer->run.info.persist != PERSIST_BEST)
		return r;
	return peer->config->apply
		       ? apply_pair(peer, &recommended, err)
		       : peer_keep_best(&peer->kept, &peer->visit, &recommended, err);
}

/* The run as the database has it: with what was measured before a --resume. */
static int find_run(const struct peer_run *run, struct query_run *ret, struct err *err)
{
	cleanup_query struct query *query = NULL;
	char id[24];
	int r = query_open(run->db, &query, err);

	snprintf(id, sizeof(id), "%lld", (long long)run->id);
	return r < 0 ? r : query_run(query, id, ret, err);
}

static void tell_summary(const struct peer *peer, enum run_outcome outcome)
{
	bool goes_on = outcome != RUN_DONE && !peer->config->apply;
	struct query_run run;
	struct err err = ERR_INIT;
	char planned[24] = "";

	if (find_run(&peer->run, &run, &err) < 0) {
		host_tell("%s", err.text);
		return;
	}
	/* A smart plan goes on as long as it takes. */
	if (run.info.pairs_planned)
		snprintf(planned, sizeof(planned), " of %d",
			 run.measured > run.info.pairs_planned
				 ? run.measured
				 : run.info.pairs_planned);
	host_tell("%d%s visit%s made and kept, %d of them failed; run %lld in '%s'%s",
		  run.measured, planned, *planned ? "s" : text_plural(run.measured),
		  run.failed, (long long)run.id, peer->run.db,
		  goes_on ? "; --resume continues it" : "");
}

/* Returns `r`, or why the end of a run that was fine could not be stored. */
static int store_end(const struct peer *peer, enum run_outcome outcome, int r,
		     struct err *err)
{
	struct err why = ERR_INIT;
	bool told;
	int stored = store_end_run(peer->run.store, peer->run.id, outcome,
				   r < 0 ? err->text : "", &why);

	if (stored == 0)
		return r;
	/* Do not repeat a sentence: the same failure may have ended the run. */
	told = r < 0 && strcmp(err->text, why.text) == 0;
	host_tell("the run has ended, but that could not be stored, so it will be "
		  "shown as crashed%s%.300s",
		  told ? "" : ": ", told ? "" : why.text);
	return r < 0 ? r : err_set(err, stored, "%s", why.text);
}

int peer_end(struct peer *peer, int r, struct err *err)
{
	struct query_result best = {0};
	enum run_outcome outcome;

	if (r == 0)
		r = conclude(peer, &best, err);
	if (r == -EINTR)
		err_set(err, r, "%s", stop_reason());
	if (r < 0)
		host_tell("%s", err->text);
	outcome = peer_outcome(r);
	peer_put_back(peer, outcome, r < 0 ? err->text : "");
	if (!peer->run.id)
		return r;
	r = store_end(peer, outcome, r, err);
	tell_summary(peer, outcome);
	if (best.mtu.server)
		print_best(&best);
	return r;
}

/* SPDX-License-Identifier: MIT */
#include "cmd/peer/peer_end.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/debug.h"
#include "base/io.h"
#include "base/stop.h"
#include "base/text.h"
#include "cmd/host/progress.h"
#include "cmd/peer/apply_path.h"
#include "cmd/peer/peer_advice.h"
#include "cmd/peer/peer_answer.h"
#include "cmd/peer/peer_conclude.h"
#include "cmd/peer/peer_traffic.h"
#include "store/query.h"

/* For each of: the rows that are left, the close. */
#define END_TIMEOUT_MS 5000
/* A close is asked for again where no answer came. */
#define CLOSE_TRY_MS   2000
#define CLOSE_PAUSE_MS 200

/* --- restoring --- */

static int close_session(const struct peer_session *session, enum run_outcome outcome,
			 const char *why, const struct msg_recommendation *last_word,
			 struct err *err)
{
	int64_t deadline_ms = clock_boot_ms() + END_TIMEOUT_MS;
	struct msg_close m = {.outcome = outcome, .recommendation = *last_word};
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

/* A server that knows of no such session has ended it; one that does not answer may have
 * been killed. After a commit whose answer came late it has applied the pair. */
static void tell_not_closed(const struct peer_kept *kept, int64_t lease_ms, bool ended,
			    const struct err *why)
{
	char restored[96] = "it has ended the session and restored its MTU";
	char then[160];

	if (!ended)
		snprintf(restored, sizeof(restored),
			 "it restores its MTU within %d s of silence, or at its next "
			 "start",
			 (int)(lease_ms / 1000));
	switch (kept->there) {
	case PEER_THERE_LEASED:
		text_copy(then, sizeof(then), restored);
		break;
	case PEER_THERE_MAYBE:
		snprintf(then, sizeof(then), "%s, unless it has applied MTU %d",
			 restored, kept->mtu);
		break;
	case PEER_THERE_KEPT:
		snprintf(then, sizeof(then), "it has applied MTU %d", kept->mtu);
		break;
	}
	host_tell("cannot tell the server that the run ended (%.200s); %s", why->text,
		  then);
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
	const char *words = text->text[0] ? text->text : "as before the run";
	size_t length = strlen(end);

	if (strncmp(words, end, length) == 0 && strncmp(words + length, ": ", 2) == 0)
		words += length + 2;
	if (!strstr(why, words))
		host_tell("%s: %.400s", end, words);
}

void peer_restore(struct peer *peer, enum run_outcome outcome, const char *why)
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
	r = close_session(&peer->session, outcome, why, &peer->last_word, &there);
	if (r < 0 && !was_told(&peer->session, r))
		tell_not_closed(&peer->kept, peer->session.lease_ms,
				client_answered(peer->session.client) && r == -ESTALE,
				&there);
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
			       "server MTU %d, peer MTU %d is not applied: it was not "
			       "measured",
			       peer->run.info.server_range.min,
			       peer->run.info.peer_range.min);
	last = &rows[count - 1];
	put_outcome(last, DIR_UPLOAD, up, sizeof(up));
	put_outcome(last, DIR_DOWNLOAD, down, sizeof(down));
	return err_set(err, -ENODATA,
		       "server MTU %d, peer MTU %d is not applied: it was not ok in "
		       "both directions: %s, %s",
		       last->mtu.server, last->mtu.peer, up, down);
}

/* The user has chosen the pair, so it is applied anyway. */
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
	cleanup_free char *text = NULL;
	struct warning w;
	int r;

	if (apply_path_warning(&wish, &w)) {
		text = warning_sentence(&w);
		peer_run_warn(&peer->run, &w);
	}
	r = peer_keep_best(&peer->kept, &peer->visit, recommended, PEER_KEEP_ANY, err);
	if (r == 0 && text)
		host_tell("the pair is applied, but %.350s", text);
	return r;
}

/* Without probes nothing tells the measurements of the two paths apart. */
static void warn_of_move(const struct peer *peer)
{
	struct warning moved = {.kind = WARNING_MOVED_MIXED};
	struct path_change change;

	if (!peer_endpoint_moved(peer, &change))
		return;
	moved.at_end = change.warning.at_end;
	moved.detail = change.detail;
	peer_run_warn(&peer->run, &moved);
}

static int apply_best(struct peer *peer, const struct mtu_pair *recommended,
		      struct err *err)
{
	enum peer_candidates from = PEER_KEEP_ANY;
	int r = peer_survey_check(peer, err);

	if (r < 0)
		return r;
	if (peer->findings.survey.since_seq)
		from = PEER_KEEP_UNMEASURED;
	else if (peer->config->strategy->is_grid)
		from = PEER_KEEP_FIRST;
	return peer_keep_best(&peer->kept, &peer->visit, recommended, from, err);
}

static void warn_of_hub(struct peer *peer, enum warning_end end, int peers,
			bool by_route)
{
	struct warning w = {
		.kind = by_route ? WARNING_HUB_ROUTES : WARNING_HUB_LINK,
		.at_end = end,
		.value = peers,
	};

	if (peers > 1)
		peer_run_warn(&peer->run, &w);
}

/* The recommended pair concerns other peers, or leaves them out. */
static void warn_of_hubs(struct peer *peer)
{
	const struct host *host = peer->config->host;
	const struct msg_hello *hello = &peer->session.hello;

	warn_of_hub(peer, WARNING_END_SERVER, hello->peers, hello->by_route);
	warn_of_hub(peer, WARNING_END_PEER, host->peers, host->by_route);
}

/* Probes have something to say even where no pair was ok; 0 then, or why it failed. */
static int conclude_without_pair(struct peer *peer, struct err *err)
{
	struct mtu_pair recommended;

	if (!peer_survey_wanted(peer->config))
		return 0;
	return peer->config->strategy->conclude(peer, &recommended, err);
}

/* A run without any ok pair is done as well, unless a pair was to be applied. */
static int conclude_strategy(struct peer *peer, struct query_result *best,
			     struct err *err)
{
	struct mtu_pair recommended = {0};
	struct err why = ERR_INIT;
	int r = peer_run_find_best(&peer->run, best, err);

	if (r == -ENODATA && peer->config->apply)
		return not_kept(peer, err);
	if (r == -ENODATA) {
		int concluded = conclude_without_pair(peer, &why);

		if (concluded < 0)
			return err_set(err, concluded, "%s", why.text);
	}
	if (r == 0 && !peer_survey_wanted(peer->config))
		warn_of_move(peer);
	if (r == 0)
		r = peer->config->strategy->conclude(peer, &recommended, err);
	if (r == 0)
		warn_of_hubs(peer);
	if (r == -ENODATA && peer->run.info.persist != PERSIST_BEST) {
		host_tell("%s", err->text);
		return 0;
	}
	if (r < 0 || peer->run.info.persist != PERSIST_BEST)
		return r;
	if (peer->config->apply)
		return apply_pair(peer, &recommended, err);
	return apply_best(peer, &recommended, err);
}

/* Nothing is stored of a check. */
static int conclude(struct peer *peer, struct query_result *best, struct err *err)
{
	if (!peer->run.id)
		return 0;
	if (peer->config->strategy->make_plan)
		return conclude_strategy(peer, best, err);
	warn_of_hubs(peer);
	return 0;
}

/* The run as the database has it: with what was measured before a --resume. */
static int find_run(const struct peer_run *run, struct query_run *ret, struct err *err)
{
	cleanup_query struct query *query = NULL;
	int r = query_open(run->db, &query, err);

	return r < 0 ? r : query_run_numbered(query, run->id, ret, err);
}

/* A pair that was measured again counts once, with its last result. */
static size_t count_rows(const struct peer_run *run)
{
	cleanup_free struct measurement *rows = NULL;
	size_t count = 0;

	return peer_run_load_rows(run, &rows, &count, NULL) < 0 ? 0 : count;
}

static void tell_summary(const struct peer *peer, enum run_outcome outcome)
{
	bool probe = !peer->config->strategy->make_plan;
	bool goes_on = outcome != RUN_DONE && !peer->config->apply;
	struct query_run run;
	struct err err = ERR_INIT;
	char planned[24] = "";
	char repeated[64] = "";
	size_t rows;

	if (probe) {
		host_tell("run %lld in '%s'", (long long)peer->run.id, peer->run.db);
		return;
	}
	rows = count_rows(&peer->run);
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
	if (rows > (size_t)run.measured)
		snprintf(repeated, sizeof(repeated),
			 " (%zu with those that were repeated)", rows);
	peer_traffic_tell_sent(&peer->run);
	if (run.measured)
		host_tell("%d%s measurement%s stored%s, %d of them failed; run %lld in "
			  "'%s'%s",
			  run.measured, planned,
			  *planned ? "s" : text_plural(run.measured), repeated,
			  run.failed, (long long)run.id, peer->run.db,
			  goes_on ? "; --resume continues it" : "");
	else
		host_tell("no measurement stored; run %lld in '%s'%s",
			  (long long)run.id, peer->run.db,
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
	host_tell("cannot store that the run has ended, so it will be shown as "
		  "crashed%s%.300s",
		  told ? "" : ": ", told ? "" : why.text);
	return r < 0 ? r : err_set(err, stored, "%s", why.text);
}

/* Returns `r`, or why a run that was fine could not be printed. */
static int print_json(const struct peer *peer, int r, struct err *err)
{
	struct err why = ERR_INIT;
	int printed = peer_answer_json(peer, &why);

	if (printed < 0)
		host_tell("%s", why.text);
	return r < 0 || printed == 0 ? r : err_set(err, printed, "%s", why.text);
}

int peer_end(struct peer *peer, int r, struct err *err)
{
	struct query_result best = {0};
	enum run_outcome outcome;

	debug_phase("conclude");
	if (r == 0)
		r = conclude(peer, &best, err);
	if (r == -EINTR)
		peer_session_stop_reason(&peer->session, err);
	if (r < 0)
		host_tell("%s", err->text);
	outcome = peer_outcome(r);
	debug_phase("restore");
	peer_restore(peer, outcome, r < 0 ? err->text : "");
	debug_phase("report");
	if (!peer->run.id)
		return r;
	r = store_end(peer, outcome, r, err);
	tell_summary(peer, outcome);
	if (peer->config->json)
		return print_json(peer, r, err);
	if ((r == 0 || best.mtu.server) && !peer->config->apply)
		peer_advice_print(peer, best.mtu.server != 0);
	return r;
}

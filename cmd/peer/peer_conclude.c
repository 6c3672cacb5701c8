/* SPDX-License-Identifier: MIT */
#include "cmd/peer/peer_conclude.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/text.h"
#include "cmd/peer/peer_answer.h"
#include "cmd/peer/peer_parts.h"
#include "cmd/peer/peer_probe.h"
#include "cmd/run/conclude.h"
#include "engine/bandguess.h"
#include "engine/pathmodel.h"
#include "store/query.h"

#define SHARE_TIMEOUT_MS 2000
#define ROWS_TIMEOUT_MS  5000
/* The most times that the path of a run is probed again before its end: some paths
 * contradict their probes at any time. */
#define RECHECKS_MAX 4

/* --- the recommendation --- */

static struct msg_recommendation recommendation_of(struct peer_session *session,
						   const struct evidence *e)
{
	struct msg_recommendation m = {
		.mtu = e->mtu,
		.status = e->status,
		.settled = e->settled,
		.reason = e->reason,
		.number = ++session->recommendations,
	};

	text_copy(m.session, sizeof(m.session), session->id);
	return m;
}

static int send_recommendation(struct peer_session *session, const struct evidence *e,
			       struct err *err)
{
	struct msg_recommendation m = recommendation_of(session, e);
	int64_t sent_at_ms = clock_boot_ms();
	int r;

	r = client_recommendation(session->client, &m,
				  peer_session_timeout_ms(session, SHARE_TIMEOUT_MS),
				  err);
	if (r == 0)
		peer_session_heard(session, sent_at_ms);
	return r;
}

/* The server's copy says the same, where it can be reached: it is a copy. `last`: nothing
 * but the end of the run follows. The close carries it then, unless pairs are still tried
 * to be applied. */
static void share_recommendation(struct peer *peer, const struct evidence *e, bool last)
{
	struct err err = ERR_INIT;
	int r;

	/* It is found from the rows, there as here. */
	peer_run_send_rows(&peer->run, &peer->session, ROWS_TIMEOUT_MS);
	r = peer_survey_share(&peer->findings, &peer->session, &err);
	if (r == 0 && last && peer->run.info.persist != PERSIST_BEST)
		peer->last_word = recommendation_of(&peer->session, e);
	else if (r == 0)
		r = send_recommendation(&peer->session, e, &err);
	if (r < 0)
		host_tell(
			"the server's database lacks this run's recommendation: %.300s",
			err.text);
}

static int tell_conclusion(struct peer *peer, const struct evidence *e, struct err *err)
{
	cleanup_free char *text = NULL;
	int r = evidence_text(e, &text, err);

	if (r < 0)
		return r;
	/* The database has it too, so do not wait for a reader that does not read. */
	peer_print(peer, text);
	/* Without a pair: what was predicted is not right any more. */
	r = e->mtu.server ? store_recommend(peer->run.store, peer->run.id, e, err)
			  : store_withdraw(peer->run.store, peer->run.id, err);
	if (r == 0)
		share_recommendation(peer, e, true);
	return r;
}

int peer_store_prediction(struct peer *peer, struct err *err)
{
	const struct evidence *e = &peer->predicted;
	int r = e->mtu.server ? store_recommend(peer->run.store, peer->run.id, e, err)
			      : 0;

	/* A prediction for another path is not right any more. */
	if (!e->mtu.server && peer->findings.survey.since_seq) {
		r = store_withdraw(peer->run.store, peer->run.id, err);
		if (r == 0)
			share_recommendation(peer, e, false);
		return r;
	}
	if (r < 0 || !e->mtu.server)
		return r;
	if (!peer->config->strategy->make_plan) {
		share_recommendation(peer, e, true);
	} else if (peer->session.beside) {
		struct msg_recommendation m = recommendation_of(&peer->session, e);

		/* Where the server does not take it now, it gets the one of the end, if
		 * there is one. */
		beside_recommendation(peer->session.beside, &m);
	}
	return 0;
}

/* --- a path that changed during the run --- */

/* True if an endpoint has another address than before; its port may change at any
 * time. */
static bool has_moved(enum warning_end end, const char *before, const char *now,
		      struct path_change *ret)
{
	if (!before[0] || !now[0] || strcmp(before, now) == 0)
		return false;
	ret->warning = (struct warning){.kind = WARNING_MOVED, .at_end = end};
	snprintf(ret->detail, sizeof(ret->detail), "%s to %s", before, now);
	return true;
}

bool peer_endpoint_moved(const struct peer *peer, struct path_change *ret)
{
	struct guard_facts facts = {0};

	return guard_get_facts(peer->session.guard, peer->config->server_ip, &facts,
			       NULL) == 0 &&
	       has_moved(WARNING_END_PEER, peer->endpoint, facts.endpoint, ret);
}

/* True if probes of the same size had another fate before. */
static bool has_changed(enum direction dir, int size, enum fate before, enum fate now,
			struct path_change *ret)
{
	if (before == now || before == FATE_UNKNOWN || now == FATE_UNKNOWN)
		return false;
	ret->warning = (struct warning){.kind = WARNING_CHANGED, .direction = dir};
	snprintf(ret->detail, sizeof(ret->detail), "%s to %s at %d bytes",
		 fate_name(before), fate_name(now), size);
	return true;
}

/* The same for all sizes. Over two lines of which one takes less, chance decides about a
 * size. */
static bool bands_changed(const struct peer_findings *before,
			  const struct peer_findings *now, struct path_change *ret)
{
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		const struct path_bands *a = &before->survey.path.dir[dir];
		const struct path_bands *b = &now->survey.path.dir[dir];
		int size = path_bands_differ(a, b);

		/* What is seen at another place is judged by other rules. */
		if (before->survey.path.unseen[dir] != now->survey.path.unseen[dir])
			continue;
		if (!before->sometimes[dir].low && size &&
		    has_changed((enum direction)dir, size, path_bands_fate(a, size),
				path_bands_fate(b, size), ret))
			return true;
	}
	return false;
}

enum suspicion {
	SUSPECT_NOTHING,
	SUSPECT_CHANGE, /* of the sizes that pass */
	SUSPECT_MOVE,   /* of an endpoint; that is certain */
};

/* Compare full-size packets of one pair, and the next larger ones, with what the probes
 * said before the run. */
static enum suspicion compare_pair(const struct peer_findings *before,
				   const struct mtu_pair *mtu, const struct path *now,
				   const struct probe_summary *summary,
				   struct path_change *ret)
{
	enum suspicion found = SUSPECT_NOTHING;

	if (has_moved(WARNING_END_SERVER, before->endpoint[DIR_DOWNLOAD],
		      summary->endpoint[DIR_DOWNLOAD], ret))
		return SUSPECT_MOVE;
	for (int i = 0; i < DIR_COUNT * 2; i++) {
		enum direction dir = (enum direction)(i / 2);
		int size = now->overhead[dir] + mtu_pair_sender(mtu, dir) + i % 2;

		if (!before->sometimes[dir].low &&
		    before->survey.path.unseen[dir] == now->unseen[dir] &&
		    has_changed(dir, size,
				path_bands_fate(&before->survey.path.dir[dir], size),
				path_bands_fate(&now->dir[dir], size), ret))
			found = SUSPECT_CHANGE;
	}
	return found;
}

static bool is_contradicted(const struct evidence *e)
{
	for (int i = 0; i < e->warnings; i++) {
		if (e->warning[i].kind == WARNING_CONTRADICTED ||
		    e->warning[i].kind == WARNING_CONTRADICTED_ONCE)
			return true;
	}
	return false;
}

/* True for the end of the run itself. */
static bool ends_run(int r)
{
	return r == -EINTR || r == -EPIPE || r == -ECANCELED;
}

static void tell_unknown(const struct err *why)
{
	host_tell("it is unknown if the path changed during the run: %.300s",
		  why->text);
}

/* Probe full-size packets of the recommended pair: enum suspicion, or -errno. The answer
 * to the probe has the server's endpoint. */
static int suspect_change(struct peer *peer, const struct evidence *e,
			  struct path_change *ret, struct err *err)
{
	const struct run_info *run = &peer->run.info;
	const struct peer_findings *before = &peer->findings;
	const struct mtu_pair smallest = {run->server_range.min, run->peer_range.min};
	const struct mtu_pair *mtu = e->mtu.server ? &e->mtu : &smallest;
	struct probe_summary summary;
	struct path path;
	enum suspicion found = SUSPECT_NOTHING;
	int r;

	if (peer_endpoint_moved(peer, ret))
		return SUSPECT_MOVE;
	if (!before->endpoint[DIR_DOWNLOAD][0] && !peer_survey_answered(before))
		return SUSPECT_NOTHING;
	r = peer_probe(&peer->session, mtu, &path, &summary, err);
	if (ends_run(r))
		return r;
	if (r < 0)
		tell_unknown(err);
	else
		found = compare_pair(before, mtu, &path, &summary, ret);
	return found == SUSPECT_NOTHING && is_contradicted(e) ? SUSPECT_CHANGE : found;
}

static int last_seq(const struct peer_run *run, uint32_t *ret, struct err *err)
{
	cleanup_query struct query *query = NULL;
	int r = query_open(run->db, &query, err);

	return r < 0 ? r : query_last_visit(query, run->id, ret, err);
}

/* All earlier measurements are of another path. `endpoint`: this end's; "": unknown. */
static int adopt_findings(struct peer *peer, const struct peer_findings *found,
			  const char *endpoint, const struct path_change *change,
			  struct err *err)
{
	uint32_t since;
	int r = last_seq(&peer->run, &since, err);

	if (r < 0)
		return r;
	peer->findings = *found;
	peer->findings.survey.since_seq = since;
	/* From here on this is the path, until an endpoint moves again. */
	if (endpoint[0])
		text_copy(peer->endpoint, sizeof(peer->endpoint), endpoint);
	store_warn(peer->run.store, peer->run.id, &change->warning, NULL);
	return peer_survey_store(peer, err);
}

/* Probe the whole path again. 1: it has changed, and the new one is stored; 0: it has
 * not. */
static int probe_anew(struct peer *peer, enum suspicion suspicion,
		      struct path_change *change, struct err *err)
{
	struct guard_facts facts = {0};
	struct peer_findings found;
	int r;

	host_tell("%s: probing the path again", suspicion == SUSPECT_MOVE
							? "a WireGuard endpoint moved"
							: "the path may have changed");
	guard_get_facts(peer->session.guard, peer->config->server_ip, &facts, NULL);
	/* A path that cannot be probed gets its overhead from this family. */
	peer->run.info.peer.endpoint_family = facts.endpoint_family;
	r = peer_survey_probe(peer, &found, err);
	/* A mere suspicion does not undo what was measured. */
	if (r < 0 && suspicion == SUSPECT_CHANGE && !ends_run(r)) {
		tell_unknown(err);
		return 0;
	}
	if (r < 0)
		return r;
	if (suspicion != SUSPECT_MOVE &&
	    !bands_changed(&peer->findings, &found, change))
		return 0;
	change->warning.detail = change->detail;
	r = adopt_findings(peer, &found, facts.endpoint, change, err);
	return r < 0 ? r : 1;
}

/* True if data arrived where the probes show losses, or none where they do not. */
static bool contradicts_probes(const struct peer_findings *findings,
			       const struct measurement *m)
{
	const struct path *path = &findings->survey.path;

	for (int dir = 0; dir < DIR_COUNT; dir++) {
		int64_t rate = bandguess_rate(&m->dir[dir]);
		enum fate fate =
			pathmodel_predict_test(path, m, (enum direction)dir).tcp;

		if (rate != NO_FIGURE && fate != FATE_UNKNOWN &&
		    !findings->sometimes[dir].low && (rate > 0) == (fate == FATE_LOST))
			return true;
	}
	return false;
}

/* Tell and store what the new path's probes predict. */
static int predict_anew(struct peer *peer, const struct path_change *change,
			struct err *err)
{
	int r;

	host_warn(&change->warning);
	r = peer_answer_again(peer, err);
	if (r == 0)
		r = peer_store_prediction(peer, err);
	return r < 0 ? r : 1;
}

int peer_recheck_path(struct peer *peer, const struct measurement *m, struct err *err)
{
	struct path_change change = {0};
	int r;

	if (!peer_survey_answered(&peer->findings) || peer->rechecks == RECHECKS_MAX ||
	    !contradicts_probes(&peer->findings, m))
		return 0;
	peer->rechecks++;
	r = probe_anew(peer,
		       peer_endpoint_moved(peer, &change) ? SUSPECT_MOVE
							  : SUSPECT_CHANGE,
		       &change, err);
	if (r <= 0)
		return r;
	return predict_anew(peer, &change, err);
}

/* Conclude the run, again if the path changed meanwhile. 1: it did. */
static int conclude_on_one_path(struct peer *peer, struct path_change *change,
				struct evidence *ret, struct err *err)
{
	int margin = peer->config->margin;
	int r = conclude_run(peer->run.db, peer->run.id, margin, 0, ret, err);

	if (r == 0 && !peer->path_checked)
		r = suspect_change(peer, ret, change, err);
	if (r > SUSPECT_NOTHING)
		r = probe_anew(peer, (enum suspicion)r, change, err);
	if (r <= 0)
		return r;
	r = conclude_run(peer->run.db, peer->run.id, margin, 0, ret, err);
	return r < 0 ? r : 1;
}

int peer_recheck_end(struct peer *peer, struct err *err)
{
	struct path_change change = {0};
	struct evidence found;
	int r;

	if (!peer_survey_answered(&peer->findings) || peer->rechecks == RECHECKS_MAX)
		return 0;
	r = conclude_on_one_path(peer, &change, &found, err);
	peer->path_checked = r == 0;
	if (r <= 0)
		return r;
	peer->rechecks++;
	return predict_anew(peer, &change, err);
}

int peer_conclude(struct peer *peer, struct mtu_pair *ret, struct err *err)
{
	struct path_change change = {0};
	struct evidence found;
	int changed = conclude_on_one_path(peer, &change, &found, err);
	int r;

	if (changed < 0)
		return changed;
	if (peer->short_tests.duration_ms)
		evidence_warn(&found, peer->short_tests);
	*ret = found.mtu;
	r = tell_conclusion(peer, &found, err);
	/* It is stored already. */
	if (changed)
		host_warn(&change.warning);
	return r;
}

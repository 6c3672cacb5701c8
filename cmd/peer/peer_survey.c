/* SPDX-License-Identifier: MIT */
#include "cmd/peer/peer_survey.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "cmd/peer/peer_parts.h"
#include "cmd/peer/peer_port.h"
#include "cmd/peer/peer_probe.h"
#include "cmd/run/runpath.h"
#include "engine/pathmodel.h"
#include "store/query.h"

#define SHARE_TIMEOUT_MS 2000

/* The text says what a pair lacks that this run is to apply. */
static int check_findings(const struct peer *peer, const struct peer_findings *findings,
			  struct err *err)
{
	const struct peer_config *config = peer->config;
	char advice[PEER_PORT_ADVICE_SIZE];

	if (peer->run.info.persist != PERSIST_BEST)
		return 0;
	if (findings->closed)
		return err_set(err, -ENODATA,
			       "no pair can be applied: nothing that this end sent to "
			       "UDP port %d of the server (%s) was answered, so no "
			       "packet can be proved to arrive: %s",
			       config->server_port, config->server_ip,
			       peer_port_advice(&peer->session, "udp",
						config->server_port, advice));
	if (!config->strategy->is_grid || config->apply ||
	    peer_survey_answered(findings))
		return 0;
	return err_set(err, -ENODATA,
		       "no pair applied: the path could not be probed, and rates alone "
		       "cannot show that a pair's packets arrive whole: choose a pair "
		       "and apply it with --apply --pair");
}

bool peer_survey_wanted(const struct peer_config *config)
{
	return !config->apply && !config->no_probe;
}

int peer_survey_probe(struct peer *peer, struct peer_findings *ret, struct err *err)
{
	struct peer_findings found = {0};
	struct path_survey *survey = &found.survey;
	struct probe_summary summary;
	bool refused;
	int r = peer_probe(&peer->session, NULL, &survey->path, &summary, err);

	if (r < 0)
		return r;
	/* Its text says why. */
	if (summary.filtered && !peer->config->strategy->make_plan)
		return -ENODATA;
	if (!survey->path.overhead[DIR_UPLOAD])
		runpath_assume_overhead(&peer->run.info, survey->path.overhead);
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		survey->probes[dir] = summary.sizes[dir];
		found.sometimes[dir] = summary.sometimes[dir];
		found.counters[dir] = summary.counters[dir];
	}
	survey->probe_ms = summary.took_ms;
	found.rounds = summary.rounds;
	memcpy(found.endpoint, summary.endpoint, sizeof(summary.endpoint));
	if (path_is_relayed(&survey->path))
		host_tell(
			"a WireGuard endpoint is an address of its own host: a relay "
			"there sends the packets on the line, and they cannot be seen");
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		if (survey->path.unseen[dir])
			host_tell("the %s's outer packets cannot be seen, so fragments "
				  "cannot be told from whole packets there",
				  direction_receiver(dir));
	}
	found.closed = summary.filtered && !summary.unable;
	refused = check_findings(peer, &found, NULL) < 0;
	if (summary.filtered && !(refused && found.closed) && !peer->config->apply)
		host_tell("the path cannot be probed%s: %.350s",
			  refused ? "" : ", so throughput alone decides", err->text);
	*ret = found;
	return 0;
}

static int note_sometimes(void *ctx, const struct query_warning *w)
{
	struct bandfind_sometimes *sometimes = ctx;

	if (w->facts.kind == WARNING_SOMETIMES)
		sometimes[w->facts.direction] =
			(struct bandfind_sometimes){.low = w->facts.size_min,
						    .high = w->facts.size_max,
						    .sent = 100,
						    .arrived = (int)w->facts.value};
	return 0;
}

/* A resumed run does not probe: what its probes found is stored. */
static int load_survey(struct peer *peer, struct err *err)
{
	int64_t run = peer->run.resumed.run;
	cleanup_query struct query *query = NULL;
	int r = query_open(peer->run.db, &query, err);

	if (r == 0)
		r = query_path(query, run, &peer->findings.survey, err);
	/* A warning does not tell which of two paths it is about. */
	if (r < 0 || peer->findings.survey.since_seq)
		return r;
	return query_warnings(query, run, "run", note_sometimes,
			      peer->findings.sometimes, err);
}

static int smaller_of(int a, int b)
{
	return a < b ? a : b;
}

/* Find the pair below the run's ranges that fits, if both ends may go there: without IPv6
 * inside the tunnel. False: the ranges stay. */
static bool find_lower_pair(const struct peer *peer, struct mtu_pair *ret)
{
	const struct path *path = &peer->findings.survey.path;
	struct mtu_range server = peer->run.info.server_range;
	struct mtu_range own = peer->run.info.peer_range;

	if (pathmodel_candidate(path, &server, &own, ret))
		return false;
	server.min = smaller_of(server.min, peer_session_server_least(&peer->session));
	own.min = smaller_of(own.min, peer->config->host->guard.bounds.range.min);
	return server.min < MTU_MIN_IPV6 && own.min < MTU_MIN_IPV6 &&
	       pathmodel_candidate(path, &server, &own, ret);
}

static void lower_ranges(struct peer *peer)
{
	struct run_info *run = &peer->run.info;
	struct mtu_pair fit;

	if (!find_lower_pair(peer, &fit))
		return;
	host_tell("no allowed pair fits whole, and no IPv6 is configured inside the "
		  "tunnel, so smaller MTUs are allowed: server MTU %d, peer MTU %d",
		  fit.server, fit.peer);
	run->server_range.min = smaller_of(run->server_range.min, fit.server);
	run->peer_range.min = smaller_of(run->peer_range.min, fit.peer);
	peer->findings.lowered = true;
}

int peer_survey_reopen(struct peer *peer, struct err *err)
{
	if (!peer->findings.lowered)
		return 0;
	peer->findings.lowered = false;
	return peer_session_connect(&peer->session, peer->config->wait_ms, err);
}

int peer_survey(struct peer *peer, struct err *err)
{
	int r = peer->config->resume ? load_survey(peer, err) : -ENODATA;

	if (r != -ENODATA)
		return r;
	r = peer_survey_probe(peer, &peer->findings, err);
	/* The pairs of a grid are those that the user has named; a check names none. */
	if (r == 0 && !peer->config->strategy->is_grid && !peer->config->check)
		lower_ranges(peer);
	return r;
}

int peer_survey_ahead(struct peer *peer, struct err *err)
{
	struct peer_findings found;
	int r = peer_survey_probe(peer, &found, err);

	return r < 0 ? r : check_findings(peer, &found, err);
}

bool peer_survey_answered(const struct peer_findings *findings)
{
	const struct path_bands *dir = findings->survey.path.dir;

	return dir[DIR_UPLOAD].count && dir[DIR_DOWNLOAD].count;
}

int peer_survey_check(const struct peer *peer, struct err *err)
{
	return check_findings(peer, &peer->findings, err);
}

/* One direction of the survey, as a message. */
static struct msg_path path_message(const struct path_survey *survey,
				    const char *session, enum direction dir)
{
	struct msg_path m = {
		.download = dir == DIR_DOWNLOAD,
		.overhead = survey->path.overhead[dir],
		.relayed = survey->path.relayed[dir],
		.unseen = survey->path.unseen[dir],
		.since_seq = survey->since_seq,
		.probes = survey->probes[dir],
		.probe_ms = survey->probe_ms,
	};

	text_copy(m.session, sizeof(m.session), session);
	path_bands_format(&survey->path.dir[dir], m.bands);
	return m;
}

/* Let both directions be sent beside the first test. */
static bool hand_path(struct peer_findings *findings,
		      const struct peer_session *session)
{
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		struct msg_path m = path_message(&findings->survey, session->id,
						 (enum direction)dir);

		if (!session->beside || !beside_path(session->beside, &m))
			return false;
	}
	findings->path_handed = session->opened;
	return true;
}

int peer_survey_share(struct peer_findings *findings, struct peer_session *session,
		      struct err *err)
{
	int64_t limit_ms =
		clock_boot_ms() + peer_session_timeout_ms(session, SHARE_TIMEOUT_MS);

	if (session->beside && findings->path_handed == session->opened)
		findings->path_shared = beside_wait(session->beside, limit_ms);
	for (int dir = 0; dir < DIR_COUNT && !findings->path_shared; dir++) {
		struct msg_path m = path_message(&findings->survey, session->id,
						 (enum direction)dir);
		int64_t sent_at_ms = clock_boot_ms();
		int r = client_path(session->client, &m,
				    peer_session_timeout_ms(session, SHARE_TIMEOUT_MS),
				    err);

		if (r < 0)
			return r;
		peer_session_heard(session, sent_at_ms);
	}
	findings->path_shared = true;
	return 0;
}

/* Store the doubt with the run: the bands say only that these sizes are lost. */
static void warn_of_sometimes(const struct peer *peer)
{
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		struct warning w;

		if (peer_probe_sometimes(&peer->findings.sometimes[dir],
					 (enum direction)dir, &w))
			peer_run_warn(&peer->run, &w);
	}
}

int peer_survey_store(struct peer *peer, struct err *err)
{
	int r;

	warn_of_sometimes(peer);
	r = store_put_path(peer->run.store, peer->run.id, &peer->findings.survey, err);

	/* Where the server does not take it now, it is sent again at the end. */
	if (r == 0 && !(peer->config->strategy->make_plan &&
			hand_path(&peer->findings, &peer->session)))
		peer_survey_share(&peer->findings, &peer->session, NULL);
	return r;
}

/* SPDX-License-Identifier: MIT */
#include "cmd/peer/peer_smart.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/text.h"
#include "cmd/peer/peer_parts.h"
#include "cmd/peer/peer_probe.h"
#include "cmd/run/conclude.h"
#include "engine/plan_smart.h"
#include "store/query.h"

#define PRINT_TIMEOUT_MS 1000
#define SHARE_TIMEOUT_MS 2000
#define ROWS_TIMEOUT_MS  5000

/* --- before the sweep --- */

static int probe(struct peer *peer, struct err *err)
{
	struct path_survey *survey = &peer->findings.survey;
	struct probe_summary summary;
	int r = peer_probe(&peer->session, &survey->path, &summary, err);

	if (r < 0)
		return r;
	if (!survey->path.overhead)
		survey->path.overhead = peer->run.info.peer.endpoint_family == 6
						? PATH_OVERHEAD_IPV6
						: PATH_OVERHEAD_IPV4;
	for (int dir = 0; dir < DIR_COUNT; dir++)
		survey->probes[dir] = summary.sizes[dir];
	survey->probe_ms = summary.took_ms;
	if (summary.filtered)
		host_tell("the path cannot be probed, throughput alone has to tell: "
			  "%.350s",
			  err->text);
	return 0;
}

static int load_survey(struct peer *peer, struct err *err)
{
	cleanup_query struct query *query = NULL;
	int r = query_open(peer->run.db, &query, err);

	return r < 0 ? r
		     : query_path(query, peer->run.resumed.run, &peer->findings.survey,
				  err);
}

int peer_smart_survey(struct peer *peer, struct err *err)
{
	int r = peer->config->resume ? load_survey(peer, err) : -ENODATA;

	return r == -ENODATA ? probe(peer, err) : r;
}

static struct mtu_pair current_pair(const struct peer *peer)
{
	return (struct mtu_pair){peer->run.info.server.link_mtu,
				 peer->run.info.peer.link_mtu};
}

int peer_smart_plan(const struct peer *peer, struct plan **ret, struct err *err)
{
	struct plan_smart_options options = {
		.path = peer->findings.survey.path,
		.server = peer->run.info.server_range,
		.peer = peer->run.info.peer_range,
		.current = current_pair(peer),
		.margin = peer->config->margin / 100.0,
		.seed = peer->run.info.seed,
	};

	return plan_smart_new(&options, ret, err);
}

/* --- after it --- */

/* One direction of the survey, as a message. */
static struct msg_path path_message(const struct path_survey *survey,
				    const char *session, enum direction dir)
{
	struct msg_path m = {
		.download = dir == DIR_DOWNLOAD,
		.overhead = survey->path.overhead,
		.probes = survey->probes[dir],
		.probe_ms = survey->probe_ms,
	};

	text_copy(m.session, sizeof(m.session), session);
	path_bands_format(&survey->path.dir[dir], m.bands);
	return m;
}

static int share_path(struct peer_findings *findings, struct peer_session *session,
		      struct err *err)
{
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

int peer_smart_begun(struct peer *peer, struct err *err)
{
	int r = store_put_path(peer->run.store, peer->run.id, &peer->findings.survey,
			       err);

	/* Where the server does not take it now, it is sent again at the end. */
	if (r == 0)
		share_path(&peer->findings, &peer->session, NULL);
	return r;
}

static int send_verdict(struct peer_session *session, const struct verdict *v,
			struct err *err)
{
	struct msg_verdict m = {
		.mtu = v->recommended.mtu,
		.settled = v->settled,
		.margin = session->config->margin,
		.visits = v->visits,
	};
	int64_t sent_at_ms = clock_boot_ms();
	int r;

	text_copy(m.session, sizeof(m.session), session->id);
	r = client_verdict(session->client, &m,
			   peer_session_timeout_ms(session, SHARE_TIMEOUT_MS), err);
	if (r == 0)
		peer_session_heard(session, sent_at_ms);
	return r;
}

/* The server's copy says the same, where it can be reached: it is a copy. */
static void share(struct peer *peer, const struct verdict *v)
{
	struct err err = ERR_INIT;
	int r;

	/* It is found from the rows, there as here. */
	peer_run_send_rows(&peer->run, &peer->session, ROWS_TIMEOUT_MS);
	r = share_path(&peer->findings, &peer->session, &err);
	if (r == 0)
		r = send_verdict(&peer->session, v, &err);
	if (r < 0)
		host_tell("the server's database lacks what this run comes to: %.300s",
			  err.text);
}

static int tell(struct peer *peer, const struct conclusion *found, struct err *err)
{
	const struct verdict *v = &found->verdict;
	int r;

	/* The database has it too: a reader who does not read is not waited for. */
	io_write_or_drop(STDOUT_FILENO, found->text, strlen(found->text),
			 PRINT_TIMEOUT_MS);
	if (!v->recommended.mtu.server)
		return 0;
	r = store_recommend(peer->run.store, peer->run.id, &v->recommended.mtu,
			    v->settled, &found->reason, found->text, err);
	if (r == 0)
		share(peer, v);
	return r;
}

int peer_smart_conclude(struct peer *peer, struct mtu_pair *ret, struct err *err)
{
	struct conclusion found;
	int r = conclude_run(peer->run.db, peer->run.id, peer->config->margin, &found,
			     err);

	if (r < 0)
		return r;
	*ret = found.verdict.recommended.mtu;
	r = tell(peer, &found, err);
	free(found.text);
	return r;
}

/* SPDX-License-Identifier: MIT */
/* The peer's part in probing the path. */

#include "cmd/peer/peer_probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "cmd/peer/peer_ask.h"

#define REQUEST_TIMEOUT_MS 3000
/* All of it, and so many round trips. */
#define PROBE_LIMIT_MS    10000
#define PROBE_LIMIT_TRIPS 20
/* Where the session, a link or the line is lost meanwhile. */
#define TRIES_MAX 5
/* The longest time for which probes alone may keep a line's queue from answering. */
#define QUEUE_MAX_MS 1500
#define QUEUE_ALIKE  3

/* True for errors that prevent probes only: the run continues without them. */
static bool is_no_probe(int r)
{
	return r == -EOPNOTSUPP || r == -ENOTCONN || r == -EADDRINUSE || r == -ENOENT;
}

/* The same bits for the datagrams and for the request. */
static void make_token(unsigned char bytes[PROBEMSG_TOKEN], char hex[TOKEN_SIZE])
{
	for (int i = 0; i < PROBEMSG_TOKEN; i += 8) {
		uint64_t bits = random_u64();

		memcpy(bytes + i, &bits, sizeof(bits));
	}
	for (size_t i = 0; i < PROBEMSG_TOKEN; i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
}

/* A request, and what its answer says. */
struct asked {
	const struct msg_probe *request;
	struct msg_probing *probing;
	int no_probe; /* is_no_probe(), or 0 */
	struct err why;
};

static int send_probe(struct client *client, void *message, int timeout_ms,
		      struct err *err)
{
	struct asked *asked = message;
	int r = client_probe(client, asked->request, timeout_ms, asked->probing, err);

	if (!client_answered(client) || !is_no_probe(r))
		return r;
	asked->no_probe = r;
	asked->why = *err;
	return 0;
}

static int set_up_there(struct peer_session *session, struct msg_probe *request,
			struct probehost_facts *ret, struct err *err)
{
	struct msg_probing probing = {0};
	struct asked asked = {.request = request, .probing = &probing};
	int64_t sent_at_ms;
	int r;

	text_copy(request->session, sizeof(request->session), session->id);
	request->reach = session->config->host->guard.bounds.range.max;
	r = peer_ask(session, send_probe, &asked, REQUEST_TIMEOUT_MS, &sent_at_ms, err);
	if (r < 0)
		return r;
	if (asked.no_probe)
		return err_set(err, asked.no_probe, "%s", asked.why.text);
	peer_session_heard(session, sent_at_ms);
	*ret = (struct probehost_facts){
		.overhead = probing.overhead,
		.relayed = probing.relayed,
		.outer_mtu = probing.outer_mtu,
		.size_min = probing.size_min,
		.size_max = probing.size_max,
		.tap = probing.tap,
		.exact = probing.exact,
		.unseen = probing.unseen,
		.unit = probing.unit,
	};
	text_copy(ret->endpoint, sizeof(ret->endpoint), probing.endpoint);
	return 0;
}

/* Probes fill the queue of a slow line, and do so alike each time: three gaps of about the
 * same length are no outages. */
static bool was_down(struct peer_session *session, const struct lease_gaps *gaps)
{
	int64_t gap_ms = gaps->silent_ms;
	int64_t before_ms = session->probe_gap_ms;
	bool alike = gap_ms * 4 <= before_ms * 5 && gap_ms * 5 >= before_ms * 4;

	session->probe_gap_ms = gap_ms;
	session->probe_gaps = alike ? session->probe_gaps + 1 : 1;
	return peer_session_line_was_down(session, gaps, gap_ms) &&
	       (gap_ms > QUEUE_MAX_MS || session->probe_gaps < QUEUE_ALIKE);
}

/* With this end's socket open. */
static int run_probe(struct peer_session *session, struct probehost *host,
		     struct msg_probe *request, const struct mtu_pair *only,
		     struct path *ret, struct probe_summary *ret_summary,
		     struct err *err)
{
	struct probe_options options = {
		.only = only ? *only : (struct mtu_pair){0},
		.rtt_us = client_rtt_us(session->client),
		.limit_ms = PROBE_LIMIT_MS +
			    PROBE_LIMIT_TRIPS * client_rtt_us(session->client) / 1000,
	};
	struct lease_gaps gaps;
	int r = probehost_set_up(host, session->config->server_port, err);

	if (r < 0)
		return peer_session_not_stale(r, err);
	request->port = probehost_port(host);
	request->relayed = host->facts.relayed;
	r = set_up_there(session, request, &options.server, err);
	if (r < 0)
		return r;
	lease_beat_begin(session->lease);
	r = probe_run(host, &options, ret, ret_summary, err);
	lease_beat_end(session->lease, &gaps);
	if (r == 0 && was_down(session, &gaps))
		return err_set(
			err, -EAGAIN,
			"the line was down while the path was probed (no round trip "
			"for %.1f s)",
			(double)gaps.silent_ms / 1000);
	if (r == 0 && ret_summary->filtered)
		err_set(err, 0,
			"no answer from UDP port %d of %s through the tunnel: to probe "
			"the path, let it in on the server's tunnel interface",
			session->config->server_port, session->config->server_ip);
	return peer_session_not_stale(r, err);
}

/* Remove the setup of the probes, also after a failure. */
static int restore_link(const struct peer_session *session, int r, struct err *err)
{
	struct err why = ERR_INIT;
	int restored = guard_end_probe(session->guard, &why);

	if (restored == 0 || r < 0)
		return r;
	err_set(err, restored, "%s", why.text);
	return peer_session_not_stale(restored, err);
}

static int probe_once(struct peer_session *session, const struct mtu_pair *only,
		      struct path *ret, struct probe_summary *ret_summary,
		      struct err *err)
{
	const struct peer_config *config = session->config;
	struct probehost_config own = {
		.guard = session->guard,
		.range = config->host->guard.bounds.range,
		.reach = session->run->server_range.max,
		.lease_ms = session->lease_ms,
		.stop_fd = session->stop_fd,
	};
	struct msg_probe request = {0};
	struct probehost host = PROBEHOST_INIT;
	int r;

	memset(ret, 0, sizeof(*ret));
	memset(ret_summary, 0, sizeof(*ret_summary));
	text_copy(own.interface, sizeof(own.interface), config->options->interface);
	text_copy(own.local, sizeof(own.local), config->local);
	text_copy(own.remote, sizeof(own.remote), config->server_ip);
	make_token(own.token, request.token);
	r = probehost_open(&own, &host, err);
	if (r == 0)
		r = run_probe(session, &host, &request, only, ret, ret_summary, err);
	probehost_close(&host);
	if (is_no_probe(r)) {
		ret_summary->filtered = true;
		ret_summary->unable = true;
		r = 0;
	}
	return restore_link(session, r, err);
}

int peer_probe(struct peer_session *session, const struct mtu_pair *only,
	       struct path *ret, struct probe_summary *ret_summary, struct err *err)
{
	for (int tries = 1;; tries++) {
		int r = probe_once(session, only, ret, ret_summary, err);
		struct err why = *err;

		if (r != -EAGAIN || only)
			return r;
		if (tries == TRIES_MAX)
			return err_set(
				err, -EIO,
				"the path could not be probed in %d attempts: %.300s",
				TRIES_MAX, why.text);
		host_tell("%.300s; probing the path again", why.text);
		r = peer_session_connect(session, session->config->wait_ms, err);
		if (r < 0)
			return r;
	}
}

bool peer_probe_sometimes(const struct bandfind_sometimes *sometimes,
			  enum direction dir, struct warning *ret)
{
	if (!sometimes->low)
		return false;
	*ret = (struct warning){.kind = WARNING_SOMETIMES,
				.direction = dir,
				.size_min = sometimes->low,
				.size_max = sometimes->high,
				.value = sometimes->arrived * 100 / sometimes->sent};
	return true;
}

/* SPDX-License-Identifier: MIT */
/* The operations of the peer's sweep. */

#include "cmd/peer/peer_ops.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/debug.h"
#include "base/text.h"
#include "cmd/host/progress.h"
#include "cmd/peer/peer_ask.h"
#include "cmd/peer/peer_port.h"
#include "cmd/peer/peer_test.h"
#include "cmd/peer/peer_traffic.h"

#define ROW_TIMEOUT_MS 2000
/* The warnings of a run that a server may tell. */
#define WARNINGS_THERE_MAX 100

static int set_here(struct peer_visit *visit, int mtu, struct err *err)
{
	struct err warning = ERR_INIT;
	struct peer_session *session = visit->session;
	int r = host_set_mtu(session->guard, session->config->server_ip, mtu,
			     session->lease_ms, &visit->settle_warned, &warning, err);

	if (r == 0 && warning.text[0])
		peer_run_warn(visit->run,
			      &(struct warning){.kind = WARNING_PATH_MTU_CACHED,
						.at_end = WARNING_END_PEER,
						.detail = warning.text});
	return r == -ENETDOWN || r == -ENODEV ? -EAGAIN : r;
}

struct pair_exchange {
	struct msg_pair asked;
	struct msg_paired answer;
};

static int send_pair(struct client *client, void *exchange, int timeout_ms,
		     struct err *err)
{
	struct pair_exchange *x = exchange;

	return client_pair(client, &x->asked, timeout_ms, &x->answer, err);
}

static void warn_of_there(struct peer_visit *visit, const struct warnings *told)
{
	for (int i = 0; i < told->count; i++) {
		struct warning w = warnings_get(told, i);

		if (visit->warned_there++ < WARNINGS_THERE_MAX)
			peer_run_warn(visit->run, &w);
	}
}

/* `tests`: the visit's first one is armed, and where there is one, the next is set up. */
static int set_there(struct peer_visit *visit, int mtu, bool tests, struct err *err)
{
	struct pair_exchange pair = {
		.asked = {
			.mtu = mtu,
			.test = tests ? visit->test.id : 0,
			.duration_ms = peer_test_ms(visit->session),
			.rtt_us = client_rtt_us(visit->session->client),
			.from_port = tests ? visit->test.from_port : 0,
			.next = tests ? visit->next.id : 0,
			.next_port = tests ? visit->next.from_port : 0,
			.precision = visit->session->config->precision,
			.peer_mtu = visit->mtu.peer,
			.visits_left = visit->visits_left,
			.left_ms = visit->left_ms,
		}};
	int64_t sent_at_ms;
	int r;

	text_copy(pair.asked.session, sizeof(pair.asked.session), visit->session->id);
	r = peer_ask(visit->session, send_pair, &pair, PEER_ARM_TIMEOUT_MS, &sent_at_ms,
		     err);
	if (r < 0)
		return r;
	atomic_store(&visit->session->renewed_at, sent_at_ms);
	warn_of_there(visit, &pair.answer.warnings);
	return 0;
}

static int op_apply(void *ctx, const struct visit *next, struct err *err)
{
	struct peer_visit *visit = ctx;
	int r;

	visit->mtu = next->mtu;
	memcpy(visit->lost, next->lost, sizeof(visit->lost));
	rtwatch_was_down(visit->watch);
	peer_session_forget_lapse(visit->session);
	visit->session->link_fell = false;
	visit->disturbed = false;
	visit->blameless = false;
	visit->tests = 0;
	visit->idle_us = visit->idle_p95_us = NO_FIGURE;
	peer_test_drop_next(visit);
	r = set_here(visit, next->mtu.peer, err);
	/* -ESTALE would be the sweep's to mend; somebody else's change is not. */
	return peer_session_not_stale(r, err);
}

/*
 * The request that sets the server's MTU and arms the first test is also the probe: it went
 * out with this end's new MTU, and its answer came back with the server's, through the
 * queues that the last test may have filled.
 */
static int op_wait_path(void *ctx, struct err *err)
{
	struct peer_visit *visit = ctx;

	visit->is_next = false;
	visit->test = peer_test_new(visit);
	/* Where the path loses one direction, the other may not be tested. */
	if (!visit->lost[DIR_UPLOAD] && !visit->lost[DIR_DOWNLOAD])
		visit->next = peer_test_new(visit);
	return set_there(visit, visit->mtu.server, true, err);
}

static int op_measure(void *ctx, enum direction dir, struct dir_result *ret,
		      struct err *err)
{
	return peer_test_measure(ctx, dir, ret, err);
}

/* If the control connection works but the tests' does not, at the first pair, the reason
 * is not the MTUs, and each pair would fail alike. */
static int check_first(const struct peer_visit *visit, const struct measurement *m,
		       struct err *err)
{
	char advice[PEER_PORT_ADVICE_SIZE];
	int port = visit->session->hello.iperf_port;

	if (visit->met || visit->tests < DIR_COUNT || visit->disturbed ||
	    !peer_test_never_met(&m->dir[DIR_UPLOAD]) ||
	    !peer_test_never_met(&m->dir[DIR_DOWNLOAD]))
		return 0;
	return err_set(err, -ECONNREFUSED,
		       "no test reached TCP port %d of the server (%.100s): %s", port,
		       m->dir[DIR_UPLOAD].text,
		       peer_port_advice(visit->session, "tcp", port, advice));
}

static int op_record(void *ctx, const struct measurement *m, struct err *err)
{
	struct peer_visit *visit = ctx;
	int r;

	debug_phase("record");
	r = store_record(visit->run->store, visit->run->id, m, err);
	if (r < 0)
		return r;
	peer_run_hand_rows(visit->run, visit->session, ROW_TIMEOUT_MS);
	return check_first(visit, m, err);
}

/* If an answer comes before either end's lease can have expired, the pair was in force
 * all the time, so it does not kill the path. Repeated disturbance by others is not the
 * pair's fault either. */
static int op_recover(void *ctx, struct err *err)
{
	struct peer_visit *visit = ctx;
	int64_t in_force_until_ms = atomic_load(&visit->session->renewed_at) +
				    visit->session->lease_ms * 9 / 10;
	bool lapsed = atomic_load(&visit->session->lapsed);
	int r = peer_session_connect(visit->session, visit->session->config->wait_ms,
				     err);

	if (r < 0)
		return r;
	if (visit->blameless || visit->session->link_fell ||
	    (!lapsed && !visit->disturbed && clock_boot_ms() < in_force_until_ms))
		return SWEEP_BLAMELESS;
	return SWEEP_MAY_BLAME;
}

static const char *phase_text(const struct sweep_progress *p)
{
	switch (p->phase) {
	case SWEEP_APPLYING:
		return "setting MTUs";
	case SWEEP_UPLOAD:
		return "upload";
	case SWEEP_DOWNLOAD:
		return "download";
	case SWEEP_RECORDED:
		return "done";
	case SWEEP_RECOVERING:
		return "waiting for the server";
	}
	return "";
}

static void op_progress(void *ctx, const struct sweep_progress *p)
{
	struct peer_visit *visit = ctx;
	/* A smart plan goes on as long as it takes: what it has so far is no end. */
	bool open_ended = !visit->session->config->strategy->is_grid;
	/* The visits made before a --resume count, as they do at the server, and those made
	 * before the path changed. */
	int before = (int)visit->run->resumed.count + visit->before;
	struct progress_line line = {
		.mtu = p->visit.mtu,
		.doing = phase_text(p),
		.done = before + p->done,
		.total = open_ended ? 0 : before + p->total,
		.left_ms = open_ended ? NO_FIGURE : p->left_ms,
		.last = p->last,
	};

	visit->visits_left = open_ended ? NO_FIGURE : p->total - p->done;
	visit->left_ms = line.left_ms;
	if (p->phase == SWEEP_RECOVERING && p->why)
		host_tell(
			"pair %d/%d was interrupted and will be measured again: %.300s",
			p->visit.mtu.server, p->visit.mtu.peer, p->why);
	if (p->phase == SWEEP_RECORDED)
		progress_row(&line);
	else
		progress_update(&line);
	if (p->phase == SWEEP_RECORDED && p->done == 1)
		peer_traffic_tell_expected(p->last, p->total,
					   peer_test_ms(visit->session));
}

int peer_set_pair(struct peer_visit *visit, const struct mtu_pair *mtu, struct err *err)
{
	int r = op_apply(visit, &(struct visit){.mtu = *mtu}, err);

	return r < 0 ? r : set_there(visit, mtu->server, false, err);
}

const struct sweep_ops peer_ops = {
	.apply = op_apply,
	.wait_path = op_wait_path,
	.measure = op_measure,
	.record = op_record,
	.recover = op_recover,
	.progress = op_progress,
};

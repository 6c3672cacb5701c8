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
#include "cmd/peer/peer_traffic.h"
#include "engine/steady.h"

/* Arming waits up to 2 s for libiperf's server, on top of the way there and back. */
#define ARM_TIMEOUT_MS     3000
#define ROW_TIMEOUT_MS     2000
#define RENEW_TIMEOUT_MS   2000
#define FIGURES_TIMEOUT_MS 2000
/* Repetitions of a test that others, or an outage of the line, disturbed, before the
 * whole visit is repeated. */
#define DISTURBANCES_MAX  4
#define INTERRUPTIONS_MAX 4
/* The shortest time of a test over which a goodput is known is longer. */
#define GOODPUT_LEAST_MS 50
/* The warnings of a run that a server may tell. */
#define WARNINGS_THERE_MAX 100
/* An ok test shows an outage too if its data stood still for so long. */
#define STALL_MS 200

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

/* The next test, and where it will come from: the server is told when it is armed. */
static uint32_t next_test(struct peer_visit *visit)
{
	visit->from_port = runner_reserve(visit->runner, visit->session->config->local,
					  visit->session->config->options->interface);
	return ++visit->test;
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

/* The functions for peer_ask() that are one request. */
#define DEFINE_SEND(name, request)                                            \
	static int name(struct client *client, void *message, int timeout_ms, \
			struct err *err)                                      \
	{                                                                     \
		return request(client, message, timeout_ms, err);             \
	}

DEFINE_SEND(send_arm, client_arm)
DEFINE_SEND(send_renewal, client_renew)

int64_t peer_test_ms(const struct peer_session *session)
{
	const struct peer_config *config = session->config;

	return config->duration_by_path
		       ? steady_latest_us(client_rtt_us(session->client)) / 1000
		       : config->duration_ms;
}

static void warn_of_there(struct peer_visit *visit, const struct warnings *told)
{
	for (int i = 0; i < told->count; i++) {
		struct warning w = warnings_get(told, i);

		if (visit->warned_there++ < WARNINGS_THERE_MAX)
			peer_run_warn(visit->run, &w);
	}
}

/* `test`: next_test(), or 0. */
static int set_there(struct peer_visit *visit, int mtu, uint32_t test, struct err *err)
{
	struct pair_exchange pair = {
		.asked = {
			.mtu = mtu,
			.test = test,
			.duration_ms = peer_test_ms(visit->session),
			.rtt_us = client_rtt_us(visit->session->client),
			.from_port = test ? visit->from_port : 0,
			.peer_mtu = visit->mtu.peer,
			.visits_left = visit->visits_left,
			.left_ms = visit->left_ms,
		}};
	int64_t sent_at_ms;
	int r;

	text_copy(pair.asked.session, sizeof(pair.asked.session), visit->session->id);
	r = peer_ask(visit->session, send_pair, &pair, ARM_TIMEOUT_MS, &sent_at_ms,
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

	return set_there(visit, visit->mtu.server, next_test(visit), err);
}

static int arm_next_test(struct peer_visit *visit, bool full_size, struct err *err)
{
	uint32_t test = next_test(visit);
	struct msg_arm arm = {
		.full_size = full_size,
		.test = test,
		.duration_ms = peer_test_ms(visit->session),
		.rtt_us = client_rtt_us(visit->session->client),
		.from_port = visit->from_port,
		.precision = visit->session->config->precision,
	};
	int64_t sent_at_ms;
	int r;

	text_copy(arm.session, sizeof(arm.session), visit->session->id);
	r = peer_ask(visit->session, send_arm, &arm, ARM_TIMEOUT_MS, &sent_at_ms, err);
	if (r == 0)
		peer_session_heard(visit->session, sent_at_ms);
	return r;
}

/* The outcome of one try of a test. Negative: the errno that ends the visit. */
enum trial {
	TRIAL_COUNTS,
	TRIAL_DISTURBED,   /* others than the two ends took part */
	TRIAL_INTERRUPTED, /* the line was down for a part of it */
	TRIAL_NO_ROOM,     /* this end lacked something for it */
};

/* One test with all its repetitions. */
struct trials {
	int disturbances;
	int interruptions;
	struct peer_shortage shortage;
	int lacking; /* the shortage at this end, as in err_is_shortage() */
	enum direction dir;
	struct dir_result best; /* the best that is ok, but for the line */
};

/*
 * A test that failed says something of the pair only if both ends were there all the
 * time, and by themselves: an interface that went down, or a server that was started
 * again, is waited for instead. TRIAL_COUNTS: there was a round trip just now.
 */
static int check_failure(struct peer_visit *visit, struct err *err)
{
	int64_t sent_at_ms;
	int r;

	if (rtwatch_was_down(visit->watch)) {
		visit->blameless = true;
		return err_set(err, -EAGAIN, "interface '%s' was down",
			       visit->session->config->options->interface);
	}
	r = peer_ask(visit->session, send_renewal, visit->session->id, RENEW_TIMEOUT_MS,
		     &sent_at_ms, err);
	if (r < 0)
		return r;
	/* The server's yes came with a reason why the test says nothing. */
	return err->text[0] ? TRIAL_DISTURBED : TRIAL_COUNTS;
}

/* A test that failed has to have had a path that carries small packets all the time. One
 * that is ok may have had to wait for its own queue. */
static bool was_interrupted(const struct peer_visit *visit,
			    const struct dir_result *result,
			    const struct lease_gaps *gaps)
{
	if (result->status != TEST_OK)
		return peer_session_line_was_down(visit->session, gaps,
						  gaps->silent_ms);
	return peer_session_line_was_down(visit->session, gaps, gaps->lost_ms) &&
	       runner_stalled_ms(visit->runner) >= STALL_MS;
}

/* True if a sender's goodput can be: above 0, within its interval, and no more than the
 * data that arrived, if all of that came within GOODPUT_LEAST_MS. */
static bool can_be_goodput(const struct dir_result *sender,
			   const struct dir_result *received)
{
	int64_t arrived_kbit = received->received_bps / 1000 * received->duration_ms;

	return sender->goodput_bps > 0 && figures_goodput_valid(sender) &&
	       (received->received_bps == NO_FIGURE ||
		sender->goodput_bps / 1000 * GOODPUT_LEAST_MS <= arrived_kbit);
}

/*
 * Ask the server for the figures of a download: the sender knows its goodput best, and
 * alone knows the size of its packets, those that were lost too. An older server does not
 * answer; then the rate received here is used.
 */
static void ask_sender(struct peer_visit *visit, struct dir_result *result)
{
	struct msg_ask ask = {.test = visit->test};
	struct msg_figures seen;
	int64_t sent_at_ms = clock_boot_ms();

	text_copy(ask.session, sizeof(ask.session), visit->session->id);
	if (client_figures(visit->session->client, &ask,
			   peer_session_timeout_ms(visit->session, FIGURES_TIMEOUT_MS),
			   &seen, NULL) < 0)
		return;
	peer_session_heard(visit->session, sent_at_ms);
	if (seen.seen.goodput_bps == NO_FIGURE)
		result->packet_bytes = seen.seen.packet_bytes;
	else if (can_be_goodput(&seen.seen, result))
		figures_take_sender(result, &seen.seen);
	else
		host_tell("pair %d/%d: the server's figures of the download cannot be, "
			  "so the rate that arrived counts",
			  visit->mtu.server, visit->mtu.peer);
}

static bool has_sender_there(const struct test_spec *spec)
{
	return spec->kind == TEST_THROUGHPUT && spec->dir == DIR_DOWNLOAD;
}

/* Data that does not arrive was sent all the same. */
static bool was_lost(const struct dir_result *result)
{
	return result->status == TEST_BLACKHOLE || result->status == TEST_TIMEOUT;
}

/* Run the client's half of the test that was armed last. */
static int run_test(struct peer_visit *visit, struct test_spec *spec,
		    struct trials *trials, struct dir_result *ret, struct err *err)
{
	const struct peer_config *config = visit->session->config;
	int r;

	spec->id = visit->test;
	spec->role = ROLE_CLIENT;
	spec->first = spec->kind == TEST_THROUGHPUT && !visit->met;
	spec->client_port = spec->kind == TEST_THROUGHPUT ? visit->from_port : 0;
	spec->echo_port = spec->kind == TEST_THROUGHPUT ? config->server_port : 0;
	spec->duration_ms = peer_test_ms(visit->session);
	spec->precision = config->precision;
	text_copy(spec->congestion, sizeof(spec->congestion),
		  visit->session->congestion);
	spec->rtt_us = client_rtt_us(visit->session->client);
	text_copy(spec->interface, sizeof(spec->interface), config->options->interface);
	text_copy(spec->local, sizeof(spec->local), config->local);
	text_copy(spec->remote, sizeof(spec->remote), config->server_ip);
	r = runner_measure(visit->runner, spec, visit->session->stop_fd, ret, err);
	if (err_is_shortage(r)) {
		trials->lacking = r;
		return TRIAL_NO_ROOM;
	}
	if (r < 0)
		return r;
	r = ret->status == TEST_OK ? TRIAL_COUNTS : check_failure(visit, err);
	if (r == TRIAL_COUNTS && has_sender_there(spec) &&
	    (ret->status == TEST_OK || was_lost(ret)))
		ask_sender(visit, ret);
	return r;
}

/* The same, with an eye on the line meanwhile. */
static int try_test(struct peer_visit *visit, struct test_spec *spec,
		    struct trials *trials, struct dir_result *ret, struct err *err)
{
	struct lease_gaps gaps;
	int r;

	lease_beat_begin(visit->session->lease);
	r = run_test(visit, spec, trials, ret, err);
	lease_beat_end(visit->session->lease, &gaps);
	if (r == TRIAL_COUNTS && was_interrupted(visit, ret, &gaps)) {
		r = TRIAL_INTERRUPTED;
		err_set(err, 0,
			"the line was down in the %s test (no round trip for %.1f s)",
			direction_name(spec->dir), (double)gaps.silent_ms / 1000);
	}
	if (r < 0 || r == TRIAL_NO_ROOM ||
	    peer_session_check_lease(visit->session, NULL) == 0)
		return r;
	/* A line that carries a test is not down: renewals take that long. */
	if (ret->status == TEST_OK)
		peer_session_widen_lease(visit->session);
	return peer_session_check_lease(visit->session, err);
}

/* The line never held for a whole test: the best of those that came to an end is true, but
 * may be too slow, and says so. */
static int accept_best(struct peer_visit *visit, const struct trials *trials,
		       struct dir_result *ret)
{
	struct warning w = {
		.kind = WARNING_LINE_DOWN,
		.direction = trials->dir,
		.server_mtu = visit->mtu.server,
		.peer_mtu = visit->mtu.peer,
	};

	if (!trials->best.started_at_ms) {
		visit->blameless = true;
		return -EAGAIN;
	}
	*ret = trials->best;
	peer_run_warn(visit->run, &w);
	return TRIAL_COUNTS;
}

/* Return 1 to arm and repeat the test; else the final result: 0 or a negative errno. */
static int judge_trial(struct peer_visit *visit, struct trials *trials, int r,
		       struct dir_result *ret, struct err *err)
{
	/* A later shortage has all of its time. */
	if (r != TRIAL_NO_ROOM)
		trials->shortage = (struct peer_shortage){0};
	switch (r) {
	case TRIAL_NO_ROOM:
		r = peer_await_room(visit->session, &trials->shortage, "this end",
				    trials->lacking, err);
		return r < 0 ? r : 1;
	case TRIAL_DISTURBED:
		visit->disturbed = true;
		if (trials->disturbances++ == DISTURBANCES_MAX)
			return -EAGAIN;
		break;
	case TRIAL_INTERRUPTED:
		if (ret->status == TEST_OK &&
		    dir_result_rate(ret) > dir_result_rate(&trials->best))
			trials->best = *ret;
		if (trials->interruptions++ == INTERRUPTIONS_MAX)
			return accept_best(visit, trials, ret);
		break;
	default:
		return r;
	}
	host_tell("pair %d/%d: %.300s; repeating the test", visit->mtu.server,
		  visit->mtu.peer, err->text);
	return 1;
}

/* A test that others or the line disturbed says nothing about the pair: it is armed and
 * run again. */
static int measure_trials(struct peer_visit *visit, struct test_spec *spec,
			  struct dir_result *ret, struct err *err)
{
	struct trials trials = {.dir = spec->dir};
	int r;

	dir_result_init(&trials.best, TEST_ERROR, "%s", "");
	for (;;) {
		r = try_test(visit, spec, &trials, ret, err);
		r = judge_trial(visit, &trials, r, ret, err);
		if (r <= 0)
			return r;
		r = arm_next_test(visit, spec->kind == TEST_FULL_SIZE, err);
		if (r < 0)
			return r;
	}
}

static bool never_met(const struct dir_result *result)
{
	return result->status == TEST_REFUSED || result->status == TEST_UNREACHABLE;
}

static int op_measure(void *ctx, enum direction dir, struct dir_result *ret,
		      struct err *err)
{
	struct peer_visit *visit = ctx;
	struct test_spec spec = {
		.dir = dir,
		.lost = visit->lost[dir],
		.port = visit->session->config->iperf_port
				? visit->session->config->iperf_port
				: visit->session->hello.iperf_port,
	};
	/* The first test was armed with the pair. */
	int r = visit->tests > 0 ? arm_next_test(visit, false, err) : 0;

	if (r == 0)
		r = measure_trials(visit, &spec, ret, err);
	visit->tests += r == 0;
	visit->met |= r == 0 && !never_met(ret) && ret->status != TEST_ERROR;
	return r;
}

int peer_measure_full_size(struct peer_visit *visit, enum direction dir,
			   struct dir_result *ret, struct err *err)
{
	struct test_spec spec = {
		.kind = TEST_FULL_SIZE,
		.dir = dir,
		.port = visit->session->config->server_port,
		.packet_size = visit->mtu.peer,
		.their_size = visit->mtu.server,
	};
	int r = arm_next_test(visit, true, err);

	return r < 0 ? r : measure_trials(visit, &spec, ret, err);
}

/* If the control connection works but the tests' does not, at the first pair, the reason
 * is not the MTUs, and each pair would fail alike. */
static int check_first(const struct peer_visit *visit, const struct measurement *m,
		       struct err *err)
{
	char advice[PEER_PORT_ADVICE_SIZE];
	int port = visit->session->hello.iperf_port;

	if (visit->met || visit->tests < DIR_COUNT || visit->disturbed ||
	    !never_met(&m->dir[DIR_UPLOAD]) || !never_met(&m->dir[DIR_DOWNLOAD]))
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

	return r < 0 ? r : set_there(visit, mtu->server, 0, err);
}

const struct sweep_ops peer_ops = {
	.apply = op_apply,
	.wait_path = op_wait_path,
	.measure = op_measure,
	.record = op_record,
	.recover = op_recover,
	.progress = op_progress,
};

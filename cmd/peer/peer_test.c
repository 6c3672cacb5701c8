/* SPDX-License-Identifier: MIT */
/* A test of a visit, with its repetitions. */

#include "cmd/peer/peer_test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "cmd/host/progress.h"
#include "cmd/peer/peer_ask.h"
#include "engine/steady.h"

#define RENEW_TIMEOUT_MS   2000
#define FIGURES_TIMEOUT_MS 2000
/* Repetitions of a test that others, or an outage of the line, disturbed, before the
 * whole visit is repeated. */
#define DISTURBANCES_MAX  4
#define INTERRUPTIONS_MAX 4
/* The shortest time of a test over which a goodput is known is longer. */
#define GOODPUT_LEAST_MS 50
/* An ok test shows an outage too if its data stood still for so long. */
#define STALL_MS 200

struct peer_test peer_test_new(struct peer_visit *visit)
{
	return (struct peer_test){
		.id = ++visit->last_test,
		.from_port = runner_reserve(visit->runner,
					    visit->session->config->local,
					    visit->session->config->options->interface),
	};
}

void peer_test_drop_next(struct peer_visit *visit)
{
	if (visit->next.id)
		runner_cancel(visit->runner, NULL);
	visit->next.id = 0;
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

static int arm_next_test(struct peer_visit *visit, bool full_size, struct err *err)
{
	struct msg_arm arm = {
		.full_size = full_size,
		.duration_ms = peer_test_ms(visit->session),
		.rtt_us = client_rtt_us(visit->session->client),
		.precision = visit->session->config->precision,
	};
	int64_t sent_at_ms;
	int r;

	peer_test_drop_next(visit);
	visit->is_next = false;
	visit->test = peer_test_new(visit);
	arm.test = visit->test.id;
	arm.from_port = visit->test.from_port;
	text_copy(arm.session, sizeof(arm.session), visit->session->id);
	r = peer_ask(visit->session, send_arm, &arm, PEER_ARM_TIMEOUT_MS, &sent_at_ms,
		     err);
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

/* A goodput is possible if it is above 0, within its interval, and no more than the data
 * that arrived, had all of that come within GOODPUT_LEAST_MS. */
static bool can_be_goodput(const struct dir_result *sender,
			   const struct dir_result *received)
{
	int64_t arrived_bits = received->received_bps / 1000 * received->duration_ms;

	return sender->goodput_bps > 0 && figures_goodput_valid(sender) &&
	       (received->received_bps == NO_FIGURE ||
		sender->goodput_bps / 1000 * GOODPUT_LEAST_MS <= arrived_bits);
}

/*
 * Ask the server for the figures of a download: the sender knows its goodput best, and
 * alone knows the size of its packets, those that were lost too. An older server does not
 * answer; then the rate received here is used. One whose session is gone, or whose
 * interface was down, voids the test.
 */
static int ask_sender(struct peer_visit *visit, struct dir_result *result,
		      struct err *err)
{
	struct msg_ask ask = {.test = visit->test.id};
	struct msg_figures seen;
	int64_t sent_at_ms = clock_boot_ms();
	struct err why = ERR_INIT;
	int r;

	text_copy(ask.session, sizeof(ask.session), visit->session->id);
	r = client_figures(visit->session->client, &ask,
			   peer_session_timeout_ms(visit->session, FIGURES_TIMEOUT_MS),
			   &seen, &why);
	if (r < 0 && client_answered(visit->session->client) &&
	    (r == -ESTALE || r == -ENETDOWN)) {
		visit->session->link_fell |= r == -ENETDOWN;
		return err_set(err, -EAGAIN, "%s", why.text);
	}
	if (r < 0)
		return TRIAL_COUNTS;
	peer_session_heard(visit->session, sent_at_ms);
	if (seen.seen.goodput_bps == NO_FIGURE)
		result->packet_bytes = seen.seen.packet_bytes;
	else if (can_be_goodput(&seen.seen, result))
		figures_take_sender(result, &seen.seen);
	else
		host_tell("pair %d/%d: the server's figures of the download are "
			  "impossible: the rate that arrived counts",
			  visit->mtu.server, visit->mtu.peer);
	return TRIAL_COUNTS;
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

/* The client's half of `test`. */
static void fill_spec(const struct peer_visit *visit, const struct peer_test *test,
		      struct test_spec *spec)
{
	const struct peer_config *config = visit->session->config;

	spec->id = test->id;
	spec->role = ROLE_CLIENT;
	spec->first = spec->kind == TEST_THROUGHPUT && !visit->met;
	spec->client_port = spec->kind == TEST_THROUGHPUT ? test->from_port : 0;
	spec->echo_port = spec->kind == TEST_THROUGHPUT ? config->server_port : 0;
	spec->duration_ms = peer_test_ms(visit->session);
	spec->precision = config->precision;
	text_copy(spec->congestion, sizeof(spec->congestion),
		  visit->session->congestion);
	spec->rtt_us = client_rtt_us(visit->session->client);
	text_copy(spec->interface, sizeof(spec->interface), config->options->interface);
	text_copy(spec->local, sizeof(spec->local), config->local);
	text_copy(spec->remote, sizeof(spec->remote), config->server_ip);
}

static int measure_test(struct peer_visit *visit, const struct test_spec *spec,
			struct dir_result *ret, struct err *err)
{
	int stop_fd = visit->session->stop_fd;
	struct test_spec next = {
		.dir = direction_back(spec->dir),
		.port = spec->port,
	};

	if (visit->is_next)
		return runner_measure_next(visit->runner, spec, stop_fd, ret, err);
	if (!visit->next.id)
		return runner_measure(visit->runner, spec, stop_fd, ret, err);
	fill_spec(visit, &visit->next, &next);
	/* It is set up once this one has reached the port. */
	next.first = false;
	/* The path is not idle then. */
	next.echo_port = 0;
	return runner_measure_first(visit->runner, spec, &next, stop_fd, ret, err);
}

/* One measurement of the idle path is for both tests of a visit: the second one is set up
 * while the first fills the line. */
static void note_idle(struct peer_visit *visit, struct dir_result *result)
{
	if (!visit->is_next) {
		visit->idle_us = result->latency_idle_us;
		visit->idle_p95_us = result->latency_idle_p95_us;
	} else if (result->status == TEST_OK) {
		result->latency_idle_us = visit->idle_us;
		result->latency_idle_p95_us = visit->idle_p95_us;
	}
}

/* Run the client's half of the test that was armed last. */
static int run_test(struct peer_visit *visit, struct test_spec *spec,
		    struct trials *trials, struct dir_result *ret, struct err *err)
{
	int r;

	fill_spec(visit, &visit->test, spec);
	r = measure_test(visit, spec, ret, err);
	if (err_is_shortage(r)) {
		trials->lacking = r;
		return TRIAL_NO_ROOM;
	}
	if (r < 0)
		return r;
	r = ret->status == TEST_OK ? TRIAL_COUNTS : check_failure(visit, err);
	if (r == TRIAL_COUNTS && has_sender_there(spec) &&
	    (ret->status == TEST_OK || was_lost(ret)))
		r = ask_sender(visit, ret, err);
	if (r == TRIAL_COUNTS)
		note_idle(visit, ret);
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

bool peer_test_never_met(const struct dir_result *result)
{
	return result->status == TEST_REFUSED || result->status == TEST_UNREACHABLE;
}

/* The test that was set up beside the first one is not there, or the first one's end took
 * it along: it says nothing, and is armed as usual. */
static bool next_is_void(const struct peer_visit *visit, int r,
			 const struct dir_result *result)
{
	return visit->is_next &&
	       (r == -ENOENT || (r == TRIAL_COUNTS && (peer_test_never_met(result) ||
						       result->status == TEST_ERROR)));
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
		if (!next_is_void(visit, r, ret))
			r = judge_trial(visit, &trials, r, ret, err);
		else
			r = 1;
		if (r <= 0)
			return r;
		r = arm_next_test(visit, spec->kind == TEST_FULL_SIZE, err);
		if (r < 0)
			return r;
	}
}

/* Make the second test of a visit the one that is measured. */
static int begin_second(struct peer_visit *visit, struct err *err)
{
	if (!visit->next.id)
		return arm_next_test(visit, false, err);
	visit->test = visit->next;
	visit->next.id = 0;
	visit->is_next = true;
	return 0;
}

int peer_test_measure(struct peer_visit *visit, enum direction dir,
		      struct dir_result *ret, struct err *err)
{
	struct test_spec spec = {
		.dir = dir,
		.lost = visit->lost[dir],
		.port = visit->session->config->iperf_port
				? visit->session->config->iperf_port
				: visit->session->hello.iperf_port,
	};
	/* The first test was armed with the pair. */
	int r = visit->tests > 0 ? begin_second(visit, err) : 0;

	if (r == 0)
		r = measure_trials(visit, &spec, ret, err);
	/* The server has not kept it either. */
	if (r < 0 || ret->status != TEST_OK)
		peer_test_drop_next(visit);
	visit->tests += r == 0;
	visit->met |= r == 0 && !peer_test_never_met(ret) && ret->status != TEST_ERROR;
	return r;
}

int peer_test_full_size(struct peer_visit *visit, enum direction dir,
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

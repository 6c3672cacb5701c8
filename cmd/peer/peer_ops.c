/* The operations of the peer's sweep. */

#include "cmd/peer/peer_ops.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "cmd/host/progress.h"
#include "cmd/peer/peer_ask.h"

/* Arming waits up to 2 s for libiperf's server, on top of the way there and back. */
#define ARM_TIMEOUT_MS     3000
#define ROW_TIMEOUT_MS     2000
#define RENEW_TIMEOUT_MS   2000
#define FIGURES_TIMEOUT_MS 2000
/* So many times a test that others disturbed, or an outage of the line, is done again,
 * before the visit is. */
#define DISTURBANCES_MAX  4
#define INTERRUPTIONS_MAX 4
/* A test that is ok all the same shows an outage too: its data stood still for so long. */
#define STALL_MS 200

void peer_warn(struct peer *peer, const char *text)
{
	if (!text[0])
		return;
	host_tell("warning: %s", text);
	if (peer->run_id)
		store_warn(peer->store, peer->run_id, text, NULL);
}

static int set_here(struct peer *peer, int mtu, struct err *err)
{
	int r = guard_set(peer->guard, mtu, peer->lease_ms, err);

	if (r == -ENETDOWN || r == -ENODEV)
		return -EAGAIN;
	if (r < 0)
		return r;
	r = guard_settle(peer->guard, err);
	if (r == -EPIPE)
		return r;
	if (r < 0 && !peer->settle_warned) {
		peer->settle_warned = true;
		peer_warn(peer, err->text);
	}
	return 0;
}

/* The next test, and where it will come from: the server is told when it is armed. */
static uint32_t next_test(struct peer *peer)
{
	peer->from_port = runner_reserve(peer->runner, peer->config->local);
	return ++peer->test;
}

static int send_pair(struct peer *peer, void *message, int timeout_ms, struct err *err)
{
	return client_pair(peer->client, message, timeout_ms, err);
}

/* `test`: next_test(), or 0. */
static int set_there(struct peer *peer, int mtu, uint32_t test, struct err *err)
{
	struct msg_pair pair = {
		.mtu = mtu,
		.test = test,
		.duration_ms = peer->config->duration_ms,
		.rtt_us = client_rtt_us(peer->client),
		.from_port = test ? peer->from_port : 0,
		.peer_mtu = peer->mtu.peer,
		.visits_left = peer->visits_left,
		.left_ms = peer->left_ms,
	};
	int64_t sent_at_ms;
	int r;

	text_copy(pair.session, sizeof(pair.session), peer->session);
	r = peer_ask(peer, send_pair, &pair, ARM_TIMEOUT_MS, &sent_at_ms, err);
	if (r == 0) {
		atomic_store(&peer->renewed_at, sent_at_ms);
		peer_warn(peer, err->text);
	}
	return r;
}

static int op_apply(void *ctx, const struct mtu_pair *mtu, struct err *err)
{
	struct peer *peer = ctx;
	int r;

	peer->mtu = *mtu;
	rtwatch_was_down(peer->watch);
	peer_forget_lapse(peer);
	peer->disturbed = false;
	peer->blameless = false;
	peer->tested = false;
	r = set_here(peer, mtu->peer, err);
	/* -ESTALE would be the sweep's to mend; somebody else's change is not. */
	return peer_not_stale(r, err);
}

/*
 * The request that sets the server's MTU and arms the upload is also the probe: it went
 * out with this end's new MTU, and its answer came back with the server's, through the
 * queues that the last test may have filled.
 */
static int op_wait_path(void *ctx, struct err *err)
{
	struct peer *peer = ctx;

	return set_there(peer, peer->mtu.server, next_test(peer), err);
}

static int send_arm(struct peer *peer, void *message, int timeout_ms, struct err *err)
{
	return client_arm(peer->client, message, timeout_ms, err);
}

static int arm(struct peer *peer, bool full_size, struct err *err)
{
	uint32_t test = next_test(peer);
	struct msg_arm arm = {
		.full_size = full_size,
		.test = test,
		.duration_ms = peer->config->duration_ms,
		.rtt_us = client_rtt_us(peer->client),
		.from_port = peer->from_port,
		.precision = peer->config->precision,
	};
	int64_t sent_at_ms;
	int r;

	text_copy(arm.session, sizeof(arm.session), peer->session);
	r = peer_ask(peer, send_arm, &arm, ARM_TIMEOUT_MS, &sent_at_ms, err);
	if (r == 0)
		peer_heard(peer, sent_at_ms);
	return r;
}

static int send_renewal(struct peer *peer, void *message, int timeout_ms,
			struct err *err)
{
	return client_renew(peer->client, message, timeout_ms, err);
}

/* What one try of a test comes to. Negative: the errno that ends the visit. */
enum trial {
	TRIAL_COUNTS,
	TRIAL_DISTURBED,   /* others than the two ends took part */
	TRIAL_INTERRUPTED, /* the line was down for a part of it */
	TRIAL_NO_ROOM,     /* this end lacked something for it */
};

/* One test, however often it is done again. */
struct trials {
	int disturbances;
	int interruptions;
	struct peer_shortage shortage;
	int lacking; /* what this end lacked: of err_is_shortage() */
	enum direction dir;
	struct dir_result best; /* the best that is ok, but for the line */
};

/*
 * A test that failed says something of the pair only if both ends were there all the
 * time, and by themselves: an interface that went down, or a server that was started
 * again, is waited for instead. TRIAL_COUNTS: there was a round trip just now.
 */
static int check_failure(struct peer *peer, struct err *err)
{
	int64_t sent_at_ms;
	int r;

	if (rtwatch_was_down(peer->watch)) {
		peer->blameless = true;
		return err_set(err, -EAGAIN, "interface '%s' was down",
			       peer->config->options->interface);
	}
	r = peer_ask(peer, send_renewal, peer->session, RENEW_TIMEOUT_MS, &sent_at_ms,
		     err);
	if (r < 0)
		return r;
	/* The server's yes came with a reason why the test says nothing. */
	return err->text[0] ? TRIAL_DISTURBED : TRIAL_COUNTS;
}

/* A test that failed has to have had a path that carries small packets all the time. One
 * that is ok may have had to wait for its own queue. */
static bool was_interrupted(const struct peer *peer, const struct dir_result *result,
			    const struct lease_gaps *gaps)
{
	if (result->status != TEST_OK)
		return peer_line_was_down(peer, gaps, gaps->silent_ms);
	return peer_line_was_down(peer, gaps, gaps->lost_ms) &&
	       runner_stalled_ms(peer->runner) >= STALL_MS;
}

/*
 * Of a download the server, which sent, knows the goodput best. Where it does not say, as
 * one of an earlier version, what arrived here has to do.
 */
static void ask_sender(struct peer *peer, struct dir_result *result)
{
	struct msg_ask ask = {.test = peer->test};
	struct msg_figures seen;
	int64_t sent_at_ms = clock_boot_ms();

	text_copy(ask.session, sizeof(ask.session), peer->session);
	if (client_figures(peer->client, &ask,
			   peer_timeout_ms(peer, FIGURES_TIMEOUT_MS), &seen, NULL) < 0)
		return;
	peer_heard(peer, sent_at_ms);
	if (seen.goodput_bps == NO_FIGURE)
		return;
	result->goodput_bps = seen.goodput_bps;
	result->goodput_low_bps = seen.goodput_low_bps;
	result->goodput_high_bps = seen.goodput_high_bps;
	result->rtt_us = seen.rtt_us;
}

/* Run the client's half of the test that was armed last. */
static int run_test(struct peer *peer, struct test_spec *spec, struct trials *trials,
		    struct dir_result *ret, struct err *err)
{
	const struct peer_config *config = peer->config;
	int r;

	spec->id = peer->test;
	spec->role = ROLE_CLIENT;
	spec->client_port = spec->kind == TEST_THROUGHPUT ? peer->from_port : 0;
	spec->duration_ms = config->duration_ms;
	spec->precision = config->precision;
	text_copy(spec->congestion, sizeof(spec->congestion), peer->congestion);
	spec->rtt_us = client_rtt_us(peer->client);
	text_copy(spec->interface, sizeof(spec->interface), config->options->interface);
	text_copy(spec->local, sizeof(spec->local), config->local);
	text_copy(spec->remote, sizeof(spec->remote), config->server_ip);
	r = runner_measure(peer->runner, spec, peer->stop_fd, ret, err);
	if (err_is_shortage(r)) {
		trials->lacking = r;
		return TRIAL_NO_ROOM;
	}
	if (r < 0)
		return r;
	if (ret->status != TEST_OK)
		return check_failure(peer, err);
	if (spec->kind == TEST_THROUGHPUT && spec->dir == DIR_DOWNLOAD)
		ask_sender(peer, ret);
	return TRIAL_COUNTS;
}

/* The same, with an eye on the line meanwhile. */
static int try_test(struct peer *peer, struct test_spec *spec, struct trials *trials,
		    struct dir_result *ret, struct err *err)
{
	struct lease_gaps gaps;
	int r;

	lease_beat_begin(peer->lease);
	r = run_test(peer, spec, trials, ret, err);
	lease_beat_end(peer->lease, &gaps);
	if (r == TRIAL_COUNTS && was_interrupted(peer, ret, &gaps)) {
		r = TRIAL_INTERRUPTED;
		err_set(err, 0,
			"the line was down in the %s test (no round trip for %.1f s)",
			direction_name(spec->dir), (double)gaps.silent_ms / 1000);
	}
	if (r < 0 || r == TRIAL_NO_ROOM || peer_check_lease(peer, NULL) == 0)
		return r;
	/* A line that carries a test is not down: renewals take that long. */
	if (ret->status == TEST_OK)
		peer_widen_lease(peer);
	return peer_check_lease(peer, err);
}

/* The line never held for a whole test: the best of those that came to an end is true, but
 * may be too slow, and says so. */
static int accept_best(struct peer *peer, const struct trials *trials,
		       struct dir_result *ret)
{
	char text[160];

	if (!trials->best.started_at_ms) {
		peer->blameless = true;
		return -EAGAIN;
	}
	*ret = trials->best;
	snprintf(text, sizeof(text),
		 "server MTU %d, peer MTU %d: the line was down for a part of each %s "
		 "test, so its rate may be too low",
		 peer->mtu.server, peer->mtu.peer, direction_name(trials->dir));
	peer_warn(peer, text);
	return TRIAL_COUNTS;
}

/* Whether the test is to be armed and done again: then 1; else what it comes to. */
static int judge_trial(struct peer *peer, struct trials *trials, int r,
		       struct dir_result *ret, struct err *err)
{
	/* A later shortage has all of its time. */
	if (r != TRIAL_NO_ROOM)
		trials->shortage = (struct peer_shortage){0};
	switch (r) {
	case TRIAL_NO_ROOM:
		r = peer_await_room(peer, &trials->shortage, "this end",
				    trials->lacking, err);
		return r < 0 ? r : 1;
	case TRIAL_DISTURBED:
		peer->disturbed = true;
		if (trials->disturbances++ == DISTURBANCES_MAX)
			return -EAGAIN;
		break;
	case TRIAL_INTERRUPTED:
		if (ret->status == TEST_OK &&
		    dir_result_rate(ret) > dir_result_rate(&trials->best))
			trials->best = *ret;
		if (trials->interruptions++ == INTERRUPTIONS_MAX)
			return accept_best(peer, trials, ret);
		break;
	default:
		return r;
	}
	host_tell("pair %d/%d: %.300s; it is done again", peer->mtu.server,
		  peer->mtu.peer, err->text);
	return 1;
}

/* A test that others spoilt, or the line, says nothing of the pair: it is armed and run
 * again. */
static int measure(struct peer *peer, struct test_spec *spec, struct dir_result *ret,
		   struct err *err)
{
	struct trials trials = {.dir = spec->dir};
	int r;

	dir_result_init(&trials.best, TEST_ERROR, "%s", "");
	for (;;) {
		r = try_test(peer, spec, &trials, ret, err);
		r = judge_trial(peer, &trials, r, ret, err);
		if (r <= 0)
			return r;
		r = arm(peer, spec->kind == TEST_FULL_SIZE, err);
		if (r < 0)
			return r;
	}
}

static int op_measure(void *ctx, enum direction dir, struct dir_result *ret,
		      struct err *err)
{
	struct peer *peer = ctx;
	struct test_spec spec = {
		.dir = dir,
		.port = peer->config->iperf_port ? peer->config->iperf_port
						 : peer->hello.iperf_port,
	};
	/* The upload was armed with the pair. */
	int r = dir == DIR_DOWNLOAD ? arm(peer, false, err) : 0;

	if (r == 0)
		r = measure(peer, &spec, ret, err);
	peer->tested = r == 0 && dir == DIR_DOWNLOAD;
	return r;
}

int peer_measure_full_size(struct peer *peer, enum direction dir,
			   struct dir_result *ret, struct err *err)
{
	struct test_spec spec = {
		.kind = TEST_FULL_SIZE,
		.dir = dir,
		.port = peer->config->server_port,
		.packet_size = peer->mtu.peer,
	};
	int r = arm(peer, true, err);

	return r < 0 ? r : measure(peer, &spec, ret, err);
}

static int send_row(struct peer *peer, const struct measurement *m, struct err *err)
{
	struct msg_row row = {.row = *m};
	int64_t sent_at_ms = clock_boot_ms();
	int r;

	text_copy(row.session, sizeof(row.session), peer->session);
	r = client_row(peer->client, peer->run.uuid, &row,
		       peer_timeout_ms(peer, ROW_TIMEOUT_MS), err);
	if (r < 0)
		return r;
	peer_heard(peer, sent_at_ms);
	return store_acknowledge(peer->store, peer->run_id, m->seq, err);
}

/* No lost answer or session, but a no: once, until the server takes rows again. */
static void tell_refused(struct peer *peer, int r, const struct err *err)
{
	if (peer->rows_refused || !client_answered(peer->client) ||
	    peer_mendable(r) == -EAGAIN)
		return;
	peer->rows_refused = true;
	host_tell("%.300s; the rows that are not stored there are sent again",
		  err->text);
}

void peer_send_rows(struct peer *peer, int64_t limit_ms)
{
	int64_t deadline = clock_boot_ms() + limit_ms;
	struct err err = ERR_INIT;
	struct measurement m;
	uint32_t seq = 1;
	int r;

	while (store_next_unacknowledged(peer->store, peer->run_id, seq, &m, NULL) ==
		       0 &&
	       clock_boot_ms() < deadline) {
		/* The rest waits for the next row, or for the end of the run. */
		r = send_row(peer, &m, &err);
		if (r < 0) {
			tell_refused(peer, r, &err);
			return;
		}
		peer->rows_refused = false;
		seq = m.seq + 1;
	}
}

static bool never_met(const struct dir_result *result)
{
	return result->status == TEST_REFUSED || result->status == TEST_UNREACHABLE;
}

/* The control connection works, the tests' does not, at the very first pair: that is no
 * matter of MTUs, and would be the same at each. */
static int check_first(const struct peer *peer, const struct measurement *m,
		       struct err *err)
{
	if (m->seq > 1 || !peer->tested || peer->disturbed ||
	    !never_met(&m->dir[DIR_UPLOAD]) || !never_met(&m->dir[DIR_DOWNLOAD]))
		return 0;
	return err_set(
		err, -ECONNREFUSED,
		"no test reached TCP port %d of the server (%.100s): let it in on "
		"the tunnel's interface there",
		peer->hello.iperf_port, m->dir[DIR_UPLOAD].text);
}

static int op_record(void *ctx, const struct measurement *m, struct err *err)
{
	struct peer *peer = ctx;
	int r = store_record(peer->store, peer->run_id, m, err);

	if (r < 0)
		return r;
	peer_send_rows(peer, ROW_TIMEOUT_MS);
	return check_first(peer, m, err);
}

/* With an answer before either end's lease can have run out, the pair was in force all the
 * time: it does not kill the path. Who disturbs a test over and over is another matter. */
static int op_recover(void *ctx, struct err *err)
{
	struct peer *peer = ctx;
	int64_t in_force_until_ms =
		atomic_load(&peer->renewed_at) + peer->lease_ms * 9 / 10;
	bool lapsed = atomic_load(&peer->lapsed);
	int r = peer_connect(peer, peer->config->wait_ms, err);

	if (r < 0)
		return r;
	if (peer->blameless ||
	    (!lapsed && !peer->disturbed && clock_boot_ms() < in_force_until_ms))
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
	struct peer *peer = ctx;
	/* A smart plan goes on as long as it takes: what it has so far is no end. */
	bool open_ended = !peer->config->strategy->is_grid;
	/* With --resume the visits of before count, as they do at the server. */
	int before = (int)peer->resumed.count;
	struct progress_line line = {
		.mtu = p->visit.mtu,
		.doing = phase_text(p),
		.done = before + p->done,
		.total = open_ended ? 0 : before + p->total,
		.left_ms = open_ended ? NO_FIGURE : p->left_ms,
		.last = p->last,
	};

	peer->visits_left = open_ended ? NO_FIGURE : p->total - p->done;
	peer->left_ms = line.left_ms;
	if (p->phase == SWEEP_RECOVERING && p->why)
		host_tell("pair %d/%d interrupted, it will be measured again: %.300s",
			  p->visit.mtu.server, p->visit.mtu.peer, p->why);
	if (p->phase == SWEEP_RECORDED)
		progress_row(&line);
	else
		progress_update(&line);
}

int peer_set_pair(struct peer *peer, const struct mtu_pair *mtu, struct err *err)
{
	int r = op_apply(peer, mtu, err);

	return r < 0 ? r : set_there(peer, mtu->server, 0, err);
}

const struct sweep_ops peer_ops = {
	.apply = op_apply,
	.wait_path = op_wait_path,
	.measure = op_measure,
	.record = op_record,
	.recover = op_recover,
	.progress = op_progress,
};

#include "cmd/lead_ops.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/stop.h"
#include "base/text.h"
#include "cmd/progress.h"

/* One try of a request that is repeated anyway. */
#define ASK_TIMEOUT_MS 2000
#define ASK_AGAIN_MS   200
/* Arming waits up to 2 s for libiperf's server, on top of the way there and back. */
#define ARM_TIMEOUT_MS 3000
#define ROW_TIMEOUT_MS 2000

void lead_tell(const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	progress_clear();
	host_say(text);
}

void lead_warn(struct lead *lead, const char *text)
{
	if (!text[0])
		return;
	lead_tell("warning: %s", text);
	if (lead->run_id)
		store_warn(lead->store, lead->run_id, text, NULL);
}

static int timeout_ms(const struct lead *lead, int least_ms)
{
	return least_ms + (int)(client_rtt_us(lead->client) / 100);
}

/* No answer, rather than an answer that says no. */
static bool is_silence(int r)
{
	switch (-r) {
	case ETIMEDOUT:
	case ECONNREFUSED:
	case ECONNRESET:
	case EHOSTUNREACH:
	case ENETUNREACH:
	case ENETDOWN:
	case ENODEV:
	case EADDRNOTAVAIL:
		return true;
	default:
		return false;
	}
}

/* What the sweep makes of a request's failure: silence or a lost session can be mended.
 */
static int mendable(int r)
{
	return is_silence(r) || r == -ESTALE ? -EAGAIN : r;
}

/* --- the session --- */

/* So long without a yes that either end may have gone back by itself. */
static bool silent_too_long(const struct lead *lead)
{
	return clock_boot_ms() - atomic_load(&lead->renewed_at) >=
	       lead->lease_ms * 2 / 3;
}

static void on_renewed(void *ctx, int result, const struct err *err)
{
	struct lead *lead = ctx;

	(void)err;
	if (result == -ESTALE || silent_too_long(lead))
		atomic_store(&lead->lapsed, true);
	if (result < 0)
		return;
	atomic_store(&lead->renewed_at, clock_boot_ms());
	/* In step with the server's: when it is not heard of, this end goes back too.
	 */
	if (guard_renew(lead->guard, lead->lease_ms, NULL) < 0)
		atomic_store(&lead->lapsed, true);
}

static void client_config(const struct lead *lead, struct client_config *ret)
{
	memset(ret, 0, sizeof(*ret));
	text_copy(ret->interface, sizeof(ret->interface),
		  lead->config->options->interface);
	text_copy(ret->address, sizeof(ret->address), lead->config->server_ip);
	ret->port = lead->config->server_port;
	ret->stop_fd = stop_fd();
}

static int start_lease(struct lead *lead, struct err *err)
{
	struct lease_config config = {
		.lease_ms = lead->lease_ms,
		.renewed = on_renewed,
		.ctx = lead,
	};

	client_config(lead, &config.client);
	text_copy(config.session, sizeof(config.session), lead->session);
	lease_stop(lead->lease);
	lead->lease = NULL;
	atomic_store(&lead->renewed_at, clock_boot_ms());
	return lease_start(&config, &lead->lease, err);
}

static int check_hello(const struct lead *lead, const struct msg_hello *hello,
		       struct err *err)
{
	enum persist persist = (enum persist)lead->config->options->persist;

	if (persist != PERSIST_NONE && hello->persist != persist)
		return err_set(
			err, -EACCES,
			"the server was started with --persist %s, this end with "
			"--persist %s: start both with the same",
			persist_name(hello->persist), persist_name(persist));
	return 0;
}

static int try_connect(struct lead *lead, struct err *err)
{
	struct msg_open open = {
		.protocol = MSG_PROTOCOL,
		.lease_ms = lead->config->options->lease_ms,
	};
	struct msg_opened opened;
	int r = client_hello(lead->client, ASK_TIMEOUT_MS, &lead->hello, err);

	if (r == 0)
		r = check_hello(lead, &lead->hello, err);
	if (r < 0)
		return r;
	/* The server's lattice is the server's to say. */
	lead->run.server_range = lead->hello.range;
	open.run = lead->run;
	r = client_open(lead->client, &open, timeout_ms(lead, ASK_TIMEOUT_MS), &opened,
			err);
	if (r < 0)
		return r;
	text_copy(lead->session, sizeof(lead->session), opened.session);
	lead->lease_ms = opened.lease_ms;
	lead->run.server = opened.server;
	return start_lease(lead, err);
}

static void tell_waiting(const struct lead *lead, int r, const struct err *err,
			 int64_t wait_ms)
{
	if (r == -EBUSY)
		lead_tell("waiting up to %lld s: %.300s", (long long)(wait_ms / 1000),
			  err->text);
	else
		lead_tell("waiting up to %lld s for mtusweep-server at %s port %d "
			  "(%.200s)",
			  (long long)(wait_ms / 1000), lead->config->server_ip,
			  lead->config->server_port, err->text);
}

static int no_server(const struct lead *lead, int r, int64_t wait_ms, struct err *err)
{
	struct err why = *err;

	return err_set(
		err, r,
		"no answer from mtusweep-server at %s port %d within %lld s "
		"(%.120s): start it there, and let TCP port %d in on the tunnel's "
		"interface",
		lead->config->server_ip, lead->config->server_port,
		(long long)(wait_ms / 1000), why.text, lead->config->server_port);
}

int lead_connect(struct lead *lead, int64_t wait_ms, struct err *err)
{
	int64_t deadline = clock_boot_ms() + wait_ms;
	bool told = false;

	for (;;) {
		int r = try_connect(lead, err);

		if (r == 0 || r == -EINTR || (!is_silence(r) && r != -EBUSY))
			return r;
		if (clock_boot_ms() >= deadline)
			return r == -EBUSY ? r : no_server(lead, r, wait_ms, err);
		if (!told)
			tell_waiting(lead, r, err, wait_ms);
		told = true;
		r = io_wait(-1, stop_fd(), clock_boot_ms() + ASK_AGAIN_MS);
		if (r < 0)
			return r;
	}
}

/* --- what the sweep does to the world --- */

static int set_here(struct lead *lead, int mtu, struct err *err)
{
	int r = guard_set(lead->guard, mtu, lead->lease_ms, err);

	if (r == -ENETDOWN || r == -ENODEV)
		return -EAGAIN;
	if (r < 0)
		return r == -ESTALE ? -EBADE : r;
	r = guard_settle(lead->guard, err);
	if (r == -EPIPE)
		return r;
	if (r < 0 && !lead->settle_warned) {
		lead->settle_warned = true;
		lead_warn(lead, err->text);
	}
	return 0;
}

static int set_there(struct lead *lead, int mtu, uint32_t test, struct err *err)
{
	struct msg_pair pair = {
		.mtu = mtu,
		.test = test,
		.duration_ms = lead->config->duration_ms,
		.rtt_us = client_rtt_us(lead->client),
	};
	int r;

	text_copy(pair.session, sizeof(pair.session), lead->session);
	r = client_pair(lead->client, &pair, timeout_ms(lead, ARM_TIMEOUT_MS), err);
	if (r == 0) {
		atomic_store(&lead->renewed_at, clock_boot_ms());
		if (err)
			lead_warn(lead, err->text);
	}
	return mendable(r);
}

static int op_apply(void *ctx, const struct mtu_pair *mtu, struct err *err)
{
	struct lead *lead = ctx;

	lead->mtu = *mtu;
	atomic_store(&lead->lapsed, false);
	return set_here(lead, mtu->peer, err);
}

/*
 * The request that sets the server's MTU and arms the upload is also the probe: it went
 * out with this end's new MTU, and its answer came back with the server's, through the
 * queues that the last test may have filled.
 */
static int op_wait_path(void *ctx, struct err *err)
{
	struct lead *lead = ctx;

	return set_there(lead, lead->mtu.server, ++lead->test, err);
}

static int arm_download(struct lead *lead, struct err *err)
{
	struct msg_arm arm = {
		.test = ++lead->test,
		.duration_ms = lead->config->duration_ms,
		.rtt_us = client_rtt_us(lead->client),
	};

	text_copy(arm.session, sizeof(arm.session), lead->session);
	return mendable(
		client_arm(lead->client, &arm, timeout_ms(lead, ARM_TIMEOUT_MS), err));
}

/* After a lapse the figures may be another pair's: both ends go back by themselves. */
static int check_lease(const struct lead *lead, struct err *err)
{
	if (!atomic_load(&lead->lapsed) && !silent_too_long(lead))
		return 0;
	return err_set(err, -EAGAIN, "the server was not heard of for %lld s or more",
		       (long long)(lead->lease_ms * 2 / 3 / 1000));
}

static int op_measure(void *ctx, enum direction dir, struct dir_result *ret,
		      struct err *err)
{
	struct lead *lead = ctx;
	const struct lead_config *config = lead->config;
	struct test_spec spec = {
		.role = ROLE_CLIENT,
		.dir = dir,
		.port = config->iperf_port ? config->iperf_port
					   : lead->hello.iperf_port,
		.duration_ms = config->duration_ms,
	};
	int r = dir == DIR_DOWNLOAD ? arm_download(lead, err) : 0;

	if (r < 0)
		return r;
	spec.id = lead->test;
	spec.rtt_us = client_rtt_us(lead->client);
	text_copy(spec.interface, sizeof(spec.interface), config->options->interface);
	text_copy(spec.local, sizeof(spec.local), config->local);
	text_copy(spec.remote, sizeof(spec.remote), config->server_ip);
	r = runner_measure(lead->runner, &spec, stop_fd(), ret, err);
	return r < 0 ? r : check_lease(lead, err);
}

static int send_row(struct lead *lead, const struct measurement *m, struct err *err)
{
	struct msg_row row = {.row = *m};
	int r;

	text_copy(row.session, sizeof(row.session), lead->session);
	r = client_row(lead->client, lead->run.uuid, &row,
		       timeout_ms(lead, ROW_TIMEOUT_MS), err);
	return r < 0 ? r : store_acknowledge(lead->store, lead->run_id, m->seq, err);
}

void lead_send_rows(struct lead *lead, int64_t limit_ms)
{
	int64_t deadline = clock_boot_ms() + limit_ms;
	struct measurement m;
	uint32_t seq = 1;

	while (store_next_unacknowledged(lead->store, lead->run_id, seq, &m, NULL) ==
		       0 &&
	       clock_boot_ms() < deadline) {
		/* The rest waits for the next row, or for the end of the run. */
		if (send_row(lead, &m, NULL) < 0)
			return;
		seq = m.seq + 1;
	}
}

static int op_record(void *ctx, const struct measurement *m, struct err *err)
{
	struct lead *lead = ctx;
	int r = store_record(lead->store, lead->run_id, m, err);

	if (r == 0)
		lead_send_rows(lead, ROW_TIMEOUT_MS);
	return r;
}

static int op_recover(void *ctx, struct err *err)
{
	struct lead *lead = ctx;

	return lead_connect(lead, lead->config->wait_ms, err);
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
	struct progress_line line = {
		.mtu = p->visit.mtu,
		.doing = phase_text(p),
		.done = p->done,
		.total = p->total,
		.left_ms = p->left_ms,
		.last = p->last,
	};

	(void)ctx;
	if (p->phase == SWEEP_RECOVERING && p->why)
		lead_tell("pair %d/%d interrupted: %.300s", p->visit.mtu.server,
			  p->visit.mtu.peer, p->why);
	if (p->phase == SWEEP_RECORDED)
		progress_row(&line);
	else
		progress_update(&line);
}

int lead_set_pair(struct lead *lead, const struct mtu_pair *mtu, struct err *err)
{
	int r = set_here(lead, mtu->peer, err);

	return r < 0 ? r : set_there(lead, mtu->server, 0, err);
}

const struct sweep_ops lead_ops = {
	.apply = op_apply,
	.wait_path = op_wait_path,
	.measure = op_measure,
	.record = op_record,
	.recover = op_recover,
	.progress = op_progress,
};

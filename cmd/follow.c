#include "cmd/follow.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/stop.h"
#include "base/text.h"
#include "cmd/progress.h"
#include "engine/iperf_test.h"
#include "engine/runner.h"
#include "netctl/guard.h"
#include "netctl/rtroute.h"
#include "store/store.h"
#include "sync/endpoint.h"
#include "sync/sockets.h"

/*
 * Operations run in the endpoint's threads, one at a time but for renew and hello; what
 * they share with those two and with the main thread is atomic or locks by itself.
 */
struct follow {
	const struct follow_config *config;
	struct guard *guard;
	struct runner *runner;
	struct store *store;
	struct endpoint *endpoint;
	struct end_facts facts;  /* of this end, without the endpoint's family */
	char peer[ADDRESS_SIZE]; /* of the session */
	int64_t run_id;          /* 0 while there is none */
	int rows;                /* of this run, received */
	int planned;
	int64_t lease_ms;          /* in force */
	_Atomic int64_t lease_now; /* the same, for renew */
	_Atomic bool session_open;
	_Atomic bool completed; /* a run closed as done */
	int wake_fd;            /* eventfd: the main thread looks again */
};

static void tell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void tell(const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	progress_clear();
	host_say(text);
}

static void wake(const struct follow *f)
{
	uint64_t one = 1;

	if (write(f->wake_fd, &one, sizeof(one)) < 0)
		return;
}

/* --- what a peer may ask --- */

static void op_hello(void *ctx, struct msg_hello *ret)
{
	struct follow *f = ctx;

	memset(ret, 0, sizeof(*ret));
	ret->protocol = MSG_PROTOCOL;
	ret->server = f->facts;
	ret->range = f->config->options->range;
	ret->iperf_port = f->config->iperf_port;
	ret->persist = (enum persist)f->config->options->persist;
}

/* Another path than the tunnel would be measured, and its owner obeyed. */
static int check_way(const struct follow *f, const char *address, struct err *err)
{
	struct rtroute route;
	int r = rtroute_get(address, &route, err);

	if (r < 0)
		return r;
	if (strcmp(route.oif_name, f->config->options->interface) != 0)
		return err_set(
			err, -EACCES,
			"packets from the server to %s leave by '%s', not by '%s'",
			address, route.oif_name, f->config->options->interface);
	if (route.mtu)
		err_set(err, 0,
			"the server's route to %s has an MTU of its own, %d, which "
			"overrides the interface's",
			address, route.mtu);
	return 0;
}

static int check_persist(const struct follow *f, enum persist asked, struct err *err)
{
	enum persist ours = (enum persist)f->config->options->persist;

	if (asked == PERSIST_NONE || asked == ours)
		return 0;
	return err_set(
		err, -EACCES,
		"the server was started with --persist %s, the peer with --persist "
		"%s: start both with the same",
		persist_name(ours), persist_name(asked));
}

/* What the last session left, if its peer never closed it. */
static void leave_run(struct follow *f, enum run_outcome outcome, const char *text)
{
	struct err err = ERR_INIT;

	runner_cancel(f->runner, NULL);
	if (guard_restore(f->guard, &err) < 0)
		tell("%s", err.text);
	if (f->run_id && store_end_run(f->store, f->run_id, outcome, text, &err) < 0)
		tell("%s", err.text);
	f->run_id = 0;
	atomic_store(&f->session_open, false);
}

static int op_open(void *ctx, const struct msg_open *m, const char *address,
		   bool resumed, struct end_facts *ret, struct err *err)
{
	struct follow *f = ctx;
	struct run_info run = m->run;
	struct guard_facts facts = {0};
	struct err warning = ERR_INIT;
	int r = check_way(f, address, &warning);

	if (r < 0)
		return err_set(err, r, "%s", warning.text);
	r = check_persist(f, m->run.persist, err);
	if (r == 0)
		r = guard_get_facts(f->guard, address, &facts, err);
	if (r < 0)
		return r;
	*ret = f->facts;
	ret->link_mtu = facts.mtu;
	ret->endpoint_family = facts.endpoint_family;
	run.server = *ret;
	run.server_range = f->config->options->range;
	text_copy(run.peer.address, sizeof(run.peer.address), address);
	r = store_begin_run(f->store, &run, "server", NULL, &f->run_id, err);
	if (r < 0)
		return r;
	text_copy(f->peer, sizeof(f->peer), address);
	f->lease_ms = m->lease_ms;
	atomic_store(&f->lease_now, m->lease_ms);
	atomic_store(&f->session_open, true);
	if (!resumed)
		f->rows = 0;
	f->planned = mtu_range_count(&run.server_range) *
		     mtu_range_count(&run.peer_range) * run.passes;
	tell("%s %s (%s), run %lld", resumed ? "again" : "session of", address,
	     m->run.peer.host, (long long)f->run_id);
	if (warning.text[0]) {
		store_warn(f->store, f->run_id, warning.text, NULL);
		err_set(err, 0, "%s", warning.text);
	}
	return 0;
}

static int arm(struct follow *f, uint32_t test, int64_t duration_ms, int64_t rtt_us,
	       struct err *err)
{
	struct test_spec spec = {
		.id = test,
		.role = ROLE_SERVER,
		.port = f->config->iperf_port,
		.duration_ms = duration_ms,
		.rtt_us = rtt_us,
	};

	text_copy(spec.interface, sizeof(spec.interface),
		  f->config->options->interface);
	text_copy(spec.local, sizeof(spec.local), f->config->address);
	text_copy(spec.remote, sizeof(spec.remote), f->peer);
	return runner_arm(f->runner, &spec, err);
}

static int op_pair(void *ctx, const struct msg_pair *m, struct err *err)
{
	struct follow *f = ctx;
	struct err warning = ERR_INIT;
	int r;

	runner_cancel(f->runner, NULL);
	r = guard_set(f->guard, m->mtu, f->lease_ms, err);
	/* The peer knows -ESTALE as "no such session"; this one is not mended by a new
	 * one. */
	if (r < 0)
		return r == -ESTALE ? -EBADE : r;
	r = guard_settle(f->guard, &warning);
	if (r == -EPIPE)
		return err_set(err, r, "%s", warning.text);
	if (r < 0)
		store_warn(f->store, f->run_id, warning.text, NULL);
	if (m->test) {
		int armed = arm(f, m->test, m->duration_ms, m->rtt_us, err);

		if (armed < 0)
			return armed;
	}
	return r < 0 ? err_set(err, 0, "the server: %.300s", warning.text) : 0;
}

static int op_arm(void *ctx, const struct msg_arm *m, struct err *err)
{
	return arm(ctx, m->test, m->duration_ms, m->rtt_us, err);
}

static int op_row(void *ctx, const struct measurement *m, struct err *err)
{
	struct follow *f = ctx;
	struct progress_line line = {
		.mtu = m->mtu,
		.doing = "recorded",
		.total = f->planned,
		.left_ms = NO_FIGURE,
		.last = m,
	};
	int r = store_record(f->store, f->run_id, m, err);

	if (r < 0)
		return r;
	f->rows = (int)m->seq;
	line.done = f->rows;
	progress_row(&line);
	return 0;
}

static int op_renew(void *ctx, struct err *err)
{
	struct follow *f = ctx;

	/* -ESTALE, when the guard went back by itself, is for the peer to know. */
	return guard_renew(f->guard, atomic_load(&f->lease_now), err);
}

static int op_commit(void *ctx, struct err *err)
{
	struct follow *f = ctx;
	int r = guard_commit(f->guard, err);

	if (r == 0)
		tell("the pair is kept, in the conf file too");
	return r == -ESTALE ? -EBADE : r;
}

static int op_close(void *ctx, enum run_outcome outcome, const char *text,
		    struct err *err)
{
	struct follow *f = ctx;

	(void)err;
	tell("run %lld of %s ended: %s%s%.300s, %d rows", (long long)f->run_id, f->peer,
	     run_outcome_name(outcome), text[0] ? ": " : "", text, f->rows);
	leave_run(f, outcome, text);
	if (outcome == RUN_DONE)
		atomic_store(&f->completed, true);
	wake(f);
	return 0;
}

static void op_expired(void *ctx)
{
	struct follow *f = ctx;

	tell("%s was not heard of for %lld s: its session is ended", f->peer,
	     (long long)(f->lease_ms / 1000));
	leave_run(f, RUN_INTERRUPTED, "the peer was not heard of any more");
}

static const struct endpoint_ops follow_ops = {
	.hello = op_hello,
	.open = op_open,
	.pair = op_pair,
	.arm = op_arm,
	.row = op_row,
	.renew = op_renew,
	.commit = op_commit,
	.close = op_close,
	.expired = op_expired,
};

/* --- the process --- */

/* That nobody else has the port of the tests shows now, not at the first pair. */
static int check_iperf_port(const struct follow_config *config, struct err *err)
{
	struct err why = ERR_INIT;
	int r = sockets_try_listen(config->address, config->iperf_port, true, &why);

	return r < 0 ? err_set(err, r, "the tests' port (--iperf-port): %.300s",
			       why.text)
		     : 0;
}

static int open_all(struct follow *f, int guard_socket, int runner_socket,
		    struct err *err)
{
	const struct follow_config *config = f->config;
	struct endpoint_config endpoint = {
		.address = config->address,
		.port = config->port,
		.lease_max_ms = config->options->lease_ms,
		.ops = &follow_ops,
		.ctx = f,
	};
	char versions[sizeof(f->facts.versions)];
	int r;

	snprintf(versions, sizeof(versions),
		 "mtusweep " MTUSWEEP_VERSION ", libiperf %s, civetweb %s, sqlite %s",
		 iperf_test_version(), endpoint_library_version(),
		 store_library_version());
	host_facts(config->host, versions, &f->facts);
	text_copy(f->facts.address, sizeof(f->facts.address), config->address);
	f->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (f->wake_fd < 0)
		return err_sys(err, errno, "cannot make an eventfd");
	r = guard_new(guard_socket, &f->guard, err);
	if (r == 0)
		r = runner_new(runner_socket, &f->runner, err);
	if (r == 0)
		r = check_iperf_port(config, err);
	if (r == 0)
		r = store_open(config->options->db, &f->store, err);
	if (r == 0)
		r = endpoint_new(&endpoint, &f->endpoint, err);
	return r;
}

/* Until told to stop (-EINTR), done with --once (0), or the guard is gone (-EPIPE). */
static int serve(struct follow *f, struct err *err)
{
	struct pollfd polled[] = {
		{.fd = stop_fd(), .events = POLLIN},
		{.fd = guard_fd(f->guard), .events = 0},
		{.fd = endpoint_fd(f->endpoint), .events = POLLIN},
		{.fd = f->wake_fd, .events = POLLIN},
	};

	for (;;) {
		uint64_t value;

		if (poll(polled, 4, endpoint_tick(f->endpoint)) < 0 && errno != EINTR)
			return err_sys(err, errno, "cannot wait for events");
		if (polled[0].revents)
			return err_set(err, -EINTR, "stopped by %s",
				       stop_signal() ? strsignal(stop_signal())
						     : "request");
		if (polled[1].revents & (POLLHUP | POLLERR))
			return err_set(err, -EPIPE, "the guard process is gone");
		if (polled[3].revents && read(f->wake_fd, &value, sizeof(value)) < 0)
			continue;
		if (f->config->once && atomic_load(&f->completed))
			return 0;
	}
}

/* A run cut short here is a failure; a server that is told to stop between runs is not.
 */
static int end(struct follow *f, int r, struct err *err)
{
	bool cut = atomic_load(&f->session_open);

	endpoint_free(f->endpoint);
	f->endpoint = NULL;
	if (cut && f->run_id) {
		int rows = f->rows;

		leave_run(f, RUN_INTERRUPTED, err->text);
		tell("%s in the middle of a run: this end has its MTU back, %d rows "
		     "are "
		     "kept in '%s'",
		     err->text, rows, f->config->options->db);
		return 1;
	}
	if (r < 0)
		tell("%s", err->text);
	return r == 0 || (r == -EINTR && !f->config->once) ? 0 : 1;
}

static void close_all(struct follow *f)
{
	struct err err = ERR_INIT;

	endpoint_free(f->endpoint);
	if (store_close(f->store, &err) < 0)
		tell("%s", err.text);
	runner_free(f->runner);
	guard_free(f->guard);
	fd_close(&f->wake_fd);
}

int follow_main(void *ctx, int guard_socket, int runner_socket)
{
	struct follow f = {.config = ctx, .wake_fd = -1};
	struct err err = ERR_INIT;
	int status = 1;
	int r;

	signal(SIGTTOU, SIG_IGN);
	if (stop_install() < 0)
		return 1;
	r = open_all(&f, guard_socket, runner_socket, &err);
	if (r < 0) {
		tell("%s", err.text);
	} else {
		tell("waiting for a peer on %s port %d, interface '%s', MTUs %d to %d "
		     "by %d",
		     f.config->address, f.config->port, f.config->options->interface,
		     f.config->options->range.min, f.config->options->range.max,
		     f.config->options->range.step);
		status = end(&f, serve(&f, &err), &err);
	}
	close_all(&f);
	return status;
}

/* SPDX-License-Identifier: MIT */
#include "cmd/server/server.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/notify.h"
#include "base/stop.h"
#include "base/text.h"
#include "cmd/host/host_conf.h"
#include "cmd/server/server_ops.h"
#include "engine/iperf_test.h"
#include "sync/sockets.h"

/* The longest lease that a peer gets from a server that was started without --lease. */
#define LEASE_UNASKED_MAX_MS 60000
/* How long a server that is told to stop waits for its peer: beside a test or a probe a
 * peer asks every LEASE_BEAT_MS, else sooner. */
#define STOP_TELL_MS 2000
/* How long a server that is done waits for readers of its page. */
#define READERS_WAIT_MS 5000

/* Detect now, not at the first pair, that another program has the port of the tests. */
static int check_iperf_port(const struct server_config *config, struct err *err)
{
	struct err why = ERR_INIT;
	int r = sockets_try_listen(config->address, config->iperf_port,
				   config->options->interface, &why);

	return r < 0 ? err_set(err, r, "the tests' port (--iperf-port): %.300s",
			       why.text)
		     : 0;
}

/* Without --lease here the peer decides: it measures how slow the path is. */
static int64_t lease_max_ms(const struct host_options *options)
{
	return options->lease_given ? options->lease_ms : LEASE_UNASKED_MAX_MS;
}

static int serve_endpoint(struct server *f, const struct endpoint_config *config,
			  struct err *err)
{
	struct err why = ERR_INIT;
	int r = endpoint_new(config, &f->endpoint, &why);

	if (r == -EADDRINUSE)
		return err_set(err, r,
			       "%.250s; give another port with --server-port, at both "
			       "ends",
			       why.text);
	return r < 0 ? err_set(err, r, "%s", why.text) : 0;
}

const char *server_libraries(void)
{
	static char text[64];

	snprintf(text, sizeof(text), "libiperf %s, civetweb %s, sqlite %s",
		 iperf_test_version(), endpoint_library_version(),
		 store_library_version());
	return text;
}

static int open_all(struct server *f, int guard_socket, int runner_socket,
		    struct err *err)
{
	const struct server_config *config = f->config;
	struct endpoint_config endpoint = {
		.address = config->address,
		.interface = config->options->interface,
		.port = config->port,
		.lease_max_ms = lease_max_ms(config->options),
		.ops = &server_ops,
		.ctx = f,
	};
	char versions[sizeof(f->facts.versions)];
	int r;

	snprintf(versions, sizeof(versions), "mtusweep " MTUSWEEP_VERSION ", %s",
		 server_libraries());
	host_facts(config->host, versions, &f->facts);
	text_copy(f->facts.address, sizeof(f->facts.address), config->address);
	f->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (f->wake_fd < 0)
		return err_sys(err, errno, "cannot make an eventfd");
	r = guard_new(guard_socket, &f->guard, err);
	if (r == 0)
		r = runner_new(runner_socket, &f->runner, err);
	if (r == 0)
		r = rtwatch_new(config->options->interface, &f->watch, err);
	if (r == 0)
		r = check_iperf_port(config, err);
	if (r == 0)
		r = store_open(config->options->db, &f->store, err);
	if (r == 0)
		r = store_check_secrets(f->store, err);
	if (r == 0)
		store_set_patience(f->store, SERVER_PATIENCE_MS);
	if (r == 0)
		r = live_new(config->options->db, &f->page.live, err);
	if (r == 0)
		r = serve_endpoint(f, &endpoint, err);
	return r;
}

/* True if a run is over in the sense of --once. */
static bool is_over(const struct server *f)
{
	int64_t farewell_by_ms = atomic_load(&f->farewell_by_ms);

	return atomic_load(&f->completed) ||
	       (farewell_by_ms && clock_boot_ms() >= farewell_by_ms);
}

/* The sooner of two times in ms; -1: never. */
static int sooner(int a_ms, int b_ms)
{
	return a_ms < 0 || (b_ms >= 0 && b_ms < a_ms) ? b_ms : a_ms;
}

/* How long serve_peers() may sleep; -1: until something happens. */
static int sleep_ms(const struct server *f)
{
	int64_t farewell_by_ms = atomic_load(&f->farewell_by_ms);
	int ms = sooner(endpoint_tick(f->endpoint), notify_watchdog_ms());

	if (!f->config->once || !farewell_by_ms)
		return ms;
	return sooner(ms, clock_left_ms(farewell_by_ms));
}

/* Until told to stop (-EINTR), done with --once (0), or the guard is gone (-EPIPE). */
static int serve_peers(struct server *f, struct err *err)
{
	struct pollfd polled[] = {
		{.fd = stop_fd(), .events = POLLIN},
		{.fd = guard_fd(f->guard), .events = 0},
		{.fd = endpoint_fd(f->endpoint), .events = POLLIN},
		{.fd = f->wake_fd, .events = POLLIN},
	};

	for (;;) {
		uint64_t value;

		if (poll(polled, 4, sleep_ms(f)) < 0 && errno != EINTR)
			return err_sys(err, errno, "cannot wait for events");
		if (notify_watchdog_ms() >= 0)
			notify_send("WATCHDOG=1");
		if (polled[0].revents)
			return err_set(err, -EINTR, "%s", stop_reason());
		if (polled[1].revents & (POLLHUP | POLLERR))
			return err_set(err, -EPIPE, "the guard process is gone");
		if (polled[3].revents && read(f->wake_fd, &value, sizeof(value)) < 0)
			continue;
		if (f->config->once && is_over(f))
			return 0;
	}
}

const char *server_kept_in(const struct server *f)
{
	return host_kept_in(f->by_route, host_is_live_only(f->config->host));
}

/* Return the exit status of a stop during a session. If the pair is applied, the peer
 * had only to close the session. */
static int leave_session(struct server *f, const char *why)
{
	bool kept = f->committed_mtu != 0;
	bool probe = !f->measures;
	struct err here = ERR_INIT;
	int rows = f->rows;

	server_leave_run(f, kept ? RUN_DONE : RUN_INTERRUPTED, kept ? "" : why, &here);
	if (kept)
		err_set(&here, 0, "MTU %d is applied, in %s", f->committed_mtu,
			server_kept_in(f));
	else if (!here.text[0])
		err_set(&here, 0, "as before the run");
	if (probe)
		host_tell("%s during a probe; this end: %.250s", why, here.text);
	else
		host_tell("%s %s of a run; this end: %.250s; %d row%s stored in '%s'",
			  why, kept ? "at the end" : "in the middle", here.text, rows,
			  rows == 1 ? " is" : "s are", f->config->options->db);
	return kept ? 0 : 1;
}

void server_stopping(void *ctx)
{
	struct server *f = ctx;

	/* The peer's test ends with it. */
	runner_cancel(f->runner, NULL);
	server_end_probe(f);
}

/* Wait until the session's peer, which is told by its next answer, has restored its own
 * MTU and closed the session. A peer that cannot be reached restores when its lease
 * ends. */
static void tell_peer(struct server *f, const char *why)
{
	int64_t until_ms;
	struct pollfd polled[] = {
		{.fd = f->wake_fd, .events = POLLIN},
		{.fd = guard_fd(f->guard), .events = 0},
	};
	uint64_t value;

	endpoint_stop(f->endpoint, why);
	until_ms = clock_boot_ms() + STOP_TELL_MS;
	while (atomic_load(&f->session_open) && clock_left_ms(until_ms) > 0) {
		if (poll(polled, 2, clock_left_ms(until_ms)) < 0 && errno != EINTR)
			return;
		if (polled[1].revents)
			return;
		if (polled[0].revents && read(f->wake_fd, &value, sizeof(value)) < 0)
			continue;
	}
}

/* With --once: a page that is open shows how the run ended. */
static void await_readers(struct server *f)
{
	int64_t until_ms = clock_boot_ms() + READERS_WAIT_MS;
	struct pollfd polled[] = {
		{.fd = f->wake_fd, .events = POLLIN},
		{.fd = guard_fd(f->guard), .events = 0},
		{.fd = stop_fd(), .events = POLLIN},
	};
	uint64_t value;
	int wait_ms;

	endpoint_stop(f->endpoint, "the run has ended, and with --once the server too");
	while ((wait_ms = server_readers_ms(f)) > 0 && clock_left_ms(until_ms) > 0) {
		if (clock_left_ms(until_ms) < wait_ms)
			wait_ms = clock_left_ms(until_ms);
		if (poll(polled, 3, wait_ms) < 0 && errno != EINTR)
			return;
		if (polled[1].revents || polled[2].revents)
			return;
		if (polled[0].revents && read(f->wake_fd, &value, sizeof(value)) < 0)
			continue;
	}
}

/* The peer has closed the session in time; return the exit status. */
static int leave_closed(const struct server *f, const char *why)
{
	bool kept = f->committed_mtu != 0;

	host_tell("%s; the peer was told, and its run has ended; %d row%s stored in "
		  "'%s'",
		  why, f->rows, f->rows == 1 ? " is" : "s are", f->config->options->db);
	return kept ? 0 : 1;
}

/* A run cut short here is a failure; a server that is told to stop between runs is not.
 */
static int end_server(struct server *f, int r, struct err *err)
{
	bool cut = atomic_load(&f->session_open);

	notify_send("STOPPING=1");
	/* After a death the peer waits for the next server. */
	if (cut && r == -EINTR && stop_signal() != STOP_SIGNAL_DEATH)
		tell_peer(f, err->text);
	else if (r == 0)
		await_readers(f);
	endpoint_free(f->endpoint);
	f->endpoint = NULL;
	if (atomic_load(&f->session_open))
		return leave_session(f, err->text);
	if (cut)
		return leave_closed(f, err->text);
	if (r < 0)
		host_tell("%s", err->text);
	return r == 0 || (r == -EINTR && !f->config->once) ? 0 : 1;
}

static void close_all(struct server *f)
{
	struct err err = ERR_INIT;

	endpoint_free(f->endpoint);
	live_free(f->page.live);
	server_metrics_release(&f->metrics);
	if (store_close(f->store, &err) < 0)
		host_tell("%s", err.text);
	rtwatch_free(f->watch);
	runner_free(f->runner);
	guard_free(f->guard);
	fd_close(&f->wake_fd);
}

static void tell_waiting(const struct server *f)
{
	const struct host_options *options = f->config->options;
	const struct mtu_range *range = &options->range;
	const struct mtu_range *allowed = &f->config->host->guard.bounds.range;
	char mtus[64];

	/* Without a grid the peer chooses among all allowed MTUs. */
	if (host_options_have_range())
		snprintf(mtus, sizeof(mtus), "%d to %d by %d", range->min, range->max,
			 range->step);
	else
		snprintf(mtus, sizeof(mtus), "%d to %d", f->config->host->usual_min,
			 allowed->max);
	host_tell("waiting for a peer on %s port %d, interface '%s', MTUs %s",
		  f->config->address, f->config->port, options->interface, mtus);
}

int server_main(void *ctx, int guard_socket, int runner_socket)
{
	struct server f = {
		.config = ctx,
		.wake_fd = -1,
		.watch_lock = PTHREAD_MUTEX_INITIALIZER,
		.now = {.lock = PTHREAD_MUTEX_INITIALIZER},
		.readers = {.lock = PTHREAD_MUTEX_INITIALIZER},
	};
	struct err err = ERR_INIT;
	int status = 1;
	int r;

	if (f.config->alone)
		return alone_main(&f.config->one_end, guard_socket, runner_socket);
	signal(SIGTTOU, SIG_IGN);
	if (stop_install() < 0)
		return 1;
	r = open_all(&f, guard_socket, runner_socket, &err);
	if (r < 0) {
		host_tell("%s", err.text);
	} else {
		tell_waiting(&f);
		notify_send("READY=1");
		status = end_server(&f, serve_peers(&f, &err), &err);
	}
	close_all(&f);
	return status;
}

/* SPDX-License-Identifier: MIT */
#include "cmd/alone/alone_iperf.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/stop.h"
#include "base/text.h"
#include "cmd/alone/alone_apply.h"
#include "cmd/alone/alone_ask.h"
#include "engine/runner.h"
#include "netctl/rtwatch.h"

/* Between two attempts at a busy server, each of which connects several times. The first
 * pause is short: a server between two tests is away for a moment. */
#define FIRST_PAUSE_MS 200
#define BUSY_PAUSE_MS  2000
/* Repetitions of a test that failed by neither the path nor the server's being away, or
 * whose data stood still for so long, as when the line is down. */
#define UNSOUND_MAX 2
#define STALL_MS    1000
/* A small echo that shows that the line is there, and the time for its answer: a queue may
 * be on the way. */
#define ALIVE_SIZE 100
#define ALIVE_MS   2500

int alone_iperf_begin(struct alone *alone, struct alone_iperf *ret, struct err *err)
{
	const struct alone_config *config = alone->config;
	struct test_spec *spec = &ret->spec;

	*ret = (struct alone_iperf){.alone = alone};
	*spec = (struct test_spec){
		.kind = TEST_THROUGHPUT,
		.role = ROLE_CLIENT,
		.port = config->iperf.port ? config->iperf.port : ALONE_IPERF_PORT,
		.duration_ms = config->duration_ms,
		.precision = config->precision,
		.rtt_us = alone->rtt_us,
		/* How long it is tried again is decided here. */
		.first = true,
	};
	text_copy(spec->interface, sizeof(spec->interface), config->options->interface);
	text_copy(spec->local, sizeof(spec->local), config->iperf.local);
	text_copy(spec->remote, sizeof(spec->remote), config->iperf.address);
	if (config->congestion)
		text_copy(spec->congestion, sizeof(spec->congestion),
			  config->congestion);
	return rtwatch_new(config->options->interface, &ret->watch, err);
}

void alone_iperf_end(struct alone_iperf *iperf)
{
	rtwatch_free(iperf->watch);
	iperf->watch = NULL;
}

int64_t alone_iperf_lease_ms(const struct alone_iperf *iperf)
{
	return testspec_deadline_ms(&iperf->spec) + LEASE_MIN_MS + 2 * BUSY_PAUSE_MS;
}

/* True if the server makes no test now, but may soon. One that is between two tests, or has
 * another client, may also reset the connection. */
static bool is_away(const struct alone_iperf *iperf, const struct dir_result *result)
{
	return result->status == TEST_REFUSED ||
	       (result->status == TEST_UNREACHABLE && iperf->met) ||
	       (result->status == TEST_ERROR &&
		(strstr(result->text, strerror(ECONNRESET)) ||
		 /* libiperf's word for a server that was told to end */
		 strstr(result->text, "server has terminated")));
}

/* True if the result tells of the server, not of the path. */
static bool made_no_test(const struct alone_iperf *iperf,
			 const struct dir_result *result)
{
	return is_away(iperf, result) || result->status == TEST_UNREACHABLE ||
	       (result->status == TEST_ERROR && !iperf->met);
}

/* -ENETDOWN: the link is down or was, and the MTU may have been restored. */
static int renew_lease(struct alone_iperf *iperf, struct err *err)
{
	int r = guard_renew(iperf->alone->guard, alone_iperf_lease_ms(iperf), err);

	return r == -ENODEV || r == -ESTALE ? -ENETDOWN : r;
}

static bool is_unsound(const struct alone_iperf *iperf, const struct dir_result *result)
{
	int64_t stall_ms = STALL_MS + 4 * iperf->spec.rtt_us / 1000;

	return (result->status == TEST_ERROR && iperf->met) ||
	       (result->status == TEST_OK &&
		runner_stalled_ms(iperf->alone->runner) >= stall_ms);
}

/* Data that does not arrive tells of its size only if small packets do. -ENETDOWN: they do
 * not; 0 also where no echoes are answered. */
static int check_line(const struct alone_iperf *iperf, struct err *err)
{
	struct echo echo = ECHO_CLOSED;
	int r;

	if (!iperf->alone->echoes)
		return 0;
	r = alone_ask_open(iperf->alone, ECHO_PLAIN, &echo, err);
	if (r < 0)
		return r;
	r = alone_apply_prove(&echo, ALIVE_SIZE,
			      clock_boot_ms() + ALIVE_MS +
				      8 * iperf->spec.rtt_us / 1000);
	echo_close(&echo);
	if (r != 0)
		return r < 0 ? r : 0;
	return err_set(err, -ENETDOWN,
		       "no data arrived, and small echoes are not answered either: the "
		       "line is down");
}

static bool was_lost(const struct dir_result *result)
{
	return result->status == TEST_BLACKHOLE || result->status == TEST_TIMEOUT;
}

/* -ENETDOWN: the test tells nothing, since the link or the line was down. */
static int try_test(struct alone_iperf *iperf, struct dir_result *ret, struct err *err)
{
	struct idle_figures idle = IDLE_UNKNOWN;
	int r = renew_lease(iperf, err);

	rtwatch_was_down(iperf->watch);
	iperf->spec.id++;
	if (r == 0 && !iperf->spec.lost)
		alone_ask_idle(iperf->alone, &iperf->alone->config->iperf, &idle);
	if (r == 0)
		r = runner_measure(iperf->alone->runner, &iperf->spec, stop_fd(), ret,
				   err);
	if (r == 0 && rtwatch_was_down(iperf->watch))
		return err_set(err, -ENETDOWN, "interface '%s' was down",
			       iperf->spec.interface);
	if (r == 0 && ret->status == TEST_OK) {
		ret->latency_idle_us = idle.median_us;
		ret->latency_idle_p95_us = idle.p95_us;
	}
	return r == 0 && was_lost(ret) ? check_line(iperf, err) : r;
}

/* Repeat the test while the server is away, or this end lacks something for it. */
static int run_test(struct alone_iperf *iperf, struct dir_result *ret, struct err *err)
{
	int64_t until_ms = clock_boot_ms() + iperf->alone->config->wait_ms;
	int64_t pause_ms = FIRST_PAUSE_MS;
	int tries = 0;
	int unsound = 0;

	for (;;) {
		int r = try_test(iperf, ret, err);
		bool away = err_is_shortage(r) || (r == 0 && is_away(iperf, ret));

		if (r < 0 && !away)
			return r;
		if (!away && (!is_unsound(iperf, ret) || unsound++ == UNSOUND_MAX))
			return 0;
		if (clock_left_ms(until_ms) == 0)
			return r;
		if (away && tries++ == 1)
			host_tell("waiting for %s: %s",
				  r < 0 ? "room on this host" : "the iperf3 server",
				  r < 0 ? err->text : ret->text);
		r = io_wait(-1, stop_fd(), clock_boot_ms() + pause_ms);
		if (r < 0)
			return r;
		pause_ms = BUSY_PAUSE_MS;
	}
}

int alone_iperf_measure(struct alone_iperf *iperf, enum direction dir, bool lost,
			struct dir_result *ret, struct err *err)
{
	int r;

	iperf->spec.dir = dir;
	iperf->spec.lost = lost;
	r = run_test(iperf, ret, err);
	if (r < 0)
		return r == -ENETDOWN ? -EAGAIN : r;
	if (made_no_test(iperf, ret))
		return err_set(err, -ECONNREFUSED,
			       "no throughput from the iperf3 server at %s, port %d: "
			       "%s",
			       iperf->spec.remote, iperf->spec.port, ret->text);
	iperf->met |= ret->status != TEST_ERROR;
	return 0;
}

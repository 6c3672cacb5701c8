/* SPDX-License-Identifier: MIT */
#include "cmd/alone/alone_iperf.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/stop.h"
#include "base/text.h"
#include "engine/runner.h"
#include "netctl/rtwatch.h"

/* Between two attempts at a busy server, each of which connects several times. */
#define BUSY_PAUSE_MS 2000
/* Repetitions of a test that failed by neither the path nor the server's being away. */
#define ERRORS_MAX 2

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
		strstr(result->text, strerror(ECONNRESET)));
}

/* True if the result tells of the server, not of the path. */
static bool made_no_test(const struct alone_iperf *iperf,
			 const struct dir_result *result)
{
	return is_away(iperf, result) || result->status == TEST_UNREACHABLE ||
	       (result->status == TEST_ERROR && !iperf->met);
}

/* -EAGAIN: the link is down or was, and the MTU may have been restored. */
static int renew_lease(struct alone_iperf *iperf, struct err *err)
{
	int r = guard_renew(iperf->alone->guard, alone_iperf_lease_ms(iperf), err);

	return r == -ENETDOWN || r == -ENODEV || r == -ESTALE ? -EAGAIN : r;
}

static int try_test(struct alone_iperf *iperf, struct dir_result *ret, struct err *err)
{
	int r = renew_lease(iperf, err);

	rtwatch_was_down(iperf->watch);
	iperf->spec.id++;
	if (r == 0)
		r = runner_measure(iperf->alone->runner, &iperf->spec, stop_fd(), ret,
				   err);
	if (r == 0 && ret->status != TEST_OK && rtwatch_was_down(iperf->watch))
		return err_set(err, -EAGAIN, "interface '%s' was down",
			       iperf->spec.interface);
	return r;
}

/* Repeat the test while the server is away, or this end lacks something for it. */
static int run_test(struct alone_iperf *iperf, struct dir_result *ret, struct err *err)
{
	int64_t until_ms = clock_boot_ms() + iperf->alone->config->wait_ms;
	bool told = false;
	int errors = 0;

	for (;;) {
		int r = try_test(iperf, ret, err);
		bool away = err_is_shortage(r) || (r == 0 && is_away(iperf, ret));

		if (r < 0 && !away)
			return r;
		if (!away && (ret->status != TEST_ERROR || !iperf->met ||
			      errors++ == ERRORS_MAX))
			return 0;
		if (clock_left_ms(until_ms) == 0)
			return r;
		if (away && !told)
			host_tell("waiting for the iperf3 server: %s",
				  r < 0 ? err->text : ret->text);
		told |= away;
		r = io_wait(-1, stop_fd(), clock_boot_ms() + BUSY_PAUSE_MS);
		if (r < 0)
			return r;
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
		return r;
	if (made_no_test(iperf, ret))
		return err_set(err, -ECONNREFUSED,
			       "no throughput from the iperf3 server at %s, port %d: "
			       "%s",
			       iperf->spec.remote, iperf->spec.port, ret->text);
	iperf->met |= ret->status != TEST_ERROR;
	return 0;
}

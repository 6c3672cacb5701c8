/* SPDX-License-Identifier: MIT */
#include "cmd/alone/alone_iperf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/stop.h"
#include "base/text.h"
#include "cmd/host/progress.h"
#include "engine/runner.h"

/* Between two attempts at a busy server, each of which connects several times. */
#define BUSY_PAUSE_MS 2000

/* --- words --- */

/* True if the result tells of the server, not of the path. */
static bool made_no_test(const struct dir_result *result)
{
	return result->status == TEST_REFUSED || result->status == TEST_UNREACHABLE ||
	       result->status == TEST_ERROR;
}

static void put_rate(FILE *out, enum direction dir, const struct dir_result *result)
{
	int64_t rate_bps = dir_result_rate(result);
	char number[RATE_TEXT_SIZE];

	fprintf(out, "%s %s ", dir == DIR_UPLOAD ? ":" : ",", direction_name(dir));
	if (rate_bps == NO_FIGURE) {
		fputs(test_status_name(result->status), out);
		return;
	}
	rate_number(rate_bps, rate_bps, number);
	fprintf(out, "%s %s", number, rate_unit(rate_bps));
}

/* "MTU 1440, recommended: upload 36.5 Mbit/s, download blackhole" */
static int make_line(int mtu, const char *which, const struct dir_result dir[DIR_COUNT],
		     char **ret, struct err *err)
{
	size_t size;
	FILE *out = open_memstream(ret, &size);

	if (!out)
		return err_set(err, -ENOMEM, "out of memory");
	fprintf(out, "MTU %d, %s", mtu, which);
	put_rate(out, DIR_UPLOAD, &dir[DIR_UPLOAD]);
	put_rate(out, DIR_DOWNLOAD, &dir[DIR_DOWNLOAD]);
	fputc('\n', out);
	if (fclose(out) == EOF)
		return err_set(err, -ENOMEM, "out of memory");
	return 0;
}

/* --- tests --- */

static void make_spec(const struct alone *alone, struct test_spec *ret)
{
	const struct alone_config *config = alone->config;

	*ret = (struct test_spec){
		.kind = TEST_THROUGHPUT,
		.role = ROLE_CLIENT,
		.port = config->iperf.port ? config->iperf.port : ALONE_IPERF_PORT,
		.duration_ms = config->duration_ms,
		.precision = config->precision,
		.rtt_us = alone->rtt_us,
		/* How long it is tried again is decided here. */
		.first = true,
	};
	text_copy(ret->interface, sizeof(ret->interface), config->options->interface);
	text_copy(ret->local, sizeof(ret->local), config->iperf.local);
	text_copy(ret->remote, sizeof(ret->remote), config->iperf.address);
	if (config->congestion)
		text_copy(ret->congestion, sizeof(ret->congestion), config->congestion);
}

/* As long as one attempt at a test takes, and more. */
static int64_t lease_of(const struct test_spec *spec)
{
	return testspec_deadline_ms(spec) + LEASE_MIN_MS + 2 * BUSY_PAUSE_MS;
}

/* A server that is between two tests, or has another client, may also reset the
 * connection. */
static bool may_pass(const struct dir_result *result)
{
	return result->status == TEST_REFUSED ||
	       (result->status == TEST_ERROR &&
		strstr(result->text, strerror(ECONNRESET)));
}

static int run_test(struct alone *alone, struct test_spec *spec, struct dir_result *ret,
		    struct err *err)
{
	int64_t until_ms = clock_boot_ms() + alone->config->wait_ms;
	bool told = false;

	for (;;) {
		int r = guard_renew(alone->guard, lease_of(spec), err);

		spec->id++;
		if (r == 0)
			r = runner_measure(alone->runner, spec, stop_fd(), ret, err);
		if (r < 0 || !may_pass(ret) || clock_left_ms(until_ms) == 0)
			return r;
		if (!told)
			host_tell("waiting for the iperf3 server: %s", ret->text);
		told = true;
		r = io_wait(-1, stop_fd(), clock_boot_ms() + BUSY_PAUSE_MS);
		if (r < 0)
			return r;
	}
}

static int refuse_server(const struct test_spec *spec, const struct dir_result *result,
			 struct err *err)
{
	return err_set(err, -ECONNREFUSED,
		       "no throughput from the iperf3 server at %s, port %d: %s",
		       spec->remote, spec->port, result->text);
}

/* An MTU that the guard may not set is left out. */
static int measure_mtu(struct alone *alone, int mtu, const char *which, struct err *err)
{
	const struct mtu_range *range = &alone->config->host->guard.bounds.range;
	cleanup_free char *text = NULL;
	struct dir_result dir[DIR_COUNT];
	struct test_spec spec;
	int r;

	if (mtu < range->min || mtu > range->max) {
		host_tell("MTU %d, %s, is not measured: it is outside %d to %d", mtu,
			  which, range->min, range->max);
		return 0;
	}
	make_spec(alone, &spec);
	r = guard_set(alone->guard, mtu, lease_of(&spec), err);
	for (int d = 0; r == 0 && d < DIR_COUNT; d++) {
		spec.dir = (enum direction)d;
		r = run_test(alone, &spec, &dir[d], err);
		if (r == 0 && made_no_test(&dir[d]))
			r = refuse_server(&spec, &dir[d], err);
	}
	if (r == 0)
		r = make_line(mtu, which, dir, &text, err);
	if (r == 0 && progress_print(text) < 0)
		r = err_set(err, -EIO, "cannot write the result to standard output");
	return r;
}

int alone_iperf(struct alone *alone, struct err *err)
{
	const struct alone_config *config = alone->config;
	int current = config->host->link.mtu;
	struct err why = ERR_INIT;
	int restored;
	int r;

	if (!config->iperf.address[0] || !alone->result.own_mtu)
		return 0;
	r = measure_mtu(alone, alone->result.own_mtu,
			current == alone->result.own_mtu ? "recommended and current"
							 : "recommended",
			err);
	if (r == 0 && current != alone->result.own_mtu)
		r = measure_mtu(alone, current, "current", err);
	restored = guard_restore(alone->guard, &why);
	if (restored < 0 && r < 0)
		host_tell("%.400s", r == -EINTR ? stop_reason() : err->text);
	if (restored < 0)
		return err_set(err, restored, "%s", why.text);
	if (r == -EINTR)
		return err_set(err, r, "%s; the MTU is restored", stop_reason());
	return r;
}

/* SPDX-License-Identifier: MIT */
#include "cmd/alone/alone_apply.h"

#include <errno.h>
#include <poll.h>

#include "base/clock.h"
#include "base/debug.h"
#include "base/stop.h"
#include "cmd/alone/alone_ask.h"
#include "cmd/alone/alone_lines.h"
#include "cmd/host/host_conf.h"

/* Many hosts send one port unreachable a second. */
#define AGAIN_MS 1100
/* Left of the lease for the commit. */
#define SPARE_MS 200

/* The MTU that was found, as far as the guard takes it. `why` says what it is less. */
static int allowed_mtu(const struct alone *alone, struct err *why)
{
	int max = alone->config->host->guard.bounds.range.max;
	int mtu = alone->result.own_mtu;

	/* A hub's route needs none of its own where the link's is the right one. */
	if (mtu <= max ||
	    (alone->config->host->by_route && mtu == alone_current_mtu(alone)))
		return mtu;
	err_set(why, 0, "this end takes MTUs up to %d, so %d is applied in place of %d",
		max, max, mtu);
	return max;
}

/* TCP asks the far end for packets of this end's MTU: it is no larger than what arrives
 * here. Where that was not visible, the MTU is not raised above what was, but one that is
 * in use stays. */
static int wanted_mtu(const struct alone *alone, struct err *why)
{
	const struct onesided *result = &alone->result;
	int present = alone_current_mtu(alone);
	int far = result->far_is_present ? 0 : result->far_mtu;
	int mtu = allowed_mtu(alone, why);

	if (!far || mtu <= far || alone->confirmed)
		return mtu;
	if (!result->far_is_limit) {
		err_set(why, 0,
			"MTU %d is applied in place of %d: TCP asks the far end for "
			"packets of this end's MTU, and above %d bytes they do not "
			"arrive here",
			far, mtu, far);
		return far;
	}
	if (mtu <= present)
		return mtu;
	err_set(why, 0,
		"the MTU is not raised to %d: with it TCP would ask the far end for "
		"packets above %d bytes, which were not seen to arrive here",
		mtu, far);
	return far > present ? far : present;
}

int alone_apply_mtu(const struct alone *alone)
{
	return wanted_mtu(alone, NULL);
}

/* Echoes, unless those of this size get lost on their way back. */
static enum echo_kind proving_kind(const struct alone *alone, int mtu)
{
	enum fate trip =
		path_bands_fate(&alone->looks.trip, alone->find.overhead + mtu);

	if (trip == FATE_WHOLE || trip == FATE_FRAGMENTED || !alone->looks.there.count)
		return ECHO_PLAIN;
	return alone->there;
}

/* 1 answered, 0 not, -EINTR. */
static int await_answer(struct echo *echo, uint16_t number, int64_t until_ms)
{
	uint16_t got;

	for (;;) {
		struct pollfd polled[] = {{.fd = echo->fd, .events = POLLIN},
					  {.fd = stop_fd(), .events = POLLIN}};
		int64_t left_ms = clock_left_ms(until_ms);

		while (echo_receive(echo, &got) == 1) {
			if (got == number)
				return 1;
		}
		if (left_ms == 0)
			return 0;
		poll(polled, 2, (int)left_ms);
		if (polled[1].revents)
			return -EINTR;
	}
}

int alone_apply_prove(struct echo *echo, int size, int64_t deadline_ms)
{
	int r = 0;

	for (uint16_t number = 1; r == 0 && clock_left_ms(deadline_ms) > 0; number++) {
		int64_t until_ms = clock_boot_ms() + AGAIN_MS;

		if (until_ms > deadline_ms)
			until_ms = deadline_ms;
		echo_send(echo, size, number);
		r = await_answer(echo, number, until_ms);
		debug_log("alone", "%s, size %d, with this MTU set: %s",
			  echo_kind_name(echo->kind), size,
			  r == 1 ? "answered" : "no answer");
	}
	return r;
}

static int prove_mtu(const struct alone *alone, int mtu, int64_t deadline_ms,
		     struct err *err)
{
	struct echo echo = ECHO_CLOSED;
	int r = alone_ask_open(alone, proving_kind(alone, mtu), &echo, err);

	if (r < 0)
		return r;
	r = alone_apply_prove(&echo, mtu, deadline_ms);
	echo_close(&echo);
	if (r == 1)
		return 0;
	if (r < 0)
		return err_set(err, r, "%s", stop_reason());
	return err_set(err, -ETIMEDOUT,
		       "with it no packet of %d bytes was answered within the lease of "
		       "%g s",
		       mtu, (double)alone->config->options->lease_ms / 1000);
}

static int fail_apply(const struct alone *alone, int mtu, int r, const struct err *why,
		      struct err *err)
{
	struct err here = ERR_INIT;
	int restored = guard_restore(alone->guard, &here);

	if (restored < 0)
		return err_set(err, r, "MTU %d is not applied: %.250s; %.200s", mtu,
			       why->text, here.text);
	return err_set(err, r, "MTU %d is not applied: %.300s; the MTU is restored",
		       mtu, why->text);
}

int alone_apply(const struct alone *alone, struct err *err)
{
	const struct host *host = alone->config->host;
	int64_t lease_ms = alone->config->options->lease_ms;
	int64_t deadline_ms = clock_boot_ms() + lease_ms - SPARE_MS;
	struct err why = ERR_INIT;
	int mtu;
	int r;

	mtu = wanted_mtu(alone, &why);
	if (why.text[0])
		host_tell("%s", why.text);
	why.text[0] = '\0';
	if (host->by_route && mtu == alone_current_mtu(alone)) {
		host_tell("this end has MTU %d already: nothing is applied", mtu);
		return 0;
	}
	r = guard_set_for(alone->guard, alone->target->address, mtu, lease_ms, &why);

	if (r == 0)
		r = prove_mtu(alone, mtu, deadline_ms, &why);
	if (r == 0)
		r = guard_commit(alone->guard, &why);
	if (r < 0)
		return fail_apply(alone, mtu, r, &why, err);
	if (why.text[0])
		host_tell("%.400s", why.text);
	host_tell("this end has applied MTU %d, in %s", mtu,
		  host_kept_in(host->by_route, host_is_live_only(host)));
	alone_tell_lines(host, alone->config->own == DIR_UPLOAD ? "peer" : "server",
			 host->by_route, mtu);
	return 0;
}

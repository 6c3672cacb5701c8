/* SPDX-License-Identifier: MIT */
#include "cmd/alone/alone_ask.h"

#include <errno.h>
#include <poll.h>

#include "base/clock.h"
#include "base/debug.h"
#include "base/stop.h"

/* The tunnel may have to make its session first. */
#define FIRST_MS 2500
/* A port was named, for a target that answers no echo. */
#define NAMED_MS 800
#define AGAIN_MS 400
/* After the first answer: that of a likelier target may be on its way. */
#define MORE_US 30000
/* The wait for one answer where the round trip is not known yet. */
#define ONE_US 700000
/* Added to two round trips. */
#define SPARE_US 60000
#define SMALL    100
/* Targets that are asked with anything but echoes. */
#define OTHERS_MAX 4

static int open_echo(const struct alone *alone, const struct alone_target *target,
		     enum echo_kind kind, struct echo *ret, struct err *err)
{
	struct echo_target to = {
		.interface = alone->config->options->interface,
		.local = target->local,
		.remote = target->address,
		.port = kind == ECHO_TCP && target->port ? target->port : ALONE_PORT,
	};
	enum rawsock_kind raw = kind == ECHO_TCP ? RAWSOCK_TCP : RAWSOCK_ECHO;
	int fd = -1;
	int r = kind == ECHO_UDP
			? 0
			: guard_raw(alone->guard, raw, target->address, &fd, err);

	return r < 0 ? r : echo_open(ret, kind, fd, &to, err);
}

/* --- the first answer --- */

struct asking {
	struct alone *alone;
	struct echo echoes[ALONE_TARGETS_MAX];
	int count;
	uint16_t number;
	bool answered[ALONE_TARGETS_MAX];
	bool any;
};

static int open_all(struct asking *a, struct err *err)
{
	const struct alone_targets *targets = &a->alone->config->targets;
	int r = 0;

	for (; a->count < targets->count; a->count++) {
		struct echo *echo = &a->echoes[a->count];

		r = open_echo(a->alone, &targets->list[a->count], ECHO_PLAIN, echo,
			      err);
		if (r == -EPIPE || r == -EACCES || r == -EPERM)
			return r;
		if (r < 0)
			*echo = ECHO_CLOSED;
	}
	return 0;
}

static void take_answers(struct asking *a)
{
	uint16_t number;

	for (int i = 0; i < a->count; i++) {
		if (a->echoes[i].fd < 0 || echo_receive(&a->echoes[i], &number) != 1)
			continue;
		a->answered[i] = true;
		a->any = true;
	}
}

static int wait_any(const struct asking *a, int64_t until_us)
{
	struct pollfd polled[ALONE_TARGETS_MAX + 1];
	int64_t left_us = until_us - clock_boot_us();

	for (int i = 0; i < a->count; i++)
		polled[i] = (struct pollfd){.fd = a->echoes[i].fd, .events = POLLIN};
	polled[a->count] = (struct pollfd){.fd = stop_fd(), .events = POLLIN};
	poll(polled, (nfds_t)a->count + 1, left_us > 0 ? (int)(left_us / 1000) + 1 : 0);
	return polled[a->count].revents ? -EINTR : 0;
}

static int listen_until(struct asking *a, int64_t until_us, bool first)
{
	int r = 0;

	while (r == 0 && clock_boot_us() < until_us && !(first && a->any)) {
		r = wait_any(a, until_us);
		take_answers(a);
	}
	return r;
}

static int64_t first_us(const struct alone_targets *targets)
{
	for (int i = 0; i < targets->count; i++) {
		if (targets->list[i].port)
			return (int64_t)NAMED_MS * 1000;
	}
	return (int64_t)FIRST_MS * 1000;
}

static int ask_all(struct asking *a)
{
	int64_t deadline_us = clock_boot_us() + first_us(&a->alone->config->targets);
	int r = 0;

	while (r == 0 && !a->any && clock_boot_us() < deadline_us) {
		a->number++;
		for (int i = 0; i < a->count; i++) {
			if (a->echoes[i].fd >= 0)
				echo_send(&a->echoes[i], SMALL, a->number);
		}
		r = listen_until(a, clock_boot_us() + (int64_t)AGAIN_MS * 1000, true);
	}
	if (r == 0 && a->any)
		r = listen_until(a, clock_boot_us() + MORE_US, false);
	return r;
}

/* Keep the echo of the first target that answered; the others are closed. */
static void choose_first(struct asking *a, struct echo *ret)
{
	struct alone *alone = a->alone;

	for (int i = 0; i < a->count; i++) {
		debug_log("alone", "%s, %s: %s", alone->config->targets.list[i].address,
			  alone->config->targets.list[i].origin,
			  a->answered[i] ? "answers" : "no answer");
		if (!a->answered[i] || alone->echoes) {
			echo_close(&a->echoes[i]);
			continue;
		}
		alone->target = &alone->config->targets.list[i];
		alone->echoes = true;
		*ret = a->echoes[i];
	}
}

/* The first round trip may have made WireGuard's session: the time of a later one. */
static int measure_rtt(struct alone *alone, struct echo *echo)
{
	int64_t least_us = ONE_US;

	for (uint16_t number = 60000; number < 60003; number++) {
		int64_t took_us = ONE_US;
		int r = echofind_touch(echo, number, ONE_US, stop_fd(), &took_us);

		if (r < 0)
			return r;
		if (took_us < least_us)
			least_us = took_us;
	}
	alone->rtt_us = least_us;
	return 0;
}

/* --- answers to anything else --- */

/* A port that the user named is most likely to answer. */
static const enum echo_kind small_kinds[] = {ECHO_TCP, ECHO_STAMP, ECHO_UDP};

#define SMALL_KINDS (sizeof(small_kinds) / sizeof(small_kinds[0]))

/* 1 open and answered, 0 not. */
static int try_small(const struct alone *alone, const struct alone_target *target,
		     enum echo_kind kind, int64_t wait_us, struct echo *ret,
		     struct err *err)
{
	int64_t took_us;
	int r = open_echo(alone, target, kind, ret, err);

	if (r < 0)
		return r == -EPIPE ? r : 0;
	r = echofind_touch(ret, 50000, wait_us, stop_fd(), &took_us);
	debug_log("alone", "%s, %s: %s", target->address, echo_kind_name(kind),
		  r == 1 ? "answered" : "no answer");
	if (r != 1)
		echo_close(ret);
	return r;
}

static int ask_small(const struct alone *alone, const struct alone_target *target,
		     int64_t wait_us, struct echo *ret, struct err *err)
{
	for (size_t i = 0; i < SMALL_KINDS; i++) {
		int r = try_small(alone, target, small_kinds[i], wait_us, ret, err);

		if (r != 0)
			return r;
	}
	return 0;
}

static int ask_others(struct alone *alone, struct echo *ret, struct err *err)
{
	const struct alone_targets *targets = &alone->config->targets;
	int r = 0;

	for (int i = 0; r == 0 && i < targets->count && i < OTHERS_MAX; i++) {
		r = ask_small(alone, &targets->list[i], ONE_US, ret, err);
		if (r == 1)
			alone->target = &targets->list[i];
	}
	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, -ETIMEDOUT,
			       "nothing behind '%s' answers, neither echoes nor TCP "
			       "nor UDP: name an address that does with --%s, with a "
			       "port that is open, or run mtusweep there",
			       alone->config->options->interface,
			       alone->config->option);
	alone->there = ret->kind;
	return 0;
}

int alone_ask_any(struct alone *alone, struct echo *ret, struct err *err)
{
	struct asking a = {.alone = alone};
	int r = open_all(&a, err);

	*ret = ECHO_CLOSED;
	if (r == 0)
		r = ask_all(&a);
	choose_first(&a, ret);
	if (r == 0 && !alone->echoes)
		r = ask_others(alone, ret, err);
	return r < 0 ? r : measure_rtt(alone, ret);
}

int alone_ask_open(const struct alone *alone, enum echo_kind kind, struct echo *ret,
		   struct err *err)
{
	return open_echo(alone, alone->target, kind, ret, err);
}

int alone_ask_small(struct alone *alone, struct echo *ret, struct err *err)
{
	int r = ask_small(alone, alone->target, 2 * alone->rtt_us + SPARE_US, ret, err);

	if (r == 0)
		return -ENOENT;
	if (r < 0)
		return r;
	alone->there = ret->kind;
	return 0;
}

int alone_ask_endpoint(struct alone *alone, struct echo *ret, struct err *err)
{
	struct echo_target to = {
		.interface = "",
		.local = "",
		.remote = alone->find.facts.endpoint,
	};
	int64_t took_us;
	int fd;
	int r = guard_raw(alone->guard, RAWSOCK_OUTER, alone->target->address, &fd,
			  err);

	if (r < 0)
		return r == -EPIPE ? r : -ENOENT;
	r = echo_open(ret, ECHO_OUTER, fd, &to, err);
	if (r < 0)
		return -ENOENT;
	for (uint16_t i = 0; i < 2; i++) {
		r = echofind_touch(ret, i, 2 * alone->rtt_us + SPARE_US, stop_fd(),
				   &took_us);
		if (r != 0)
			break;
	}
	if (r == 1)
		return 0;
	echo_close(ret);
	return r < 0 ? r : -ENOENT;
}

/* --- the idle path --- */

static int send_echo(void *ctx, uint16_t number)
{
	/* A failure to send is a loss. */
	echo_send(ctx, SMALL, number);
	return 0;
}

static int receive_echo(void *ctx, uint16_t *ret_number)
{
	return echo_receive(ctx, ret_number);
}

void alone_ask_idle(const struct alone *alone, const struct alone_target *target,
		    struct idle_figures *ret)
{
	struct echo echo = ECHO_CLOSED;
	struct idle_way way = {
		.ctx = &echo,
		.send = send_echo,
		.receive = receive_echo,
	};

	*ret = IDLE_UNKNOWN;
	if (open_echo(alone, target, ECHO_PLAIN, &echo, NULL) < 0)
		return;
	way.fd = echo.fd;
	idle_measure(&way, alone->rtt_us, stop_fd(), ret);
	echo_close(&echo);
}

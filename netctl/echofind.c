/* SPDX-License-Identifier: MIT */
/* The search for bands with packets that a plain host answers. */
#include "netctl/echofind.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/debug.h"
#include "netctl/hostchange.h"

/* WireGuard's and UDP's headers around an inner packet */
#define AROUND 40
/* The pause between packets: it prevents a queue on a line of 24 Mbit/s. */
#define PACE_US 500
/* The time that a userspace WireGuard takes to follow a new MTU. */
#define FOLLOW_US     2500
#define FOLLOW_TRIES  4
#define LOOK_AGAIN_US 100
/* The rate of a slow line, in bytes per millisecond. */
#define SLOW_LINE 1250
/* The limit of the extra time for answers. */
#define GRACE_MAX_US 250000
/* A limit of one answer a second: wait for the next one. */
#define LIMIT_US 1100000
/* Losses of a size that are proved by an answer to a small packet. */
#define PROVED_LOSSES 3
#define SLOW_TRIES    8
#define SMALL         100

/* --- one round --- */

/* The packets of a round, by number from `first` on. */
struct echo_round {
	uint16_t first;
	int sent;
	int answered;
	int index[BANDFIND_ROUND * BANDFIND_COPIES *
		  2]; /* the index of its size; -1: void */
	bool back[BANDFIND_ROUND * BANDFIND_COPIES * 2];
	int sizes[BANDFIND_ROUND]; /* inside, or with ECHO_OUTER outside */
	int arrived[BANDFIND_ROUND];
	int count;
	int copies;
	int64_t bytes;
	struct echo_round *before;   /* NULL: there is none */
	bool late;                   /* answers to earlier rounds came in this one */
	int late_of[BANDFIND_ROUND]; /* answers that came in the round after it */
};

#define ROUND_MAX ((int)(sizeof(((struct echo_round *)0)->index) / sizeof(int)))

static bool sees_leave(struct echofind *f, int size, int64_t within_us)
{
	int64_t deadline_us = clock_boot_us() + within_us;

	for (;;) {
		struct probetap_seen seen;

		probetap_read(f->tap);
		seen = probetap_look(f->tap, PROBETAP_OUT, size + AROUND);
		if (seen.whole || seen.fragmented)
			return true;
		if (clock_boot_us() >= deadline_us)
			return false;
		clock_pause_us(LOOK_AGAIN_US);
	}
}

/* Set the link's MTU so that the size leaves as it is. The largest MTU serves all multiples
 * of the padding. */
static int set_link(struct echofind *f, int size, struct err *err)
{
	int mtu = size % ECHOFIND_STEP == 0 ? f->size_max : size;
	int r;

	if (f->fits)
		mtu = f->fits;
	if (f->unit || f->link_mtu == mtu)
		return 0;
	r = guard_probe(f->config.guard, mtu, "", 0, f->config.lease_ms, err);
	if (r < 0)
		return r;
	f->link_mtu = mtu;
	if (f->facts.backend != BACKEND_KERNEL)
		clock_pause_us(f->tap ? FOLLOW_US : FOLLOW_US << FOLLOW_TRIES);
	return 0;
}

static int send_one(struct echofind *f, struct echo *echo, struct echo_round *round,
		    int i, struct err *err)
{
	int r;

	if (round->sent == ROUND_MAX)
		return 0;
	round->index[round->sent++] = i;
	round->bytes += round->sizes[i];
	r = echo_send(echo, round->sizes[i], f->number++);
	/* A firewall on this host is part of the path, and so is a full queue. */
	if (r == 0 || r == -EAGAIN || r == -ENOBUFS || r == -EPERM || r == -EMSGSIZE)
		return 0;
	return err_sys(err, -r, "cannot send a probe of %d bytes", round->sizes[i]);
}

/* The first copy shows if WireGuard follows the link's MTU; a padded one is void. */
static int send_size(struct echofind *f, struct echo *echo, struct echo_round *round,
		     int i, struct err *err)
{
	bool check = f->tap && f->facts.backend != BACKEND_KERNEL && !f->fits &&
		     !f->unit;
	int64_t follow_us = FOLLOW_US;
	int r = set_link(f, round->sizes[i], err);

	for (int tries = 0; r == 0 && tries < FOLLOW_TRIES; tries++) {
		if (check)
			probetap_forget(f->tap, PROBETAP_OUT);
		r = send_one(f, echo, round, i, err);
		if (r < 0 || !check || sees_leave(f, round->sizes[i], follow_us))
			break;
		round->index[round->sent - 1] = -1;
		follow_us *= 2;
	}
	for (int copy = 1; r == 0 && copy < round->copies; copy++) {
		clock_pause_us(PACE_US);
		r = send_one(f, echo, round, i, err);
	}
	return r;
}

static int send_outside(struct echofind *f, struct echo *echo, struct echo_round *round,
			int i, struct err *err)
{
	int r = 0;

	for (int copy = 0; r == 0 && copy < round->copies; copy++) {
		r = send_one(f, echo, round, i, err);
		clock_pause_us(PACE_US);
	}
	return r;
}

static int send_all(struct echofind *f, struct echo *echo, struct echo_round *round,
		    struct err *err)
{
	struct pollfd stop = {.fd = f->config.stop_fd, .events = POLLIN};
	int r = 0;

	round->first = f->number;
	for (int i = 0; r == 0 && i < round->count; i++) {
		if (poll(&stop, 1, 0) > 0)
			return -EINTR;
		r = echo->kind == ECHO_OUTER ? send_outside(f, echo, round, i, err)
					     : send_size(f, echo, round, i, err);
		clock_pause_us(PACE_US);
	}
	return r;
}

static void note_late(struct echo_round *round, uint16_t number)
{
	uint16_t at = (uint16_t)(number - round->first);

	if (at >= round->sent || round->index[at] < 0 || round->back[at])
		return;
	round->back[at] = true;
	round->late_of[round->index[at]]++;
}

static void note_answer(struct echo_round *round, uint16_t number)
{
	uint16_t at = (uint16_t)(number - round->first);

	if (at >= round->sent) {
		round->late = true;
		if (round->before)
			note_late(round->before, number);
		return;
	}
	if (round->index[at] < 0 || round->back[at])
		return;
	round->back[at] = true;
	round->arrived[round->index[at]]++;
	round->answered++;
}

static bool has_all(const struct echo_round *round)
{
	for (int i = 0; i < round->count; i++) {
		if (round->arrived[i] < round->copies)
			return false;
	}
	return true;
}

/* 1 readable, 0 deadline, -EINTR. */
static int wait_readable(const struct echo *echo, int stop_fd, int64_t deadline_us)
{
	struct pollfd polled[] = {
		{.fd = echo->fd, .events = POLLIN},
		{.fd = stop_fd, .events = POLLIN},
	};
	int64_t left_us = deadline_us - clock_boot_us();
	struct timespec timeout = {0};

	if (left_us > 0) {
		timeout.tv_sec = left_us / 1000000;
		timeout.tv_nsec = left_us % 1000000 * 1000;
	}
	ppoll(polled, 2, &timeout, NULL);
	if (polled[1].revents)
		return -EINTR;
	return polled[0].revents != 0;
}

static int await_answers(struct echofind *f, struct echo *echo,
			 struct echo_round *round)
{
	int64_t deadline_us = clock_boot_us() + 2 * f->config.rtt_us + f->grace_us +
			      2 * round->bytes * 1000 / SLOW_LINE;
	uint16_t number;
	int r = 1;

	while (!has_all(round)) {
		while (echo_receive(echo, &number) == 1)
			note_answer(round, number);
		if (r == 0 || has_all(round))
			break;
		r = wait_readable(echo, f->config.stop_fd, deadline_us);
		if (r < 0)
			return r;
	}
	if (round->late && f->grace_us < GRACE_MAX_US)
		f->grace_us *= 2;
	return 0;
}

/* --- rounds --- */

/* List the next sizes. False: the search is finished. */
static bool list_sizes(const struct echofind *f, const struct echo *echo,
		       const struct bandfind *find, struct echo_round *ret)
{
	int around = echo->kind == ECHO_OUTER ? 0 : f->overhead;

	memset(ret, 0, sizeof(*ret));
	ret->count = bandfind_next(find, ret->sizes, &ret->copies);
	for (int i = 0; i < ret->count; i++)
		ret->sizes[i] -= around;
	return ret->count > 0;
}

/* How an answer to a packet of `size` bytes came back, by what the tap saw. */
static enum fate look_back(const struct echofind *f, int size, int *ret_size)
{
	for (int back = size; back <= echofind_round_up(size); back++) {
		struct probetap_seen seen =
			probetap_look(f->tap, PROBETAP_IN, back + AROUND);

		*ret_size = back;
		if (seen.fragmented)
			return FATE_FRAGMENTED;
		if (seen.whole)
			return FATE_WHOLE;
	}
	return FATE_UNKNOWN;
}

/* The largest packet inside that the tap has seen arrive, up to `size`, and its fate. */
static enum fate look_largest(const struct echofind *f, int size, int *ret_size)
{
	for (int back = size; back > 0; back--) {
		struct probetap_seen seen =
			probetap_look(f->tap, PROBETAP_IN, back + AROUND);

		*ret_size = back;
		if (seen.fragmented)
			return FATE_FRAGMENTED;
		if (seen.whole)
			return FATE_WHOLE;
	}
	*ret_size = 0;
	return FATE_UNKNOWN;
}

/* Note what the answers show of the far end's MTU. */
static void look_at_answers(struct echofind *f, const struct echo_round *round)
{
	for (int i = 0; i < round->count; i++) {
		int size = round->sizes[i];
		enum fate fate;
		int back = 0;

		if (!round->arrived[i])
			continue;
		fate = look_back(f, size, &back);
		if (fate == FATE_UNKNOWN) {
			if (!f->split_back || size < f->split_back)
				f->split_back = size;
			fate = look_largest(f, size, &back);
		}
		/* The far end pads up to its MTU, this one asked for no more. */
		if (back > size)
			back = size;
		if (back > f->largest_back) {
			f->largest_back = back;
			f->largest_fate = fate;
		}
	}
}

static int run_round(struct echofind *f, struct echo *echo, struct echo_round *round,
		     struct err *err)
{
	int r = guard_renew(f->config.guard, f->config.lease_ms, err);

	if (f->tap)
		probetap_forget(f->tap, PROBETAP_IN);
	if (r == 0)
		r = send_all(f, echo, round, err);
	if (r == 0)
		r = await_answers(f, echo, round);
	if (r < 0)
		return r;
	f->rounds++;
	f->sizes += round->count;
	if (f->tap && echo->kind == ECHO_PLAIN) {
		probetap_read(f->tap);
		look_at_answers(f, round);
	}
	return 0;
}

/* The copies of a size that count: a void one was not of that size. */
static int valid_copies(const struct echo_round *round, int i)
{
	int count = 0;

	for (int at = 0; at < round->sent; at++)
		count += round->index[at] == i;
	return count < round->copies ? count : round->copies;
}

static void log_size(const struct echofind *f, const struct echo *echo,
		     const struct echo_round *round, int i, enum fate fate)
{
	debug_log("alone", "round %d, %s, size %d: %s, %d of %d", f->rounds,
		  echo_kind_name(echo->kind), round->sizes[i], fate_name(fate),
		  round->arrived[i], round->copies);
}

/* Answers to the round before that came after it had been judged. */
static void learn_late(const struct echo_round *before, int around, enum fate fate,
		       struct bandfind *find)
{
	for (int i = 0; i < before->count; i++) {
		if (before->late_of[i])
			bandfind_learn_late(find, before->sizes[i] + around, fate,
					    before->late_of[i]);
	}
}

static enum fate judge_size(const struct echofind *f, const struct echo_round *round,
			    int i, bool back)
{
	int size;

	if (!round->arrived[i])
		return FATE_LOST;
	if (!back)
		return FATE_WHOLE;
	return f->tap ? look_back(f, round->sizes[i], &size) : FATE_UNKNOWN;
}

/* `back`: of the way back, as the tap saw the answers. */
static void learn_round(struct echofind *f, const struct echo *echo,
			const struct echo_round *round, bool back,
			struct bandfind *find)
{
	int around = echo->kind == ECHO_OUTER ? 0 : f->overhead;

	/* Nobody looked how late answers came back. */
	learn_late(round->before, around, back ? FATE_UNKNOWN : FATE_WHOLE, find);
	for (int i = 0; i < round->count; i++) {
		int copies = valid_copies(round, i);
		enum fate fate = copies ? judge_size(f, round, i, back) : FATE_UNKNOWN;

		log_size(f, echo, round, i, fate);
		bandfind_learn(find, round->sizes[i] + around, fate, copies,
			       round->arrived[i]);
	}
}

/* True when the search goes above the far end's MTU, where nothing can be seen. */
static bool is_above(const struct echofind *f, const struct bandfind *find)
{
	return f->split_back && f->largest_back &&
	       find->config.max >= f->overhead + f->largest_back + ECHOFIND_STEP;
}

static int run_rounds(struct echofind *f, struct echo *echo, bool back,
		      struct bandfind *find, struct err *err)
{
	struct echo_round rounds[2] = {{0}};
	int r;

	for (int at = 0; list_sizes(f, echo, find, &rounds[at]); at = !at) {
		struct echo_round *round = &rounds[at];

		round->before = &rounds[!at];
		r = run_round(f, echo, round, err);
		if (r < 0)
			return r;
		if (back && is_above(f, find))
			echofind_back(f, find);
		else
			learn_round(f, echo, round, back, find);
	}
	return 0;
}

int echofind_run(struct echofind *f, struct echo *echo, struct bandfind *find,
		 struct err *err)
{
	return run_rounds(f, echo, false, find, err);
}

int echofind_run_back(struct echofind *f, struct echo *echo, int fits,
		      struct bandfind *find, struct err *err)
{
	int r = echo_allow_pieces(echo, true);

	f->fits = fits;
	if (r == 0)
		r = run_rounds(f, echo, true, find, err);
	f->fits = 0;
	echo_allow_pieces(echo, false);
	return r;
}

/* --- answers of a limited rate --- */

int echofind_touch(struct echo *echo, uint16_t number, int64_t wait_us, int stop_fd,
		   int64_t *ret_us)
{
	int64_t began_us = clock_boot_us();
	uint16_t got;

	echo_send(echo, SMALL, number);
	for (;;) {
		int r;

		while (echo_receive(echo, &got) == 1) {
			if (got != number)
				continue;
			*ret_us = clock_boot_us() - began_us;
			return 1;
		}
		if (clock_boot_us() >= began_us + wait_us)
			return 0;
		r = wait_readable(echo, stop_fd, began_us + wait_us);
		if (r < 0)
			return r;
	}
}

/* Wait for the next answer that the limit allows. */
static int await_limit(const struct echofind *f)
{
	struct pollfd stop = {.fd = f->config.stop_fd, .events = POLLIN};

	return poll(&stop, 1, LIMIT_US / 1000) > 0 ? -EINTR : 0;
}

/* 1 arrived, 0 lost, -ETIMEDOUT: not known, or another error. */
static int ask_slowly(struct echofind *f, struct echo *echo, int size, struct err *err)
{
	int64_t wait_us = 2 * f->config.rtt_us + f->grace_us;
	int lost = 0;

	for (int tries = 0; tries < SLOW_TRIES && lost < PROVED_LOSSES; tries++) {
		struct echo_round round = {.sizes = {size}, .count = 1, .copies = 1};
		int64_t took_us;
		int r = run_round(f, echo, &round, err);

		if (r < 0 || round.arrived[0])
			return r < 0 ? r : 1;
		r = echofind_touch(echo, f->number++, wait_us, f->config.stop_fd,
				   &took_us);
		lost += r == 1;
		if (r == 0)
			r = await_limit(f);
		if (r < 0)
			return r;
	}
	return lost == PROVED_LOSSES ? 0 : -ETIMEDOUT;
}

int echofind_run_slowly(struct echofind *f, struct echo *echo, struct bandfind *find,
			struct err *err)
{
	int sizes[BANDFIND_ROUND];
	int copies;

	while (bandfind_next(find, sizes, &copies) > 0) {
		int r = ask_slowly(f, echo, sizes[0] - f->overhead, err);
		enum fate fate = r == 1   ? FATE_WHOLE
				 : r == 0 ? FATE_LOST
					  : FATE_UNKNOWN;

		if (r < 0 && r != -ETIMEDOUT)
			return r;
		debug_log("alone", "%s, size %d: %s", echo_kind_name(echo->kind),
			  sizes[0] - f->overhead, fate_name(fate));
		/* The proof of a loss stands for as many copies as chance needs. */
		bandfind_learn(find, sizes[0], fate, BANDFIND_COPIES,
			       r == 1 ? BANDFIND_COPIES : 0);
	}
	return 0;
}

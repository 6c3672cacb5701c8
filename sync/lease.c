/* SPDX-License-Identifier: MIT */
/* The peer's lease: a thread that renews the session. */

#include "sync/lease.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/thread.h"

/* A try ends early enough for others before the lease expires, but not before a slow
 * path could answer: so many round trips, with a fresh connection's. */
#define TRY_MIN_MS 300
#define TRY_MAX_MS 5000
#define TRY_TRIPS  3
/* Beside a test: the least, and so many times the last round trip. */
#define BEAT_TRY_MS 2000
#define BEAT_TRIPS  4
/* Between two tries when one failed. */
#define RETRY_MIN_MS 100
#define RETRY_MAX_MS 1000

struct lease {
	struct lease_config config;
	struct client *client;
	int stop_fd;
	int wake_fd; /* eventfd: beating has begun */
	pthread_t thread;
	/* The thread's own. */
	int failures;         /* in a row */
	int64_t trip_ms;      /* the last round trip without a retransmission */
	pthread_mutex_t lock; /* guards the fields below */
	bool beating;
	int64_t heard_ms; /* the last round trip's end, since beating began */
	struct lease_gaps gaps;
	int64_t slowest_ms;
};

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
	if (value < low)
		return low;
	return value > high ? high : value;
}

/* True if a retry can help. It cannot after the server said that the lease is over. */
static bool is_passing(int r)
{
	return r < 0 && r != -ESTALE && r != -EPERM && r != -EPROTO;
}

static bool is_beating(struct lease *lease)
{
	bool beating;

	pthread_mutex_lock(&lease->lock);
	beating = lease->beating;
	pthread_mutex_unlock(&lease->lock);
	return beating;
}

/*
 * While a test fills the line's queue, a round trip takes up to twice as long as the last
 * one did. One that is lost is soon given up for another on a fresh connection, which
 * notices the end of an outage earlier than TCP's own repeats, each after twice as long.
 * Each try has twice the time of the last, in case it is the path that takes so long.
 */
static int64_t beat_try_ms(const struct lease *lease, int64_t rtt_ms, int64_t most_ms)
{
	int64_t trip_ms = lease->trip_ms > rtt_ms ? lease->trip_ms : rtt_ms;
	int64_t ms = clamp(BEAT_TRIPS * trip_ms, BEAT_TRY_MS, most_ms);

	for (int i = 0; i < lease->failures && ms < most_ms; i++)
		ms *= 2;
	return ms < most_ms ? ms : most_ms;
}

static int64_t try_ms(struct lease *lease)
{
	int64_t lease_ms = lease->config.lease_ms;
	int64_t usual_ms = clamp(lease_ms / 6, TRY_MIN_MS, TRY_MAX_MS);
	int64_t most_ms = clamp(lease_ms * 4 / 5, usual_ms, lease_ms);
	int64_t rtt_us = client_rtt_us(lease->client);

	if (rtt_us < lease->config.rtt_us)
		rtt_us = lease->config.rtt_us;
	if (is_beating(lease))
		return beat_try_ms(lease, rtt_us / 1000, most_ms);
	return clamp(TRY_TRIPS * rtt_us / 1000, usual_ms, most_ms);
}

static void raise_to(int64_t *ms, int64_t at_least_ms)
{
	if (*ms < at_least_ms)
		*ms = at_least_ms;
}

static void note_round_trip(struct lease *lease, int64_t sent_ms)
{
	bool clean = client_was_clean(lease->client);
	int64_t now_ms = clock_boot_ms();
	struct lease_gaps *gaps = &lease->gaps;

	pthread_mutex_lock(&lease->lock);
	raise_to(&gaps->silent_ms, now_ms - lease->heard_ms);
	raise_to(&gaps->lost_ms, (clean ? sent_ms : now_ms) - lease->heard_ms);
	lease->heard_ms = now_ms;
	if (clean) {
		lease->trip_ms = now_ms - sent_ms;
		raise_to(&lease->slowest_ms, lease->trip_ms);
		if (gaps->trip_ms < 0 || lease->trip_ms < gaps->trip_ms)
			gaps->trip_ms = lease->trip_ms;
	}
	pthread_mutex_unlock(&lease->lock);
}

/* When the next try is due. */
static int64_t next_ms(struct lease *lease, int r, int64_t started_ms)
{
	int64_t lease_ms = lease->config.lease_ms;
	int64_t again_ms = clamp(lease_ms / 20, RETRY_MIN_MS, RETRY_MAX_MS);
	bool beating = is_beating(lease);

	if (is_passing(r))
		return clock_boot_ms() +
		       (beating && again_ms > LEASE_BEAT_MS ? LEASE_BEAT_MS : again_ms);
	if (r == 0 && beating)
		return started_ms + LEASE_BEAT_MS;
	return started_ms + lease_ms / 3;
}

/* Until it is time, or beating begins; false when the lease is stopped. */
static bool await_turn(struct lease *lease, int64_t at_ms)
{
	int r = io_wait(lease->wake_fd, lease->stop_fd, at_ms);
	uint64_t woken;

	if (r > 0 && read(lease->wake_fd, &woken, sizeof(woken)) < 0)
		return false;
	return r >= 0;
}

static void *run_lease(void *ctx)
{
	struct lease *lease = ctx;
	int64_t at_ms = clock_boot_ms() + lease->config.lease_ms / 3;

	while (await_turn(lease, at_ms)) {
		int64_t started_ms = clock_boot_ms();
		struct err err = ERR_INIT;
		int r = client_renew(lease->client, lease->config.session,
				     (int)try_ms(lease), &err);

		/* The server's answer counts; the owner's own stop does not. */
		if (r == -EINTR && !client_answered(lease->client))
			break;
		lease->failures = r == 0 ? 0 : lease->failures + 1;
		if (r == 0)
			note_round_trip(lease, started_ms);
		lease->config.renewed(lease->config.ctx, started_ms, r, &err);
		at_ms = next_ms(lease, r, started_ms);
	}
	return NULL;
}

void lease_beat_begin(struct lease *lease)
{
	uint64_t one = 1;

	pthread_mutex_lock(&lease->lock);
	lease->beating = true;
	lease->heard_ms = clock_boot_ms();
	lease->gaps = (struct lease_gaps){.trip_ms = -1};
	pthread_mutex_unlock(&lease->lock);
	io_write_all(lease->wake_fd, &one, sizeof(one));
}

void lease_beat_end(struct lease *lease, struct lease_gaps *ret)
{
	int64_t silent_ms;

	pthread_mutex_lock(&lease->lock);
	silent_ms = clock_boot_ms() - lease->heard_ms;
	lease->beating = false;
	raise_to(&lease->gaps.silent_ms, silent_ms);
	/* A renewal under way may take twice as long as the last one. */
	raise_to(&lease->gaps.lost_ms, silent_ms - 2 * lease->trip_ms);
	*ret = lease->gaps;
	pthread_mutex_unlock(&lease->lock);
}

int64_t lease_slowest_ms(struct lease *lease)
{
	int64_t slowest_ms;

	pthread_mutex_lock(&lease->lock);
	slowest_ms = lease->slowest_ms;
	pthread_mutex_unlock(&lease->lock);
	return slowest_ms;
}

static void release_lease(struct lease *lease)
{
	client_free(lease->client);
	fd_close(&lease->stop_fd);
	fd_close(&lease->wake_fd);
	pthread_mutex_destroy(&lease->lock);
	free(lease);
}

int lease_start(const struct lease_config *config, struct lease **ret, struct err *err)
{
	struct lease *lease = calloc(1, sizeof(*lease));
	int r;

	if (!lease)
		return err_set(err, -ENOMEM, "out of memory for the lease");
	lease->config = *config;
	pthread_mutex_init(&lease->lock, NULL);
	lease->stop_fd = eventfd(0, EFD_CLOEXEC);
	lease->wake_fd = eventfd(0, EFD_CLOEXEC);
	lease->config.client.stop_fd = lease->stop_fd;
	if (lease->stop_fd < 0 || lease->wake_fd < 0)
		r = err_sys(err, errno, "cannot make an event descriptor");
	else
		r = client_new(&lease->config.client, &lease->client, err);
	if (r == 0) {
		r = thread_start(&lease->thread, 0, run_lease, lease);
		if (r < 0)
			err_sys(err, -r, "cannot start the lease's thread");
	}
	if (r < 0) {
		release_lease(lease);
		return r;
	}
	*ret = lease;
	return 0;
}

void lease_stop(struct lease *lease)
{
	uint64_t one = 1;

	if (!lease)
		return;
	io_write_all(lease->stop_fd, &one, sizeof(one));
	pthread_join(lease->thread, NULL);
	release_lease(lease);
}

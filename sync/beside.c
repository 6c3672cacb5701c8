/* SPDX-License-Identifier: MIT */
/* The peer's statements that nothing waits for. */

#include "sync/beside.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/thread.h"

enum statement_kind {
	STATE_PATH,
	STATE_RECOMMENDATION,
	STATE_ROW,
};

struct statement {
	enum statement_kind kind;
	union {
		struct msg_path path;
		struct msg_recommendation recommendation;
		struct msg_row row;
	};
};

struct beside {
	struct beside_config config;
	struct client *client;
	int stop_fd;
	pthread_t thread;
	pthread_mutex_t lock; /* guards the fields below */
	pthread_cond_t changed;
	bool stopping;
	bool failed;
	int count; /* with the one under way, which is the first */
	struct statement list[BESIDE_MAX];
	uint32_t row_arrived;
	uint32_t row_given; /* the owner's own */
};

static int send_statement(struct beside *beside, const struct statement *s)
{
	int timeout_ms = beside->config.timeout_ms;

	switch (s->kind) {
	case STATE_PATH:
		return client_path(beside->client, &s->path, timeout_ms, NULL);
	case STATE_RECOMMENDATION:
		return client_recommendation(beside->client, &s->recommendation,
					     timeout_ms, NULL);
	case STATE_ROW:
		return client_row(beside->client, beside->config.run, &s->row,
				  timeout_ms, NULL);
	}
	return -EINVAL;
}

/* False: the thread ends. */
static bool await_statement(struct beside *beside, struct statement *ret)
{
	bool more;

	pthread_mutex_lock(&beside->lock);
	while (!beside->stopping && beside->count == 0)
		pthread_cond_wait(&beside->changed, &beside->lock);
	more = !beside->stopping;
	if (more)
		*ret = beside->list[0];
	pthread_mutex_unlock(&beside->lock);
	return more;
}

static void note_result(struct beside *beside, const struct statement *s, int r)
{
	pthread_mutex_lock(&beside->lock);
	if (r == 0) {
		beside->count--;
		memmove(beside->list, beside->list + 1,
			sizeof(beside->list[0]) * (size_t)beside->count);
		if (s->kind == STATE_ROW)
			beside->row_arrived = s->row.row.seq;
	} else {
		beside->failed = true;
		beside->count = 0;
	}
	pthread_cond_broadcast(&beside->changed);
	pthread_mutex_unlock(&beside->lock);
}

static void *run_beside(void *ctx)
{
	struct beside *beside = ctx;
	struct statement s;

	while (await_statement(beside, &s)) {
		int64_t sent_at_ms = clock_boot_ms();
		int r = send_statement(beside, &s);

		if (r == 0)
			beside->config.heard(beside->config.ctx, sent_at_ms);
		note_result(beside, &s, r);
	}
	return NULL;
}

static bool add_statement(struct beside *beside, const struct statement *s)
{
	bool taken;

	pthread_mutex_lock(&beside->lock);
	taken = !beside->failed && beside->count < BESIDE_MAX;
	if (taken)
		beside->list[beside->count++] = *s;
	pthread_cond_broadcast(&beside->changed);
	pthread_mutex_unlock(&beside->lock);
	return taken;
}

bool beside_path(struct beside *beside, const struct msg_path *m)
{
	return add_statement(beside,
			     &(struct statement){.kind = STATE_PATH, .path = *m});
}

bool beside_recommendation(struct beside *beside, const struct msg_recommendation *m)
{
	return add_statement(beside, &(struct statement){.kind = STATE_RECOMMENDATION,
							 .recommendation = *m});
}

bool beside_row(struct beside *beside, const struct msg_row *m)
{
	struct statement s = {.kind = STATE_ROW, .row = *m};
	bool taken = add_statement(beside, &s);

	if (taken)
		beside->row_given = m->row.seq;
	return taken;
}

uint32_t beside_row_given(const struct beside *beside)
{
	return beside->row_given;
}

uint32_t beside_row_arrived(struct beside *beside)
{
	uint32_t seq;

	pthread_mutex_lock(&beside->lock);
	seq = beside->row_arrived;
	pthread_mutex_unlock(&beside->lock);
	return seq;
}

bool beside_wait(struct beside *beside, int64_t deadline_ms)
{
	int64_t left_ms = clock_left_ms(deadline_ms);
	struct timespec until;
	bool all;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (long)(left_ms % 1000) * 1000000;
	until.tv_sec += left_ms / 1000 + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&beside->lock);
	while (beside->count > 0 &&
	       pthread_cond_timedwait(&beside->changed, &beside->lock, &until) !=
		       ETIMEDOUT)
		continue;
	all = beside->count == 0 && !beside->failed;
	pthread_mutex_unlock(&beside->lock);
	return all;
}

static void release_beside(struct beside *beside)
{
	client_free(beside->client);
	fd_close(&beside->stop_fd);
	pthread_cond_destroy(&beside->changed);
	pthread_mutex_destroy(&beside->lock);
	free(beside);
}

int beside_start(const struct beside_config *config, struct beside **ret,
		 struct err *err)
{
	struct beside *beside = calloc(1, sizeof(*beside));
	int r;

	if (!beside)
		return err_set(err, -ENOMEM, "out of memory for the run's copy");
	beside->config = *config;
	pthread_mutex_init(&beside->lock, NULL);
	thread_cond_init(&beside->changed);
	beside->stop_fd = eventfd(0, EFD_CLOEXEC);
	beside->config.client.stop_fd = beside->stop_fd;
	r = beside->stop_fd < 0
		    ? err_sys(err, errno, "cannot make an event descriptor")
		    : client_new(&beside->config.client, &beside->client, err);
	if (r == 0) {
		r = thread_start(&beside->thread, 0, run_beside, beside);
		if (r < 0)
			err_sys(err, -r, "cannot start the thread of the run's copy");
	}
	if (r < 0) {
		release_beside(beside);
		return r;
	}
	*ret = beside;
	return 0;
}

void beside_stop(struct beside *beside)
{
	uint64_t one = 1;

	if (!beside)
		return;
	pthread_mutex_lock(&beside->lock);
	beside->stopping = true;
	pthread_cond_broadcast(&beside->changed);
	pthread_mutex_unlock(&beside->lock);
	io_write_all(beside->stop_fd, &one, sizeof(one));
	pthread_join(beside->thread, NULL);
	release_beside(beside);
}

/* SPDX-License-Identifier: MIT */
/* The part of the server's page that is not stored: the measurement under way. */

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "cmd/server/server_ops.h"

/* A page that is seen asks every second; later than that it counts as closed. */
#define READER_MS 3000

void server_tell(struct server *f, const char *doing)
{
	pthread_mutex_lock(&f->now.lock);
	f->now.doing = doing;
	pthread_mutex_unlock(&f->now.lock);
}

void server_tell_pair(struct server *f, const struct msg_pair *m)
{
	pthread_mutex_lock(&f->now.lock);
	f->now.doing = !m->test  ? "setting MTUs"
		       : m->next ? "upload, then download"
				 : "upload";
	f->now.mtu = (struct mtu_pair){m->mtu, m->peer_mtu};
	f->now.visits_left = m->visits_left;
	f->now.over_at_ms = m->left_ms == NO_FIGURE ? 0 : clock_boot_ms() + m->left_ms;
	pthread_mutex_unlock(&f->now.lock);
}

static json_t *number_or_null(int64_t value, int64_t unknown)
{
	return value == unknown ? json_null() : json_integer(value);
}

static json_t *now_object(struct server *f)
{
	struct server_now now;

	pthread_mutex_lock(&f->now.lock);
	now = f->now;
	pthread_mutex_unlock(&f->now.lock);
	if (!now.doing)
		return json_null();
	return json_pack("{ss so so so so}", "doing", now.doing, "server_mtu",
			 number_or_null(now.mtu.server, 0), "peer_mtu",
			 number_or_null(now.mtu.peer, 0), "visits_left",
			 number_or_null(now.visits_left, NO_FIGURE), "left_ms",
			 now.over_at_ms ? json_integer(clock_left_ms(now.over_at_ms))
					: json_null());
}

/* --- readers --- */

/* The reader's place, or that of the reader which has not asked for the longest time. */
static struct server_reader *find_reader(struct server_readers *readers, const char *id)
{
	struct server_reader *oldest = &readers->list[0];

	for (int i = 0; i < SERVER_READERS; i++) {
		struct server_reader *reader = &readers->list[i];

		if (strcmp(reader->id, id) == 0)
			return reader;
		if (reader->asked_at_ms < oldest->asked_at_ms)
			oldest = reader;
	}
	return oldest;
}

static void note_reader(struct server *f, const char *id)
{
	struct server_reader *reader;

	if (!*id)
		return;
	pthread_mutex_lock(&f->readers.lock);
	reader = find_reader(&f->readers, id);
	text_copy(reader->id, sizeof(reader->id), id);
	reader->asked_at_ms = clock_boot_ms();
	reader->told_end = f->page.told_end;
	pthread_mutex_unlock(&f->readers.lock);
	server_wake(f);
}

int server_readers_ms(struct server *f)
{
	int longest_ms = 0;

	pthread_mutex_lock(&f->readers.lock);
	for (int i = 0; i < SERVER_READERS; i++) {
		const struct server_reader *reader = &f->readers.list[i];
		int left_ms = reader->id[0] && !reader->told_end
				      ? clock_left_ms(reader->asked_at_ms + READER_MS)
				      : 0;

		if (left_ms > longest_ms)
			longest_ms = left_ms;
	}
	pthread_mutex_unlock(&f->readers.lock);
	return longest_ms;
}

int server_progress(void *ctx, const struct page_ask *ask, char **ret_json,
		    struct err *err)
{
	struct server *f = ctx;
	int r;

	/* The other runs of this host's database may be other peers'. */
	if (*ask->run)
		return err_set(err, -EINVAL,
			       "the server shows its newest run only: 'mtusweep view' "
			       "shows the others");
	r = live_page_progress(&f->page, ask, now_object(f), ret_json, err);
	if (r == 0)
		note_reader(f, ask->reader);
	return r;
}

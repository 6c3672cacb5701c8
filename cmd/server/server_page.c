/* SPDX-License-Identifier: MIT */
/* The part of the server's page that is not stored: the measurement under way. */

#include <errno.h>
#include <pthread.h>

#include "base/clock.h"
#include "cmd/server/server_ops.h"

void server_tell(struct server *f, const char *doing)
{
	pthread_mutex_lock(&f->now.lock);
	f->now.doing = doing;
	pthread_mutex_unlock(&f->now.lock);
}

void server_tell_pair(struct server *f, const struct msg_pair *m)
{
	pthread_mutex_lock(&f->now.lock);
	f->now.doing = m->test ? "upload" : "setting MTUs";
	f->now.mtu = (struct mtu_pair){m->mtu, m->peer_mtu};
	f->now.visits_left = m->visits_left;
	f->now.over_at_ms = m->left_ms == NO_FIGURE ? 0 : clock_boot_ms() + m->left_ms;
	pthread_mutex_unlock(&f->now.lock);
}

static json_t *number(int64_t value, int64_t unknown)
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
			 number(now.mtu.server, 0), "peer_mtu", number(now.mtu.peer, 0),
			 "visits_left", number(now.visits_left, NO_FIGURE), "left_ms",
			 now.over_at_ms ? json_integer(clock_left_ms(now.over_at_ms))
					: json_null());
}

int server_progress(void *ctx, const struct page_ask *ask, char **ret_json,
		    struct err *err)
{
	struct server *f = ctx;

	/* The other runs of this host's database may be other peers'. */
	if (*ask->run)
		return err_set(err, -EINVAL,
			       "the server shows its newest run only: 'mtusweep view' "
			       "shows the others");
	return live_page_progress(&f->page, ask, now_object(f), ret_json, err);
}

/* SPDX-License-Identifier: MIT */
#include "sync/rowcheck.h"

#include <errno.h>

void rowcheck_begin(struct rowcheck *check, const struct run_info *run, bool known)
{
	*check = (struct rowcheck){
		.server = run->server_range,
		.peer = run->peer_range,
		.left = known ? ROWCHECK_BACKLOG : ROWCHECK_BACKLOG_NEW,
	};
}

void rowcheck_resume(struct rowcheck *check, const struct run_info *run)
{
	check->server = run->server_range;
	check->peer = run->peer_range;
	check->last = 0;
}

void rowcheck_earn(struct rowcheck *check)
{
	check->left++;
}

static int check_dir(const struct measurement *m, enum direction dir, struct err *err)
{
	if (figures_goodput_valid(&m->dir[dir]))
		return 0;
	return err_set(
		err, -EINVAL,
		"row %u refused: the goodput of its %s is not within its interval",
		m->seq, direction_name(dir));
}

int rowcheck_take(const struct rowcheck *check, const struct measurement *m,
		  struct err *err)
{
	if (!mtu_range_allows(&check->server, m->mtu.server) ||
	    !mtu_range_allows(&check->peer, m->mtu.peer) || m->mtu.peer == MTU_UNKNOWN)
		return err_set(err, -EINVAL,
			       "row %u refused: pair %d/%d is not in the run's ranges",
			       m->seq, m->mtu.server, m->mtu.peer);
	if (m->seq > ROWCHECK_SEQ_MAX)
		return err_set(err, -EINVAL,
			       "row %u refused: a run has %d rows at most", m->seq,
			       ROWCHECK_SEQ_MAX);
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		int r = check_dir(m, (enum direction)dir, err);

		if (r < 0)
			return r;
	}
	if (m->seq <= check->last)
		return 0;
	if (check->left > 0)
		return 1;
	return err_set(err, -EDQUOT,
		       "row %u refused: too many rows: the session has sent one for "
		       "each pair it set, and all the earlier ones it may",
		       m->seq);
}

void rowcheck_count(struct rowcheck *check, const struct measurement *m, bool stored)
{
	check->last = m->seq;
	check->left -= stored;
}

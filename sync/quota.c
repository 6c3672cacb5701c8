/* SPDX-License-Identifier: MIT */
#include "sync/quota.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

struct quota_peer *quota_find(struct quota *quota, const char *who, int64_t now_ms)
{
	struct quota_peer *found = &quota->list[0];

	for (int i = 0; i < QUOTA_PEERS; i++) {
		struct quota_peer *at = &quota->list[i];

		if (at->who[0] && now_ms - at->since_ms >= QUOTA_DAY_MS)
			*at = (struct quota_peer){0};
		if (strcmp(at->who, who) == 0)
			return at;
		if (at->since_ms < found->since_ms)
			found = at;
	}
	*found = (struct quota_peer){.since_ms = now_ms};
	text_copy(found->who, sizeof(found->who), who);
	return found;
}

int quota_check_run(const struct quota_peer *peer, struct err *err)
{
	if (peer->runs < QUOTA_RUNS)
		return 0;
	return err_set(err, -EDQUOT,
		       "run refused: this peer has begun %d within a day, and the "
		       "server stores no more; try again tomorrow",
		       QUOTA_RUNS);
}

int quota_check_row(const struct quota_peer *peer, struct err *err)
{
	if (peer->rows < QUOTA_ROWS)
		return 0;
	return err_set(err, -EDQUOT,
		       "row refused: this peer has sent %d within a day, and the "
		       "server stores no more",
		       QUOTA_ROWS);
}

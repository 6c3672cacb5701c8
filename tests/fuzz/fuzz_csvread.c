/* SPDX-License-Identifier: MIT */
/* A log of nr-wg-mtu-finder's, or any other file that a user names. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/csvread.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Check the header's promises about each figure. */
static void check_row(const struct csv_log *log, size_t i,
		      const struct mtu_range *server, const struct mtu_range *peer)
{
	const struct measurement *m = &log->m[i];

	if (m->seq != i + 1 || m->pass < 1 ||
	    !mtu_range_allows(server, m->mtu.server) ||
	    !mtu_range_allows(peer, m->mtu.peer) ||
	    (m->mtu.server - server->min) % server->step ||
	    (m->mtu.peer - peer->min) % peer->step)
		abort();
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		const struct dir_result *r = &m->dir[dir];

		if (r->received_bps < NO_FIGURE || r->sent_bps < NO_FIGURE ||
		    (r->status == TEST_OK) != (r->received_bps >= 0) ||
		    (r->status != TEST_OK && r->sent_bps >= 0))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_csv_log struct csv_log log = CSV_LOG_INIT;
	struct mtu_range server, peer;
	struct err err = ERR_INIT;
	/* A copy of exactly this size: the sanitizer detects a read beyond it. */
	char *text = malloc(size + !size);

	if (!text)
		return 0;
	memcpy(text, data, size);
	if (csvread_parse(text, size, &log, &err) == 0 && log.count) {
		csvread_ranges(&log, &server, &peer);
		if (server.min < MTU_MIN || server.max > MTU_MAX || server.step < 1)
			abort();
		for (size_t i = 0; i < log.count; i++)
			check_row(&log, i, &server, &peer);
	}
	free(text);
	return 0;
}

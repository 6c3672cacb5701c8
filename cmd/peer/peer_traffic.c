/* SPDX-License-Identifier: MIT */
#include "cmd/peer/peer_traffic.h"

#include <stdio.h>

#include "base/io.h"

#define MB_TEXT_SIZE 32

static const char *mb_text(double bytes, char ret[MB_TEXT_SIZE])
{
	double mb = bytes / 1e6;

	snprintf(ret, MB_TEXT_SIZE, "%.*f MB", mb < 9.95 ? 1 : 0, mb);
	return ret;
}

/* What was received: the sender's count has what stayed in its buffers. A test that is not
 * ok has no rate. */
static double bytes_of(const struct measurement *m)
{
	double bytes = 0;

	for (int dir = 0; dir < DIR_COUNT; dir++) {
		const struct dir_result *result = &m->dir[dir];
		int64_t rate_bps = result->received_bps;

		if (rate_bps != NO_FIGURE && result->duration_ms > 0)
			bytes += (double)rate_bps / 8 * (double)result->duration_ms /
				 1000;
	}
	return bytes;
}

void peer_traffic_tell_planned(int visits, int64_t duration_ms)
{
	double seconds = (double)visits * DIR_COUNT * (double)duration_ms / 1000;
	char each[MB_TEXT_SIZE];

	host_tell("their tests transfer at most about %s for each Mbit/s that the line "
		  "carries",
		  mb_text(seconds * 1e6 / 8, each));
}

/* The most that tests at these rates transfer: a test may end before its duration, or
 * fail. */
static double most_bytes_of(const struct measurement *m, int64_t duration_ms)
{
	double bits = 0;

	for (int dir = 0; dir < DIR_COUNT; dir++)
		bits += (double)m->dir[dir].received_bps * (double)duration_ms / 1000;
	return bits / 8;
}

void peer_traffic_tell_expected(const struct measurement *first, int visits,
				int64_t duration_ms)
{
	char one[MB_TEXT_SIZE];
	char all[MB_TEXT_SIZE];

	if (measurement_status(first) != TEST_OK || visits < 2)
		return;
	host_tell("the first measurement transferred %s; the %d planned so far will "
		  "take at most about %s",
		  mb_text(bytes_of(first), one), visits,
		  mb_text(most_bytes_of(first, duration_ms) * visits, all));
}

void peer_traffic_tell_sent(const struct peer_run *run)
{
	cleanup_free struct measurement *rows = NULL;
	char all[MB_TEXT_SIZE];
	double bytes = 0;
	size_t count;

	if (peer_run_load_rows(run, &rows, &count, NULL) < 0 || count == 0)
		return;
	for (size_t i = 0; i < count; i++)
		bytes += bytes_of(&rows[i]);
	host_tell("the tests of this run transferred about %s through the tunnel, "
		  "without headers, repeats and failed tests",
		  mb_text(bytes, all));
}

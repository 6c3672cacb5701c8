/* SPDX-License-Identifier: MIT */
#ifndef CMD_PEER_PEER_TRAFFIC_H
#define CMD_PEER_PEER_TRAFFIC_H

#include "cmd/peer/peer_run.h"

/* What the tests of a run transfer through the tunnel, for users whose line is metered. */

/* Before the first test no rate is known: tell the data for each Mbit/s of the line. */
void peer_traffic_tell_planned(int visits, int64_t duration_ms);

/* After the first of `visits` measurements: what all of them will take at most, with tests
 * of this duration. Nothing where the first one failed. */
void peer_traffic_tell_expected(const struct measurement *first, int visits,
				int64_t duration_ms);

/* After the last: what the measurements of the run have taken, by libiperf's reports. */
void peer_traffic_tell_sent(const struct peer_run *run);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef CMD_PEER_PEER_TEST_H
#define CMD_PEER_PEER_TEST_H

#include "cmd/peer/peer_ops.h"

/* The tests of a visit, each repeated where others or the line disturbed it. */

/* Arming waits up to 2 s for libiperf's server, on top of the way there and back. */
#define PEER_ARM_TIMEOUT_MS 3000

/* The longest that a test of one direction may last: what the user asked for, or what the
 * round trip asks for (steady_latest_us()). */
int64_t peer_test_ms(const struct peer_session *session);

/* A new test, and where it will come from: the server is told when it is armed. */
struct peer_test peer_test_new(struct peer_visit *visit);

/* Discard the test that was set up beside the first one, if there is one. */
void peer_test_drop_next(struct peer_visit *visit);

/* Measure one direction, as of struct sweep_ops. The visit's first test was armed with the
 * pair. */
int peer_test_measure(struct peer_visit *visit, enum direction dir,
		      struct dir_result *ret, struct err *err);

/* Find out if packets as large as the sending end's MTU, of the pair just set, arrive.
 * -EAGAIN as for all that the sweep may mend. */
int peer_test_full_size(struct peer_visit *visit, enum direction dir,
			struct dir_result *ret, struct err *err);

/* True if the test did not reach the server's port. */
bool peer_test_never_met(const struct dir_result *result);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef CMD_PEER_PEER_PROBE_H
#define CMD_PEER_PEER_PROBE_H

#include "cmd/peer/peer_session.h"
#include "netctl/probe.h"

/*
 * Probe the path in the session that is open: both ends are set up for it, and as they
 * were afterwards. 0 also where probes tell nothing (UDP is filtered, no WireGuard, ...):
 * then no band is known in either direction, ret_summary->filtered is set, and err's text
 * says why. What an outage spoils is probed again, five times at most: then -EIO. -EINTR;
 * -EPIPE; -ECANCELED somebody else changed the link. `only`: full-size packets of this pair
 * and the next larger ones alone, tried once: -EAGAIN if an outage spoils it; NULL: find
 * the bands.
 */
int peer_probe(struct peer_session *session, const struct mtu_pair *only,
	       struct path *ret, struct probe_summary *ret_summary, struct err *err);

/* The warning for sizes that pass only sometimes. False: none do. */
bool peer_probe_sometimes(const struct bandfind_sometimes *sometimes,
			  enum direction dir, struct warning *ret);

#endif

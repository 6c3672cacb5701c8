/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_PROBE_ANSWER_H
#define NETCTL_PROBE_ANSWER_H

#include "netctl/probehost.h"

/*
 * The server's half of a probe (netctl/probe.h): a thread that answers the peer's
 * rounds. It ends when the peer says that a round was the last, when it is stopped, or
 * after a silence of PROBE_ANSWER_SILENCE_MS (or the lease, if that is longer: a lease
 * grows with the path's round trip). It then restores the host by itself
 * (guard_restore()).
 */

#define PROBE_ANSWER_SILENCE_MS 5000

struct probe_answer;

/*
 * Open and set up this end for the peer's UDP port, and answer from a thread;
 * `config`'s stop_fd is ignored. *ret_facts is for the peer. Errors as probehost_open()
 * and probehost_set_up(); the host is restored then.
 */
int probe_answer_start(const struct probehost_config *config, int remote_port,
		       struct probe_answer **ret, struct probehost_facts *ret_facts,
		       struct err *err);

/* End the thread and wait for its end. The host is restored unless that fails; NULL is
 * allowed. */
void probe_answer_stop(struct probe_answer *answer);

#endif

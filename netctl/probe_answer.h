#ifndef NETCTL_PROBE_ANSWER_H
#define NETCTL_PROBE_ANSWER_H

#include "netctl/probehost.h"

/*
 * The server's half of a probe (netctl/probe.h): a thread that answers the peer's rounds,
 * until the peer says that it was the last, is silent for PROBE_ANSWER_SILENCE_MS (or the lease, where that is
 * longer: it is as long as the path is slow), or is
 * stopped. By itself it puts the host back then (guard_restore()).
 */

#define PROBE_ANSWER_SILENCE_MS 5000

struct probe_answer;

/*
 * Open and set up this end for the peer's UDP port, and answer from a thread; `config`'s
 * stop_fd does not count. *ret_facts is for the peer. Errors are those of
 * probehost_open() and probehost_set_up(); the host is put back then.
 */
int probe_answer_start(const struct probehost_config *config, int remote_port,
		       struct probe_answer **ret, struct probehost_facts *ret_facts,
		       struct err *err);

/* End the thread, and wait for that. What it has set up is put back unless a restore
 * failed; NULL is allowed. */
void probe_answer_stop(struct probe_answer *answer);

#endif

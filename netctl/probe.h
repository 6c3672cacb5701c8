/* SPDX-License-Identifier: MIT */
#ifndef NETCTL_PROBE_H
#define NETCTL_PROBE_H

#include "base/path.h"
#include "netctl/probehost.h"

/*
 * Probing: finds the fate of outer packets by size, in each direction of a tunnel's
 * path. This is the peer's half, which leads. Set up both ends first
 * (probehost_set_up()); the server uses probe_answer.h. Then come rounds, both
 * directions at once:
 *
 *	peer                                        server
 *	  GO (the round's sizes)      ------>
 *	  a probe of each size        ======>         <------ a probe of each size
 *	  END                         ------>         <------ END
 *	                              <------ REPORT (what came of the peer's)
 *
 * A round waits a moment for probes that its END has overtaken, longer if probes overtake
 * one another (netctl/probeorder.h). A probe that arrives even later was not lost: the
 * result of its round is corrected with the next one's.
 *
 * A repeated END is answered by END and REPORT again, so nothing that is lost holds a
 * round up for longer than two round trips.
 */

struct probe_options {
	struct probehost_facts server;
	int64_t rtt_us; /* round trip of the path, about */
	/* time limit for all rounds; sizes not probed by then stay unknown */
	int64_t limit_ms;
	/* Probe only the full-size packets of this pair; 0, 0: find the bands. */
	struct mtu_pair only;
};

struct probe_summary {
	bool filtered; /* no answer came: UDP is filtered */
	bool unable;   /* filtered, since an end could send none: see the error */
	int rounds;
	int sizes[DIR_COUNT];   /* sizes sent, repeats counted */
	int packets[DIR_COUNT]; /* copies of them */
	struct bandfind_sometimes sometimes[DIR_COUNT];
	bool counters[DIR_COUNT]; /* fates come from the kernel's counters */
	int64_t took_ms;
	/* where the sender's outer packets go */
	char endpoint[DIR_COUNT][ADDRESS_SIZE];
};

/*
 * 0, also when UDP is filtered: no band is known then. -EINTR from the host's stop_fd,
 * -EPIPE when the guard is gone, or the guard's error about the link (-ESTALE, -ENODEV,
 * -ENETDOWN).
 */
int probe_run(struct probehost *host, const struct probe_options *options,
	      struct path *ret, struct probe_summary *ret_summary, struct err *err);

#endif

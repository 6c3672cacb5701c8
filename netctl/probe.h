#ifndef NETCTL_PROBE_H
#define NETCTL_PROBE_H

#include "base/path.h"
#include "netctl/probehost.h"

/*
 * What becomes of outer packets on a tunnel's path, by their size, in each direction: the
 * peer's half, which leads. Both ends are set up first (probehost_set_up()), the server's
 * by its probe_answer.h. Then rounds, both directions at once:
 *
 *	peer                                        server
 *	  GO (the round's sizes)      ------>
 *	  a probe of each size        ======>         <------ a probe of each size
 *	  END                         ------>         <------ END
 *	                              <------ REPORT (what came of the peer's)
 *
 * A repeated END is answered by END and REPORT again, so nothing that is lost holds a
 * round up for longer than two round trips.
 */

struct probe_options {
	struct probehost_facts server;
	int64_t rtt_us;   /* of the path; about */
	int64_t limit_ms; /* of all of it: what is open then stays open */
};

struct probe_summary {
	bool filtered; /* nothing came back: UDP does not get through */
	int rounds;
	int sizes[DIR_COUNT];     /* sent, repeats counted */
	bool counters[DIR_COUNT]; /* judged by the kernel's counters */
	int64_t took_ms;
};

/*
 * 0 also when UDP is filtered: no band is known then. -EINTR by the host's stop_fd, -EPIPE
 * the guard is gone, or what it says of the link (-ESTALE, -ENODEV, -ENETDOWN).
 */
int probe_run(struct probehost *host, const struct probe_options *options,
	      struct path *ret, struct probe_summary *ret_summary, struct err *err);

#endif

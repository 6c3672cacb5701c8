/* SPDX-License-Identifier: MIT */
#ifndef CMD_ALONE_ALONE_IPERF_H
#define CMD_ALONE_ALONE_IPERF_H

#include "cmd/alone/alone.h"
#include "engine/testspec.h"

/* Longer tests would outlast the longest lease on the link's MTU. */
#define ALONE_IPERF_DURATION_MAX_MS 300000
/* iperf3's own (iperf3(1)) */
#define ALONE_IPERF_PORT 5201

struct rtwatch;

/*
 * Single tests with the user's own `iperf3 -s` behind the tunnel, which may have other
 * clients: a server that is busy or away is tried again for --wait, under the lease.
 */
struct alone_iperf {
	struct alone *alone;
	struct rtwatch *watch;
	struct test_spec spec;
	bool met; /* the server has made a test */
};

int alone_iperf_begin(struct alone *alone, struct alone_iperf *ret, struct err *err);
/* Also after alone_iperf_begin() has failed. */
void alone_iperf_end(struct alone_iperf *iperf);

/* A lease that outlasts one attempt at a test. */
int64_t alone_iperf_lease_ms(const struct alone_iperf *iperf);

/*
 * Measure one direction; `lost` as in struct test_spec. The MTU must be set. A failed test
 * is a result. -ECONNREFUSED: the server makes no test, and why; -EAGAIN: this end's
 * interface was down, or the line is; -EINTR; else the runner's or the guard's errors.
 */
int alone_iperf_measure(struct alone_iperf *iperf, enum direction dir, bool lost,
			struct dir_result *ret, struct err *err);

#endif

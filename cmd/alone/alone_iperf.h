/* SPDX-License-Identifier: MIT */
#ifndef CMD_ALONE_ALONE_IPERF_H
#define CMD_ALONE_ALONE_IPERF_H

#include "cmd/alone/alone.h"

/* Longer tests would outlast the longest lease on the link's MTU. */
#define ALONE_IPERF_DURATION_MAX_MS 300000
/* iperf3's own (iperf3(1)) */
#define ALONE_IPERF_PORT 5201

/*
 * --iperf-server, after the probes of --alone: with the recommended MTU of this end, then
 * with the present one, measure upload and download with the user's own `iperf3 -s` behind
 * the tunnel, and print a line for each. A server that is busy or does not listen is tried
 * again for --wait. The link's MTU is set under a lease and restored. 0 also if nothing
 * was asked for. -EINTR: stopped; -ECONNREFUSED: the server makes no test, and why.
 */
int alone_iperf(struct alone *alone, struct err *err);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef CMD_ALONE_ALONE_LINES_H
#define CMD_ALONE_ALONE_LINES_H

#include "cmd/host/host.h"

/* After an MTU was applied to the link alone, print the lines that make it last on the
 * system that keeps it (report/ready.h). `end`: "server" or "peer". Nothing is printed for
 * routes, which the lines cannot set. */
void alone_tell_lines(const struct host *host, const char *end, bool by_route, int mtu);

#endif

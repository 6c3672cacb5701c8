/* SPDX-License-Identifier: MIT */
#ifndef REPORT_PROMETHEUS_H
#define REPORT_PROMETHEUS_H

#include <stdio.h>

#include "store/query.h"

/*
 * Runs in Prometheus' text format, fit for node_exporter's textfile collector: no
 * timestamps of samples, base units (bytes, seconds). Each series has the labels server
 * and peer (host names), interface (of the end that stored the run) and tunnel (its id),
 * so that several tunnels of a host do not collide. Failed directions have no rate, only
 * counts.
 */

struct prometheus_run {
	struct query_run run;
	bool pairs; /* with the figures of each pair */
	/* The MTU of packets into the tunnel now, at ends on this host; 0: not known. */
	struct mtu_pair live;
};

/* Each run should be of another tunnel. -EIO and others when `out` cannot be written;
 * -ENOMEM. */
int prometheus_export(struct query *query, const struct prometheus_run *runs, int count,
		      FILE *out, struct err *err);

/* Write a server's own metrics: its version, and 1 while a session is open. */
void prometheus_put_server(FILE *out, const struct end_facts *server,
			   const char *version, bool session_open);

#endif

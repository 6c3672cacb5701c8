/* SPDX-License-Identifier: MIT */
#ifndef CMD_SERVER_SERVER_H
#define CMD_SERVER_SERVER_H

#include "base/types.h"
#include "cmd/alone/alone.h"
#include "cmd/host/host.h"

/*
 * The server's main process. It serves the endpoint, passes the requests of the
 * session's peer to guard, runner and store, and restores the MTU by itself when the
 * peer is gone.
 */

struct server_config {
	const struct host_options *options;
	const struct host *host;
	char address[ADDRESS_SIZE]; /* this end's, inside the tunnel */
	int port;
	int iperf_port;
	bool once;
	bool alone;                  /* this end only: serve no peer */
	struct alone_config one_end; /* for alone */
};

/* The program's options beyond host_options, with their defaults; the table in cmd/server.c
 * fills them. */
struct server_options {
	struct server_config config; /* for server_main() */
	const char *server_ip;       /* NULL: the interface's own */
	bool port_given;
	bool iperf_port_given;
};

extern struct server_options server_options;

/* host_program.libraries. */
const char *server_libraries(void);

/* host_program.check and .ready. -EINVAL: the ports are the same, an address is none, or
 * options exclude one another; -EADDRNOTAVAIL: --server-ip is not the interface's; those
 * of alone_options_ready(). */
int server_options_check(struct err *err);
int server_options_ready(struct host *host, struct err *err);

/* keeper_roles.main; `ctx` is a struct server_config. Returns the exit status. */
int server_main(void *ctx, int guard_fd, int runner_fd);

#endif

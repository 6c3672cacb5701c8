#ifndef CMD_SERVER_SERVER_H
#define CMD_SERVER_SERVER_H

#include "base/types.h"
#include "cmd/host/host.h"

/*
 * The server's main process: it follows. It serves the endpoint, does what the
 * session's peer asks of guard, runner and store, and goes back by itself when the peer
 * is gone.
 */

struct server_config {
	const struct host_options *options;
	const struct host *host;
	char address[ADDRESS_SIZE]; /* this end's, inside the tunnel */
	int port;
	int iperf_port;
	bool once;
};

/* keeper_roles.main; `ctx` is a struct server_config. Returns the exit status. */
int server_main(void *ctx, int guard_fd, int runner_fd);

#endif

/* SPDX-License-Identifier: MIT */
#include "cmd/server/server.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/text.h"

struct server_options server_options = {
	.config = {.port = HOST_SERVER_PORT, .iperf_port = HOST_IPERF_PORT},
};

/* The options that the checks below examine. */
static struct server_config *const server = &server_options.config;

static int find_address(const struct host *host, struct err *err)
{
	int r;

	if (!server_options.server_ip)
		return rtlink_get_address(host->link.index, server->address, err);
	r = rtlink_has_address(host->link.index, server->address, err);
	if (r == 0)
		return err_set(err, -EADDRNOTAVAIL,
			       "--server-ip %s is no address of '%s'", server->address,
			       host->link.name);
	return r < 0 ? r : 0;
}

int server_options_check(struct err *err)
{
	if (server->port == server->iperf_port)
		return err_set(err, -EINVAL,
			       "--server-port and --iperf-port are both %d; they must "
			       "differ",
			       server->port);
	return server_options.server_ip
		       ? host_options_take_address("server-ip",
						   server_options.server_ip,
						   server->address, err)
		       : 0;
}

int server_options_ready(struct host *host, struct err *err)
{
	server->options = &host_options;
	server->host = host;
	return find_address(host, err);
}

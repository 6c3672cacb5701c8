/* SPDX-License-Identifier: MIT */
#include "cmd/server/server.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/text.h"
#include "cmd/alone/alone_options.h"

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

/* The options that --alone has no use for; NULL: none is given. */
static const char *find_useless(void)
{
	const struct {
		const char *name;
		bool given;
	} others[] = {
		{"server-ip", server_options.server_ip != NULL},
		{"server-port", server_options.port_given},
		{"iperf-port", server_options.iperf_port_given},
		{"once", server->once},
		{"persist each", host_options.persist == PERSIST_EACH},
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (others[i].given)
			return others[i].name;
	}
	return NULL;
}

static int check_alone(struct err *err)
{
	const char *useless = find_useless();

	if (useless)
		return err_set(err, -EINVAL,
			       "--alone has no use for --%s: it serves no peer",
			       useless);
	if (server->one_end.named.count > 1)
		return err_set(err, -EINVAL,
			       "--peer is given twice: probe one peer after the other");
	server->one_end.option = "peer";
	server->one_end.own = DIR_DOWNLOAD;
	return alone_options_check(&server->one_end, err);
}

int server_options_check(struct err *err)
{
	if (server->alone)
		return host_options.restore ? 0 : check_alone(err);
	if (server->one_end.named.count || server->one_end.json)
		return err_set(err, -EINVAL, "--%s needs --alone",
			       server->one_end.json ? "json" : "peer");
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
	return server->alone ? alone_options_ready(&server->one_end, host, err)
			     : find_address(host, err);
}
